"""Layouts of history. Source: TWS-BEHAVIOUR.md E, F4, F6; the official client and decoder."""

from __future__ import annotations

from tws.wire.kinds import BOOL, FLOAT, INT, OPT_DECIMAL, OPTIONS, STR
from tws.wire.layout import Const, Field, Group, Item, Layout, Repeat, fields
from tws.wire.layouts.contract import FULL, REQ_ID, SHORT_LEGS
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
    HistoricalTick,
    HistoricalTickBidAsk,
    HistoricalTickLast,
    HistoricalTicks,
    HistoricalTicksBidAsk,
    HistoricalTicksLast,
    HistoricalTicksRequest,
)

INCLUDE_EXPIRED = Field("contract.include_expired", BOOL)
DONE = Field("is_done", BOOL)

REQUESTS = (
    Layout(20, HistoricalDataRequest, (
        REQ_ID,
        *FULL,
        INCLUDE_EXPIRED,
        *fields("", STR, "end_date_time bar_size_setting duration"),
        Field("use_rth", BOOL),
        Field("what_to_show", STR),
        Field("format_date", INT),
        SHORT_LEGS,
        Field("keep_up_to_date", BOOL),
        Field("chart_options", OPTIONS),
    )),
    Layout(25, CancelHistoricalData, (Const("1"), REQ_ID)),
    Layout(87, HeadTimestampRequest, (
        REQ_ID,
        *FULL,
        INCLUDE_EXPIRED,
        Field("use_rth", BOOL),
        Field("what_to_show", STR),
        Field("format_date", INT),
    )),
    Layout(90, CancelHeadTimestamp, (REQ_ID,)),
    Layout(96, HistoricalTicksRequest, (
        REQ_ID,
        *FULL,
        INCLUDE_EXPIRED,
        *fields("", STR, "start_date_time end_date_time"),
        Field("number_of_ticks", INT),
        Field("what_to_show", STR),
        *fields("", BOOL, "use_rth ignore_size"),
        Field("misc_options", OPTIONS),
    )),
)

_BAR: tuple[Item, ...] = (
    Field("date", STR),
    *fields("", FLOAT, "open high low close"),
    *fields("", OPT_DECIMAL, "volume wap"),
    Field("bar_count", INT),
)
_B = "historical_data_bar."

ANSWERS = (
    Layout(17, HistoricalData, (
        REQ_ID,
        Group(fields("", STR, "start_date_str end_date_str"), until=196),
        Repeat("historical_data_bars", HistoricalDataBar, _BAR),
    )),
    Layout(108, HistoricalDataEnd, (REQ_ID, *fields("", STR, "start_date_str end_date_str")), since=196),
    Layout(90, HistoricalDataUpdate, (
        REQ_ID,
        Field(_B + "bar_count", INT),
        Field(_B + "date", STR),
        *fields(_B, FLOAT, "open close high low"),  # this order, unlike every other bar
        *fields(_B, OPT_DECIMAL, "wap volume"),
    )),
    Layout(88, HeadTimestamp, (REQ_ID, Field("head_timestamp", STR))),
    Layout(106, HistoricalSchedule, (
        REQ_ID,
        *fields("", STR, "start_date_time end_date_time time_zone"),
        Repeat("historical_sessions", HistoricalSession,
               fields("", STR, "start_date_time end_date_time ref_date")),
    ), since=165),
    Layout(96, HistoricalTicks, (
        REQ_ID,
        Repeat("historical_ticks", HistoricalTick, (
            Field("time", INT), Const("", "no mask"), Field("price", FLOAT), Field("size", OPT_DECIMAL))),
        DONE,
    )),
    Layout(97, HistoricalTicksBidAsk, (
        REQ_ID,
        Repeat("historical_ticks_bid_ask", HistoricalTickBidAsk, (
            *fields("", INT, "time attr_mask"),
            *fields("", FLOAT, "price_bid price_ask"),
            *fields("", OPT_DECIMAL, "size_bid size_ask"),
        )),
        DONE,
    )),
    Layout(98, HistoricalTicksLast, (
        REQ_ID,
        Repeat("historical_ticks_last", HistoricalTickLast, (
            *fields("", INT, "time attr_mask"),
            Field("price", FLOAT),
            Field("size", OPT_DECIMAL),
            *fields("", STR, "exchange special_conditions"),
        )),
        DONE,
    )),
)
