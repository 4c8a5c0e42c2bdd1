"""An order while the exchange has it: its stage, its numbers, and THE table of its stages.

Inside, prices are ticks and sizes are lots. What TWS calls status is derived: an order says
PreSubmitted for four different reasons (just taken, waits for its parent, for the open, or for
its trigger), which are four stages here.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from tws.exchange.book import Book
from tws.exchange.events import OrderView
from tws.exchange.terms import OrderTicket
from tws.model.order import BrokerStatus, OrderType, Side, TimeInForce

__all__ = ["ARCS", "Stage", "Working", "average"]

CENTS_8 = Decimal("1E-8")
ZERO = Decimal(0)


class Stage(StrEnum):
    """Where an order is."""

    UNTRANSMITTED = "untransmitted"
    ACCEPTED = "accepted"
    AWAITS_PARENT = "awaits parent"
    AWAITS_OPEN = "awaits open"
    ARMED = "armed"
    WORKING = "working"
    DONE = "done"


_ALIVE = (Stage.AWAITS_PARENT, Stage.AWAITS_OPEN, Stage.ARMED, Stage.WORKING)
ARCS: dict[Stage, tuple[Stage, ...]] = {
    # held inside TWS: transmitted later, cancelled, or lost
    Stage.UNTRANSMITTED: (Stage.ACCEPTED, Stage.DONE),
    Stage.ACCEPTED: (*_ALIVE, Stage.DONE),
    # the parent filled, or ended
    Stage.AWAITS_PARENT: (*_ALIVE, Stage.DONE),
    # a bell rang
    Stage.AWAITS_OPEN: (*_ALIVE, Stage.DONE),
    # triggered; or the market closed under it
    Stage.ARMED: (*_ALIVE, Stage.DONE),
    # back: a changed stop price arms again, a close sends GTC to bed, a child spent its parent's part
    Stage.WORKING: (*_ALIVE, Stage.DONE),
    # nothing leaves the end
    Stage.DONE: (),
}

STATUS = {
    Stage.UNTRANSMITTED: "",
    Stage.ACCEPTED: BrokerStatus.PRE_SUBMITTED,
    Stage.AWAITS_PARENT: BrokerStatus.PRE_SUBMITTED,
    Stage.AWAITS_OPEN: BrokerStatus.PRE_SUBMITTED,
    Stage.ARMED: BrokerStatus.PRE_SUBMITTED,
    Stage.WORKING: BrokerStatus.SUBMITTED,
}


def average(cost_ticks: int, lots: int, tick: Decimal) -> Decimal:
    """The mean price of `lots` that cost `cost_ticks` (sum of ticks times lots), to eight digits."""
    if not lots:
        return ZERO
    whole, rest = divmod(cost_ticks, lots)
    return tick * whole if not rest else (tick * cost_ticks / lots).quantize(CENTS_8)


class Working:
    """A mutable order; only the exchange's own modules touch it."""

    __slots__ = (
        "announced", "book", "cancelling", "children", "consumed", "cost_ticks", "end_status", "exact",
        "fee_charged", "filled", "group", "last_ticks", "limit", "parent", "perm_id", "rank", "stage",
        "stop", "ticket", "total", "triggered", "version", "warned",
    )  # fmt: skip

    def __init__(self, ticket: OrderTicket, book: Book, lots: int) -> None:
        self.book = book
        self.perm_id = 0
        self.stage = Stage.UNTRANSMITTED
        self.end_status = ""
        self.announced = ""  # the status last said, so that nothing is said twice by accident
        self.cancelling = False
        self.warned = False  # 399 was said
        self.triggered = False
        self.filled = 0
        self.consumed = 0  # lots gone: filled here, or taken off by an OCA group
        self.cost_ticks = 0
        self.last_ticks = 0
        self.fee_charged = ZERO
        self.rank = 0  # arrival, for time priority
        self.version = 0  # a queue entry of another version is dead
        self.parent: Working | None = None
        self.children: list[Working] = []
        self.group: tuple[str, str] | None = None
        self.adopt(ticket, lots)

    def adopt(self, ticket: OrderTicket, lots: int) -> None:
        """Take a new or changed ticket, already checked; a price that its type doesn't need is not read."""
        ticks = self.book.instrument.ticks
        self.ticket = ticket
        self.limit = ticks(ticket.limit_price) if self.is_limit and ticket.limit_price is not None else 0
        self.stop = ticks(ticket.stop_price) if self.is_stop and ticket.stop_price is not None else 0
        self.total = lots
        self.exact = Fraction(lots - self.filled)

    # -- what it is -------------------------------------------------------------------------------

    @property
    def sign(self) -> int:
        return 1 if self.ticket.side is Side.BUY else -1

    @property
    def live(self) -> bool:
        return self.stage is not Stage.DONE

    @property
    def remaining(self) -> int:
        """Lots still wanted: what an OCA group's exact share leaves, in whole lots."""
        return self.total - self.filled

    @property
    def asked(self) -> int:
        """Lots as the owner last asked for them, what an OCA group took off included."""
        return self.remaining + self.consumed

    @property
    def is_stop(self) -> bool:
        return self.ticket.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)

    @property
    def is_limit(self) -> bool:
        return self.ticket.order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)

    @property
    def is_day(self) -> bool:
        return self.ticket.tif == TimeInForce.DAY

    @property
    def is_ioc(self) -> bool:
        return self.ticket.tif == TimeInForce.IOC

    @property
    def status(self) -> str:
        if self.stage is Stage.DONE:
            return self.end_status
        return BrokerStatus.PENDING_CANCEL if self.cancelling else STATUS[self.stage]

    # -- what changes -----------------------------------------------------------------------------

    def move(self, stage: Stage) -> None:
        """Step along an arc of the table; leaving a queue kills its entries there."""
        assert stage in ARCS[self.stage], f"order {self.ticket.order_id}: {self.stage} -> {stage}"
        self.stage = stage
        self.version += 1

    def view(self, why_held: str = "") -> OrderView:
        """The order as TWS would state it now."""
        quantity = self.book.instrument.quantity
        price = self.book.instrument.price
        return OrderView(
            ticket=self.ticket,
            perm_id=self.perm_id,
            status=self.status,
            total=quantity(self.total),
            filled=quantity(self.filled),
            remaining=quantity(self.total - self.filled),
            average_price=average(self.cost_ticks, self.filled, self.book.instrument.tick),
            last_price=price(self.last_ticks) if self.filled else ZERO,
            why_held=why_held,
            oca_group=self.group[1] if self.group else "",
            parent_perm_id=self.parent.perm_id if self.parent else 0,
        )
