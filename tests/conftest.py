"""What every test may use: the simulated TWS, the recorded data, and a user who has no TWS and no trader.

No test ever meets a real TWS, except those of tests/integration when that folder or a file of it is named
on the command line: the person who types that means it. pytest is all that this file needs.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    # To be given as --data=FOLDER: with a blank pytest takes the folder for tests, and its root from there.
    parser.addoption(
        "--data",
        metavar="FOLDER",
        default=None,
        help="recorded market data; without it, tests marked data are skipped",
    )


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the processes of the tests would ignore it
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # and this one in the background of a script
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not _names_integration(config):
        for name in [name for name in os.environ if name.startswith("TWS_")]:
            del os.environ[name]


LONGEST = ("world", "crash", "runtime", "cli", "soak", "connection", "simulator", "docs", "certify")
"""Folders whose files take longest come first, or `make test` ends with one worker at the last of them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    rank = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.parent, len(LONGEST)))
    if config.getoption("--data"):
        return
    skip = pytest.mark.skip(reason="needs recorded data: make test-data DATA=FOLDER")
    for item in items:
        if "data" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def no_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's own state folder is none of the tests' business, nor of the processes that they start."""
    folder = str(tmp_path_factory.mktemp("state"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LOCALAPPDATA", "XDG_STATE_HOME", *(["HOME"] if sys.platform == "darwin" else [])):
            patch.setenv(name, folder)
        yield


@pytest.fixture(scope="session")
def data_folder(request: pytest.FixtureRequest) -> Path:
    """The folder of recorded market data that --data names."""
    named = request.config.getoption("--data")
    if not named:
        pytest.skip("needs recorded data: make test-data DATA=FOLDER")
    folder = Path(named).expanduser().resolve()
    if not folder.is_dir():
        pytest.fail(f"--data {named}: no such folder")
    return folder


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A command that runs in this process turns the log to its own stream: for that test alone."""
    logger = logging.getLogger("tws")
    handlers, level, propagates = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagates


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def may_meet_tws(request: pytest.FixtureRequest) -> bool:
    """Whether the user asked for the integration tests by name, and so for the TWS of TWS_HOST."""
    return _names_integration(request.config)


def _names_integration(config: pytest.Config) -> bool:
    # config.args are the folders, files and tests to collect, given or by default, without -k and the like.
    own = ROOT / "tests" / "integration"
    named = [config.invocation_params.dir / str(argument).split("::", 1)[0] for argument in config.args]
    return any(own in (path.resolve(), *path.resolve().parents) for path in named)
