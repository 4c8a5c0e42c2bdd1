"""`tws demo`: the face of `tws.demo`; it draws progress and report, and decides nothing but the exit code."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli.console import log_to_stderr, make_console, print_json

if TYPE_CHECKING:
    from tws.demo import DemoOptions

__all__ = ["demo"]


def demo(
    data: Annotated[list[Path] | None, typer.Option(
        help="Replay this CSV file (1-second or tick form, .gz too) instead of a synthetic day. Repeatable.",
    )] = None,
    symbol: Annotated[list[str] | None, typer.Option(
        help="CVNA=SPY: let CVNA play the series of SPY. Repeatable; needs --data.", metavar="A=B",
    )] = None,
    seed: Annotated[int, typer.Option(help="Of the synthetic day; the same seed gives the same run.")] = 7,
    speed: Annotated[str, typer.Option(help="Market seconds a second, or max.")] = "max",
    allocation: Annotated[int, typer.Option(help="Dollars put into each entry.", min=1)] = 10_000,
    config: Annotated[Path | None, typer.Option(help="Take limits and demo settings from this TOML file.")] = None,
    journal: Annotated[Path | None, typer.Option(help="Keep the journal in this new file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON on stdout, nothing else.")] = False,
) -> None:
    """Trade a day on a simulated TWS: no account, no network, nothing to set up.

    Two small strategies watch a market, their signals become risk-checked bracket orders, sent by the official
    client over a real socket to a simulated TWS in this process. At the close all is flattened, and journal, desk
    and simulated broker are held against each other.

    Exit codes: 0 the books agree to the last digit and all is flat, 1 they do not, 2 it could not run, 130 Ctrl-C.
    """
    import asyncio
    import logging

    from tws.cli.demo_view import Watch, as_json_value, draw
    from tws.cli.sim import _pairs, _speed
    from tws.demo import DemoOptions, run_demo

    options = DemoOptions(
        data=tuple(data or ()), symbol_map=_pairs(symbol or []), seed=seed, speed=_speed(speed),
        allocation=Decimal(allocation), journal=journal,
    )
    if config is not None:
        options = _configured(options, config)
    log_to_stderr(logging.WARNING)
    if as_json:
        report = asyncio.run(run_demo(options))
        print_json(as_json_value(report))
    else:
        console = make_console()
        with Watch(console) as watch:
            report = asyncio.run(run_demo(options, watch.show))
        draw(console, report)
    if report.interrupted:
        raise typer.Exit(130)
    raise typer.Exit(0 if report.exact and report.flat else 1)


def _configured(options: DemoOptions, path: Path) -> DemoOptions:
    """What the file says takes the place of the defaults; its symbols and data too when it names any."""
    import msgspec

    from tws.config.settings import load_settings
    from tws.risk import Limits

    settings = load_settings(path)
    chosen = settings.demo
    return msgspec.structs.replace(
        options, limits=Limits(**settings.limits.model_dump()), seed=chosen.seed, speed=chosen.speed,
        symbols=chosen.symbols, data=options.data or tuple(Path(name) for name in chosen.data),
    )
