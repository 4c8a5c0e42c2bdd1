"""Faults of data: streams that stop, subscriptions that die, single wrong values; and the market by hand.

TWS-BEHAVIOUR.md A8, D, E; INCIDENTS.md 21 and the pains 1, 14 and 22.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tws.simulator.faults.base import Effect, Fault, Span, fault
from tws.simulator.faults.link import resend
from tws.wire.messages import (
    AccountSummary,
    AccountUpdateMulti,
    AccountValue,
    Answer,
    MarketDataRequest,
    PortfolioValue,
    Position,
    PositionMulti,
)

if TYPE_CHECKING:
    from tws.simulator.faults.engine import Faults
    from tws.simulator.session import Session

__all__: list[str] = []

COMPETING = "No market data during competing live session"


@fault("stale-stream", "reported (pain 1)")
class StaleStream(Fault, frozen=True, kw_only=True):
    """Market data stops without a word: ticks, tick by tick and bars. The market and orders go on.

    symbol  of this symbol alone; "" is all
    lasts   "" is until cleared; then the present state is told
    """

    symbol: str = ""
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Stale(faults, frozenset(faults.con_ids(self.symbol)) if self.symbol else None)


class _Stale(Effect):
    def __init__(self, faults: Faults, con_ids: frozenset[int] | None) -> None:
        self._faults, self._con_ids = faults, con_ids

    def hides(self, con_id: int) -> bool:
        return self._con_ids is None or con_id in self._con_ids

    def end(self) -> None:
        resend(self._faults, self.hides)


@fault("size-dialog", "reported (H: Bid, Ask and Last Size Display Update); what is held is assumed")
class SizeDialog(Fault, frozen=True, kw_only=True):
    """A dialog about how sizes are displayed keeps all market data back until somebody answers it.

    lasts  "" is until answered or cleared; then the present state is told
    """

    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _SizeDialog(faults, None)


class _SizeDialog(_Stale):
    def answer(self, accept: bool) -> bool:
        self._faults.finish(self)
        return True


@fault("competing-session", "official code (A3); that data returns by itself is assumed")
class CompetingSession(Fault, frozen=True, kw_only=True):
    """The user is logged in elsewhere: 10197 on every market data line, new ones too, and no data.

    lasts  "" is until cleared; then data comes again
    """

    lasts: Span = "30s"

    def begin(self, faults: Faults) -> Effect:
        for lines in list(faults.core.lines.values()):
            for line in lines:
                line.session.error(line.req_id, 10197, COMPETING)
        return _Competing(faults, None)


class _Competing(_Stale):
    def request(self, session: Session, request: object) -> object | None:
        if isinstance(request, MarketDataRequest):
            session.error(request.req_id, 10197, COMPETING)
        return request


@fault("live-updates-fail", "reported (A8: 10182)")
class LiveUpdatesFail(Fault, frozen=True, kw_only=True):
    """10182: every historical request that is kept up to date ends with this error.

    text  of the error
    """

    text: str = "Failed to request live updates (disconnected)."

    def begin(self, faults: Faults) -> None:
        faults.core.desk.history.end_kept(10182, self.text)


@fault("real-time-bars-end", "official code and text (A8: 10225)")
class RealTimeBarsEnd(Fault, frozen=True, kw_only=True):
    """10225: a bust ends every subscription of real-time bars; they have to be asked for again."""

    def begin(self, faults: Faults) -> None:
        text = (
            "Bust event occurred, current subscription is deactivated. "
            "Please resubscribe real-time bars immediately"
        )
        faults.core.desk.streams.bars.end_all(10225, text)


@fault("bad-equity", "reported (Forven#92)", 21)
class BadEquity(Fault, frozen=True, kw_only=True):
    """The next account values of one tag are wrong, the ones after them right again.

    value  what is said
    tag    of the account value
    count  how many messages
    """

    value: str = "0.01"
    tag: str = "NetLiquidation"
    count: int = 1

    def begin(self, faults: Faults) -> Effect:
        return _WrongValue(faults, self)


class _WrongValue(Effect):
    def __init__(self, faults: Faults, plan: BadEquity) -> None:
        self._faults, self._plan, self._left = faults, plan, plan.count

    def outgoing(self, session: Session, message: Answer) -> Sequence[Answer]:
        plan = self._plan
        if isinstance(message, AccountValue | AccountUpdateMulti):
            key = message.key
        elif isinstance(message, AccountSummary):
            key = message.tag
        else:
            return (message,)
        if key != plan.tag or self._left <= 0:
            return (message,)
        self._left -= 1
        if not self._left:
            self._faults.after(0, lambda: self._faults.finish(self))
        return (replace(message, value=plan.value),)


@fault("bad-position", "reported (pain 22)", 7)
class BadPosition(Fault, frozen=True, kw_only=True):
    """The next positions that are told are off by so many, the ones after them right again.

    by     how many are added
    count  how many messages (61, 71 and 7)
    """

    by: int = 100
    count: int = 1

    def begin(self, faults: Faults) -> Effect:
        return _WrongPosition(faults, self.by, self.count)


class _WrongPosition(Effect):
    def __init__(self, faults: Faults, by: int, count: int) -> None:
        self._faults, self._by, self._left = faults, Decimal(by), count

    def outgoing(self, session: Session, message: Answer) -> Sequence[Answer]:
        if not isinstance(message, Position | PositionMulti | PortfolioValue) or self._left <= 0:
            return (message,)
        self._left -= 1
        if not self._left:
            self._faults.after(0, lambda: self._faults.finish(self))
        return (replace(message, position=(message.position or Decimal(0)) + self._by),)


@fault("market-move", "no fault of a TWS: the market moves as the scenario wants", 8, 18)
class MarketMove(Fault, frozen=True, kw_only=True):
    """The market jumps, once: a trade prints at the new price, the quote goes along.

    symbol   which; "" is everything that has a quote
    percent  how far, of the present price
    size     lots shown at the new quote; 0 is as many as before
    """

    symbol: str = ""
    percent: float = -5.0
    size: int = 0

    def begin(self, faults: Faults) -> None:
        if faults.actions is None:
            return
        tapes = faults.core.tapes
        for tape in [tapes[con_id] for con_id in faults.con_ids(self.symbol) if con_id in tapes]:
            if not (tape.bid_size and tape.ask_size):
                continue
            shift = 1 + self.percent / 100
            bid, ask = tape.grid.price(tape.bid) * shift, tape.grid.price(tape.ask) * shift
            sizes = (self.size or tape.bid_size, self.size or tape.ask_size)
            faults.actions.quote(tape.con_id, bid=bid, ask=ask, bid_size=sizes[0], ask_size=sizes[1])
            if self.percent:
                faults.actions.trade(tape.con_id, tape.grid.price(tape.grid.ticks(bid)))


@fault("quote", "no fault of a TWS: the market moves as the scenario wants")
class Quote(Fault, frozen=True, kw_only=True):
    """The market of one symbol is set by hand, once; 0 empties a side.

    symbol              which
    bid, ask            prices
    bid_size, ask_size  shares
    """

    symbol: str = "SPY"
    bid: float = 0.0
    ask: float = 0.0
    bid_size: int = 1000
    ask_size: int = 1000

    def begin(self, faults: Faults) -> None:
        if faults.actions is not None:
            faults.actions.quote(
                self.symbol, bid=self.bid, ask=self.ask, bid_size=self.bid_size, ask_size=self.ask_size
            )
