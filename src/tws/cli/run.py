"""`tws run CONFIG.toml`: the trader, until its time is over, somebody stops it, or it has failed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, State, seconds
from tws.cli.way import Way
from tws.clock import to_datetime

if TYPE_CHECKING:
    from tws.runtime.plan import RunPlan
    from tws.runtime.report import RunReport

__all__ = ["go", "leave_word", "report_lines", "run", "show_latches"]


def run(
    config: Annotated[Path, typer.Argument(help="The configuration, a TOML file.")],
    for_: Annotated[
        str | None, typer.Option("--for", help="End by itself after this time: 60s, 15m, 8h.")
    ] = None,
    state: State = None,
    journal: Annotated[
        Path | None, typer.Option("--journal", help="The journal's file, whatever the configuration says.")
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry", help="Check all of it, show what it would do, dial nothing.")
    ] = False,
    json: Json = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what happens, on stderr.")] = False,
) -> None:
    """Trade by a configuration: reconcile, turn signals into protected orders, report at the end.

    The whole file is checked before TWS is dialled; tws check CONFIG --connect tells more. The mode is said
    first: simulator, paper or LIVE; a live account needs tws unlock, and begins with a part of its sizes and
    limits.

    While the market of every symbol is closed it counts down to the first that opens, by the hours that TWS
    states; what is held stays behind its stops meanwhile, and --for counts from the opening. Ctrl-C ends it
    at any time: entries are cancelled, stops stay at the broker (or all is closed: [run] at_end). Limits and
    rules of the file are taken up while it runs by tws reload.

    \b
    tws run my.toml --dry           check it and show what it would do
    tws run my.toml --for 60s       a minute from the opening on, then the report
    tws run my.toml                 until Ctrl-C or tws stop

    Under a latch (tws kill) it looks after what is held, and enters nothing until tws reset.

    Exit codes: 0 ended as told, nothing left that wants a human; 1 ended, but see the report (not flat, a
    share without its stop, books that differ, a latch, a failure); 2 not started: configuration, lease,
    lock, connection.
    """
    import asyncio
    import logging

    from tws.config import load_settings
    from tws.log import log_to
    from tws.runtime.plan import plan_run

    for_s = None if for_ is None else seconds(for_)
    plan = plan_run(load_settings(config), config, state, journal)
    log_to(sys.stderr, logging.INFO if verbose else logging.WARNING)
    if dry:
        from tws.cli.sim_clock import as_it_is

        _show(as_it_is(plan), json)
        return
    if state is None:
        leave_word(plan)
    report = asyncio.run(go(plan, for_s, json))
    if json:
        print_json(_plain(report))
    else:
        typer.echo("\n".join(report_lines(report)))
    raise typer.Exit(0 if report.good else 1)


def leave_word(plan: RunPlan) -> None:
    """Where the configuration puts its state, commands find it without being told."""
    from tws.runtime.place import remember

    try:
        remember(plan.place)
    except OSError as wrong:  # a home that can't be written to; the run itself may well go on
        typer.echo(f"tws status and tws kill will want --state {plan.place.folder.parent}: {wrong}", err=True)


async def go(plan: RunPlan, for_s: float | None, json: bool) -> RunReport:
    """Show what it will do, then do it. Raises what keeps it from starting."""
    import asyncio

    from msgspec.structs import replace

    from tws.cli.sim_clock import simulated
    from tws.cli.tape import Tape
    from tws.platform import install_stop_signals
    from tws.runtime.run import Run

    parts = None if plan.live else simulated(plan.config)
    plan = replace(plan, simulated=parts is not None)
    if not json:
        _show(plan, json)
        show_latches(plan)
    if not json and parts is not None and parts.clock is not None:
        typer.echo(f"market    the simulator's: {to_datetime(parts.clock.now_ns()):%Y-%m-%d %H:%M:%S} UTC")
    whole, way, tape = Run(plan, parts=parts), Way(json), Tape(json)
    undo = install_stop_signals(
        asyncio.get_running_loop(), lambda: whole.end("asked by the system, or Ctrl-C")
    )
    try:
        return await whole.go(for_s, tape.follow, on_opening=way.tell)
    finally:
        way.close()
        tape.close()
        undo()


def _show(plan: RunPlan, json: bool) -> None:
    if json:
        print_json({"plan": plan.lines()})
    else:
        typer.echo("\n".join(plan.lines()))


def show_latches(plan: RunPlan) -> None:
    """Under a latch a run looks after what is held and enters nothing: said before somebody waits for it."""
    from tws.preflight.place import latches, read_safety

    for line in latches(plan, read_safety(plan)):
        typer.echo(f"LATCHED   {line.text}: no entry leaves. {line.cure}")


def _plain(report: RunReport) -> dict[str, Any]:
    import msgspec

    fields: dict[str, Any] = msgspec.to_builtins(report)
    return fields | {"good": report.good, "flat": report.flat}


def report_lines(report: RunReport) -> list[str]:
    """The report for a human."""
    counts = ", ".join(
        f"{count} {reason}" for reason, count in [*report.refused.items(), *report.denied.items()]
    )
    lines = [
        f"ended       {report.ended}",
        f"mode        {report.mode}" + (f", {report.grade}" if report.grade else ""),
        f"signals     {report.signals}: {report.traded} traded, {report.closed} closed"
        + (f"; not: {counts}" if counts else ""),
        f"fills       {report.fills}, realised {report.realized:.2f} after commissions (the whole journal)",
        f"left        {'; '.join(report.left) or 'nothing: flat'}",
    ]
    lines += [f"strategy    {each}" for each in report.strategies]
    lines += [f"market      {each}" for each in report.markets]
    lines += [f"{'':<11} {each}" for each in report.fate_lines]
    lines += [f"DISABLED    {each}" for each in report.disabled]
    lines += [f"NO STOP     {each}" for each in report.unprotected]
    lines += [f"alarm       {each}" for each in report.alarms]
    for name, text in (("latched", report.latched), ("differs", report.differs), ("failed", report.failure)):
        if text:
            lines.append(f"{name:<11} {text}")
    if not report.differs:
        lines.append("reconciled  our books and the broker's agree")
    if report.protection is not None:
        lines.append(f"protection  without a full stop: {report.protection}")
    lines.append(f"traded by   code {report.code}, configuration {report.configuration}")
    lines.append(f"head        {report.head}")
    return lines
