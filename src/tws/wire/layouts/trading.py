"""Layouts of orders and fills. Source: TWS-BEHAVIOUR.md C, F4 to F6; the official client and decoder."""

from __future__ import annotations

from tws.wire.kinds import (
    BOOL,
    DECIMAL,
    FLOAT,
    FLOAT0,
    INT,
    INT0,
    INT0_EMPTY,
    OPT_FLOAT,
    OPT_FLOAT_EMPTY,
    OPT_INT,
    STR,
)
from tws.wire.layout import Const, Field, Group, Item, Layout, Repeat, fields
from tws.wire.layouts.contract import REQ_ID, SHORT
from tws.wire.layouts.order import COMPLETED_ORDER, OPEN_ORDER, PLACE_ORDER
from tws.wire.messages import (
    AllOpenOrdersRequest,
    AutoOpenOrdersRequest,
    CancelOrderRequest,
    CommissionAndFeesReport,
    CompletedOrder,
    CompletedOrdersEnd,
    CompletedOrdersRequest,
    ExecutionDetails,
    ExecutionDetailsEnd,
    ExecutionRequest,
    GlobalCancelRequest,
    OpenOrder,
    OpenOrdersEnd,
    OpenOrdersRequest,
    OrderBound,
    OrderStatus,
    PlaceOrderRequest,
)

V1 = Const("1")

_CME_TAGS = Group(
    (Field("order_cancel.ext_operator", STR), Field("order_cancel.manual_order_indicator", OPT_INT)),
    since=192,
)
_F = "execution_filter."

REQUESTS = (
    Layout(3, PlaceOrderRequest, PLACE_ORDER),
    Layout(4, CancelOrderRequest, (
        Const("1", until=192),
        Field("order_id", INT),
        Field("order_cancel.manual_order_cancel_time", STR, since=169),
        Group((Const("", "RFQ"), Const("", "RFQ"), Const("2147483647", "RFQ")), since=187, until=190),
        _CME_TAGS,
    )),
    Layout(58, GlobalCancelRequest, (Const("1", until=192), _CME_TAGS)),
    Layout(5, OpenOrdersRequest, (V1,)),
    Layout(16, AllOpenOrdersRequest, (V1,)),
    Layout(15, AutoOpenOrdersRequest, (V1, Field("auto_bind", BOOL))),
    Layout(99, CompletedOrdersRequest, (Field("api_only", BOOL),)),
    Layout(7, ExecutionRequest, (
        Const("3"),  # at 200 too: the official bytes say so, F4 says not
        REQ_ID,
        Field(_F + "client_id", INT0),
        *fields(_F, STR, "acct_code time symbol sec_type exchange side"),
        Field(_F + "last_n_days", OPT_INT, since=200),
        Repeat(_F + "specific_dates", kind=INT, since=200),
    )),
)

_EXECUTION: tuple[Item, ...] = (
    REQ_ID,
    Field("execution.order_id", INT),
    *SHORT,
    *fields("execution.", STR, "exec_id time acct_number exchange side"),
    Field("execution.shares", DECIMAL),
    Field("execution.price", FLOAT),
    *fields("execution.", INT, "perm_id client_id"),
    Field("execution.liquidation", INT0),
    Field("execution.cum_qty", DECIMAL),
    Field("execution.avg_price", FLOAT0),
    *fields("execution.", STR, "order_ref ev_rule"),
    Field("execution.ev_multiplier", OPT_FLOAT_EMPTY),
    Field("execution.model_code", STR),
    Field("execution.last_liquidity", INT0),
    Field("execution.is_price_revision_pending", BOOL, since=178),
    Field("execution.submitter", STR, since=198),
)

ANSWERS = (
    Layout(5, OpenOrder, OPEN_ORDER),
    Layout(53, OpenOrdersEnd, (V1,)),
    Layout(3, OrderStatus, (
        Field("order_id", INT),
        Field("status", STR),
        *fields("", DECIMAL, "filled remaining"),
        Field("avg_fill_price", OPT_FLOAT),
        *fields("", INT, "perm_id parent_id"),
        Field("last_fill_price", OPT_FLOAT),
        Field("client_id", INT),
        Field("why_held", STR),
        Field("mkt_cap_price", OPT_FLOAT),
    )),
    Layout(101, CompletedOrder, COMPLETED_ORDER),
    Layout(102, CompletedOrdersEnd),
    Layout(100, OrderBound, fields("", INT, "perm_id client_id order_id")),
    Layout(11, ExecutionDetails, _EXECUTION),
    Layout(55, ExecutionDetailsEnd, (V1, REQ_ID)),
    Layout(59, CommissionAndFeesReport, (
        V1,
        Field("exec_id", STR),
        Field("commission_and_fees", FLOAT),
        Field("currency", STR),
        *fields("", OPT_FLOAT, "realized_pnl bond_yield"),
        Field("yield_redemption_date", INT0_EMPTY),
    )),
)
