"""Historical ticks (96): trades, quotes, midpoints, at most a thousand. TWS-BEHAVIOUR.md B, E, F6.

What happened within a second is kept as its summary, so there is one tick a second at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from tws.clock import NS_PER_S
from tws.simulator.bars import Week, parse_end
from tws.simulator.grid import grid_of
from tws.simulator.market.base import QUOTED
from tws.simulator.market.synthetic import unit_of
from tws.simulator.requests.contracts import resolve
from tws.simulator.requests.history import History
from tws.simulator.requests.tickbytick import venue
from tws.simulator.session import Session
from tws.simulator.tape import Row
from tws.simulator.universe import Security
from tws.wire.messages import (
    HistoricalTick,
    HistoricalTickBidAsk,
    HistoricalTickLast,
    HistoricalTicks,
    HistoricalTicksBidAsk,
    HistoricalTicksLast,
    HistoricalTicksRequest,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["PastTicks"]

MAX_TICKS = 1000
REACH_DAYS = 10
"""A search for ticks gives up after so many days without enough of them."""
DAY_S = 86_400


class PastTicks:
    """Answers from the same rows as bars are built of."""

    def __init__(self, core: Core, history: History) -> None:
        self._core = core
        self._history = history

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {HistoricalTicksRequest: self._ticks}

    def _ticks(self, session: Session, request: HistoricalTicksRequest) -> None:
        req_id, core = request.req_id, self._core
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        what = request.what_to_show.strip().upper()
        wrong = self._wrong(request, security, what)
        if wrong:
            session.error(req_id, 321, f"Error validating request.-'bT' : cause - {wrong}")
            return
        if not core.limiter.history(session, request):
            return
        count = request.number_of_ticks
        found = self._found(request, security, what, count)
        send = {"TRADES": _trades, "BID_ASK": _quotes}.get(what, _midpoints)
        session.send(send(req_id, found, security))

    def _wrong(self, request: HistoricalTicksRequest, security: Security, what: str) -> str:
        """What is wrong with a request; empty when nothing is."""
        starts, ends = request.start_date_time.strip(), request.end_date_time.strip()
        if bool(starts) == bool(ends):
            return "Either start or end date time must be given"
        if not 0 < request.number_of_ticks <= MAX_TICKS:
            return f"Number of ticks must be between 1 and {MAX_TICKS}"
        unprinted = what == "TRADES" and security.sec_type in QUOTED
        if unprinted or what not in ("TRADES", "BID_ASK", "MIDPOINT"):
            return f"Invalid what to show '{what[:40]}'"
        try:
            parse_end(starts or ends, 0, self._core.zone)
        except (ValueError, OverflowError):
            return f"Invalid start or end date time '{(starts or ends)[:40]}'"
        return ""

    def _found(
        self, request: HistoricalTicksRequest, security: Security, what: str, count: int
    ) -> list[Row]:
        """The rows asked for, oldest first: from the start on, or the last ones before the end."""
        now_s = self._core.now_ns() // NS_PER_S
        starts = request.start_date_time.strip()
        edge_s = parse_end(starts or request.end_date_time, now_s, self._core.zone)
        if starts:
            end_s = min(now_s + 1, edge_s + REACH_DAYS * DAY_S)
            return list(islice(self._fitting(request, security, what, edge_s, end_s), count))
        found: list[Row] = []
        end_s = min(edge_s, now_s + 1)
        for back in range(REACH_DAYS * 4):  # a quarter of a day at a time, latest first
            stop_s = end_s - back * DAY_S // 4
            found = [*self._fitting(request, security, what, stop_s - DAY_S // 4, stop_s), *found]
            if len(found) >= count:
                break
        return found[-count:]

    def _fitting(
        self, request: HistoricalTicksRequest, security: Security, what: str, start_s: int, end_s: int
    ) -> Iterator[Row]:
        week = Week(self._core.options.hours, security.hours)
        for row in self._history.rows(security, start_s, end_s, size_s=5):
            if not (row.prints if what == "TRADES" else row.bid and row.ask):
                continue
            if request.use_rth and not week.is_liquid(row.time_s):
                continue
            yield row


def _trades(req_id: int, rows: list[Row], security: Security) -> HistoricalTicksLast:
    grid = grid_of(security.tick, security.lot)
    ticks = tuple(
        HistoricalTickLast(
            row.time_s, 0, row.close, grid.quantity(row.volume), venue(security, row.time_s * NS_PER_S), ""
        )
        for row in rows
    )
    return HistoricalTicksLast(req_id, ticks, True)


def _quotes(req_id: int, rows: list[Row], security: Security) -> HistoricalTicksBidAsk:
    """The sizes are not kept: each is the usual one."""
    size = grid_of(security.tick, security.lot).quantity(unit_of(security))
    ticks = tuple(HistoricalTickBidAsk(row.time_s, 0, row.bid, row.ask, size, size) for row in rows)
    return HistoricalTicksBidAsk(req_id, ticks, True)


def _midpoints(req_id: int, rows: list[Row], security: Security) -> HistoricalTicks:
    digits = grid_of(security.tick, security.lot).digits + 1
    ticks = tuple(
        HistoricalTick(row.time_s, round((row.bid + row.ask) / 2, digits), Decimal(0)) for row in rows
    )
    return HistoricalTicks(req_id, ticks, True)
