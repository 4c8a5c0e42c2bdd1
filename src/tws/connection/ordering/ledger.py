"""What was written under each intent, counted at the last moment before the socket.

A permit says how much an intent may be (`cap`) and is good once. That proves nothing about two permits of one
intent, about a change of an order that lives twice, or about a child whose parent never left; and Knight's
212 orders became four million because the children were counted nowhere (RISK.md). So `Outbound` keeps this
count of its own, which no desk and no journal can talk over:

* the sum of what was written under an intent, by its order ids, stays within the cap; a change takes the
  place of what its order id had, unless TWS has named several permanent ids for that id: then it counts for
  each (INCIDENTS.md 3: one intent, two live orders);
* an order id is placed once; again is a change, and wants the permit of one;
* a child is not written unless its parent was, and is no larger than the parent (half a bracket is no
  bracket: INCIDENTS.md 14).

Pure bookkeeping. It begins empty with the process: what an earlier one wrote has no permit any more.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from tws.connection.ids import IdSet
from tws.model.exercise import Exercise, Instruction
from tws.risk import Denial, Permit

__all__ = ["Ledger"]

MOST = 5000
"""Orders counted; what was written longest ago leaves first. TWS carries some hundred that live, and whoever
tries again does so within minutes: these are those of days. That an id was placed is known for good.
"""


class Written(Struct, frozen=True):
    """What was last written under an order id."""

    intent_id: str
    quantity: Decimal


class Ledger:
    """See the module. `perms` says how many permanent ids TWS has named for an order id of ours."""

    def __init__(self, perms: Callable[[int], int]) -> None:
        self._perms = perms
        self._placed = IdSet()
        self._orders: dict[int, Written] = {}
        self._intents: dict[str, list[int]] = {}

    def judge(self, permit: Permit, order_id: int, order: Instruction) -> Denial | None:
        """None when these bytes keep the intent within its size; asked directly before they leave."""
        known, intent_id = self._orders.get(order_id), _intent(permit, order_id)
        if not permit.modifies and order_id in self._placed:
            return Denial(limit="children", figure=f"order {order_id} again", bound="each order id once",
                          reason="these bytes have left already; only a change may follow them")
        if known is not None and known.intent_id != intent_id:
            return Denial(limit="children", figure=intent_id, bound=known.intent_id,
                          reason=f"order {order_id} belongs to another intent")
        others = sum((self._orders[other].quantity for other in self._intents.get(intent_id, ())
                      if other != order_id), Decimal(0))
        times = max(1, self._perms(order_id)) if permit.modifies else 1
        total = others + order.quantity * times
        if total > permit.cap:
            return Denial(limit="children", figure=str(total), bound=str(permit.cap),
                          reason=f"more than intent {intent_id} would be sent, all of it counted")
        return self._judge_child(permit, order)

    def note(self, permit: Permit, order_id: int, order: Instruction) -> None:
        """These bytes leave now."""
        self._placed.add(order_id)
        self._orders.pop(order_id, None)
        while len(self._orders) >= MOST:
            self._forget(next(iter(self._orders)))
        intent_id = _intent(permit, order_id)
        self._orders[order_id] = Written(intent_id, Decimal(order.quantity))
        own = self._intents.setdefault(intent_id, [])
        if order_id not in own:
            own.append(order_id)

    def _judge_child(self, permit: Permit, order: Instruction) -> Denial | None:
        if isinstance(order, Exercise) or not order.parent_id or permit.modifies:
            return None  # no child, or a child that lives already: its parent may have left in an earlier run
        parent = self._orders.get(order.parent_id)
        if parent is None:
            return Denial(limit="children", figure=f"a child of order {order.parent_id}",
                          bound="a parent that left",
                          reason="its parent was not sent: half a bracket is no bracket")
        if order.quantity > parent.quantity:
            return Denial(limit="children", figure=str(order.quantity), bound=str(parent.quantity),
                          reason="a child would hold more than its parent")
        return None

    def _forget(self, order_id: int) -> None:
        intent_id = self._orders.pop(order_id).intent_id
        own = self._intents.get(intent_id, [])
        own.remove(order_id)
        if not own:
            del self._intents[intent_id]


def _intent(permit: Permit, order_id: int) -> str:
    """Whose share it is; an order without an intent stands for itself."""
    return permit.intent_id or f"order {order_id}"
