"""The book of our orders, found by what identifies them.

An intent has one id of ours (it travels in orderRef), the order id that it was sent under, and the
permanent ids that the broker gave it: usually one, but a change during a lost link can leave two live
(INCIDENTS.md 3). A fill is attached by reference or permanent id; an order id alone is reused
between sessions and identifies only what a reply of this very session speaks about.

The book is moved by `tws.desk.apply` alone; it holds, finds and counts, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct, field

from tws.model.contract import Contract
from tws.model.exercise import Exercising
from tws.model.order import Order, Role
from tws.model.records import OrderState
from tws.orders.table import ENDED

__all__ = ["Early", "OrderBook", "OurOrder", "PermanentId"]

_ZERO = Decimal(0)


class PermanentId(Struct, kw_only=True):
    """What the broker's own id stands for: under which order id, in which state."""

    order_id: int
    state: OrderState


class Early(Struct):
    """The fills of an order that the books have folded: signed shares, what they cost, when the first was."""

    shares: Decimal = _ZERO
    value: Decimal = _ZERO
    first_ns: int = 0


class OurOrder(Struct, kw_only=True):
    """One order of ours. Quantities in shares; `filled` is the sum of its distinct executions."""

    intent_id: str
    group_id: str
    role: Role
    contract: Contract
    order: Order
    order_id: int
    state: OrderState = OrderState.INTENDED
    perms: dict[int, PermanentId] = field(default_factory=dict)
    filled: Decimal = _ZERO
    claimed: Decimal = _ZERO
    """The most that the broker's statuses claim to be filled."""
    busted: Decimal = _ZERO
    """What the broker has taken back of it, or wrongly claimed; its statuses go on claiming that."""
    early: Early | None = None
    """Of its fills, those that the books keep no longer; None while they keep all."""
    claimed_remaining: Decimal | None = None
    revision: int = 0
    before: Order | None = None
    """What TWS last stated, while a change to `order` is out and unanswered; None when none is."""
    after_ns: int = 0
    """The broker's time of the latest execution before it was intended: it filled no earlier. 0: unknown."""
    adopted: bool = False
    """Taken over from TWS: it may have more to it than `order` can say."""
    cancel_wanted: bool = False
    cancel_reason: str = ""
    """Why we want it gone."""
    changed_ns: int = 0
    misses: tuple[tuple[int, int], ...] = ()
    """(epoch, instant) of each complete round of answers that did not know it."""
    cause: str = ""
    doubted: bool = False
    """It had ended and came back to life: only the broker's complete list is believed."""
    written: bool = False
    """Its bytes are known to have left: reported, or answered by the broker."""
    exercise: Exercising | None = None
    """It tells what becomes of options: its fills are told by the broker's positions, by no execution."""

    @property
    def live(self) -> bool:
        """It may still act, as far as we know."""
        return self.state not in ENDED

    @property
    def open_quantity(self) -> Decimal:
        """What may still fill, or is claimed filled without its execution being here yet."""
        if self.live:
            return max(self.most - self.filled, _ZERO)
        return self.missing

    @property
    def most(self) -> Decimal:
        """The total quantity, and while a change is out the greater of the two: either may hold."""
        if self.before is None:
            return self.order.quantity
        return max(self.order.quantity, self.before.quantity)

    @property
    def missing(self) -> Decimal:
        """What the broker claims to be filled and no execution has told us yet."""
        return max(self.claimed - self.busted - self.filled, _ZERO)

    @property
    def changing(self) -> bool:
        """A change of it is out, unconfirmed."""
        return self.before is not None

    @property
    def live_perms(self) -> list[int]:
        """The permanent ids that are not known to have ended."""
        return [perm for perm, entry in self.perms.items() if entry.state not in ENDED]


class OrderBook(Struct):
    """Orders of ours, and the ways to them: all that may act, and those that ended not long ago."""

    orders: dict[str, OurOrder] = field(default_factory=dict)
    by_perm: dict[int, str] = field(default_factory=dict)
    by_order_id: dict[int, str] = field(default_factory=dict)
    alive: dict[str, None] = field(default_factory=dict)
    """The intents whose orders are not ended, oldest first."""
    owing: dict[str, None] = field(default_factory=dict)
    """Ended orders of which the broker claims fills whose executions are not here yet."""
    exercises: dict[str, None] = field(default_factory=dict)
    """Those among all of them that exercise options or let them lapse, and are not booked yet."""

    def add(self, order: OurOrder) -> None:
        """A new intent. Its order id now means this one, whatever it meant in an earlier session."""
        self.orders[order.intent_id] = order
        if order.order_id > 0:
            self.by_order_id[order.order_id] = order.intent_id
        self.alive[order.intent_id] = None
        if order.exercise is not None:
            self.exercises[order.intent_id] = None

    def bind(self, order: OurOrder, perm_id: int, order_id: int) -> None:
        """The broker's permanent id of an intent. What becomes of a second one is not known yet."""
        state = OrderState.UNKNOWN if order.perms else order.state
        order.perms[perm_id] = PermanentId(order_id=order_id, state=state)
        self.by_perm[perm_id] = order.intent_id

    def take_out(self, intent_id: str) -> OurOrder:
        """Remove an order that has ended, with every way to it."""
        order = self.orders.pop(intent_id)
        self.exercises.pop(intent_id, None)
        if self.by_order_id.get(order.order_id) == intent_id:
            del self.by_order_id[order.order_id]
        for perm_id in order.perms:
            self.by_perm.pop(perm_id, None)
        return order

    def put_back(self, order: OurOrder) -> None:
        """Enter an order that was taken out. Its order id may mean another by now, and then still does."""
        self.orders[order.intent_id] = order
        self.by_order_id.setdefault(order.order_id, order.intent_id)
        if order.exercise is not None and not order.filled:
            self.exercises[order.intent_id] = None
        for perm_id in order.perms:
            self.by_perm[perm_id] = order.intent_id

    def moved(self, order: OurOrder, state: OrderState) -> None:
        """Set the state, and keep the list of the living."""
        order.state = state
        if state in ENDED:
            self.alive.pop(order.intent_id, None)
        else:
            self.alive.setdefault(order.intent_id, None)
        self.settle(order)

    def settle(self, order: OurOrder) -> None:
        """Keep the list of those that owe us executions; to be called when a figure changed."""
        if not order.live and order.missing:
            self.owing[order.intent_id] = None
        else:
            self.owing.pop(order.intent_id, None)

    def get(self, intent_id: str) -> OurOrder | None:
        return self.orders.get(intent_id)

    def named(self, order_ref: str, perm_id: int) -> OurOrder | None:
        """By our reference, else by permanent id: what may carry a fill."""
        found = self.orders.get(order_ref) if order_ref else None
        if found is None and perm_id:
            found = self.orders.get(self.by_perm.get(perm_id, ""))
        return found

    def numbered(self, order_id: int) -> OurOrder | None:
        """By order id: the latest intent that was given it. Never enough for a fill."""
        return self.orders.get(self.by_order_id.get(order_id, ""))

    def exposed(self) -> Iterator[OurOrder]:
        """The orders by which a position may still move: not ended, or ended and owing executions."""
        for intent_id in (*self.alive, *self.owing):
            yield self.orders[intent_id]

    def living(self) -> Iterator[OurOrder]:
        """The orders not ended, oldest first. The book may move while you iterate."""
        for intent_id in tuple(self.alive):
            yield self.orders[intent_id]
