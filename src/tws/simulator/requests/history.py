"""Historical bars (20, 25), schedules (106), head time stamps (87). TWS-BEHAVIOUR.md E, A8.

Bars come from the market's own past: what was said since it began, and for a synthetic market the invented
days before. A derived instrument's past is its underlying's, repriced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from tws.clock import NS_PER_S, to_datetime
from tws.simulator import bars, words
from tws.simulator.bars import BAR_SIZES, DAY_S, BuiltBar, Values, Week, build, parse_duration, parse_end
from tws.simulator.grid import Grid, grid_of
from tws.simulator.hours import sessions
from tws.simulator.market.base import QUOTED
from tws.simulator.market.derived import Derived
from tws.simulator.past import Minutes, SyntheticPast, derived_rows
from tws.simulator.requests.contracts import resolve
from tws.simulator.session import Session
from tws.simulator.tape import Row
from tws.simulator.universe import Security
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
    HistoricalSchedule,
    HistoricalSession,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["History"]

END_SINCE = 196
"""From this server version message 108 ends the answer (C6)."""
UPDATE_S = 5
MOST_BARS = 120_000
"""A span longer than so many bars, nights and weekends counted, is refused, as TWS refuses long spans of
short bars: eighty days of minutes, a week of five seconds.
"""
QUOTES = ("MIDPOINT", "BID", "ASK", "BID_ASK")
LIVE = ("TRADES", "MIDPOINT", "BID", "ASK")
VOLATILITIES = ("HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY")
BORROW_FEE = 0.25
"""Percent a year, for FEE_RATE (invented)."""
NO_DATA = "Historical Market Data Service error message:HMDS query returned no data: "

Shown = Callable[[Row], Values | None]


class _Kept(Struct):
    """A request that is kept up to date."""

    security: Security
    size_s: int
    shown: Shown
    format_date: int
    rth: bool


class _Wish(Struct, frozen=True):
    """A request that makes sense: what to show, and from when to when in seconds."""

    security: Security
    size_s: int
    shown: Shown
    what: str
    start_s: int
    end_s: int


class _Unfit(Exception):
    """What is wrong with a request, in TWS's code and words; never leaves this module."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text


def _invalid(cause: str) -> _Unfit:
    return _Unfit(321, f"Error validating request.-'bQ' : cause - {cause}")


