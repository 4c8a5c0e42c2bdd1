"""An order while the exchange has it: its stage, its numbers, and THE table of its stages.

Inside, prices are ticks and sizes are lots. What TWS calls status is derived: an order says
PreSubmitted for many reasons (just taken, held, waits for its parent, its time, its conditions, an
auction, the open, or its trigger), which are stages of their own here.
"""

from __future__ import annotations

from collections import deque
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from fractions import Fraction

from tws.exchange.book import Book
from tws.exchange.events import OrderView
from tws.exchange.kinds import KINDS, TIFS, Anchor
from tws.exchange.slices import Portion
from tws.exchange.special import Hedge, Special
from tws.exchange.terms import OrderTicket
from tws.model.order import BrokerStatus, Side

__all__ = ["ARCS", "Held", "Stage", "Working", "average"]

CENTS_8 = Decimal("1E-8")
ZERO = Decimal(0)
BEHIND = 1 << 60
"""Hidden orders stand behind all that are shown at their price (assumed, as exchanges do)."""
UNBOUND = 2_147_483_647
"""The order id in executions of orders that nobody bound (C4)."""


class Stage(StrEnum):
    """Where an order is."""

    UNTRANSMITTED = "untransmitted"
    ACCEPTED = "accepted"
    HELD = "held"
    AWAITS_PARENT = "awaits parent"
    AWAITS_TIME = "awaits time"
    AWAITS_CONDITIONS = "awaits conditions"
    AWAITS_AUCTION = "awaits auction"
    AWAITS_OPEN = "awaits open"
    ARMED = "armed"
    WORKING = "working"
    DONE = "done"


class Held(StrEnum):
    """Why TWS itself keeps an order back."""

    NOT = ""
    LOCATE = "locate"
    DIALOG = "dialog"


_ALIVE = (
    Stage.HELD, Stage.AWAITS_PARENT, Stage.AWAITS_TIME, Stage.AWAITS_CONDITIONS, Stage.AWAITS_AUCTION,
    Stage.AWAITS_OPEN, Stage.ARMED, Stage.WORKING,
)  # fmt: skip
ARCS: dict[Stage, tuple[Stage, ...]] = {
    # held inside TWS: transmitted later, cancelled, or lost
    Stage.UNTRANSMITTED: (Stage.ACCEPTED, Stage.DONE),
    Stage.ACCEPTED: (*_ALIVE, Stage.DONE),
    # shares were located, a dialog was answered
    Stage.HELD: (*_ALIVE, Stage.DONE),
    # the parent filled, or ended
    Stage.AWAITS_PARENT: (*_ALIVE, Stage.DONE),
    # its good-after time came
    Stage.AWAITS_TIME: (*_ALIVE, Stage.DONE),
    # its conditions were met
    Stage.AWAITS_CONDITIONS: (*_ALIVE, Stage.DONE),
    # the auction was held
    Stage.AWAITS_AUCTION: (*_ALIVE, Stage.DONE),
    # a bell rang
    Stage.AWAITS_OPEN: (*_ALIVE, Stage.DONE),
    # triggered; or the market closed under it
    Stage.ARMED: (*_ALIVE, Stage.DONE),
    # back: a changed stop price arms again, a close sends GTC to bed, a child spent its parent's part
    Stage.WORKING: (*_ALIVE, Stage.DONE),
    # nothing leaves the end
    Stage.DONE: (),
}

STATUS = dict.fromkeys(Stage, BrokerStatus.PRE_SUBMITTED) | {
    Stage.UNTRANSMITTED: "",
    Stage.WORKING: BrokerStatus.SUBMITTED,
}


def average(cost_ticks: int, lots: int, tick: Decimal) -> Decimal:
    """The mean price of `lots` that cost `cost_ticks` (sum of ticks times lots), to eight digits."""
    if not lots:
        return ZERO
    whole, rest = divmod(cost_ticks, lots)
    return tick * whole if not rest else (tick * cost_ticks / lots).quantize(CENTS_8)


