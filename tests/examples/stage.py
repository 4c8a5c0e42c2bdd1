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
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.examples.reading import EXAMPLES, read

__all__ = ["Process", "Stage"]

BOUND_S = 60.0
"""No machine needs so long; what was not said by then is not coming."""
WINDOWS = sys.platform == "win32"
COMMANDS = {
    "tws": [sys.executable, "-c", "import sys; from tws.cli.app import main; main(sys.argv[1:])"],
    "python": [sys.executable],
}


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

    def end(self) -> str:
        """Wait for its end by itself; all that it said. AssertionError when it fails."""
        code = self._popen.wait(BOUND_S)
        assert code == 0, f"exit code {code}:\n{self.said}"
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

    def play(self, name: str, *more: str) -> Process:
        """Start what its top says, with `more` options for the last command, which is answered."""
        example = read(EXAMPLES / name)
        *around, own = example.arguments()
        for arguments in around:
            self.serve(arguments)
        return self.start([*own, *more])

    def serve(self, arguments: list[str]) -> Process:
        """Start what listens, on a free port, of which the examples speak from now on."""
        usual = {"sim": "7400", "api-demo": "8700"}[arguments[1]]
        served = self.start([*(self._ports.get(each, each) for each in arguments), "--port", "0"])
        port = served.until(r"listening on (?:http://)?127\.0\.0\.1:(\d+)")[1]
        self._ports[usual] = port
        for path in self.examples.iterdir():
            if path.suffix in (".py", ".toml"):
                path.write_text(path.read_text("utf-8").replace(usual, port), "utf-8")
        return served

    def start(self, arguments: list[str]) -> Process:
        """Start one command."""
        out = self.folder / f"out-{len(self._running)}.txt"
        process = Process(arguments, self.folder, self.environ, out)
        self._running.append(process)
        return process

    def close(self) -> None:
        """End what still runs, the newest first."""
        for process in reversed(self._running):
            process.kill()
