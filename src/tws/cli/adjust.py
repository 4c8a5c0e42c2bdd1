"""`tws adjust`: what only a human knows of positions and cash; the rules stand in `tws.runtime.adjusting`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from tws.cli import adjust_options as o
from tws.cli.console import print_json
from tws.cli.journals import JournalOption, find_target
from tws.cli.traders import Json, State, Trader, tell

if TYPE_CHECKING:
    from tws.runtime.adjusting import Wish

__all__ = ["adjust"]


def adjust(
    symbol: o.Symbol = "", quantity: o.Quantity = "", price: o.Price = "0", split: o.Split = "",
    ours: o.Ours = False, ours_alone: o.OursAlone = False, no_cash: o.NoCash = False, at: o.At = "",
    opening: o.Opening = False, expect: o.Expect = None, cash: o.Cash = "", currency: o.Currency = "USD",
    account: o.Account = "", operator: o.Operator = "", reason: o.Reason = "",
    journal: JournalOption = None, trader: Trader = None, state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Explain what no fill explains: a split, an assignment, a sale by hand, an opening balance, cash.

    A position that the broker moves without an execution differs from its fills; entries on the symbol block
    until you say why (tws status shows what differs, and by how much). Who and why stay in the journal. Asked
    of the trader that runs; without one it is written into its journal. All of these take
    --operator ann --reason "...":

    \b
    tws adjust SPY --split 4:1                         a split; stops and targets of ours follow
    tws adjust 700000123 --quantity 1                  a put that was short is gone by assignment ...
    tws adjust SPY --quantity 100 --price 560          ... and its shares came at the strike
    tws adjust SPY --quantity -50 --price 101 --ours-alone    somebody sold 50 of ours by hand
    tws adjust SPY --quantity 200 --price 98 --no-cash        shares came from another broker
    tws adjust SPY --quantity -0.5 --price 101 --ours  cash in lieu of a fraction
    tws adjust --opening                               show what was read as the opening balance
    tws adjust --opening --expect SPY=300              confirm it, if it is that
    tws adjust --cash 12.50                            a dividend, interest, a deposit

    Exit codes: 0 booked; 2 refused, and nothing was changed.
    """
    import msgspec

    from tws.clock import SystemClock
    from tws.errors import ConfigError
    from tws.runtime.adjusting import AdjustWish, CashWish, OpeningWish, plain
    from tws.runtime.offline import adjust_offline

    said = [name for name, given in (("SYMBOL", symbol), ("--opening", opening), ("--cash", cash)) if given]
    if len(said) != 1:
        why = "wants one of SYMBOL, --opening, --cash" if not said else f"got {' and '.join(said)} at once"
        raise ConfigError("adjust", None, why, "See the examples: tws adjust --help")
    who = {"operator": operator, "reason": reason, "account": account}
    wish: Wish
    if opening:
        wish = OpeningWish(expected=_pairs(expect or []), **who)
    elif cash:
        wish = CashWish(amount=cash, currency=currency, **who)
    else:
        wish = AdjustWish(symbol=symbol.upper(), quantity=quantity, price=price, split=split,
                          ours=ours or ours_alone, account_too=not ours_alone, paid=not no_cash,
                          at_ns=_moment(at), **who)  # fmt: skip
    target = find_target(journal, trader, state)
    answer: Any = tell(
        target.place, "adjust", msgspec.to_builtins(wish),
        lambda: plain(adjust_offline(target.place, target.journal, wish, SystemClock())),
        timeout_s=20.0,  # a symbol may have to be looked up at TWS
    )  # fmt: skip
    if json:
        print_json(answer)
    else:
        typer.echo("\n".join(answer["lines"]))


def _pairs(given: list[str]) -> dict[str, str]:
    from tws.cli.sim_options import parse_pairs

    return parse_pairs(given)


def _moment(text: str) -> int | None:
    from tws.cli.sim_options import parse_clock

    return parse_clock(text, "America/New_York") if text else None
