"""The past beside its bars: where it begins, single ticks, volume by price, the sessions that were."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tws.clock import NS_PER_S, to_datetime
from tws.connection.families.base import Asking, Handlers, first, hear_rows
from tws.connection.hearing.replies import Reply
from tws.connection.hearing.tws_time import instant_ns, zone_named
from tws.model.contract import Contract
from tws.model.past import (
    HistogramEntry,
    PastMidpoint,
    PastQuote,
    PastTick,
    PastTrade,
    Schedule,
    TradingDay,
)
from tws.model.session import Session
from tws.wire.messages import (
    HeadTimestamp,
    HistogramData,
    HistoricalSchedule,
    HistoricalTick,
    HistoricalTickBidAsk,
    HistoricalTickLast,
    HistoricalTicks,
    HistoricalTicksBidAsk,
    HistoricalTicksLast,
)

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["MOST_TICKS", "PastQuestions", "TickKind", "hear", "utc_text"]

TickKind: TypeAlias = Literal["TRADES", "BID_ASK", "MIDPOINT"]
MOST_TICKS = 1000
"""In one answer; TWS adds those of the last second (TWS-BEHAVIOUR.md B)."""
_PAST_LIMIT, _UNREPORTED = 1, 2
_ASK_PAST_HIGH, _BID_PAST_LOW = 1, 2


class PastQuestions(Asking):
    """Questions about the past, bars apart."""

    def request_head_timestamp(
        self, contract: Contract, what: str = "TRADES", *, use_rth: bool = True
    ) -> Reply[datetime]:
        """Where the history of a kind of data begins, UTC. NoDataError (162) when there is none."""
        official = self._engine.official
        return self._request(
            "head timestamp",
            lambda rows: to_datetime(instant_ns(first(rows).head_timestamp, UTC)),
            lambda number: official.reqHeadTimeStamp(number, self._ib(contract), what, int(use_rth), 2),
            lambda number: official.cancelHeadTimeStamp(number),
            lasting=True,  # it counts as an open request until it is cancelled (B)
        )

    def request_historical_ticks(
        self,
        contract: Contract,
        kind: TickKind = "TRADES",
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        count: int = MOST_TICKS,
        use_rth: bool = True,
        ignore_size: bool = False,
    ) -> Reply[list[PastTick]]:
        """Ticks from `start` on, or the last ones before `end` (both aware; None and None: before now).

        kind         TRADES gives PastTrade, BID_ASK PastQuote, MIDPOINT PastMidpoint; oldest first
        count        1 to 1000; TWS completes the last second, so that a few more may come
        ignore_size  leave out quotes in which a size alone has changed

        Raises ValueError when both ends are given, for a naive one and for a count out of bounds.
        """
        if start is not None and end is not None:
            raise ValueError("start and end are both given: TWS counts from one of them")
        if not 1 <= count <= MOST_TICKS:
            raise ValueError(f"count is {count}: 1 to {MOST_TICKS}")
        begin = "" if start is None else utc_text(start)
        until = "" if start is not None else utc_text(end or self._now())
        official = self._engine.official
        return self._request(
            "historical ticks",
            list,
            lambda number: official.reqHistoricalTicks(
                number, self._ib(contract), begin, until, count, kind, int(use_rth), ignore_size, []
            ),
            self._cancel_ticks,
        )

    def request_histogram(
        self, contract: Contract, period: str = "3 days", *, use_rth: bool = True
    ) -> Reply[list[HistogramEntry]]:
        """How much traded at which price over a time such as "3 days" or "1 week", by price."""
        official = self._engine.official
        return self._request(
            "histogram",
            _histogram_of,
            lambda number: official.reqHistogramData(number, self._ib(contract), use_rth, period),
            lambda number: official.cancelHistogramData(number),
        )

    def request_schedule(
        self, contract: Contract, *, days: int = 30, end: datetime | None = None, use_rth: bool = True
    ) -> Reply[Schedule]:
        """The sessions of the last so many trading days before `end` (aware; None: now), oldest first.

        Raises ValueError for fewer days than one and for a naive end.
        """
        if days < 1:
            raise ValueError(f"days is {days}: at least one")
        until = "" if end is None else utc_text(end)
        duration = f"{days} D" if days <= _DAYS_AS_DAYS else f"{-(-days // _DAYS_A_YEAR)} Y"
        official = self._engine.official
        return self._request(
            "schedule",
            lambda rows: _schedule_of(first(rows), days),
            lambda number: official.reqHistoricalData(
                number, self._ib(contract), until, duration, "1 day", "SCHEDULE", int(use_rth), 2, False, []
            ),
            lambda number: official.cancelHistoricalData(number),
        )

    def _cancel_ticks(self, number: int) -> None:
        """From server version 215 on; before, TWS goes on and nobody listens: for as long as an answer may
        take it counts as open.
        """
        if self._engine.server_version >= _CANCEL_SINCE:
            self._engine.official.cancelHistoricalTicks(number)
        else:
            self._engine.wire.give_up_in(number, self.config.request_timeout)

    def _now(self) -> datetime:
        return to_datetime(self._engine.clock.now_ns())


_CANCEL_SINCE = 215
_DAYS_AS_DAYS = 365  # a duration of more has to be said in years (official documentation)
_DAYS_A_YEAR = 250  # trading days, rounded down


def utc_text(moment: datetime) -> str:
    """An instant as TWS takes it in any zone (E). Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; use an aware datetime")
    return moment.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S")


