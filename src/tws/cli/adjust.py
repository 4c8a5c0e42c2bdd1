"""`tws adjust`: a human's word on a position that moved without a fill (a split, an exercise, a transfer)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, Operator, Reason, State, Trader

__all__ = ["adjust"]


def adjust(
    symbol: Annotated[str, typer.Argument(help="Such as SPY.")],
    quantity: Annotated[str, typer.Option(help="The signed change in shares: 300 or -100.")],
    reason: Reason,
    operator: Operator,
    price: Annotated[str, typer.Option(help="What a share is booked at.")] = "0",
    ours: Annotated[
        bool, typer.Option("--ours", help="Move our own book too, not the account's alone.")
    ] = False,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Explain a move of a position that no fill explains; the journal keeps who and why.

    Exit codes: 0 booked; 2 refused.
    """
    import msgspec

    from tws.cli.traders import ask_trader, find, runs
    from tws.clock import SystemClock
    from tws.runtime.adjusting import AdjustWish
    from tws.runtime.offline import adjust_offline

    place = find(state, trader)
    wish = AdjustWish(
        symbol=symbol.upper(), quantity=quantity, price=price, operator=operator, reason=reason, ours=ours
    )
    values: dict[str, Any] = msgspec.to_builtins(wish)
    if runs(place):
        records = ask_trader(place, "adjust", timeout_s=20.0, **values)
    else:
        made = adjust_offline(place, Path(place.note().journal), wish, SystemClock())
        records = [type(record).__name__ for record in made]
    if json:
        print_json({"records": records})
    else:
        typer.echo(f"{symbol.upper()} adjusted by {quantity}: {', '.join(records)}")
