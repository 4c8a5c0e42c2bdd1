"""Historical ticks (96): trades, quotes, midpoints, at most a thousand. TWS-BEHAVIOUR.md B, E, F6.

What happened within a second is kept as its summary; `tws.simulator.singles` unfolds it. The last second of
an answer is whole, so that a few more ticks than asked for may come (official documentation).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, NamedTuple

from tws.clock import NS_PER_S, to_ns
from tws.simulator import singles
from tws.simulator.bars import Week, parse_end
from tws.simulator.grid import grid_of
from tws.simulator.hours import TEMPLATES, local_date
from tws.simulator.market.base import QUOTED, Row
from tws.simulator.requests.contracts import resolve
from tws.simulator.requests.history import History
from tws.simulator.session import Session
from tws.simulator.universe import Security
from tws.wire.messages import (
    Answer,
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
LAST_S = 600
"""A search backwards looks at so many seconds first, then at four times as many each time."""


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
        found = self._found(request, security, what)
        session.send(_ANSWERS[what](req_id, tuple(itertools.chain.from_iterable(found)), True))

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

    def _found(self, request: HistoricalTicksRequest, security: Security, what: str) -> list[list[Any]]:
        """The ticks by seconds, oldest first: from the start on, or the last ones before the end."""
        now_s = self._core.now_ns() // NS_PER_S
        starts = request.start_date_time.strip()
        edge_s = parse_end(starts or request.end_date_time, now_s, self._core.zone)
        wish = _Wish(security, what, request.use_rth, request.ignore_size)
        if starts:
            end_s = min(now_s + 1, edge_s + REACH_DAYS * DAY_S)
            return _enough(self._seconds(wish, edge_s, end_s), request.number_of_ticks)
        found: list[list[Any]] = []
        stop_s, reach_s = min(edge_s, now_s + 1), LAST_S
        least_s = stop_s - REACH_DAYS * DAY_S
        while stop_s > least_s and sum(map(len, found)) < request.number_of_ticks:
            found = [*self._seconds(wish, stop_s - reach_s, stop_s), *found]
            stop_s, reach_s = stop_s - reach_s, min(4 * reach_s, DAY_S // 4)
        return _enough(reversed(found), request.number_of_ticks)[::-1]

    def _seconds(self, wish: _Wish, start_s: int, end_s: int) -> Iterator[list[Any]]:
        """The ticks of each second that has some."""
        security = wish.security
        week, grid = Week(self._core.options.hours, security.hours), grid_of(security.tick, security.lot)
        day = _Day(self._history, security, wish.what == "BID_ASK")
        before: tuple[float, ...] = ()
        for row in self._history.rows(security, start_s, end_s, size_s=5):
            if not (row.prints if wish.what == "TRADES" else row.bid and row.ask):
                continue
            if wish.use_rth and not week.is_liquid(row.time_s):
                continue
            if wish.what == "TRADES":
                ticks: list[Any] = list(singles.prints(row, security, grid))
            elif wish.what == "MIDPOINT":
                ticks = list(singles.midpoints(row, security, grid))
            else:
                ticks = []
                for quote in singles.quotes(row, security, grid, day.until(row)):
                    now = (quote.price_bid, quote.price_ask)
                    if now != before or not wish.ignore_size:
                        ticks.append(quote)
                    before = now
            if ticks:
                yield ticks


class _Wish(NamedTuple):
    security: Security
    what: str
    use_rth: bool
    ignore_size: bool


class _Day:
    """The lowest and highest print of a row's day before it; with `asked` False nobody wants to know."""

    def __init__(self, history: History, security: Security, asked: bool) -> None:
        self._history, self._security, self._asked = history, security, asked
        self._zone = TEMPLATES[security.hours].zone
        self._date: date | None = None
        self._low = self._high = 0.0

    def until(self, row: Row) -> tuple[float, float]:
        if not self._asked:
            return 0.0, 0.0
        today = local_date(row.time_s * NS_PER_S, self._zone)
        if today != self._date:
            begin_s = to_ns(datetime.combine(today, time(), self._zone)) // NS_PER_S
            self._date, self._low, self._high = today, 0.0, 0.0
            for earlier in self._history.rows(self._security, begin_s, row.time_s, size_s=60):
                self._take(earlier)
        known = self._low, self._high
        self._take(row)
        return known

    def _take(self, row: Row) -> None:
        if row.prints:
            self._low = min(self._low or row.low, row.low)
            self._high = max(self._high, row.high)


def _enough(seconds: Iterable[list[Any]], count: int) -> list[list[Any]]:
    """Whole seconds until there are so many ticks."""
    found: list[list[Any]] = []
    for ticks in seconds:
        found.append(ticks)
        count -= len(ticks)
        if count <= 0:
            break
    return found


_ANSWERS: dict[str, Callable[[int, tuple[Any, ...], bool], Answer]] = {
    "TRADES": HistoricalTicksLast,
    "BID_ASK": HistoricalTicksBidAsk,
    "MIDPOINT": HistoricalTicks,
}
