"""What comes out of the exchange: values with all the numbers that TWS's messages need.

Every input returns a sequence of these in the order in which TWS would say them. `client_id`
is the order's owner; who else hears it (master client, client 0) is the session layer's affair.

    OrderOpened        message 5, openOrder
    StatusChanged      message 3, orderStatus
    Executed           message 11, execDetails
    CommissionCharged  message 59, commission report
    Notice             message 4 about an order, to the client that asked
    WhatIfAnswered     message 5 with margin and commission, no order behind it
    OrderBound         message 100
    PositionChanged    for messages 61 and 7
    AccountChanged     for message 6: ask `Exchange.account_values`

`CompletedOrder` (101), `PositionRow` and `ExecutionReport` are answers to queries.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from tws.exchange.terms import OrderTicket

__all__ = [
    "AccountChanged",
    "CommissionCharged",
    "CompletedOrder",
    "Event",
    "Executed",
    "ExecutionReport",
    "MarginEffect",
    "Notice",
    "OrderBound",
    "OrderOpened",
    "OrderView",
    "PositionChanged",
    "PositionRow",
    "StatusChanged",
    "WhatIfAnswered",
]

ZERO = Decimal(0)


class OrderView(Struct, frozen=True, kw_only=True):
    """An order as it stands. `ticket` is what was last accepted, with TWS's fill-ins (tif, OCA type).

    `total` is the present size (`filled` + `remaining`): an OCA group may have reduced it below the
    ticket's. Quantities in shares; prices in the contract's currency, 0 before the first fill.
    `oca_group` is the ticket's own, or for a bracket's children the parent's permId. `trail_stop` is where
    a trailing order's trigger stands, None while unknown. `cap_price` is mktCapPrice: to what TWS
    capped the limit, 0 for not at all. `fees` were charged for its fills, those of a combo's legs apart.
    """

    ticket: OrderTicket
    perm_id: int
    status: str
    total: Decimal
    filled: Decimal
    remaining: Decimal
    average_price: Decimal = ZERO
    last_price: Decimal = ZERO
    why_held: str = ""
    oca_group: str = ""
    parent_perm_id: int = 0
    trail_stop: Decimal | None = None
    cap_price: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def client_id(self) -> int:
        return self.ticket.client_id

    @property
    def order_id(self) -> int:
        return self.ticket.order_id

    @property
    def con_id(self) -> int:
        return self.ticket.con_id


class OrderOpened(Struct, frozen=True):
    """Message 5."""

    order: OrderView


class StatusChanged(Struct, frozen=True):
    """Message 3."""

    order: OrderView


class Executed(Struct, frozen=True, kw_only=True):
    """Message 11. `side` is BOT or SLD, `quantity` in shares; `liquidity` 1 added, 2 removed.

    Live ones carry reqId -1; in the answer to reqExecutions the request's id.
    """

    exec_id: str
    client_id: int
    order_id: int
    perm_id: int
    account: str
    con_id: int
    side: str
    quantity: Decimal
    price: Decimal
    time_ns: int
    cumulative: Decimal
    average_price: Decimal
    order_ref: str
    exchange: str
    liquidity: int


class CommissionCharged(Struct, frozen=True, kw_only=True):
    """Message 59, the last of a fill. `realized_pnl` is None (unset on the wire) when nothing was closed."""

    exec_id: str
    client_id: int
    account: str
    amount: Decimal
    currency: str
    realized_pnl: Decimal | None


class OrderBound(Struct, frozen=True, kw_only=True):
    """Message 100: an order placed by hand in TWS has an API id from now on."""

    perm_id: int
    client_id: int
    order_id: int


class Notice(Struct, frozen=True, kw_only=True):
    """Message 4 to `client_id` about `order_id`."""

    client_id: int
    order_id: int
    code: int
    text: str


class MarginEffect(Struct, frozen=True, kw_only=True):
    """What an order would do to the account, in its currency; commission at full execution."""

    init_before: Decimal
    init_change: Decimal
    init_after: Decimal
    maint_before: Decimal
    maint_change: Decimal
    maint_after: Decimal
    equity_before: Decimal
    equity_change: Decimal
    equity_after: Decimal
    commission: Decimal
    currency: str


class WhatIfAnswered(Struct, frozen=True, kw_only=True):
    """Message 5 for a what-if: status PreSubmitted, margins filled; no orderStatus, no live order (C2)."""

    order: OrderView
    margin: MarginEffect


class PositionChanged(Struct, frozen=True, kw_only=True):
    """A fill moved a position: shares (negative when short, 0 closed), average cost with commission."""

    account: str
    con_id: int
    quantity: Decimal
    average_cost: Decimal


class AccountChanged(Struct, frozen=True):
    """Cash or margin of the account moved by a fill."""

    account: str


class CompletedOrder(Struct, frozen=True, kw_only=True):
    """Message 101: `completed_status` is text such as "Filled Size: 100" or "Cancelled by Trader"."""

    order: OrderView
    completed_ns: int
    completed_status: str


class ExecutionReport(Struct, frozen=True, kw_only=True):
    """One row of the answer to reqExecutions: 11 with the request's id, then 59.

    A combo's own execution has no commission, its legs' have: it is 0 in no currency, and not told.
    """

    executed: Executed
    commission: CommissionCharged


class PositionRow(Struct, frozen=True, kw_only=True):
    """For messages 61 and 7. `quantity` 0 rows are closed; all amounts in the contract's currency.

    `realized_pnl` is today's, net of commissions; `unrealized_pnl` is market value less cost;
    `daily_pnl` is today's share of both. `rate` turns them into the account's base currency, 0 while
    unknown.
    """

    account: str
    con_id: int
    quantity: Decimal
    average_cost: Decimal
    market_price: Decimal
    market_value: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    daily_pnl: Decimal
    rate: Decimal


Event: TypeAlias = (
    OrderOpened | StatusChanged | Executed | CommissionCharged | Notice | WhatIfAnswered
    | PositionChanged | AccountChanged | OrderBound
)
