"""Run the client libraries that users have against a simulated TWS: the witness that shares no code with
us.

    python tests/clients/run.py [CACHE] [--only NAME] [--port PORT]

Each client gets a virtual environment of its own below CACHE, filled from PyPI once; unless named, CACHE lies
inside the environment that runs this. The simulator runs in a process of its own (`tws sim --port 0
--seed 7`) unless PORT names one that runs already. Prints a table; exits 0 only when every client saw all
its steps.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
PATIENCE_S = 180


class Client(NamedTuple):
    name: str
    script: str
    packages: tuple[str, ...]


CLIENTS = (
    Client("official 9.81.1", "official.py", ("ibapi==9.81.1.post1",)),
    Client("official 10.46.1", "official.py", ("nautilus-ibapi==10.46.1", "protobuf>=5.29.5,<8")),
    Client("ib_async 2.1.0", "ib_async_210.py", ("ib_async==2.1.0",)),
)


class Result(NamedTuple):
    name: str
    passed: bool
    steps: int
    seconds: float
    output: str


def python_of(client: Client, cache: Path) -> Path:
    """The interpreter of the client's environment, made when it is not there."""
    home = cache / Path(client.script).stem
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = home / "filled"
    if not done.exists() or done.read_text("utf-8") != " ".join(client.packages):
        venv.create(home, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *client.packages]
        subprocess.run(pip, check=True)
        done.write_text(" ".join(client.packages), "utf-8")
    return python


def play(client: Client, python: Path, port: int) -> Result:
    """One client against the simulator."""
    begun = time.monotonic()
    command = [str(python), str(HERE / client.script), str(port)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, errors="replace")
        output, passed = run.stdout + run.stderr, run.returncode == 0
    except subprocess.TimeoutExpired as late:
        output, passed = f"no end within {PATIENCE_S} s\n{late.stdout or ''}", False
    steps = sum(1 for line in output.splitlines() if line.startswith("ok "))
    return Result(client.name, passed, steps, time.monotonic() - begun, output)


def start_simulator() -> tuple[subprocess.Popen[str], int]:
    """`tws sim` by this interpreter, and the port it took."""
    run = "from tws.cli.app import main; main()"
    command = [sys.executable, "-c", run, "sim", "--port", "0", "--seed", "7"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("listening on "):
        process.kill()
        raise SystemExit(f"the simulator did not start: {line!r}")
    return process, int(line.rsplit(":", 1)[1])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cache", type=Path, nargs="?", help="folder for the clients' environments")
    parser.add_argument("--only", help="run the clients whose name contains this")
    parser.add_argument("--port", type=int, help="a simulator that runs already")
    args = parser.parse_args()
    chosen = [client for client in CLIENTS if not args.only or args.only in client.name]
    if not chosen:
        parser.error(f"no client is called {args.only}: {', '.join(client.name for client in CLIENTS)}")
    cache = args.cache or Path(sys.prefix if sys.prefix != sys.base_prefix else gettempdir()) / "clients"
    pythons = [python_of(client, cache.resolve()) for client in chosen]
    process, port = (None, args.port) if args.port else start_simulator()
    try:
        results = [play(client, python, port) for client, python in zip(chosen, pythons, strict=True)]
    finally:
        if process is not None:
            process.terminate()
            process.wait(timeout=30)
    for result in results:
        if not result.passed:
            print(f"--- {result.name}\n{result.output}")
    print(f"{'client':<18} {'result':<8} {'steps':>5} {'seconds':>8}")
    for result in results:
        passed = "passed" if result.passed else "FAILED"
        print(f"{result.name:<18} {passed:<8} {result.steps:>5} {result.seconds:>8.1f}")
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
