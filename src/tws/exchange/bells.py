"""What time does: opens, closes, expiries, and cancels that take their while.

`elapse` plays everything due up to now, in the order of its instants. The exchange asks for it
before each input that comes at or after `core.wake`, the next instant at which anything is due.
"""

from __future__ import annotations

from heapq import heappop

from tws.exchange.book import NEVER, Book, Phase
from tws.exchange.core import Core
from tws.exchange.families import EXPIRED, TRADER, cancel_now
from tws.exchange.matching import settle
from tws.exchange.working import Stage

__all__ = ["elapse", "set_wake"]


def set_wake(core: Core) -> None:
    """Find the next instant at which something is due."""
    bells = min((book.next_edge(core.now) for book in core.books.values()), default=NEVER)
    cancels = core.pending_cancels[0][0] if core.pending_cancels else NEVER
    core.wake = min(bells, cancels)


def elapse(core: Core, now_ns: int) -> None:
    """Play what is due until `now_ns`, each thing at its own instant."""
    while core.wake <= now_ns:
        core.begin(core.wake)
        while core.pending_cancels and core.pending_cancels[0][0] <= core.now:
            order = heappop(core.pending_cancels)[2]
            if order.live:
                cancel_now(core, order, TRADER)
        for book in core.books.values():
            phase = book.phase_at(core.now)
            if phase is not book.phase:
                before, book.phase = book.phase, phase
                _ring(core, book, before)
        settle(core)
        set_wake(core)
    core.begin(now_ns)


def _ring(core: Core, book: Book, before: Phase) -> None:
    """The phase of an instrument changed: expire, put to bed, wake up."""
    for order in [one for one in core.live.values() if one.book is book]:
        if not order.live:
            continue
        outside = order.ticket.outside_rth
        was, may = book.admits(before, outside), book.admits(book.phase, outside)
        if was and not may and (order.is_day or order.is_ioc):
            cancel_now(core, order, EXPIRED)
        elif was and not may and order.stage in (Stage.WORKING, Stage.ARMED):
            order.warned, order.announced = True, ""  # GTC sleeps silently, and speaks up at the next open
            order.move(Stage.AWAITS_OPEN)
        elif may and not was and order.stage is Stage.AWAITS_OPEN:
            core.ready.append(order)
    book.refresh()
