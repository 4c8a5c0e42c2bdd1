"""Historical bars (20, 25), head time stamps (87), historical ticks (96). TWS-BEHAVIOUR.md E, A8.

Bars come from the market's own past: what was said since it began, and for a synthetic market the
invented days before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator import words
from tws.simulator.bars import BAR_SIZES, SHOWN, BuiltBar, build, parse_duration, parse_end
from tws.simulator.past import SyntheticPast
from tws.simulator.requests.contracts import resolve
from tws.simulator.session import Session
from tws.simulator.tape import Row
from tws.wire.messages import (
    CancelHeadTimestamp,
    CancelHistoricalData,
    HeadTimestamp,
    HeadTimestampRequest,
    HistoricalData,
    HistoricalDataBar,
    HistoricalDataEnd,
    HistoricalDataRequest,
    HistoricalDataUpdate,
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

__all__ = ["History"]

END_SINCE = 196
"""From this server version message 108 ends the answer (C6)."""
UPDATE_S = 5
MAX_TICKS = 1000


class _Kept(Struct):
    """A request that is kept up to date."""

    con_id: int
    size_s: int
    what: str
    format_date: int


class History:
    """Questions about the past."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._kept: dict[tuple[Session, int], _Kept] = {}
        self._heads: set[tuple[Session, int]] = set()  # count as open until they are cancelled (B)
        self._update_s = core.start_ns // NS_PER_S

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            HistoricalDataRequest: self._bars,
            CancelHistoricalData: self._cancel,
            HeadTimestampRequest: self._head,
            CancelHeadTimestamp: lambda session, request: self._heads.discard((session, request.req_id)),
            HistoricalTicksRequest: self._ticks,
        }

    def drop(self, session: Session) -> None:
        """The session ended."""
        for key in [key for key in self._kept if key[0] is session]:
            del self._kept[key]
        self._heads = {key for key in self._heads if key[0] is not session}

    # -- rows -------------------------------------------------------------------------------------

    def _past(self, con_id: int) -> SyntheticPast | None:
        """The invented past of a synthetic security, None for any other."""
        core = self._core
        if con_id not in core.pasts:
            opening, close = core.market.opening(con_id), core.market.previous_close(con_id)
            if opening is None or close is None:
                return None
            core.pasts[con_id] = SyntheticPast(
                core.security(con_id), core.options.seed, core.start_ns, opening, close, core.options.hours
            )
        return core.pasts[con_id]

    def rows(self, con_id: int, start_s: int, end_s: int, size_s: int) -> Iterator[Row]:
        """The past and the tape, oldest first."""
        past = self._past(con_id)
        if past is not None:
            yield from past.rows(start_s, min(end_s, self._core.start_ns // NS_PER_S), fine=size_s < 60)
        yield from self._core.tapes[con_id].rows(start_s, end_s)

    # -- bars -------------------------------------------------------------------------------------

    def _bars(self, session: Session, request: HistoricalDataRequest) -> None:
        req_id, core = request.req_id, self._core
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        size_s = BAR_SIZES.get(request.bar_size_setting.strip())
        what = request.what_to_show.strip().upper()
        if size_s is None or what not in SHOWN:
            session.error(
                req_id,
                321,
                "Error validating request.-'bQ' : cause - Historical data bar size setting or "
                f"what to show is invalid: '{request.bar_size_setting}', '{what}'",
            )
            return
        if request.keep_up_to_date and request.end_date_time.strip():
            session.error(
                req_id,
                321,
                "Error validating request.-'bQ' : cause - End date time must be empty to keep up to date",
            )
            return
        now_s = core.now_ns() // NS_PER_S
        try:
            end_s = min(parse_end(request.end_date_time, now_s + 1), now_s + 1)
            start_s = parse_duration(request.duration, end_s, core.options.hours)
        except ValueError:
            session.error(
                req_id,
                321,
                "Error validating request.-'bQ' : cause - Invalid duration or end date: "
                f"'{request.duration}', '{request.end_date_time}'",
            )
            return
        if not self._may_ask(session, request):
            return
        found = build(
            self.rows(security.con_id, start_s, end_s, size_s),
            size_s,
            what,
            rth=request.use_rth,
            mode=core.options.hours,
        )
        if not found:
            session.error(
                req_id,
                162,
                "Historical Market Data Service error message:HMDS query returned no data: "
                f"{security.symbol}@{request.contract.exchange or 'SMART'} {what.title()}",
            )
            return
        self._send(session, request, found, start_s, end_s)
        if request.keep_up_to_date:
            self._kept[session, req_id] = _Kept(security.con_id, size_s, what, request.format_date)

    def _may_ask(self, session: Session, request: HistoricalDataRequest) -> bool:
        """Whether the user's limits allow it (B)."""
        limiter, opened = self._core.limiter, len(self._kept) + len(self._heads)
        return limiter.open_history(session, request.req_id, opened) and limiter.history(session, request)

    def _send(
        self,
        session: Session,
        request: HistoricalDataRequest,
        found: list[BuiltBar],
        start_s: int,
        end_s: int,
    ) -> None:
        begin, end = (words.local_time(moment * NS_PER_S, session.version) for moment in (start_s, end_s))
        bars = tuple(_wire_bar(bar, request.format_date, session.version) for bar in found)
        if session.version < END_SINCE:
            session.send(HistoricalData(request.req_id, bars, begin, end))
        else:
            session.send(HistoricalData(request.req_id, bars))
            session.send(HistoricalDataEnd(request.req_id, begin, end))

    def _cancel(self, session: Session, request: CancelHistoricalData) -> None:
        if self._kept.pop((session, request.req_id), None) is None:
            session.error(
                request.req_id, 366, f"No historical data query found for ticker id:{request.req_id}"
            )
        else:
            session.error(
                request.req_id,
                162,
                "Historical Market Data Service error message:API historical data "
                f"query cancelled: {request.req_id}",
            )

    def elapse(self, now_ns: int) -> None:
        """Every five seconds the newest bar of each request that is kept up to date."""
        now_s = now_ns // NS_PER_S
        if now_s < self._update_s + UPDATE_S:
            return
        self._update_s = now_s // UPDATE_S * UPDATE_S
        for (session, req_id), kept in self._kept.items():
            rows = self.rows(kept.con_id, now_s - max(kept.size_s, UPDATE_S), now_s + 1, kept.size_s)
            built = build(rows, kept.size_s, kept.what, rth=False, mode=self._core.options.hours)
            if built:
                bar = _wire_bar(built[-1], kept.format_date, session.version)
                session.send(HistoricalDataUpdate(req_id, bar))

    # -- the rest ---------------------------------------------------------------------------------

    def _head(self, session: Session, request: HeadTimestampRequest) -> None:
        security = resolve(self._core, session, request.req_id, request.contract)
        if security is None:
            return
        past = self._past(security.con_id)
        first_s = past.first_s if past is not None else self._core.tapes[security.con_id].first_s
        if first_s is None:
            session.error(
                request.req_id, 162, "Historical Market Data Service error message:No head time stamp"
            )
            return
        if not self._core.limiter.open_history(session, request.req_id, len(self._kept) + len(self._heads)):
            return
        self._heads.add((session, request.req_id))
        moment = first_s * NS_PER_S
        text = str(first_s) if request.format_date == 2 else words.utc_time(moment)
        session.send(HeadTimestamp(request.req_id, text))

    def _ticks(self, session: Session, request: HistoricalTicksRequest) -> None:
        """One tick per second of the tape: what happened within a second is kept as its summary."""
        req_id = request.req_id
        security = resolve(self._core, session, req_id, request.contract)
        if security is None:
            return
        now_s = self._core.now_ns() // NS_PER_S
        forward = bool(request.start_date_time.strip())
        try:
            edge_s = parse_end(request.start_date_time if forward else request.end_date_time, now_s)
        except ValueError:
            session.error(req_id, 321, "Error validating request.-'bT' : cause - Invalid start or end date")
            return
        if not self._core.limiter.history(session, request):
            return
        count = max(1, min(request.number_of_ticks, MAX_TICKS))
        span = (edge_s, now_s + 1) if forward else (edge_s - 3 * 86_400, edge_s + 1)
        what = request.what_to_show.upper()
        rows = [
            row
            for row in self.rows(security.con_id, *span, size_s=5)
            if (row.prints if what == "TRADES" else row.bid)
        ]
        rows = rows[:count] if forward else rows[-count:]
        if what == "TRADES":
            session.send(
                HistoricalTicksLast(
                    req_id,
                    tuple(
                        HistoricalTickLast(row.time_s, 0, row.close, Decimal(row.volume), "ARCA", "")
                        for row in rows
                    ),
                    True,
                )
            )
        elif what == "BID_ASK":
            session.send(
                HistoricalTicksBidAsk(
                    req_id,
                    tuple(
                        HistoricalTickBidAsk(row.time_s, 0, row.bid, row.ask, Decimal(100), Decimal(100))
                        for row in rows
                    ),
                    True,
                )
            )
        else:
            session.send(
                HistoricalTicks(
                    req_id,
                    tuple(HistoricalTick(row.time_s, (row.bid + row.ask) / 2, Decimal(0)) for row in rows),
                    True,
                )
            )


def _wire_bar(bar: BuiltBar, format_date: int, version: int) -> HistoricalDataBar:
    """A bar as TWS writes it: day bars always `yyyyMMdd` (E)."""
    if isinstance(bar.key, date):
        stamp = f"{bar.key:%Y%m%d}"
    elif format_date == 2:
        stamp = str(bar.key)
    else:
        stamp = words.local_time(bar.key * NS_PER_S, version)
    return HistoricalDataBar(
        stamp,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        Decimal(bar.volume),
        Decimal(repr(round(bar.wap, 6))),
        bar.count,
    )
