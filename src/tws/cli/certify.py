"""`tws certify`: play the scenarios on a paper TWS and on the simulated one, and name what differs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tws.cli.app import CTRL_C, FAILED, FOUND, OK
from tws.cli.console import ask, glyphs, make_console, print_json
from tws.cli.traders import Json

if TYPE_CHECKING:
    from tws.certify.run import CertifyOptions
    from tws.config import TWSConfig

__all__ = ["certify"]

QUESTION = (
    "Also play the scenarios that place orders? One share of {symbol} at a time on the paper account, "
    "bought and sold again, about ten minutes"
)


Host = Annotated[str | None, typer.Option(help="Where TWS runs; default TWS_HOST, else 127.0.0.1.")]
Port = Annotated[int | None, typer.Option(help="Its socket port; default TWS_PORT, else 7497.")]
Account = Annotated[str | None, typer.Option(help="The paper account; default its first one.")]
ClientId = Annotated[int, typer.Option(help="This and the next two ids are used.")]
Orders = Annotated[
    bool | None, typer.Option("--orders/--no-orders", help="Place orders, or not; unsaid, it asks.")
]
Symbol = Annotated[str, typer.Option(help="A liquid US stock in which you hold nothing.")]
Only = Annotated[list[str] | None, typer.Option(help="Scenarios whose name contains this text (repeatable).")]
Out = Annotated[Path | None, typer.Option(help="The pack's folder; default certify-DATE-TIME.")]
Resume = Annotated[Path | None, typer.Option(help="Go on with this pack's folder.")]
Redact = Annotated[
    list[str] | None, typer.Option(help="A further text to replace, such as your name (repeatable).")
]
Patience = Annotated[float, typer.Option(help="Seconds that TWS gets for each answer.", min=0.1)]
List = Annotated[bool, typer.Option("--list", help="List the scenarios and end.")]


def certify(
    host: Host = None,
    port: Port = None,
    account: Account = None,
    client_id: ClientId = 31,
    orders: Orders = None,
    symbol: Symbol = "SPY",
    only: Only = None,
    out: Out = None,
    resume: Resume = None,
    redact: Redact = None,
    patience: Patience = 20.0,
    list_: List = False,
    json: Json = False,
) -> None:
    """Play conformance scenarios on your paper TWS, compare with the simulated one, write a pack to share.

    The simulated TWS was built from public sources. What yours says otherwise is a fault of ours: this finds
    it. Log in to paper trading, open the API, then, while the market of the share is open:

    \b
    tws certify --no-orders            it only reads; some minutes
    tws certify --orders               with orders; untick Read-Only API first
    tws certify --port 4002 --orders   a paper IB Gateway
    tws certify --resume FOLDER        go on, such as with what needs an open market
    tws certify --list                 what is played, and which row of the behaviour it tries

    Orders are of one share, and only where no position and no order stands in it. Each ends cancelled or sold
    again, after Ctrl-C and after a failure too; what could not be undone is named. Live ports and accounts
    that do not begin with D are refused. Nothing else of the account is touched.

    Beside the folder stands a zip with the recordings of both sides, accounts and names replaced, and the
    report (report.md, report.json). Positions and values of the account stay in it: read it before you share.

    Exit code 0: all that was played is alike; 1: something differs, and is named; 2: it could not be played,
    or something was left behind; 130: Ctrl-C, to be resumed.
    """
    from datetime import UTC, datetime

    from tws.certify.run import CertifyOptions

    if list_:
        return _list(json)
    config = _config({"host": host, "port": port, "account_id": account})
    if orders is None:
        orders = _ask(symbol, json)
    options = CertifyOptions(
        folder=resume or out or Path(f"certify-{datetime.now(UTC):%Y%m%d-%H%M%S}"),
        host=config.host,
        port=config.port,
        client_id=client_id,
        account=config.account_id,
        symbol=symbol.upper(),
        orders=orders,
        only=tuple(only or ()),
        resume=resume is not None,
        patience_s=patience,
        words=tuple(redact or ()),
    )
    raise typer.Exit(_play(options, json))


def _config(given: dict[str, Any]) -> TWSConfig:
    """Which TWS is meant, by the options and the environment. Raises ConfigError for a live one."""
    from dataclasses import replace

    from tws.certify.play import refuse_live
    from tws.config import TWSConfig

    said = {name: value for name, value in given.items() if value is not None}
    config = replace(TWSConfig.from_env(), **said)
    refuse_live(config.port, config.trading_mode)
    return config.validate()


def _ask(symbol: str, json: bool) -> bool:
    """Orders are placed when somebody has said so: by the option, or here."""
    if json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    said: bool = ask(
        lambda: typer.confirm(QUESTION.format(symbol=symbol), default=False), "Say --orders or --no-orders"
    )
    return said


def _play(options: CertifyOptions, json: bool) -> int:
    import asyncio
    import logging
    from datetime import UTC, datetime

    from tws.certify.run import certify as play
    from tws.log import log_to
    from tws.platform import install_stop_signals

    log_to(sys.stderr, logging.CRITICAL)  # what a scenario provokes is no news
    tell = (lambda *told: None) if json else _Progress().tell

    async def run() -> dict[str, Any] | None:
        task = asyncio.ensure_future(play(options, lambda: datetime.now(UTC), tell))
        stopped: list[bool] = []

        def stop() -> None:
            if not stopped:  # a second Ctrl-C must not interrupt the taking back
                stopped.append(True)
                typer.echo("stopping: what was placed is taken back", err=True)
                task.cancel()

        undo = install_stop_signals(asyncio.get_running_loop(), stop)
        try:
            return await task
        except asyncio.CancelledError:
            return None
        finally:
            undo()

    report = asyncio.run(run())
    if report is None:
        typer.echo(f"interrupted; go on with: tws certify --resume {options.folder}", err=True)
        return CTRL_C
    if json:
        print_json(report)
    else:
        _print(report)
    if report["left_behind"] or report["verdict"] == "not played":
        return FAILED
    return FOUND if report["verdict"] == "differs" else OK


class _Progress:
    """A line for each scenario, both sides."""

    def __init__(self) -> None:
        self._console, self._signs, self._side = make_console(), glyphs(), ""

    def tell(self, side: str, scenario: Any, outcome: Any) -> None:
        if side != self._side:
            self._side = side
            title = "your TWS" if side == "tws" else "the simulated TWS"
            self._console.print(f"{title}", style="bold")
        if not outcome.played:
            sign, style, rest = self._signs.skip, "dim", f" {self._signs.dash} {outcome.why}"
        elif outcome.why:
            sign, style, rest = self._signs.warn, "yellow", f" {self._signs.dash} {outcome.why}"
        else:
            sign, style, rest = self._signs.good, "green", ""
        self._console.print(f"  {sign} {scenario.key}{rest}", style=style, markup=False)


def _print(report: dict[str, Any]) -> None:
    console = make_console()
    counts = report["counts"]
    for row in report["scenarios"]:
        if row["verdict"] == "differs":
            console.print(f"\n{row['family']}: {row['name']} ({row['row']})", style="bold red", markup=False)
            for each in row["differences"]:
                console.print(f"  {each['thread']}, {each['what']}: {each['text']}", markup=False)
    for left in report["left_behind"]:
        console.print(left, style="bold red", markup=False)
    style = {"same": "bold green", "differs": "bold red"}.get(report["verdict"], "bold yellow")
    console.print(f"\n{report['verdict']}", style=style)
    console.print(
        f"{counts['played']} played, {counts['differ']} differ, {counts['not_played']} not played",
        markup=False,
    )
    console.print(f"pack: {report['pack']}", markup=False)


def _list(json: bool) -> None:
    from tws.certify.scenarios import SCENARIOS

    rows = [
        {"scenario": each.key, "row": each.row, "orders": each.orders, "open_market": each.market}
        for each in SCENARIOS
    ]
    if json:
        print_json(rows)
        return
    for each in SCENARIOS:
        needs = ", ".join(
            word for word, true in (("orders", each.orders), ("open market", each.market)) if true
        )
        typer.echo(f"{each.key}  [{each.row}]{f'  needs {needs}' if needs else ''}")
