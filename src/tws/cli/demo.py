"""`tws demo`: the face of `tws.demo`; it draws progress and report, and decides nothing but the exit code."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli.console import make_console, print_json
from tws.log import log_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from tws.demo import DemoOptions, DemoReport, Progress

__all__ = ["demo"]


def demo(
    data: Annotated[list[Path] | None, typer.Option(
        help="Replay this CSV file (1-second or tick form, .gz too), not a synthetic day (repeatable).",
    )] = None,
    symbol: Annotated[list[str] | None, typer.Option(
        help="CVNA=SPY: let CVNA play the series of SPY; needs --data (repeatable).", metavar="A=B",
    )] = None,
    seed: Annotated[int | None, typer.Option(
        help="Of the synthetic day; the same seed gives the same run.", show_default="7",
    )] = None,
    speed: Annotated[str | None, typer.Option(
        help="Market seconds a second, or max.", show_default="max",
    )] = None,
    allocation: Annotated[int, typer.Option(help="Dollars put into each entry.", min=1)] = 10_000,
    config: Annotated[Path | None, typer.Option(
        help="Take limits and demo settings from this TOML file; options given here come before it.",
    )] = None,
    journal: Annotated[Path | None, typer.Option(help="Keep the journal in this new file.")] = None,
    as_json: Annotated[bool, typer.Option(
        "--json", help="The report as JSON on stdout, nothing else.",
    )] = False,
) -> None:
    """Trade a day on a simulated TWS: no account, no network, nothing to set up.

    Two small strategies watch a market, their signals become risk-checked bracket orders, sent by the
    official client over a real socket to a simulated TWS in this process. At the close all is flattened, and
    journal, desk and simulated broker are held against each other.

    Exit codes: 0 the books agree to the last digit and all is flat, 1 they do not, 2 it could not run,
    130 Ctrl-C (working orders are cancelled, positions closed, the report tells what happened so far).
    """
    import logging

    import msgspec

    from tws.cli.sim_options import parse_pairs, parse_speed
    from tws.demo import DemoOptions

    mapped = parse_pairs(symbol or [])
    options = DemoOptions(allocation=Decimal(allocation), journal=journal, symbol_map=mapped)
    if config is not None:
        options = _configured(options, config)
    given = {"data": tuple(data or ()), "seed": seed, "speed": None if speed is None else parse_speed(speed)}
    chosen = {name: value for name, value in given.items() if value not in (None, ())}
    options = msgspec.structs.replace(options, **chosen)
    log_to(sys.stderr, logging.WARNING)
    report = _run(options, as_json)
    if report is None:
        typer.echo("tws: stopped, without a report", err=True)
    if report is None or report.interrupted:
        raise typer.Exit(130)
    raise typer.Exit(0 if report.exact and report.flat else 1)


def _run(options: DemoOptions, as_json: bool) -> DemoReport | None:
    """Run and tell; None when it was stopped before there was anything to tell."""
    import asyncio

    from tws.cli.demo_view import Watch, as_json_value, draw

    if as_json:
        report = asyncio.run(_until_stopped(options, lambda progress: None))
        if report is not None:
            print_json(as_json_value(report))
    else:
        console = make_console()
        with Watch(console) as watch:
            report = asyncio.run(_until_stopped(options, watch.show))
        if report is not None:
            draw(console, report)
    return report


async def _until_stopped(options: DemoOptions, show: Callable[[Progress], object]) -> DemoReport | None:
    """The first Ctrl-C (or SIGTERM) ends the day, the second the winding down, a third the process."""
    import asyncio

    from tws.demo import run_demo
    from tws.platform import install_stop_signals

    running = asyncio.ensure_future(run_demo(options, show))
    presses = 0

    def stop() -> None:
        nonlocal presses
        presses += 1
        running.cancel()
        if presses == 2:
            undo()

    undo = install_stop_signals(asyncio.get_running_loop(), stop)
    try:
        return await running
    except asyncio.CancelledError:
        return None
    finally:
        undo()


def _configured(options: DemoOptions, path: Path) -> DemoOptions:
    """What the file says takes the place of the defaults; what it does not say leaves them."""
    import msgspec

    from tws.config.settings import load_settings
    from tws.risk import Limits

    settings = load_settings(path)
    chosen = settings.demo.model_dump(exclude_unset=True)
    if "data" in chosen:
        chosen["data"] = tuple(Path(name) for name in chosen["data"])
    chosen["limits"] = Limits.from_section(settings.risk.chosen(), options.limits)
    return msgspec.structs.replace(options, **chosen)
