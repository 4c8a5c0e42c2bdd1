"""Layouts of streaming market data. Source: TWS-BEHAVIOUR.md E, F4, F6; the official client and decoder."""

from __future__ import annotations

from tws.wire.kinds import (
    BOOL,
    FLOAT,
    GREEK1,
    GREEK2,
    INT,
    INT0,
    OPT_DECIMAL,
    OPTIONS,
    STR,
    TEXT,
    VOLATILITY,
)
from tws.wire.layout import Const, Field, Group, Item, Layout, OneOf, fields
from tws.wire.layouts.contract import DELTA_NEUTRAL, FULL, REQ_ID, SHORT_LEGS
from tws.wire.messages import (
    CancelMarketData,
    CancelMarketDepth,
    CancelRealTimeBars,
    CancelTickByTick,
    MarketDataRequest,
    MarketDataType,
    MarketDataTypeRequest,
    MarketDepth,
    MarketDepthL2,
    MarketDepthRequest,
    RealTimeBarsRequest,
    RealTimeBarTick,
    RerouteMarketDataRequest,
    RerouteMarketDepthRequest,
    TickByTickData,
    TickByTickRequest,
    TickGeneric,
    TickOptionComputation,
    TickPrice,
    TickReqParams,
    TickSize,
    TickSnapshotEnd,
    TickString,
)

V1 = Const("1")
TICK_TYPE = Field("tick_type", INT)

REQUESTS = (
    Layout(1, MarketDataRequest, (
        Const("11"),
        REQ_ID,
        *FULL,
        SHORT_LEGS,
        DELTA_NEUTRAL,
        Field("generic_tick_list", STR),
        Field("snapshot", BOOL),
        Field("regulatory_snapshot", BOOL),
        Field("market_data_options", OPTIONS),
    )),
    Layout(2, CancelMarketData, (Const("2"), REQ_ID)),
    Layout(59, MarketDataTypeRequest, (V1, Field("market_data_type", INT))),
    Layout(10, MarketDepthRequest, (
        Const("5"),
        REQ_ID,
        *FULL,
        Field("num_rows", INT),
        Field("is_smart_depth", BOOL),
        Field("market_depth_options", OPTIONS),
    )),
    Layout(11, CancelMarketDepth, (V1, REQ_ID, Field("is_smart_depth", BOOL))),
    Layout(50, RealTimeBarsRequest, (
        Const("3"),
        REQ_ID,
        *FULL,
        Field("bar_size", INT),
        Field("what_to_show", STR),
        Field("use_rth", BOOL),
        Field("real_time_bars_options", OPTIONS),
    )),
    Layout(51, CancelRealTimeBars, (V1, REQ_ID)),
    Layout(97, TickByTickRequest, (
        REQ_ID,
        *FULL,
        Field("tick_type", STR),
        Field("number_of_ticks", INT),
        Field("ignore_size", BOOL),
    )),
    Layout(98, CancelTickByTick, (REQ_ID,)),
)

_GREEKS: tuple[Item, ...] = (
    Field("implied_vol", VOLATILITY),
    Field("delta", GREEK2),
    *fields("", GREEK1, "opt_price pv_dividend"),
    *fields("", GREEK2, "gamma vega theta"),
    Field("und_price", GREEK1),
)

_LAST = Group(
    (Field("price", FLOAT), Field("size", OPT_DECIMAL), Field("attr_mask", INT),
     Field("exchange", STR), Field("special_conditions", STR)),
    when=OneOf("tick_type", (1, 2)),
)
_BID_ASK = Group(
    (*fields("", FLOAT, "bid_price ask_price"), *fields("", OPT_DECIMAL, "bid_size ask_size"),
     Field("attr_mask", INT)),
    when=OneOf("tick_type", (3,)),
)
_MID_POINT = Group((Field("mid_point", FLOAT),), when=OneOf("tick_type", (4,)))

_REROUTE = (REQ_ID, Field("con_id", INT), Field("exchange", STR))

ANSWERS = (
    Layout(1, TickPrice, (
        Const("6"),
        REQ_ID,
        TICK_TYPE,
        Field("price", FLOAT),
        Field("size", OPT_DECIMAL),
        Field("attr_mask", INT0),
    )),
    Layout(2, TickSize, (Const("6"), REQ_ID, TICK_TYPE, Field("size", OPT_DECIMAL))),
    Layout(45, TickGeneric, (Const("6"), REQ_ID, TICK_TYPE, Field("value", FLOAT))),
    Layout(46, TickString, (Const("6"), REQ_ID, TICK_TYPE, Field("value", TEXT))),
    Layout(21, TickOptionComputation, (REQ_ID, TICK_TYPE, Field("tick_attrib", INT), *_GREEKS)),
    Layout(57, TickSnapshotEnd, (V1, REQ_ID)),
    Layout(58, MarketDataType, (V1, REQ_ID, Field("market_data_type", INT))),
    Layout(81, TickReqParams, (
        REQ_ID, Field("min_tick", FLOAT), Field("bbo_exchange", STR), Field("snapshot_permissions", INT))),
    Layout(91, RerouteMarketDataRequest, _REROUTE),
    Layout(92, RerouteMarketDepthRequest, _REROUTE),
    Layout(12, MarketDepth, (
        V1,
        REQ_ID,
        *fields("", INT, "position operation side"),
        Field("price", FLOAT),
        Field("size", OPT_DECIMAL),
    )),
    Layout(13, MarketDepthL2, (
        V1,
        REQ_ID,
        Field("position", INT),
        Field("market_maker", STR),
        *fields("", INT, "operation side"),
        Field("price", FLOAT),
        Field("size", OPT_DECIMAL),
        Field("is_smart_depth", BOOL),
    )),
    Layout(50, RealTimeBarTick, (
        Const("3"),
        REQ_ID,
        Field("time", INT),
        *fields("", FLOAT, "open high low close"),
        *fields("", OPT_DECIMAL, "volume wap"),
        Field("count", INT),
    )),
    Layout(99, TickByTickData, (REQ_ID, TICK_TYPE, Field("time", INT), _LAST, _BID_ASK, _MID_POINT)),
)
