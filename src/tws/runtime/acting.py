"""Moves into wishes of the desk: what `tws.strategy.manage` answered is asked of a trader, and what came of
it is told as a value.

A wish that could not be put to the desk (no link, no such contract) is denied with that word: one signal's
trouble is none of the next one's. What ended the trader is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.desk import Flatten, ModifyOrder
from tws.errors import TWSError
from tws.log import get_logger
from tws.model.records import Denied
from tws.runtime.trader import Trader
from tws.strategy.manage import Add, Close, Enter, Move, Reverse, StopMove

__all__ = ["Did", "Equity", "act", "move_stops"]

EQUITY_S = 60
"""How often the account's worth is asked for: it serves sizes, and a size is a plan's fraction of it."""

log = get_logger("tws.runtime")


class Did(Struct, frozen=True, kw_only=True):
    """What came of a move. A reversal has begun; its new entry follows once it is flat."""

    what: Literal["traded", "closed", "reversing", "denied"]
    intent_id: str = ""
    limit: str = ""
    figure: str = ""
    bound: str = ""
    text: str = ""


async def act(trader: Trader, symbol: str, move: Move) -> Did:
    """Ask the desk for it. Raises what ended the trader."""
    try:
        match move:
            case Enter(wish):
                trade = await trader.submit(wish)
            case Add(wish, joins):
                trade = await trader.submit(wish, joins=joins)
            case Reverse(wish):
                denial = await trader.reverse(wish)
                return Did(what="reversing") if denial is None else _denied(denial)
            case Close(reason):
                await trader.ask(Flatten(symbol=symbol, reason=reason, key=reason))
                return Did(what="closed")
    except TWSError as wrong:
        if trader.failure is not None:
            raise
        log.warning("a wish was not put to the desk", symbol=symbol, reason=str(wrong))
        return Did(what="denied", limit="not sent", text=str(wrong))
    if trade.denial is not None:
        return _denied(trade.denial)
    return Did(what="traded", intent_id=trade.intent_id)


async def move_stops(trader: Trader, stops: Iterable[str], move: StopMove) -> str:
    """Change the stops of what is held (`Stances.stops`); from then on it is the broker that moves them.
    Answers why one of them stays as it is, "" when all changes are on their way.

        price = tighter_stop(stance, instrument, stance.entry_price)              # break even
        await move_stops(trader, stances.stops(symbol), StopMove(stop_price=price))
        await move_stops(trader, stances.stops(symbol), StopMove(trail=amount))   # or trail_percent=2

    Raises what ended the trader.
    """
    why = ""
    for intent_id in stops:
        change = ModifyOrder(intent_id=intent_id, stop_price=move.stop_price, trail=move.trail,
                             trail_percent=move.trail_percent, reason=move.reason)
        try:
            denial = await trader.modify(change)
        except TWSError as wrong:
            if trader.failure is not None:
                raise
            return str(wrong)
        why = why or ("" if denial is None else f"denied by {denial.limit}: {denial.reason}")
    return why


def _denied(denial: Denied) -> Did:
    return Did(
        what="denied", limit=denial.limit, figure=denial.figure, bound=denial.bound, text=denial.reason
    )


class Equity:
    """The account's net liquidation, asked for in a task of its own where a size needs it."""

    def __init__(self, trader: Trader, wanted: bool) -> None:
        self._trader = trader
        self.wanted = wanted
        self._asked_ns = 0
        self._value: Decimal | None = None
        self._currency = ""
        self._asking: asyncio.Task[None] | None = None

    async def first(self, now_ns: int) -> None:
        """Ask, and wait for the answer: the first entry may come at once."""
        self.look(now_ns)
        if self._asking is not None:
            await asyncio.wait([self._asking])

    def look(self, now_ns: int) -> None:
        """Ask anew when the last answer is old."""
        due = self._asked_ns == 0 or now_ns - self._asked_ns >= EQUITY_S * NS_PER_S
        if self.wanted and due and (self._asking is None or self._asking.done()):
            self._asked_ns = now_ns
            self._asking = asyncio.get_running_loop().create_task(self._ask(), name="equity")

    def in_currency(self, currency: str) -> Decimal | None:
        """What it is worth; None while that is not known, or stated in another currency."""
        return self._value if currency == self._currency else None

    async def close(self) -> None:
        """No task is left."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _ask(self) -> None:
        try:
            rows = await self._trader.connection.request_account_summary(("NetLiquidation",))
        except TWSError as wrong:
            log.warning("the account's worth is not told", reason=str(wrong))
            return
        account = self._trader.desk.state.account
        row = next((each for each in rows if each.account == account and each.key == "NetLiquidation"), None)
        if row is not None and row.amount is not None:
            self._value, self._currency = row.amount, row.currency
