"""The stage on which an example is played as its reader plays it: the commands at its top, each a process of
its own, in a copy of the folder, with a home of its own.

Ports are free ones: what listens is started with port 0, and the copy of the examples speaks of the port
that it then took. Nothing waits for a time: `until` waits for words of the output.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.examples.reading import EXAMPLES, read

from tws.errors import JournalError
from tws.journal import read_journal
from tws.model.records import Booked, Record, decode_records

__all__ = ["Process", "Stage", "free_port"]

BOUND_S = 120.0
"""No machine needs so long; what was not said by then is not coming."""
WINDOWS = sys.platform == "win32"
USUAL_PORTS = {"sim": "7400", "api-demo": "8700"}
COMMANDS = {
    "tws": [sys.executable, "-c", "import sys; from tws.cli.app import main; main(sys.argv[1:])"],
    "python": [sys.executable],
}


def free_port() -> str:
    """A port of 127.0.0.1 that nobody has now, for what can't be told to take any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Process:
    """One command, its output in a file."""

    def __init__(self, arguments: list[str], folder: Path, environ: dict[str, str], out: Path) -> None:
        self._out = out
        program, *rest = arguments
        command = [*COMMANDS[program], *rest]
        # On Windows a Ctrl-Break can be sent to a process group alone, and Ctrl-C to none but one's own.
        group: dict[str, Any] = {"creationflags": 0x200} if WINDOWS else {}
        with out.open("wb") as file:
            self._popen = subprocess.Popen(
                command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT, **group,
            )

    @property
    def said(self) -> str:
        """All of its output until now."""
        return self._out.read_text(encoding="utf-8")

    def until(self, pattern: str) -> re.Match[str]:
        """Wait until it says so. AssertionError when it has ended, or after the bound, without."""
        end = time.monotonic() + BOUND_S
        while True:
            ended = self._popen.poll() is not None  # asked first: its last words are then in the file
            found = re.search(pattern, self.said, re.MULTILINE)
            if found is not None:
                return found
            assert not ended and time.monotonic() < end, f"never said {pattern!r}:\n{self.said}"
            time.sleep(0.02)

    def press_ctrl_c(self) -> None:
        self._popen.send_signal(
            getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT) if WINDOWS else signal.SIGINT
        )

    def end(self, code: int = 0) -> str:
        """Wait for its end by itself; all that it said. AssertionError for another exit code."""
        ended = self._popen.wait(BOUND_S)
        assert ended == code, f"exit code {ended}:\n{self.said}"
        return self.said

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._popen.kill()
        self._popen.wait()


class Stage:
    """Plays examples, one of them a stage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.examples = folder / "examples"
        foreign = shutil.ignore_patterns("moving", "state", "__pycache__")
        shutil.copytree(EXAMPLES, self.examples, ignore=foreign)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
        home = dict.fromkeys(("HOME", "LOCALAPPDATA", "XDG_STATE_HOME"), str(folder / "home"))
        self.environ = kept | home | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
        self._running: list[Process] = []
        self._ports: dict[str, str] = {}

    def play(self, name: str, speed: str = "") -> Process:
        """Start what its top says: what listens, what ends by itself, then the example, which is answered.
        `speed` is another one for the market, for an example that waits long.
        """
        *around, own = read(EXAMPLES / name).arguments()
        for arguments in around:
            if speed and "--speed" in arguments:
                arguments[arguments.index("--speed") + 1] = speed
            if arguments[1] in USUAL_PORTS:
                self.serve(arguments)
            else:
                self.start(arguments).end()
        return self.start(own)

    def serve(self, arguments: list[str]) -> Process:
        """Start what listens, on a free port, of which the examples speak from now on."""
        usual = USUAL_PORTS[arguments[1]]
        served = self.start([*arguments, "--port", "0"])
        self.say(usual, served.until(r"listening on (?:http://)?127\.0\.0\.1:(\d+)")[1])
        return served

    def say(self, usual: str, port: str) -> None:
        """Let the examples and their commands speak of another port."""
        self._ports[usual] = port
        for path in self.examples.iterdir():
            if path.suffix in (".py", ".toml"):
                path.write_text(path.read_text("utf-8").replace(usual, port), "utf-8")

    def filled(self, count: int = 1) -> None:
        """Wait until the one trader of the stage has so many fills in its journal."""
        end = time.monotonic() + BOUND_S
        while sum(isinstance(each, Booked) for each in self.records()) < count:
            assert time.monotonic() < end, f"never filled: {self._running[-1].said}"
            time.sleep(0.1)

    def records(self) -> list[Record]:
        """What its journal holds by now."""
        journals = list(self.examples.glob("state/*/journal.sqlite3"))
        try:
            return list(decode_records(read_journal(journals[0]))) if journals else []
        except JournalError:
            return []  # it is being made

    def start(self, arguments: list[str]) -> Process:
        """Start one command, on the ports that are spoken of."""
        for usual, port in self._ports.items():
            arguments = [each.replace(usual, port) for each in arguments]
        out = self.folder / f"out-{len(self._running)}.txt"
        process = Process(arguments, self.folder, self.environ, out)
        self._running.append(process)
        return process

    def close(self) -> None:
        """End what still runs, the newest first."""
        for process in reversed(self._running):
            process.kill()