def _histogram_of(rows: list[HistogramData]) -> list[HistogramEntry]:
    entries = first(rows).histogram_data_entries
    found = (HistogramEntry(price=one.price, size=float(one.size)) for one in entries if one.size is not None)
    return sorted(found, key=lambda one: one.price)


def _schedule_of(row: HistoricalSchedule, days: int) -> Schedule:
    zone = zone_named(row.time_zone) or UTC
    found = []
    for one in row.historical_sessions:
        begin, end = (
            instant_ns(text.replace("-", " "), zone) for text in (one.start_date_time, one.end_date_time)
        )
        found.append(TradingDay(date=one.ref_date, session=Session(begin, end)))
    return Schedule(zone=row.time_zone, days=tuple(found[-days:]))


def _trade_of(tick: HistoricalTickLast) -> PastTrade:
    return PastTrade(
        time_ns=tick.time * NS_PER_S,
        price=tick.price,
        size=None if tick.size is None else float(tick.size),
        exchange=tick.exchange,
        conditions=tick.special_conditions,
        past_limit=bool(tick.attr_mask & _PAST_LIMIT),
        unreported=bool(tick.attr_mask & _UNREPORTED),
    )


def _quote_of(tick: HistoricalTickBidAsk) -> PastQuote:
    return PastQuote(
        time_ns=tick.time * NS_PER_S,
        bid=tick.price_bid,
        ask=tick.price_ask,
        bid_size=None if tick.size_bid is None else float(tick.size_bid),
        ask_size=None if tick.size_ask is None else float(tick.size_ask),
        bid_past_low=bool(tick.attr_mask & _BID_PAST_LOW),
        ask_past_high=bool(tick.attr_mask & _ASK_PAST_HIGH),
    )


def _midpoint_of(tick: HistoricalTick) -> PastMidpoint:
    return PastMidpoint(time_ns=tick.time * NS_PER_S, price=tick.price)


def hear(answers: Answers) -> Handlers:
    """Answers 88, 89, 96, 97, 98 and 106."""
    requests = answers.requests

    def part(request_id: int, rows: list[Any], is_done: bool) -> None:
        """A part of the ticks asked for; TWS may send several."""
        for row in rows:
            requests.row(request_id, row)
        if is_done:
            requests.end(request_id)

    def trades(message: HistoricalTicksLast) -> None:
        part(message.req_id, [_trade_of(one) for one in message.historical_ticks_last], message.is_done)

    def quotes(message: HistoricalTicksBidAsk) -> None:
        part(message.req_id, [_quote_of(one) for one in message.historical_ticks_bid_ask], message.is_done)

    def midpoints(message: HistoricalTicks) -> None:
        part(message.req_id, [_midpoint_of(one) for one in message.historical_ticks], message.is_done)

    return {
        HistoricalTicksLast: trades,
        HistoricalTicksBidAsk: quotes,
        HistoricalTicks: midpoints,
        **hear_rows(answers, alone=(HeadTimestamp, HistogramData, HistoricalSchedule)),
    }
