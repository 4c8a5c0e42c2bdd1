"""Real-time bars (50, 51): five seconds each, sent when they close. TWS-BEHAVIOUR.md B, E."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator.hours import TEMPLATES, day_of, local_date
from tws.simulator.permissions import is_refused
from tws.simulator.requests.contracts import resolve
from tws.simulator.session import Session
from tws.simulator.tape import Row, Tape
from tws.simulator.universe import Security
from tws.wire.messages import CancelRealTimeBars, RealTimeBarsRequest, RealTimeBarTick

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["LiveBars"]

BAR_S = 5
SHOWN = ("TRADES", "MIDPOINT", "BID", "ASK")


class _Wanted(Struct):
    security: Security
    what: str
    use_rth: bool


class LiveBars:
    """The subscriptions of real-time bars."""

    def __init__(self, core: Core, lines: Callable[[], int]) -> None:
        """`lines`: how many market data lines are in use by all, whatever they carry."""
        self._core = core
        self._lines = lines
        self._wanted: dict[tuple[Session, int], _Wanted] = {}
        self._end_s = core.start_ns // NS_PER_S // BAR_S * BAR_S + BAR_S

    def __len__(self) -> int:
        return len(self._wanted)

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {RealTimeBarsRequest: self._subscribe, CancelRealTimeBars: self._cancel}

    def wanted(self) -> frozenset[int]:
        """Whose tapes are read."""
        return frozenset(wanted.security.con_id for wanted in self._wanted.values())

    def drop(self, session: Session) -> None:
        """The session ended."""
        for key in [key for key in self._wanted if key[0] is session]:
            del self._wanted[key]

    def end_all(self, code: int, text: str) -> None:
        """A fault: every subscription ends with this error."""
        ended, self._wanted = self._wanted, {}
        for session, req_id in ended:
            session.error(req_id, code, text)

    def _subscribe(self, session: Session, request: RealTimeBarsRequest) -> None:
        core, req_id, what = self._core, request.req_id, request.what_to_show.strip().upper()
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        if what not in SHOWN or (what != "TRADES" and security.sec_type == "IND"):
            said = f"Error validating request.-'bX' : cause - Invalid what to show '{request.what_to_show}'"
            session.error(req_id, 321, said)
            return
        if (session, req_id) in self._wanted:
            session.error(req_id, 102, "Duplicate ticker ID for API request")
            return
        if is_refused(core, security):
            text = f"No market data permissions for {security.exchange} {security.sec_type}"
            session.error(req_id, 420, f"Invalid Real-time Query:{text}")
            return
        if not core.limiter.line(session, req_id, self._lines()) or not core.limiter.bars(session, req_id):
            return
        core.listed(security)
        self._wanted[session, req_id] = _Wanted(security, what, request.use_rth)

    def _cancel(self, session: Session, request: CancelRealTimeBars) -> None:
        if self._wanted.pop((session, request.req_id), None) is None:
            session.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")

    def elapse(self, now_ns: int) -> None:
        """Send the bars that closed."""
        now_s = now_ns // NS_PER_S
        if now_s < self._end_s:
            return
        end_s = now_s // BAR_S * BAR_S
        self._end_s = end_s + BAR_S
        for (session, req_id), wanted in self._wanted.items():
            if self._core.faults.hides(wanted.security.con_id):
                continue
            if wanted.use_rth and not self._is_regular(wanted.security, (end_s - BAR_S) * NS_PER_S):
                continue
            bar = _bar(self._core.tapes[wanted.security.con_id], wanted.what, req_id, end_s - BAR_S)
            if bar is not None:
                session.send(bar)

    def _is_regular(self, security: Security, at_ns: int) -> bool:
        """Whether the instant lies in the security's liquid hours."""
        mode = self._core.options.hours
        day = day_of(local_date(at_ns, TEMPLATES[security.hours].zone), mode, security.hours)
        return day is not None and any(begin <= at_ns < end for begin, end in day.liquid)


def _bar(tape: Tape, what: str, req_id: int, begin_s: int) -> RealTimeBarTick | None:
    """The bar of these five seconds; without a print it stands at the last price. None before any price."""
    rows = list(tape.rows(begin_s, begin_s + BAR_S))
    if what == "TRADES":
        return _traded(tape, [row for row in rows if row.prints], req_id, begin_s)
    prices = [price for row in rows if (price := _shown(row, what))]
    if not prices:
        bid, ask = (
            tape.grid.price(tape.bid) * bool(tape.bid_size),
            tape.grid.price(tape.ask) * bool(tape.ask_size),
        )
        price = {"BID": bid, "ASK": ask}.get(what, tape.grid.mid(tape.bid, tape.ask) if bid and ask else 0.0)
        if not price:
            return None
        prices = [price]
    zero = Decimal(0)
    return RealTimeBarTick(req_id, begin_s, prices[0], max(prices), min(prices), prices[-1], zero, zero, -1)


def _traded(tape: Tape, rows: list[Row], req_id: int, begin_s: int) -> RealTimeBarTick | None:
    if not rows:
        if not tape.last:
            return None
        zero = Decimal(0)
        return RealTimeBarTick(req_id, begin_s, tape.last, tape.last, tape.last, tape.last, zero, zero, 0)
    volume = sum(row.volume for row in rows)
    value = sum(row.value for row in rows)
    wap = value / volume if volume else rows[-1].close
    return RealTimeBarTick(
        req_id,
        begin_s,
        rows[0].open,
        max(row.high for row in rows),
        min(row.low for row in rows),
        rows[-1].close,
        tape.grid.quantity(volume),
        Decimal(repr(round(wap, 6))),
        sum(row.prints for row in rows),
    )


def _shown(row: Row, what: str) -> float:
    if what == "BID":
        return row.bid
    if what == "ASK":
        return row.ask
    return round((row.bid + row.ask) / 2, 8) if row.bid and row.ask else 0.0
