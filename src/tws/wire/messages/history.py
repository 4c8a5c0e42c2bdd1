"""Historical bars, ticks, schedules and the first date of data. Source: TWS-BEHAVIOUR.md E, F4, F6."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.wire.messages.base import Answer, Request, Tag
from tws.wire.messages.contract import WireContract

__all__ = [
    "CancelHeadTimestamp",
    "CancelHistoricalData",
    "HeadTimestamp",
    "HeadTimestampRequest",
    "HistoricalData",
    "HistoricalDataBar",
    "HistoricalDataEnd",
    "HistoricalDataRequest",
    "HistoricalDataUpdate",
    "HistoricalSchedule",
    "HistoricalSession",
    "HistoricalTick",
    "HistoricalTickBidAsk",
    "HistoricalTickLast",
    "HistoricalTicks",
    "HistoricalTicksBidAsk",
    "HistoricalTicksLast",
    "HistoricalTicksRequest",
]


class HistoricalDataRequest(Request, frozen=True):
    """Request 20.

    `end_date_time` empty means now; `format_date` 2 asks for seconds since 1970 in intraday bars.
    """

    req_id: int
    contract: WireContract
    end_date_time: str
    bar_size_setting: str
    duration: str
    use_rth: bool
    what_to_show: str
    format_date: int = 2
    keep_up_to_date: bool = False
    chart_options: tuple[Tag, ...] = ()


class CancelHistoricalData(Request, frozen=True):
    """Request 25."""

    req_id: int


class HistoricalDataBar(Struct, frozen=True):
    """One bar. `date` is TWS's text in the form that was asked for; `bar_count` -1 when TWS does not know."""

    date: str
    open: float
    high: float
    low: float
    close: float
    volume: Decimal | None
    wap: Decimal | None
    bar_count: int


class HistoricalData(Answer, frozen=True):
    """Answer 17.

    Below server version 196 it ends the answer and states start and end; from 196 HistoricalDataEnd does.
    """

    req_id: int
    historical_data_bars: tuple[HistoricalDataBar, ...] = ()
    start_date_str: str = ""
    end_date_str: str = ""


class HistoricalDataEnd(Answer, frozen=True):
    """Answer 108, from server version 196."""

    req_id: int
    start_date_str: str
    end_date_str: str


class HistoricalDataUpdate(Answer, frozen=True):
    """Answer 90: the newest bar of a request that is kept up to date."""

    req_id: int
    historical_data_bar: HistoricalDataBar


class HeadTimestampRequest(Request, frozen=True):
    """Request 87."""

    req_id: int
    contract: WireContract
    use_rth: bool
    what_to_show: str
    format_date: int


class CancelHeadTimestamp(Request, frozen=True):
    """Request 90."""

    req_id: int


class HeadTimestamp(Answer, frozen=True):
    """Answer 88."""

    req_id: int
    head_timestamp: str


class HistoricalSession(Struct, frozen=True):
    """One trading session; `ref_date` yyyyMMdd is the day it counts to."""

    start_date_time: str
    end_date_time: str
    ref_date: str


class HistoricalSchedule(Answer, frozen=True):
    """Answer 106 to a HistoricalDataRequest for SCHEDULE."""

    req_id: int
    start_date_time: str
    end_date_time: str
    time_zone: str
    historical_sessions: tuple[HistoricalSession, ...] = ()


class HistoricalTicksRequest(Request, frozen=True):
    """Request 96: state either start or end; at most 1000 ticks."""

    req_id: int
    contract: WireContract
    start_date_time: str
    end_date_time: str
    number_of_ticks: int
    what_to_show: str
    use_rth: bool
    ignore_size: bool = False
    misc_options: tuple[Tag, ...] = ()


class HistoricalTick(Struct, frozen=True):
    """A midpoint. `time` in seconds since 1970."""

    time: int
    price: float
    size: Decimal | None


class HistoricalTickBidAsk(Struct, frozen=True):
    """A quote.

    `attr_mask` bit 0 ask past high, 1 bid past low: the other way round than in TickByTickData.
    """

    time: int
    attr_mask: int
    price_bid: float
    price_ask: float
    size_bid: Decimal | None
    size_ask: Decimal | None


class HistoricalTickLast(Struct, frozen=True):
    """A trade. `attr_mask` bit 0 past limit, 1 unreported."""

    time: int
    attr_mask: int
    price: float
    size: Decimal | None
    exchange: str
    special_conditions: str


class HistoricalTicks(Answer, frozen=True):
    """Answer 96."""

    req_id: int
    historical_ticks: tuple[HistoricalTick, ...]
    is_done: bool


class HistoricalTicksBidAsk(Answer, frozen=True):
    """Answer 97."""

    req_id: int
    historical_ticks_bid_ask: tuple[HistoricalTickBidAsk, ...]
    is_done: bool


class HistoricalTicksLast(Answer, frozen=True):
    """Answer 98."""

    req_id: int
    historical_ticks_last: tuple[HistoricalTickLast, ...]
    is_done: bool
