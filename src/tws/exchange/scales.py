"""Scale orders: components of a size, each an increment further from the market, one at a time.

A component that filled is followed by the next, and by orders that take profit, each so far from the price of
its component; one larger than the later ones is followed by orders of their size, as if it had been several
(IB's example 3). What took profit is put back at its level if the scale restores; the deeper component waits
until that has filled again (example 4). What TWS says of the profit orders is not documented: here they are
orders of TWS itself (id 0), children by their parentId, and end with a cancelled scale (assumed).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tws.exchange.kinds import Anchor
from tws.exchange.slices import Portion, jitter, requeue
from tws.exchange.special import Scale
from tws.exchange.terms import OrderTicket
from tws.model.order import OrderType, Side

if TYPE_CHECKING:
    from tws.exchange.core import Core
    from tws.exchange.working import Working

__all__ = ["Ladder", "Profit"]

RANDOM_PERCENT = 55
"""How far random sizes lie off: as far as those of AD (assumed)."""

MOST_PROFITS = 20
"""No component is followed by more profit orders: as many as TWS lets live at once (B)."""


class Ladder(Portion):
    """The components of a scale. `open` holds lots wanted by level, of which the nearest level trades."""

    __slots__ = ("_armed", "_order", "_scale", "_sizes", "_step", "begun_ns", "done", "fresh", "open")

    def __init__(self, order: Working, scale: Scale) -> None:
        lot = order.book.instrument.lot
        initial = int((scale.initial or Decimal(0)) / lot)
        self._scale, self._order = scale, order
        self._sizes = (initial, int(scale.later / lot) if scale.later else initial)
        self._step = order.book.instrument.nearest_ticks(scale.increment or Decimal(0))
        self.begun_ns = 0
        self._armed = False
        self.done: dict[int, int] = {}  # lots of a component that filled, until all of it has
        self.open: dict[int, int] = {}
        self.fresh = 0
        super().__init__(0)
        before = int((scale.position + scale.filled) / lot)
        if before >= self._sizes[0]:
            more, before = divmod(before - self._sizes[0], self._sizes[1])
            self.fresh = 1 + more
        self._next()
        if before:
            self.open[self.fresh - 1] -= before
            self.done[self.fresh - 1] = before
        self._stand()

    def begin(self, core: Core, order: Working) -> bool:
        scale = self._scale
        if scale.adjust and scale.adjust_ns:
            self.begun_ns = self.begun_ns or core.now
            self._stand(core.now)
            due = core.now - (core.now - self.begun_ns) % scale.adjust_ns + scale.adjust_ns
            if not self._armed:
                core.set_alarm(due, lambda: self._again(core))
                self._armed = True
        return True

    def _again(self, core: Core) -> None:
        self._armed = False
        if self._order.live:
            core.ready.append(self._order)

    def filled(self, core: Core, order: Working, lots: int) -> None:
        level = min(self.open)
        self.open[level] -= lots
        self.done[level] = self.done.get(level, 0) + lots
        if self.open[level] > 0 and order.live:
            self.left = self.open[level]
            return
        self._take_profit(core, level, self.done.pop(level))
        del self.open[level]
        if order.live:
            if not self.open:
                self._next()
            self._move(core)

    def restore(self, core: Core, level: int, lots: int) -> None:
        """So many lots of a level took their profit: they are wanted again."""
        order = self._order
        if not self._scale.restores or not order.live:
            return
        order.total += lots
        order.exact += lots
        self.open[level] = self.open.get(level, 0) + lots
        self._move(core)
        core.ready.append(order)

    def readopt(self, order: Working) -> None:
        self._stand()

    def _size(self, level: int) -> int:
        size = self._sizes[1 if level else 0]
        if self._scale.random:
            size += size * jitter(self._order.perm_id, level, RANDOM_PERCENT) // 100
        return max(1, size)

    def _next(self) -> None:
        """Open the next component, of what remains."""
        self.open[self.fresh] = min(self._size(self.fresh), self._order.remaining)
        self.fresh += 1

    def _stand(self, now_ns: int = 0) -> None:
        """The nearest component stands at the market: at its price, or so far behind the quote."""
        order, level = self._order, min(self.open)
        self.left = self.open[level]
        if order.anchor is Anchor.STATED:
            order.limit = self._price(level, now_ns)
        else:
            self.retreat, order.anchored = level * self._step, False

    def _move(self, core: Core) -> None:
        """Another component comes to the market, at the end of its queue."""
        order = self._order
        self._stand(core.now)
        if order.anchor is Anchor.STATED:
            requeue(core, order)
        else:  # its price is taken anew
            order.give_way(core.next_rank())
            core.ready.append(order)

    def _price(self, level: int, now_ns: int = 0) -> int:
        """A component's limit in ticks."""
        order, scale = self._order, self._scale
        ticks = order.book.instrument.nearest_ticks
        start = ticks(order.ticket.limit_price or Decimal(0))
        if scale.adjust and scale.adjust_ns and self.begun_ns and now_ns:
            start += ticks(scale.adjust) * ((now_ns - self.begun_ns) // scale.adjust_ns)
        return start - order.sign * level * self._step

    def _take_profit(self, core: Core, level: int, lots: int) -> None:
        order, scale = self._order, self._scale
        if not scale.profit:
            return
        instrument, ticket = order.book.instrument, order.ticket
        offset = instrument.nearest_ticks(scale.profit)
        at = level
        begin = self._price(level, core.now) if order.anchor is Anchor.STATED else order.last_ticks
        while lots > 0:
            size = min(lots, max(self._sizes[1], -(-self._sizes[0] // MOST_PROFITS)))
            price = begin - order.sign * (at - level) * self._step + order.sign * offset
            child = OrderTicket(
                client_id=ticket.client_id, order_id=0, account=ticket.account, con_id=ticket.con_id,
                side=Side.SELL if order.sign > 0 else Side.BUY, quantity=instrument.quantity(size),
                order_type=OrderType.LIMIT, limit_price=instrument.price(price), tif=ticket.tif,
                order_ref=ticket.order_ref, parent_id=ticket.order_id, outside_rth=ticket.outside_rth,
                oca_type=ticket.oca_type, good_till_ns=ticket.good_till_ns,
            )  # fmt: skip
            core.births.append((child, Profit(self, at, size)))
            lots -= size
            at += 1


class Profit(Portion):
    """All of an order that takes the profit of a component."""

    __slots__ = ("_level", "_size", "ladder")

    def __init__(self, ladder: Ladder, level: int, size: int) -> None:
        super().__init__(size)
        self.ladder, self._level, self._size = ladder, level, size

    def filled(self, core: Core, order: Working, lots: int) -> None:
        self.left -= lots
        if not order.live:
            self.ladder.restore(core, self._level, self._size)
