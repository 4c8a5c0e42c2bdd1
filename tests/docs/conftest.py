"""How a program of the documentation is run: its own process and folder, a simulated TWS, and no real one."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from tws.simulator import SimulatedTWS, SimulatorOptions

RUN_BOUND_S = 240  # a program of the docs takes a few seconds; pytest's own bound comes after this one


# What a suite with coroutines has in its pytest.ini.
PYTEST = [
    *("-m", "pytest", "-q", "-o", "asyncio_mode=auto"),
    *("-o", "asyncio_default_fixture_loop_scope=function"),
]


class Ran(NamedTuple):
    """What a program left behind."""

    code: int | None
    out: str
    err: str


Runner: TypeAlias = Callable[..., Awaitable[Ran]]


@pytest.fixture
async def simulator_port() -> AsyncIterator[int]:
    """A simulated TWS on a free port, its market ten times as fast as life."""
    served = SimulatedTWS(SimulatorOptions(port=0, seed=7, speed=10.0))
    _, port = await served.start()
    try:
        yield port
    finally:
        await served.stop()


@pytest.fixture
def clean_env(tmp_path: Path) -> dict[str, str]:
    """An environment without TWS_*, with a state folder of its own."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
    places = dict.fromkeys(("HOME", "LOCALAPPDATA", "XDG_STATE_HOME"), str(home))
    return kept | places | {"PYTHONUTF8": "1", "PYTHONWARNINGS": "default"}


@pytest.fixture
def run_program(tmp_path: Path, checkout: Path, clean_env: dict[str, str]) -> Runner:
    """Run a program's text as a file in a folder that has the doors of the checkout, as its root has them."""

    async def run(text: str, name: str = "program.py", *, as_test: bool = False) -> Ran:
        folder = tmp_path / "checkout"
        (folder / "src").mkdir(parents=True, exist_ok=True)
        for door in ("tws_config.py", "tws_connection.py"):
            shutil.copy(checkout / "src" / door, folder / "src" / door)
        (folder / name).write_text(text, encoding="utf-8")
        how = [*PYTEST, name] if as_test else [name]
        return await run_command(how, folder, clean_env)

    return run


@pytest.fixture
def run_in_checkout(checkout: Path, clean_env: dict[str, str]) -> Runner:
    """Run Python with arguments from the root of the checkout, with further variables."""

    async def run(*arguments: str, **variables: str) -> Ran:
        return await run_command(list(arguments), checkout, clean_env | variables)

    return run


async def run_command(arguments: list[str], folder: Path, env: dict[str, str]) -> Ran:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), RUN_BOUND_S)
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
        pytest.fail(f"no end after {RUN_BOUND_S} s\n{out.decode()}\n{err.decode()}")
    return Ran(process.returncode, out.decode("utf-8"), err.decode("utf-8"))
