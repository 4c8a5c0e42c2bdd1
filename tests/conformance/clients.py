"""The clients under test, and an environment of its own for each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

__all__ = ["CLIENTS", "Client"]

HERE = Path(__file__).resolve().parent / "clients"
STOQEY = "1.6.10"


class Client(NamedTuple):
    """`version` is the highest server version it offers (TWS-BEHAVIOUR.md A1, and its own source)."""

    name: str
    driver: tuple[str, ...]
    packages: tuple[str, ...]
    version: int

    @property
    def is_node(self) -> bool:
        return self.driver[0].endswith(".mjs")

    def prepare(self, cache: Path) -> tuple[str, ...]:
        """Fill its environment below `cache` unless that was done; returns the command that runs it.

        Raises SystemExit with the installer's words when it fails.
        """
        home = cache / self.name.replace(" ", "-").replace("/", "-")
        done, wanted = home / "filled", " ".join(self.packages)
        if not done.exists() or done.read_text("utf-8") != wanted:
            shutil.rmtree(home, ignore_errors=True)
            (self._fill_node if self.is_node else self._fill_python)(home)
            done.write_text(wanted, "utf-8")
        script, *arguments = self.driver
        if self.is_node:
            return ("node", str(HERE / script), str(home), *arguments)
        return (str(_python(home)), str(HERE / script), *arguments)

    def _fill_python(self, home: Path) -> None:
        venv.create(home)  # without pip of its own: ours fills it, which is ten times as fast
        pip = [sys.executable, "-m", "pip", "--python", str(_python(home)), "install", "--quiet"]
        _run([*pip, "--disable-pip-version-check", "--no-compile", *self.packages], home)

    def _fill_node(self, home: Path) -> None:
        home.mkdir(parents=True)
        (home / "package.json").write_text(json.dumps({"private": True}), "utf-8")
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(f"{self.name} needs node 20 with npm; install it, or name others with --only")
        _run([npm, "install", "--silent", "--no-audit", "--no-fund", *self.packages], home)


def _python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: list[str], home: Path) -> None:
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise SystemExit(f"could not fill {home}: {' '.join(command)}\n{done.stdout}{done.stderr}")


def _official(release: str, version: int, protobuf: str = "") -> Client:
    """The official client as PyPI has it repackaged; its own metadata forget that it needs protobuf.

    Generated code runs with its own release of protobuf and with the next major one (protobuf's own words).
    """
    packages = (f"nautilus-ibapi=={release}", *((protobuf,) if protobuf else ()))
    return Client(f"ibapi {release}", ("official.py",), packages, version)


CLIENTS = (
    Client("ibapi 9.81.1", ("official.py",), ("ibapi==9.81.1.post1",), 157),
    _official("10.19.4", 176),
    _official("10.30.1", 187),
    _official("10.37.2", 203, "protobuf>=5.29.3,<7"),
    _official("10.43.2", 219, "protobuf>=5.29.5,<7"),
    _official("10.44.1", 222, "protobuf>=5.29.5,<7"),
    _official("10.45.1", 223, "protobuf>=5.29.5,<7"),
    _official("10.46.1", 225, "protobuf>=5.29.5,<7"),
    Client("ib_insync 0.9.86", ("insync.py", "ib_insync"), ("ib_insync==0.9.86",), 176),
    Client("ib_async 2.1.0", ("insync.py", "ib_async"), ("ib_async==2.1.0",), 178),
    Client(f"@stoqey/ib {STOQEY}", ("stoqey.mjs",), (f"@stoqey/ib@{STOQEY}",), 193),
)
