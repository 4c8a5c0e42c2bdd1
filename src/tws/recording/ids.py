"""The ids of a client in place of the recorded ones: requests and orders count apart.

A client that is served a recording leniently may number its requests and orders anew. What it sends is
compared with the recorded ids put in; what TWS said gets the client's. An order's id stands in several
places: with the order, as its children's parent, in its executions, and in the errors about it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tws.wire.messages import Answer, ErrorMessage, ExecutionDetails, WireOrder

__all__ = ["Ids"]

REQUEST, ORDER = "req_id", "order_id"


class Ids:
    """Which of the client's ids stands for which recorded one."""

    def __init__(self) -> None:
        self._requests: dict[int, int] = {}
        self._orders: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._requests or self._orders)

    def match(self, recorded: object, came: object) -> bool:
        """Whether a request is the recorded one but for its ids, which are then noted."""
        if type(recorded) is not type(came) or not isinstance(came, Struct):
            return False
        same: dict[str, Any] = {
            name: getattr(recorded, name) for name in (REQUEST, ORDER) if hasattr(came, name)
        }
        before, now = getattr(recorded, "order", None), getattr(came, "order", None)
        if isinstance(before, WireOrder) and isinstance(now, WireOrder):
            is_its = self._orders.get(before.parent_id, before.parent_id) == now.parent_id
            same["order"] = replace(now, parent_id=before.parent_id) if is_its else now
        if not same or replace(came, **same) != recorded:
            return False
        for name, known in ((REQUEST, self._requests), (ORDER, self._orders)):
            if name in same:
                known[same[name]] = getattr(came, name)
        return True

    def put_in(self, message: Answer) -> Answer:
        """An answer with the client's ids; the same one when it states none that changed."""
        changes: dict[str, Any] = {}
        for name, known in ((REQUEST, self._requests), (ORDER, self._orders), ("parent_id", self._orders)):
            if getattr(message, name, None) in known:
                changes[name] = known[getattr(message, name)]
        if isinstance(message, ErrorMessage):
            changes["id"] = self._requests.get(message.id, self._orders.get(message.id, message.id))
        if isinstance(message, ExecutionDetails) and message.execution.order_id in self._orders:
            number = self._orders[message.execution.order_id]
            changes["execution"] = replace(message.execution, order_id=number)
        order = getattr(message, "order", None)
        if isinstance(order, WireOrder) and order.parent_id in self._orders:
            changes["order"] = replace(order, parent_id=self._orders[order.parent_id])
        changes = {name: value for name, value in changes.items() if value != getattr(message, name)}
        return replace(message, **changes) if changes else message
