"""Every command of `tws` runs once as on Windows: cp1252, into a file; and `tws --help` loads little."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tws.cli.app import COMMANDS

TWS = [sys.executable, "-c", "from tws.cli.app import main; main()"]
WAIT_S = 200  # below the bound of pytest's own


class Run(NamedTuple):
    """How a command is run here: its arguments, the exit codes that are right, and what stops it."""

    arguments: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = (0,)
    stop_at: str = ""  # a command that serves for ever is asked to end once it has written this
    writes: str = ""  # what its output must hold


def free_port() -> int:
    """A port on which nothing listens (nor is likely to, for the moment)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def runs() -> dict[str, Run]:
    """A new command joins here, or the test fails."""
    return {
        "demo": Run(("--data", "SPY-2013-10-07-1s.csv"), writes="(0 refused, 0 denied, 1 traded)"),
        "sim": Run(("--port", "0", "--seed", "7"), exit_codes=(0, 130), stop_at="listening on"),
        "record": Run(
            ("session.jsonl", "--port", "0", "--tws-port", str(free_port())),
            exit_codes=(0, 130), stop_at="listening on",
        ),
        "replay": Run(("none.jsonl", "--port", "0"), exit_codes=(2,), writes="none.jsonl"),
        "certify": Run(
            ("--port", str(free_port()), "--patience", "1"), exit_codes=(2,), writes="nothing listens"
        ),
        "api-demo": Run(("--port", "0"), exit_codes=(0, 130), stop_at="listening on"),
        "init": Run(("made", "--defaults"), writes="tws run"),
        "check": Run(("none.toml",), exit_codes=(2,), writes="none.toml"),
        "run": Run(("none.toml",), exit_codes=(2,), writes="none.toml"),
        "reload": Run((), exit_codes=(2,), writes="no trader has state"),
        "status": Run((), writes="no trader"),
        "stop": Run((), exit_codes=(2,), writes="no trader has state"),
        "kill": Run((), exit_codes=(2,), writes="no trader has state"),
        "reset": Run(("--operator", "me", "--reason", "test"), exit_codes=(2,), writes="no trader has state"),
        "unlock": Run(
            ("none.toml", "--account", "U1", "--operator", "me"), exit_codes=(2,), writes="none.toml"
        ),
        "risk": Run((), exit_codes=(2,), writes="no trader has state"),
        "rules": Run(("list",), exit_codes=(2,), writes="no trader has state"),
        "adjust": Run(
            ("SPY", "--quantity", "1", "--reason", "split", "--operator", "me"),
            exit_codes=(2,),
            writes="no trader has state",
        ),
        "declare": Run(
            ("t-1", "--reason", "seen", "--operator", "me"), exit_codes=(2,), writes="no trader has state"
        ),
        "drill": Run(("kill", "mid-partial-fill"), writes="1 of 1 passed"),
        "orders": Run(exit_codes=(2,), writes="--journal FILE"),  # an empty state folder: no journal yet
        "positions": Run(exit_codes=(2,), writes="--journal FILE"),
        "explain": Run(("t-1",), exit_codes=(2,), writes="--journal FILE"),
        "verify": Run(exit_codes=(2,), writes="--journal FILE"),
        "export": Run(("--out", "tables"), exit_codes=(2,), writes="--journal FILE"),
        "doctor": Run(
            ("--host", "127.0.0.1", "--port", str(free_port())), exit_codes=(1, 2), writes="listen"
        ),
    }


@pytest.fixture
def windows_like(tmp_path: Path) -> dict[str, str]:
    """The environment of a redirected Windows console, with its own empty state folder, and no TWS."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
    folder = str(tmp_path / "home")
    Path(folder).mkdir()
    return kept | {
        "PYTHONIOENCODING": "cp1252",
        "PYTHONUTF8": "0",
        "HOME": folder,
        "LOCALAPPDATA": folder,
        "XDG_STATE_HOME": folder,
    }


def write_half_an_hour(folder: Path) -> None:
    """A recorded market in which the opening range is left upwards once."""
    rows = ["time_utc_ms,open,high,low,close,volume,bid,bid_size,ask,ask_size"]
    for second in range(1800):
        price = 100 + second % 60 / 100 + max(0, second - 1200) / 1000
        rows.append(
            f"{1_381_152_600_000 + 1000 * second},{price:.2f},{price:.2f},{price:.2f},{price:.2f},100,"
            f"{price - 0.01:.2f},100,{price + 0.01:.2f},100"
        )
    (folder / "SPY-2013-10-07-1s.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def run(command: list[str], how: Run, env: dict[str, str], folder: Path) -> tuple[int, str]:
    """Run a command with its output in a file; answers exit code and text."""
    out = folder / "out.txt"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [*TWS, *command], stdout=file, stderr=subprocess.STDOUT, env=env, cwd=folder
        )
        try:
            if how.stop_at:
                end = time.monotonic() + WAIT_S
                while how.stop_at.encode() not in out.read_bytes():
                    assert process.poll() is None, out.read_bytes().decode("cp1252")
                    assert time.monotonic() < end, "it never said that it is ready"
                    time.sleep(0.05)
                if sys.platform == "win32":
                    process.terminate()
                else:
                    process.send_signal(signal.SIGINT)
            code = process.wait(WAIT_S)
        finally:
            process.kill()
            process.wait()
    return code, out.read_bytes().decode("cp1252")


def test_every_command_is_run_here() -> None:
    assert set(runs()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_writes_cp1252_into_a_file(name: str, windows_like: dict[str, str], tmp_path: Path) -> None:
    how = runs()[name]
    write_half_an_hour(tmp_path)
    code, text = run([name, *how.arguments], how, windows_like, tmp_path)
    assert "Traceback" not in text, text
    assert "this is a bug" not in text, text
    if not (how.stop_at and sys.platform == "win32"):
        assert code in how.exit_codes, text
    assert how.writes in text, text


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_plain(name: str, windows_like: dict[str, str], tmp_path: Path) -> None:
    code, text = run([name, "--help"] if name else ["--help"], Run(), windows_like, tmp_path)
    assert code == 0, text
    assert "Usage: tws" in text
    assert text.isascii(), [sign for sign in text if not sign.isascii()]
    if not name:
        assert all(command in text for command in COMMANDS)


def test_help_loads_no_protobuf_and_no_client() -> None:
    """Half a second is all that a help text may take; the official client alone needs more."""
    script = (
        "import sys\nfrom tws.cli.app import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "heavy = {'ibapi', 'google', 'pydantic', 'httpx', 'asyncio'} & loaded\n"
        "sys.exit('loaded: ' + ', '.join(sorted(heavy)) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_wrong_word_is_answered_with_usage(windows_like: dict[str, str], tmp_path: Path) -> None:
    code, text = run(["nonsense"], Run(), windows_like, tmp_path)
    assert code == 2
    assert "nonsense" in text
