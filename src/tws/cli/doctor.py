"""`tws doctor`: options in, a report out. What it examines stands in `tws.monitor.doctor`."""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tws.cli.console import Glyphs, glyphs, make_console, print_json
from tws.log import log_to

if TYPE_CHECKING:
    from tws.config import TWSConfig
    from tws.monitor.doctor import Report

__all__ = ["doctor"]


def doctor(
    host: Annotated[
        str | None, typer.Option(help="Where TWS runs; default TWS_HOST, else 127.0.0.1.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Its socket port; default TWS_PORT, else 7497.")] = None,
    client_id: Annotated[int | None, typer.Option(help="Default TWS_CLIENT_ID, else 1.")] = None,
    account: Annotated[str | None, typer.Option(help="The account you mean; default TWS_ACCOUNT.")] = None,
    mode: Annotated[
        str | None, typer.Option(help="paper or live; default TWS_TRADING_MODE, else paper.")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for each stage; default 10.")] = None,
    symbols: Annotated[
        str, typer.Option(help="Whose market data you need, such as SPY,EUR.USD: what lacks is then a cause.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="The report as JSON, with stable keys.")] = False,
) -> None:
    """Find why a connection fails or would fail, with the cure.

    It opens a full session with TWS, as a program would, asks for time, accounts, open orders, settings and
    the market data of a stock, and closes it. It places no order and changes nothing.

    A cause is what keeps a program from working; the line below it is its cure, with the path in the menus of
    TWS and IB Gateway. What is merely good to know comes behind it and leaves TWS healthy.

    \b
    tws doctor                         the TWS that TWS_HOST and TWS_PORT name, or 127.0.0.1:7497
    tws doctor --port 4002             an IB Gateway in paper mode
    tws doctor --symbols SPY,EUR.USD   and do these market data come
    tws doctor --json                  for a bug report; account ids are masked

    Exit code 0: healthy; 1: a cause was found; 2: wrong options.
    """
    from tws.config import TWSConfig
    from tws.monitor.doctor.data import parse_symbols

    log_to(sys.stderr, logging.CRITICAL)  # the report tells what the log lines of the connection would
    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "client_id": client_id,
        "account_id": account,
        "trading_mode": mode,
        "connection_timeout": timeout,
        "request_timeout": 10.0 if timeout is None else timeout,
    }
    config = replace(
        TWSConfig.from_env(), **{name: value for name, value in given.items() if value is not None}
    )
    report = asyncio.run(_examine(config, parse_symbols(symbols)))
    if json:
        import msgspec

        print_json(msgspec.to_builtins(report))
    else:
        _print(report)
    raise typer.Exit(0 if report.healthy else 1)


async def _examine(config: TWSConfig, symbols: tuple[str, ...]) -> Report:
    from tws.monitor.doctor.examine import diagnose

    return await diagnose(config, symbols=symbols)


def _print(report: Report) -> None:
    console, signs = make_console(), glyphs()
    target = report.target
    console.print(
        f"tws doctor: {target.host}:{target.port}, client id {target.client_id}, {target.mode}", style="bold"
    )
    for step in report.steps:
        sign, style = _sign(step.outcome.value, signs)
        console.print(f"  {sign} {step.stage}: {step.text}", style=style, markup=False)
    for package in report.packages:
        console.print(
            f"    {package.name} {package.version} {signs.dash} {package.origin}", style="dim", markup=False
        )
    console.print()
    if report.healthy:
        console.print("healthy", style="bold green")
    for finding in report.findings:
        console.print(f"cause: {finding.cause}", style="bold red", markup=False)
        console.print(f"cure:  {finding.cure}", markup=False)
    for warning in report.warnings:
        console.print(f"know:  {warning.cause}", style="bold yellow", markup=False)
        console.print(f"       {warning.cure}", markup=False)


def _sign(outcome: str, signs: Glyphs) -> tuple[str, str]:
    return {
        "ok": (signs.good, "green"),
        "note": (signs.warn, "yellow"),
        "problem": (signs.bad, "red"),
    }.get(outcome, (signs.skip, "dim"))
