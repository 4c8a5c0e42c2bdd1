"""Orders: placing, cancelling, and everything TWS says about them.

Source: TWS-BEHAVIOUR.md C, F4 to F7.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.wire.messages.base import Answer, Request
from tws.wire.messages.contract import WireContract
from tws.wire.messages.order import (
    WireAttachedOrders,
    WireExecution,
    WireOrder,
    WireOrderCancel,
    WireOrderState,
)

__all__ = [
    "AllOpenOrdersRequest",
    "AutoOpenOrdersRequest",
    "CancelOrderRequest",
    "CommissionAndFeesReport",
    "CompletedOrder",
    "CompletedOrdersEnd",
    "CompletedOrdersRequest",
    "ExecutionDetails",
    "ExecutionDetailsEnd",
    "ExecutionFilter",
    "ExecutionRequest",
    "GlobalCancelRequest",
    "OpenOrder",
    "OpenOrdersEnd",
    "OpenOrdersRequest",
    "OrderBound",
    "OrderStatus",
    "PlaceOrderRequest",
]


class PlaceOrderRequest(Request, frozen=True):
    """Request 3: place an order, or change the one that has this id."""

    order_id: int
    contract: WireContract
    order: WireOrder
    attached_orders: WireAttachedOrders = WireAttachedOrders()


class CancelOrderRequest(Request, frozen=True):
    """Request 4."""

    order_id: int
    order_cancel: WireOrderCancel = WireOrderCancel()


class GlobalCancelRequest(Request, frozen=True):
    """Request 58: cancel everything of every client."""

    order_cancel: WireOrderCancel = WireOrderCancel()


class OpenOrdersRequest(Request, frozen=True):
    """Request 5: this client's open orders."""


class AllOpenOrdersRequest(Request, frozen=True):
    """Request 16: a snapshot of all clients' open orders."""


class AutoOpenOrdersRequest(Request, frozen=True):
    """Request 15, for client 0 only: bind the orders that will be placed by hand."""

    auto_bind: bool


class CompletedOrdersRequest(Request, frozen=True):
    """Request 99."""

    api_only: bool


class ExecutionFilter(Struct, frozen=True, kw_only=True):
    """Which executions are wanted; empty and 0 mean any.

    `last_n_days` and `specific_dates` (yyyymmdd) from version 200.
    """

    client_id: int = 0
    acct_code: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""
    last_n_days: int | None = None
    specific_dates: tuple[int, ...] = ()


class ExecutionRequest(Request, frozen=True):
    """Request 7."""

    req_id: int
    execution_filter: ExecutionFilter = ExecutionFilter()


class OpenOrder(Answer, frozen=True):
    """Answer 5: the order as TWS holds it."""

    order_id: int
    contract: WireContract
    order: WireOrder
    order_state: WireOrderState = WireOrderState()


class OpenOrdersEnd(Answer, frozen=True):
    """Answer 53."""


class OrderStatus(Answer, frozen=True):
    """Answer 3: the only word that ends an order. Prices None when TWS states none."""

    order_id: int
    status: str
    filled: Decimal
    remaining: Decimal
    avg_fill_price: float | None = 0.0
    perm_id: int = 0
    parent_id: int = 0
    last_fill_price: float | None = 0.0
    client_id: int = 0
    why_held: str = ""
    mkt_cap_price: float | None = 0.0


class CompletedOrder(Answer, frozen=True):
    """Answer 101: an order that has ended. It states no order id and no client id."""

    contract: WireContract
    order: WireOrder
    order_state: WireOrderState = WireOrderState()


class CompletedOrdersEnd(Answer, frozen=True):
    """Answer 102."""


class OrderBound(Answer, frozen=True):
    """Answer 100: an order placed by hand now has this API id."""

    perm_id: int
    client_id: int
    order_id: int


class ExecutionDetails(Answer, frozen=True):
    """Answer 11: one fill; `req_id` -1 when nobody asked. `execution.order_id` is the order's id."""

    req_id: int
    contract: WireContract
    execution: WireExecution


class ExecutionDetailsEnd(Answer, frozen=True):
    """Answer 55."""

    req_id: int


class CommissionAndFeesReport(Answer, frozen=True):
    """Answer 59: the fee of one execution; `realized_pnl` None when the fill opened a position."""

    exec_id: str
    commission_and_fees: float
    currency: str
    realized_pnl: float | None = None
    bond_yield: float | None = None
    yield_redemption_date: int = 0
