"""Tick by tick (97, 98): every print or quote as message 99. TWS-BEHAVIOUR.md B, E, F6.

With a number of ticks the past comes first, as the answer to a request for historical ticks of the same
id, then the live ones follow.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator import words
from tws.simulator.market.base import MarketUpdate
from tws.simulator.permissions import is_refused
from tws.simulator.requests.contracts import resolve
from tws.simulator.session import Session
from tws.simulator.singles import venue
from tws.simulator.tape import Tape
from tws.simulator.universe import Security
from tws.wire.messages import CancelTickByTick, HistoricalTicksRequest, TickByTickData, TickByTickRequest

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["TickByTick"]

LAST, ALL_LAST, BID_ASK, MID_POINT = 1, 2, 3, 4
KINDS = {"Last": LAST, "AllLast": ALL_LAST, "BidAsk": BID_ASK, "MidPoint": MID_POINT}
HISTORY = {LAST: "TRADES", ALL_LAST: "TRADES", BID_ASK: "BID_ASK", MID_POINT: "MIDPOINT"}
QUOTED = (BID_ASK, MID_POINT)
UNREPORTED = 2
BID_PAST_LOW, ASK_PAST_HIGH = 1, 2
AT_MOST = 1000
"""Historical ticks before the stream."""


class _Stream(Struct):
    con_id: int
    listen: Callable[[MarketUpdate], None]


class TickByTick:
    """The tick-by-tick subscriptions."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._streams: dict[tuple[Session, int], _Stream] = {}

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {TickByTickRequest: self._subscribe, CancelTickByTick: self._cancel}

    def drop(self, session: Session) -> None:
        """The session ended."""
        for key in [key for key in self._streams if key[0] is session]:
            self._forget(key)

    def elapse(self, now_ns: int) -> None:
        """Nothing here happens by time alone."""

    def _subscribe(self, session: Session, request: TickByTickRequest) -> None:
        req_id, core = request.req_id, self._core
        kind = KINDS.get(request.tick_type)
        if kind is None:
            said = f"Error validating request.-'bX' : cause - Unknown tick type {request.tick_type}"
            session.error(req_id, 321, said)
            return
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        if (session, req_id) in self._streams:
            session.error(req_id, 102, "Duplicate ticker ID for API request")
            return
        if is_refused(core, security):
            place = security.primary_exchange or security.exchange
            reason = f"No market data permissions for {place} {security.sec_type}"
            session.error(req_id, 10189, f"Failed to request tick-by-tick data.{reason}")
            return
        if kind in QUOTED and security.sec_type == "IND":
            session.error(
                req_id,
                10189,
                f"Failed to request tick-by-tick data.{request.tick_type} tick-by-tick "
                f"requests are not supported for {security.symbol} IND",
            )
            return
        if not core.limiter.prints(session, req_id, security.con_id, self._taken(session)):
            return
        tape = core.listed(security)
        if request.number_of_ticks > 0:
            self._send_past(session, request, kind)
        listen = _listener(session, request, kind, security, tape)
        self._streams[session, req_id] = _Stream(security.con_id, listen)
        core.listen(security.con_id, listen)

    def _taken(self, session: Session) -> int:
        return sum(1 for other, _ in self._streams if other is session)

    def _send_past(self, session: Session, request: TickByTickRequest, kind: int) -> None:
        """The latest ticks up to now, as if they had been asked for."""
        end_ns = self._core.now_ns() + NS_PER_S  # the running second with it
        self._core.handle(
            session,
            HistoricalTicksRequest(
                req_id=request.req_id,
                contract=request.contract,
                start_date_time="",
                end_date_time=words.utc_time(end_ns),
                number_of_ticks=min(request.number_of_ticks, AT_MOST),
                what_to_show=HISTORY[kind],
                use_rth=False,
                ignore_size=request.ignore_size,
            ),
        )

    def _cancel(self, session: Session, request: CancelTickByTick) -> None:
        if (session, request.req_id) in self._streams:
            self._forget((session, request.req_id))
        else:
            session.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")

    def _forget(self, key: tuple[Session, int]) -> None:
        gone = self._streams.pop(key)
        self._core.unlisten(gone.con_id, gone.listen)


def _listener(
    session: Session, request: TickByTickRequest, kind: int, security: Security, tape: Tape
) -> Callable[[MarketUpdate], None]:
    req_id = request.req_id
    if kind not in QUOTED:

        def on_print(update: MarketUpdate) -> None:
            if update.trade:
                session.send(_print(req_id, kind, security, tape, update))

        return on_print
    before: tuple[int, ...] = ()

    def on_quote(update: MarketUpdate) -> None:
        nonlocal before
        quote = (update.bid, update.ask)
        now = (
            quote if request.ignore_size or kind == MID_POINT else (*quote, update.bid_size, update.ask_size)
        )
        if now == before or not (update.bid_size and update.ask_size):
            return
        before = now
        session.send(_quote(req_id, kind, tape, update))

    return on_quote


def _print(req_id: int, kind: int, security: Security, tape: Tape, update: MarketUpdate) -> TickByTickData:
    """A print; one off the price grid (an average price, a midpoint match) is marked as not reported."""
    return TickByTickData(
        req_id,
        kind,
        update.time_ns // NS_PER_S,
        price=update.trade,
        size=tape.grid.quantity(update.trade_size),
        attr_mask=0 if tape.grid.is_on(update.trade) else UNREPORTED,
        exchange=venue(security, update.time_ns),
    )


def _quote(req_id: int, kind: int, tape: Tape, update: MarketUpdate) -> TickByTickData:
    time_s, grid = update.time_ns // NS_PER_S, tape.grid
    if kind == MID_POINT:
        return TickByTickData(req_id, kind, time_s, mid_point=grid.mid(update.bid, update.ask))
    bid, ask = grid.price(update.bid), grid.price(update.ask)
    mask = BID_PAST_LOW if tape.low and bid < tape.low else 0
    mask |= ASK_PAST_HIGH if tape.high and ask > tape.high else 0
    sizes: tuple[Decimal, Decimal] = (grid.quantity(update.bid_size), grid.quantity(update.ask_size))
    return TickByTickData(
        req_id,
        kind,
        time_s,
        bid_price=bid,
        ask_price=ask,
        bid_size=sizes[0],
        ask_size=sizes[1],
        attr_mask=mask,
    )
