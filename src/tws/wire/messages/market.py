"""Streaming market data: subscriptions, ticks, depth, real-time bars, tick by tick.

Source: TWS-BEHAVIOUR.md E, F4, F6.
"""

from __future__ import annotations

from decimal import Decimal

from tws.wire.messages.base import Answer, Request, Tag
from tws.wire.messages.contract import WireContract

__all__ = [
    "CancelMarketData",
    "CancelMarketDepth",
    "CancelRealTimeBars",
    "CancelTickByTick",
    "MarketDataRequest",
    "MarketDataType",
    "MarketDataTypeRequest",
    "MarketDepth",
    "MarketDepthL2",
    "MarketDepthRequest",
    "RealTimeBarTick",
    "RealTimeBarsRequest",
    "RerouteMarketDataRequest",
    "RerouteMarketDepthRequest",
    "TickByTickData",
    "TickByTickRequest",
    "TickGeneric",
    "TickOptionComputation",
    "TickPrice",
    "TickReqParams",
    "TickSize",
    "TickSnapshotEnd",
    "TickString",
]


class MarketDataRequest(Request, frozen=True):
    """Request 1."""

    req_id: int
    contract: WireContract
    generic_tick_list: str = ""
    snapshot: bool = False
    regulatory_snapshot: bool = False
    market_data_options: tuple[Tag, ...] = ()


class CancelMarketData(Request, frozen=True):
    """Request 2."""

    req_id: int


class MarketDataTypeRequest(Request, frozen=True):
    """Request 59: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""

    market_data_type: int


class TickPrice(Answer, frozen=True, gc=False):
    """Answer 1: a price and its size in one. `attr_mask` bit 0 can auto-execute, 1 past limit, 2 pre-open."""

    req_id: int
    tick_type: int
    price: float
    size: Decimal | None = None
    attr_mask: int = 0


class TickSize(Answer, frozen=True, gc=False):
    """Answer 2: a size that changed while its price did not."""

    req_id: int
    tick_type: int
    size: Decimal | None


class TickGeneric(Answer, frozen=True, gc=False):
    """Answer 45."""

    req_id: int
    tick_type: int
    value: float


class TickString(Answer, frozen=True, gc=False):
    """Answer 46."""

    req_id: int
    tick_type: int
    value: str


class TickOptionComputation(Answer, frozen=True, gc=False):
    """Answer 21: greeks. None is "not computed" (-1 or -2 on the wire) in the field's own sense."""

    req_id: int
    tick_type: int
    tick_attrib: int
    implied_vol: float | None = None
    delta: float | None = None
    opt_price: float | None = None
    pv_dividend: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    und_price: float | None = None


class TickSnapshotEnd(Answer, frozen=True):
    """Answer 57."""

    req_id: int


class MarketDataType(Answer, frozen=True):
    """Answer 58: what the stream of this request now is; numbers as in MarketDataTypeRequest."""

    req_id: int
    market_data_type: int


class TickReqParams(Answer, frozen=True):
    """Answer 81: the first word of a stream; `bbo_exchange` is the key of its exchange map.

    The precisions of last price and size have no text form.
    """

    req_id: int
    min_tick: float
    bbo_exchange: str
    snapshot_permissions: int
    last_price_precision: Decimal | None = None
    last_size_precision: Decimal | None = None


class RerouteMarketDataRequest(Answer, frozen=True):
    """Answer 91: the stream of this request (a CFD) is to be asked of its underlying, which is named."""

    req_id: int
    con_id: int
    exchange: str


class RerouteMarketDepthRequest(Answer, frozen=True):
    """Answer 92: the same for market depth."""

    req_id: int
    con_id: int
    exchange: str


class MarketDepthRequest(Request, frozen=True):
    """Request 10."""

    req_id: int
    contract: WireContract
    num_rows: int
    is_smart_depth: bool = False
    market_depth_options: tuple[Tag, ...] = ()


class CancelMarketDepth(Request, frozen=True):
    """Request 11."""

    req_id: int
    is_smart_depth: bool = False


class MarketDepth(Answer, frozen=True):
    """Answer 12: `operation` 0 insert, 1 update, 2 delete; `side` 0 ask, 1 bid."""

    req_id: int
    position: int
    operation: int
    side: int
    price: float
    size: Decimal | None


class MarketDepthL2(Answer, frozen=True):
    """Answer 13: as MarketDepth, with the maker or exchange that quotes."""

    req_id: int
    position: int
    market_maker: str
    operation: int
    side: int
    price: float
    size: Decimal | None
    is_smart_depth: bool = False


class RealTimeBarsRequest(Request, frozen=True):
    """Request 50: `bar_size` is always 5 (seconds)."""

    req_id: int
    contract: WireContract
    bar_size: int
    what_to_show: str
    use_rth: bool
    real_time_bars_options: tuple[Tag, ...] = ()


class CancelRealTimeBars(Request, frozen=True):
    """Request 51."""

    req_id: int


class RealTimeBarTick(Answer, frozen=True):
    """Answer 50: `time` is the bar's begin in seconds since 1970."""

    req_id: int
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: Decimal | None
    wap: Decimal | None
    count: int


class TickByTickRequest(Request, frozen=True):
    """Request 97: `tick_type` Last, AllLast, BidAsk or MidPoint; `number_of_ticks` of history before the
    stream.
    """

    req_id: int
    contract: WireContract
    tick_type: str
    number_of_ticks: int = 0
    ignore_size: bool = False


class CancelTickByTick(Request, frozen=True):
    """Request 98."""

    req_id: int


class TickByTickData(Answer, frozen=True, gc=False):
    """Answer 99. `tick_type` says which fields are stated: 1 Last and 2 AllLast price, size, attr_mask,
    exchange,
    special_conditions; 3 BidAsk bid and ask with sizes and attr_mask; 4 MidPoint mid_point. `time` in
    seconds since 1970.

    `attr_mask` for 1 and 2: bit 0 past limit, 1 unreported; for 3: bit 0 bid past low, 1 ask past high.
    """

    req_id: int
    tick_type: int
    time: int
    price: float | None = None
    size: Decimal | None = None
    attr_mask: int = 0
    exchange: str = ""
    special_conditions: str = ""
    bid_price: float | None = None
    ask_price: float | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    mid_point: float | None = None
