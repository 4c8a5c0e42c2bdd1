"""A configuration for a simulated TWS, checked as `tws check --connect` does, without this machine's own."""

from __future__ import annotations

from pathlib import Path

from tws.monitor.doctor.examine import Tools
from tws.preflight.file import FileCheck, check_file
from tws.preflight.line import Line, Weight
from tws.preflight.session import check_session
from tws.runtime.plan import RunPlan

BOUND_S = 120.0
TOOLS = Tools(processes=lambda: (), wsl_processes=lambda: ())
"""The machine that runs the tests may have a TWS of its own, or WSL."""


def written(folder: Path, port: int, *, symbols: tuple[str, ...] = ("SPY",), more: str = "") -> Path:
    """A file of signals with stops by percent, and `more` behind it."""
    (folder / "signals.jsonl").touch()
    path = folder / "trader.toml"
    path.write_text(
        f"""
        [connection]
        port = {port}
        connection_timeout = 20
        request_timeout = 20
        [signals]
        file = "signals.jsonl"
        symbols = {list(symbols)!r}
        shares = 10
        stop_fraction = 0.02
        target_fraction = 0.03
        {more}
        """,
        encoding="utf-8",
    )
    return path


def plan_of(path: Path) -> RunPlan:
    checked = check_file(path, path.parent / "state", {})
    assert checked.plan is not None, checked.lines
    return checked.plan


async def connected(path: Path) -> list[Line]:
    """All lines of `tws check FILE --connect`."""
    checked = check_file(path, path.parent / "state", {})
    assert checked.plan is not None, checked.lines
    return [*checked.lines, *await check_session(checked.plan, BOUND_S, TOOLS)]


def about(lines: list[Line] | FileCheck, name: str) -> list[Line]:
    found = lines.lines if isinstance(lines, FileCheck) else lines
    return [line for line in found if line.about == name]


def one(lines: list[Line] | FileCheck, name: str) -> Line:
    found = about(lines, name)
    assert len(found) == 1, found or lines
    return found[0]


def blockers(lines: list[Line] | FileCheck) -> list[Line]:
    """Those that keep a run from being what it is for; each has its cure."""
    found = lines.lines if isinstance(lines, FileCheck) else lines
    stop = [line for line in found if line.weight is Weight.BLOCKER]
    assert all(line.cure for line in stop), stop
    return stop
