"""`tws check CONFIG.toml`: all that would keep a run from doing what it is there for, before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli.console import glyphs, make_console, print_json
from tws.cli.traders import Json, State

if TYPE_CHECKING:
    from tws.preflight.file import FileCheck
    from tws.preflight.line import Line

__all__ = ["check"]

BOUND_S = 60.0
"""No examination takes longer: ten questions of 5 s each at worst, and the dial before them."""


def check(
    config: Annotated[Path, typer.Argument(help="The configuration, a TOML file.")],
    connect: Annotated[
        bool, typer.Option("--connect", help="Ask TWS too: account, data, hours, orders, positions.")
    ] = False,
    state: State = None,
    json: Json = False,
) -> None:
    """Check a configuration whole, and with --connect the TWS that it names; show what a run would do.

    All that is wrong is told at once, each with its line and its cure: names and values, limits that would
    deny every entry, rules that nothing can fire, a variable that is not set, a port that is taken, an extra
    that is not installed, what a trader before has left (lease, latch, unlock).

    With --connect a session is opened that can send no order and changes nothing: on the configuration's
    client id while nobody trades with it, else on the next free one. It tells account and mode, Read-Only
    API, precautions, what data come for each symbol, market hours, clock, orders and positions of ours and
    of others, day trades, limits, and the next restart of TWS.

    \b
    tws check my.toml               the file alone, nothing is dialled
    tws check my.toml --connect     and account, data, hours, orders and positions at TWS

    Exit codes: 0 fine, warnings or not; 2 a blocker: a run would not start, or could not do what it is told.
    """
    import asyncio
    import logging
    import sys

    from msgspec.structs import replace

    from tws.cli.sim_clock import as_it_is, simulated
    from tws.clock import SystemClock
    from tws.log import log_to
    from tws.monitor.doctor.tools import Tools
    from tws.preflight.file import check_file
    from tws.preflight.line import Weight
    from tws.preflight.session import check_session

    log_to(sys.stderr, logging.CRITICAL)  # the lines tell what the connection would log
    checked = check_file(config, state)
    if checked.plan is not None:
        checked = replace(checked, plan=as_it_is(checked.plan))
    lines = list(checked.lines)
    if connect and checked.plan is not None:
        parts = None if checked.plan.live else simulated(checked.plan.config)
        clock = SystemClock() if parts is None or parts.clock is None else parts.clock
        lines += asyncio.run(check_session(checked.plan, BOUND_S, Tools(now_ns=clock.now_ns)))
    good = all(line.weight is not Weight.BLOCKER for line in lines)
    if json:
        print_json(_plain(checked, lines, good))
    else:
        _print(checked, lines, good, connect)
    raise typer.Exit(0 if good else 2)


def _plain(checked: FileCheck, lines: list[Line], good: bool) -> dict[str, object]:
    import msgspec

    plan = [] if checked.plan is None else checked.plan.lines()
    return {"good": good, "plan": plan, "lines": [msgspec.to_builtins(line) for line in lines]}


def _print(checked: FileCheck, lines: list[Line], good: bool, connect: bool) -> None:
    console, signs = make_console(), glyphs()
    marks = {
        "ok": (signs.good, "green"),
        "warning": (signs.warn, "yellow"),
        "blocker": (signs.bad, "red"),
        "skipped": (signs.skip, "dim"),
    }
    for text in [] if checked.plan is None else checked.plan.lines():
        console.print(text, markup=False)
    for line in lines:
        sign, style = marks[line.weight.value]
        console.print(f"{sign} {line.place()}: {line.text}", style=style, markup=False)
        if line.cure:
            console.print(f"    {line.cure}", markup=False)
    if connect and checked.plan is None:
        console.print(f"{signs.skip} TWS was not asked: mend the file first", style="dim", markup=False)
    blockers = sum(line.weight.value == "blocker" for line in lines)
    verdict = "fine" if good else "1 blocker" if blockers == 1 else f"{blockers} blockers"
    console.print(verdict, style="bold green" if good else "bold red")