class LegFill:
    """What an order of a combo traded of one leg so far; `ahead`: lots and prices beyond the whole units."""

    __slots__ = ("ahead", "fee", "quantity", "value")

    def __init__(self) -> None:
        self.quantity = ZERO
        self.value = ZERO  # absolute
        self.fee = ZERO
        self.ahead: deque[tuple[int, int]] = deque()

    @property
    def lots(self) -> int:
        """How many lots it is ahead of the whole units."""
        return sum(lots for lots, _ in self.ahead)

    def first(self, lots: int) -> int:
        """Take so many lots from the oldest of what is ahead; the sum of their prices."""
        cost = 0
        while lots:
            there, price = self.ahead.popleft()
            part = min(there, lots)
            if part < there:
                self.ahead.appendleft((there - part, price))
            cost += part * price
            lots -= part
        return cost


class Working:
    """A mutable order; only the exchange's own modules touch it."""

    __slots__ = (
        "anchor", "anchored", "announced", "apart", "auctioned", "book", "cancelling", "cap", "children",
        "consumed", "cost_ticks", "counts", "discretion", "end_status", "exact", "fee_charged",
        "filled", "follows", "group", "hedge", "held", "is_limit", "kind", "last_ticks",
        "leg_fills", "leg_limits", "limit", "opening", "owed", "parent", "perm_id", "pinned",
        "portion", "rank", "released", "rule", "stage", "stop", "ticket", "total", "triggered",
        "version", "warned", "watched",
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
        self.released = False  # its conditions were met
        self.opening = False  # the bell of its opening auction rang
        self.auctioned = False  # what its auction left works on
        self.held = Held.NOT
        self.cap = 0  # the price to which TWS capped its limit
        self.counts: dict[int, int] = {}  # how often in a row each doubled trigger was reached
        self.watched: list[Book] = []  # books whose every quote and trade it wants to see
        self.filled = 0
        self.consumed = 0  # lots gone: filled here, or taken off by an OCA group
        self.cost_ticks = 0
        self.last_ticks = 0
        self.fee_charged = ZERO
        self.leg_fills: list[LegFill] = []  # of a combo, in the order of its legs
        self.rank = 0  # arrival, for time priority
        self.version = 0  # a queue entry of another version is dead
        self.parent: Working | None = None
        self.children: list[Working] = []
        self.group: tuple[str, str] | None = None
        self.stop: int | None = None
        self.pinned: tuple[Decimal, Decimal] | None = None  # where a peg's reference and its own price began
        self.total = 0
        self.owed = ZERO  # shares that a hedge is to have by its parent's fills, unrounded
        self.portion: Portion | None = None  # of an order that trades in pieces
        self.adopt(ticket, lots)
        self.apart = self._fills_apart()

    def adopt(self, ticket: OrderTicket, lots: int) -> None:
        """Take a new or changed ticket, already checked; a price that its type doesn't need is not read."""
        ticks = self.book.instrument.ticks
        self.ticket = ticket
        self.kind = KINDS[ticket.order_type]
        self.rule = TIFS[ticket.tif]
        self.works_at()
        self.leg_limits: tuple[int | None, ...] = ()  # of a combo with a price for each leg
        self.discretion = 0  # so far beyond its limit it may trade, in ticks with its sign
        if ticket.special is not None:
            self._adopt_special(ticket.special)
        if not self.kind.trails:
            waits = self.kind.waits and ticket.stop_price is not None
            self.stop = ticks(ticket.stop_price) if waits and ticket.stop_price is not None else None
        elif not self.triggered:
            start = ticket.trail_stop_price
            self.stop = None if start is None else self.book.instrument.nearest_ticks(start)
        self.hedge: Hedge | None = None if ticket.special is None else ticket.special.hedge
        self.total = lots if self.hedge is None else self.total
        self.exact: Fraction | int = self.remaining  # a fraction once an OCA group reduced it

    def _fills_apart(self) -> bool:
        """Whether its legs fill apart: not of an order that wants so much at once, or trades in pieces."""
        special = self.ticket.special
        if special is None or not (special.apart and self.book.legs) or self.least > 1:
            return False
        return special.algo is None and special.scale is None and special.shown is None

    def works_at(self) -> None:
        """Work at the limit that its ticket and its type say, or at the market."""
        kind, limit = self.kind, self.ticket.limit_price
        stated = kind.limit and kind.anchor is Anchor.STATED and not kind.trails
        self.limit = self.book.instrument.ticks(limit) if stated and limit is not None else 0
        self.is_limit = kind.limit
        self.anchor, self.follows = kind.anchor, kind.follows
        self.anchored = False  # its limit was taken from its anchor

    def _adopt_special(self, special: Special) -> None:
        if special.discretion:
            self.discretion = self.sign * self.book.instrument.ticks(special.discretion)
        if self.anchor is Anchor.VOLATILITY:
            self.follows = special.peg.updates
        if any(price is not None for price in special.leg_prices):
            legs = zip(self.book.legs, special.leg_prices, strict=True)
            self.leg_limits = tuple(
                None if price is None else leg.instrument.ticks(price) for (leg, _), price in legs
            )

    # -- what it is -------------------------------------------------------------------------------

    @property
    def sign(self) -> int:
        return 1 if self.ticket.side is Side.BUY else -1

    @property
    def said_id(self) -> int:
        """The order id in executions: one placed by hand and not bound has none (C4)."""
        return self.ticket.order_id or UNBOUND

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
    def way(self) -> int:
        """Where the price must go to trigger it: +1 up, -1 down. A touch lies on the other side of a stop."""
        return -self.sign if self.kind.touch else self.sign

    @property
    def waits(self) -> bool:
        """Whether it still waits for its trigger."""
        return self.kind.waits and not self.triggered

    @property
    def adjusts(self) -> bool:
        """Whether it is a stop that becomes another order at its trigger price."""
        return self.ticket.trigger_price is not None and self.ticket.adjusted_order_type not in ("", "None")

    @property
    def least(self) -> int:
        """Lots that the next fill must have at least; 1 for most orders."""
        ticket = self.ticket
        if ticket.all_or_none or self.rule.whole:
            return self.remaining
        shares = None if self.filled else ticket.min_qty
        if ticket.special is not None and ticket.special.min_trade is not None:
            shares = max(shares or ZERO, ticket.special.min_trade)
        if shares is None:
            return 1
        lots = int((shares / self.book.instrument.lot).to_integral_value(ROUND_CEILING))
        return max(1, min(lots, self.remaining))

    @property
    def picky(self) -> bool:
        """Whether it stands in no queue, but takes what is left of a quote that suits it."""
        return self.apart or self.least > 1 or bool(self.leg_limits)

    @property
    def worst(self) -> int:
        """The worst price at which it may trade, if it works at a limit: discretion included."""
        return self.limit + self.discretion

    @property
    def outside(self) -> bool:
        """Whether it may trade outside the regular hours."""
        return self.ticket.outside_rth or self.rule.outside

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

    @property
    def in_queue(self) -> bool:
        """Whether it stands at the market, and not behind all others."""
        return self.stage is Stage.WORKING and not self.picky

    def queue(self, rank: int) -> None:
        """Its place among its equals from now on; whoever is hidden stands behind all that are shown."""
        special = self.ticket.special
        self.rank = rank if special is None or not special.hidden else rank + BEHIND

    def give_way(self, rank: int) -> None:
        """Leave its place in the queue, for the end of it."""
        self.version += 1
        self.queue(rank)

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
            trail_stop=price(self.stop) if self.kind.trails and self.stop is not None else None,
            cap_price=price(self.cap) if self.cap else ZERO,
            fees=self.fee_charged,
            parent_perm_id=self.parent.perm_id if self.parent else 0,
        )
