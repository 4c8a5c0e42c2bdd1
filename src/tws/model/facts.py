"""What the connection hears about orders, fills, positions and the link.

The fact lane carries these in the order in which the bytes came; none is ever dropped or
merged. The desk steps on each. Quotes travel beside them, on the state lane (`tws.model.market`).
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from tws.model.account import AccountValue, Position
from tws.model.attributes import Attributes
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution

__all__ = [
    "Answer",
    "AnswerKind",
    "BrokerOrder",
    "BrokerOrderStatus",
    "BrokerReply",
    "Fact",
    "Link",
    "LinkState",
    "NextOrderId",
]


class BrokerOrder(Struct, frozen=True, kw_only=True):
    """An order as the broker describes it: openOrder (5), or completedOrder (101) with `completed` set.

    `order_type` and `tif` stay TWS's text, since foreign orders may use any. For a completed order
    `order_id` is 0 and `status` is its end; `filled` is stated only there. Of a trailing order `stop_price`
    is where its stop stands; `trigger_price` and `adjusted_stop_price` are of a stop that is to become
    another one. `attributes` is all else that it says, None when that is nothing.
    """

    order_id: int
    perm_id: int
    client_id: int
    account: str
    contract: Contract
    side: str
    quantity: Decimal
    order_type: str
    limit_price: Decimal | None
    stop_price: Decimal | None
    tif: str
    order_ref: str
    parent_id: int
    status: str
    oca_group: str = ""
    oca_type: int = 0
    outside_rth: bool = False
    transmit: bool = True
    completed: bool = False
    filled: Decimal | None = None
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    trigger_price: Decimal | None = None
    adjusted_stop_price: Decimal | None = None
    attributes: Attributes | None = None


class BrokerOrderStatus(Struct, frozen=True, kw_only=True):
    """orderStatus (3): the only word that ends an order. Duplicates and gaps are normal (C1)."""

    order_id: int
    perm_id: int
    client_id: int
    status: str
    filled: Decimal
    remaining: Decimal
    average_price: Decimal | None = None
    last_price: Decimal | None = None
    parent_id: int = 0
    why_held: str = ""


class BrokerReply(Struct, frozen=True, kw_only=True):
    """Message 4 about an order, or about the link (`order_id` -1): code and text as TWS wrote them."""

    order_id: int
    code: int
    text: str


class NextOrderId(Struct, frozen=True, kw_only=True):
    """nextValidId (9)."""

    order_id: int


class LinkState(StrEnum):
    """CONNECTED: a session is ready. DOWN: no socket.

    BROKER_LOST: 1100, TWS lost IB. RESTORED_LOST and RESTORED_KEPT: 1101 and 1102.
    """

    CONNECTED = "connected"
    BROKER_LOST = "broker lost"
    RESTORED_LOST = "restored, data lost"
    RESTORED_KEPT = "restored, data kept"
    DOWN = "down"


class Link(Struct, frozen=True, kw_only=True):
    """The link changed. `session` counts sockets: a fact heard in session n says nothing about n + 1."""

    state: LinkState
    session: int
    cause: str = ""
    accounts: tuple[str, ...] = ()


class AnswerKind(StrEnum):
    OPEN_ORDERS = "open orders"
    COMPLETED_ORDERS = "completed orders"
    EXECUTIONS = "executions"
    POSITIONS = "positions"


class Answer(Struct, frozen=True, kw_only=True):
    """A complete answer to a question of reconciliation: its rows came before it, and there are no others.

    The rows are repeated here, so that absence can be judged from this one fact.
    """

    kind: AnswerKind
    session: int
    orders: tuple[BrokerOrder, ...] = ()
    executions: tuple[Execution, ...] = ()
    positions: tuple[Position, ...] = ()

    @property
    def reaches_ns(self) -> int | None:
        """The broker's time of the oldest execution that it names."""
        return min((row.time_ns for row in self.executions), default=None)


Fact: TypeAlias = (
    BrokerOrder | BrokerOrderStatus | BrokerReply | Execution | Commission | Position | AccountValue
    | NextOrderId | Link | Answer
)