class History:
    """Questions about the past."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._kept: dict[tuple[Session, int], _Kept] = {}
        self._minutes = Minutes()
        self._heads: set[tuple[Session, int]] = set()  # count as open until they are cancelled (B)
        self._update_s = core.start_ns // NS_PER_S

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            HistoricalDataRequest: self._bars,
            CancelHistoricalData: self._cancel,
            HeadTimestampRequest: self._head,
            CancelHeadTimestamp: lambda session, request: self._heads.discard((session, request.req_id)),
        }

    def wanted(self) -> frozenset[int]:
        """Whose tapes are read."""
        return frozenset(kept.security.con_id for kept in self._kept.values())

    def drop(self, session: Session) -> None:
        """The session ended."""
        for key in [key for key in self._kept if key[0] is session]:
            del self._kept[key]
        self._heads = {key for key in self._heads if key[0] is not session}

    # -- rows -------------------------------------------------------------------------------------

    def past(self, security: Security) -> SyntheticPast | None:
        """The invented past of a synthetic security, None for any other."""
        core, con_id = self._core, security.con_id
        if con_id not in core.pasts:
            opening, close = core.market.opening(con_id), core.market.previous_close(con_id)
            if opening is None or close is None:
                return None
            core.pasts[con_id] = SyntheticPast(
                security, core.options.seed, core.start_ns, opening, close, core.options.hours, self._minutes
            )
        return core.pasts[con_id]

    def under(self, security: Security) -> Security | None:
        """Whose past stands in for that of a derived instrument; None for one with a market of its own."""
        if self.past(security) is not None or not security.under_con_id:
            return None
        return self._core.universe.get(security.under_con_id)

    def rows(self, security: Security, start_s: int, end_s: int, size_s: int) -> Iterator[Row]:
        """The past and the tape, oldest first."""
        core, tape = self._core, self._core.listed(security)
        past, under = self.past(security), self.under(security)
        own_s = core.start_ns // NS_PER_S
        if past is not None:
            if start_s < own_s:
                yield from past.rows(start_s, min(end_s, own_s), size_s)
        elif under is not None:
            derived = Derived(security, under, core.listed(under))
            own_s = max(own_s, tape.first_s or end_s)
            source = self.rows(under, start_s, min(end_s, own_s), size_s)
            yield from derived_rows(source, derived, grid_of(security.tick, security.lot))
        yield from tape.rows(max(start_s, own_s) if past or under else start_s, end_s)

    # -- bars -------------------------------------------------------------------------------------

    def _bars(self, session: Session, request: HistoricalDataRequest) -> None:
        core, req_id = self._core, request.req_id
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        try:
            if request.what_to_show.strip().upper() == "SCHEDULE":
                self._schedule(session, request, security)
                return
            wish = self._wish(session, request, security)
        except _Unfit as unfit:
            session.error(req_id, unfit.code, unfit.text)
            return
        if not self._may_ask(session, request):
            return
        rows = self.rows(security, wish.start_s, wish.end_s, wish.size_s)
        week = Week(core.options.hours, security.hours)
        found = build(rows, wish.size_s, wish.shown, week, rth=request.use_rth)
        if not found:
            where = request.contract.exchange or security.exchange
            session.error(req_id, 162, f"{NO_DATA}{security.local_symbol}@{where} {wish.what.title()}")
            return
        self._send(session, request, found, wish)
        if request.keep_up_to_date:
            self._kept[session, req_id] = _Kept(
                security, wish.size_s, wish.shown, request.format_date, request.use_rth
            )

    def _wish(self, session: Session, request: HistoricalDataRequest, security: Security) -> _Wish:
        """The request as it is meant. Raises _Unfit; says 10299 where what to show is replaced."""
        size_text, what = request.bar_size_setting.strip(), request.what_to_show.strip().upper()
        size_s = BAR_SIZES.get(size_text)
        if size_s is None:
            raise _invalid(f"Historical data bar size setting is invalid. Legal ones are: {LEGAL_SIZES}")
        if security.sec_type == "CRYPTO" and what == "TRADES":
            said = "Expected what to show is AGGTRADES, please use that instead of TRADES."
            session.error(request.req_id, 10299, said)
            what = "AGGTRADES"
        shown = self._shown(security, what)
        ends = bool(request.end_date_time.strip())
        if ends and (request.keep_up_to_date or what == "ADJUSTED_LAST"):
            whose = "keepUpToDate" if request.keep_up_to_date else what
            raise _invalid(f"End date time must be empty for {whose}")
        if request.keep_up_to_date and (what not in (*LIVE, "AGGTRADES") or size_s < UPDATE_S):
            raise _invalid(f"keepUpToDate is not supported for {what} with bars of {size_text}")
        start_s, end_s = self._span(request, security)
        if (end_s - start_s) / size_s > MOST_BARS:
            raise _Unfit(162, "Historical Market Data Service error message:Time length exceed max.")
        return _Wish(security, size_s, shown, what, start_s, end_s)

    def _span(self, request: HistoricalDataRequest, security: Security) -> tuple[int, int]:
        """From when to when, in seconds; never beyond now. Raises _Unfit."""
        now_s = self._core.now_ns() // NS_PER_S
        week = Week(self._core.options.hours, security.hours)
        try:
            end_s = min(parse_end(request.end_date_time, now_s + 1, self._core.zone), now_s + 1)
            return parse_duration(request.duration, end_s, week), end_s
        except (ValueError, OverflowError):
            said = f"'{request.duration[:40]}', '{request.end_date_time[:40]}'"
            raise _invalid(f"Invalid duration or end date: {said}") from None

    def _shown(self, security: Security, what: str) -> Shown:
        """How rows are read. Raises _Unfit for what this type of instrument has not."""
        kind = security.sec_type
        quotes = {"MIDPOINT": bars.midpoint, "BID": bars.bid, "ASK": bars.ask, "BID_ASK": bars.bid_ask}
        if what in quotes and kind != "IND":
            return quotes[what]
        if what == "TRADES" and kind != "CRYPTO" and kind not in QUOTED:
            return bars.trades
        if (what, kind) in (("AGGTRADES", "CRYPTO"), ("ADJUSTED_LAST", "STK")):
            return bars.trades
        if what in VOLATILITIES and kind in ("STK", "IND"):
            level = security.volatility * (1.05 if what == "OPTION_IMPLIED_VOLATILITY" else 1.0)
            return bars.volatility(level, self._core.market.opening(security.con_id) or security.price)
        if (what, kind) == ("FEE_RATE", "STK"):
            return bars.constant(BORROW_FEE)
        if what in KNOWN:
            raise _Unfit(162, f"Historical Market Data Service error message:No historical market data for "
                              f"{security.symbol}/{kind}@{security.exchange} {what.title()}")  # fmt: skip
        raise _invalid(f"Invalid what to show '{what[:40]}'")

    def _may_ask(self, session: Session, request: HistoricalDataRequest) -> bool:
        """Whether the user's limits allow it (B)."""
        limiter, opened = self._core.limiter, len(self._kept) + len(self._heads)
        return limiter.open_history(session, request.req_id, opened) and limiter.history(session, request)

    def _send(
        self, session: Session, request: HistoricalDataRequest, found: list[BuiltBar], wish: _Wish
    ) -> None:
        zone = self._core.zone
        moments = (wish.start_s, wish.end_s)
        begin, end = (words.local_time(one * NS_PER_S, session.version, zone) for one in moments)
        grid = grid_of(wish.security.tick, wish.security.lot)
        rows = tuple(self._wire_bar(bar, request.format_date, session.version, grid) for bar in found)
        if session.version < END_SINCE:
            session.send(HistoricalData(request.req_id, rows, begin, end))
        else:
            session.send(HistoricalData(request.req_id, rows))
            session.send(HistoricalDataEnd(request.req_id, begin, end))

    def _wire_bar(self, bar: BuiltBar, format_date: int, version: int, grid: Grid) -> HistoricalDataBar:
        """A bar as TWS writes it: day bars always `yyyyMMdd` (E)."""
        if isinstance(bar.key, date):
            stamp = f"{bar.key:%Y%m%d}"
        elif format_date == 2:
            stamp = str(bar.key)
        else:
            stamp = words.local_time(bar.key * NS_PER_S, version, self._core.zone)
        volume = Decimal(-1) if bar.count < 0 else grid.quantity(bar.volume)
        wap = Decimal(repr(round(bar.wap, 6)))
        return HistoricalDataBar(stamp, bar.open, bar.high, bar.low, bar.close, volume, wap, bar.count)

    def _cancel(self, session: Session, request: CancelHistoricalData) -> None:
        if self._kept.pop((session, request.req_id), None) is None:
            said = f"No historical data query found for ticker id:{request.req_id}"
            session.error(request.req_id, 366, said)
        else:
            head = "Historical Market Data Service error message:API historical data query cancelled: "
            session.error(request.req_id, 162, f"{head}{request.req_id}")

    def end_kept(self, code: int, text: str) -> None:
        """A fault: every request that is kept up to date ends with this error."""
        ended, self._kept = self._kept, {}
        for session, req_id in ended:
            session.error(req_id, code, text)

    def elapse(self, now_ns: int) -> None:
        """Every five seconds the newest bar of each request that is kept up to date, whole since its begin.
        """
        now_s = now_ns // NS_PER_S
        if now_s < self._update_s + UPDATE_S:
            return
        self._update_s = now_s // UPDATE_S * UPDATE_S
        for (session, req_id), kept in self._kept.items():
            if self._core.faults.hides(kept.security.con_id):
                continue
            week = Week(self._core.options.hours, kept.security.hours)
            reach_s = min(kept.size_s, DAY_S) + UPDATE_S
            rows = self.rows(kept.security, now_s - reach_s, now_s + 1, min(kept.size_s, 3600))
            built = build(rows, kept.size_s, kept.shown, week, rth=kept.rth)
            if built:
                grid = grid_of(kept.security.tick, kept.security.lot)
                bar = self._wire_bar(built[-1], kept.format_date, session.version, grid)
                session.send(HistoricalDataUpdate(req_id, bar))

    # -- the rest ---------------------------------------------------------------------------------

    def _schedule(self, session: Session, request: HistoricalDataRequest, security: Security) -> None:
        """What to show SCHEDULE: sessions in place of bars, for bars of a day alone. Raises _Unfit."""
        if BAR_SIZES.get(request.bar_size_setting.strip()) != DAY_S or request.keep_up_to_date:
            raise _invalid("SCHEDULE is available with bars of 1 day and without keepUpToDate only")
        start_s, end_s = self._span(request, security)
        if not self._may_ask(session, request):
            return
        mode, template = self._core.options.hours, security.hours
        zone = Week(mode, template).zone
        first, last = (datetime.fromtimestamp(moment, zone).date() for moment in (start_s, end_s))
        rows = tuple(
            HistoricalSession(_dash(begin, zone), _dash(end, zone), f"{day:%Y%m%d}")
            for day, begin, end in sessions(first, last, mode, template, liquid=request.use_rth)
            if begin // NS_PER_S < end_s
        )
        if not rows:
            where = f"{security.local_symbol}@{security.exchange}"
            session.error(request.req_id, 162, f"{NO_DATA}{where} Schedule")
            return
        begin, end = rows[0].start_date_time, rows[-1].end_date_time
        session.send(HistoricalSchedule(request.req_id, begin, end, zone.key, rows))

    def _head(self, session: Session, request: HeadTimestampRequest) -> None:
        security = resolve(self._core, session, request.req_id, request.contract)
        if security is None:
            return
        past = self.past(self.under(security) or security)
        first_s = past.first_s if past is not None else self._core.listed(security).first_s
        try:
            self._shown(security, request.what_to_show.strip().upper())
        except _Unfit as unfit:
            if unfit.code != 162:
                session.error(request.req_id, unfit.code, unfit.text)
                return
            first_s = None
        if first_s is None:
            said = "Historical Market Data Service error message:No head time stamp"
            session.error(request.req_id, 162, said)
            return
        if not self._core.limiter.open_history(session, request.req_id, len(self._kept) + len(self._heads)):
            return
        self._heads.add((session, request.req_id))
        text = str(first_s) if request.format_date == 2 else words.utc_time(first_s * NS_PER_S)
        session.send(HeadTimestamp(request.req_id, text))


LEGAL_SIZES = ", ".join(name for name in BAR_SIZES if " " in name)
KNOWN = frozenset({"TRADES", "AGGTRADES", "ADJUSTED_LAST", "FEE_RATE", *QUOTES, *VOLATILITIES,
                   "YIELD_BID", "YIELD_ASK", "YIELD_BID_ASK", "YIELD_LAST"})  # fmt: skip
"""What to show, as documented officially, SCHEDULE apart."""


def _dash(ns: int, zone: ZoneInfo) -> str:
    """`yyyyMMdd-HH:mm:ss` in the market's own zone, as schedules are written."""
    return to_datetime(ns).astimezone(zone).strftime("%Y%m%d-%H:%M:%S")
