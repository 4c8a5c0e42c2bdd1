"""`tws declare`: a human looked into TWS, and an order of unknown outcome is gone."""

from __future__ import annotations

from typing import Annotated

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, Operator, Reason, State, Trader

__all__ = ["declare"]


def declare(
    order: Annotated[str, typer.Argument(help="The order's own id, as tws status shows it: t5c7ca-2.")],
    reason: Reason,
    operator: Operator,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """End an order of unknown outcome by your word: restart TWS or look there first.

    TWS shows an order that was never transmitted in no answer, so nothing else can end it; until then its
    symbol takes no entry. A later word of the broker revives it.

    \b
    tws declare t5c7ca-2 --operator ann --reason "TWS was restarted, it is not there"

    Exit codes: 0 done; 2 refused, or no trader runs.
    """
    from tws.cli.traders import ask_trader, running

    place = running(state, trader, "Start it: it asks the broker for the order first")
    records = ask_trader(place, "declare", timeout_s=10.0, order=order, operator=operator, reason=reason)
    if json:
        print_json({"records": records})
    else:
        typer.echo(f"{order} is declared gone: {', '.join(records)}")
