"""What time does: opens, closes, auctions, expiries, and whatever else was set for an instant.

`elapse` plays everything due up to now, in the order of its instants. The exchange asks for it
before each input that comes at or after `core.wake`, the next instant at which anything is due.
"""

from __future__ import annotations

from heapq import heappop

from tws.exchange.activation import settle
from tws.exchange.auctions import hold_auction
from tws.exchange.book import NEVER, Book, Phase
from tws.exchange.core import Core
from tws.exchange.families import EXPIRED, cancel_now
from tws.exchange.triggers import watch
from tws.exchange.working import Stage

__all__ = ["elapse", "set_wake"]

ASLEEP = (Stage.WORKING, Stage.ARMED)


def set_wake(core: Core) -> None:
    """Find the next instant at which something is due."""
    bells = min((book.next_edge(core.now) for book in core.books.values()), default=NEVER)
    core.wake = min(bells, core.alarms[0][0] if core.alarms else NEVER)


def elapse(core: Core, now_ns: int) -> None:
    """Play what is due until `now_ns`, each thing at its own instant."""
    while core.wake <= now_ns:
        core.begin(core.wake)
        while core.alarms and core.alarms[0][0] <= core.now:
            heappop(core.alarms)[2]()
        for book in core.books.values():
            phase = book.phase_at(core.now)
            if phase is not book.phase:
                before, book.phase = book.phase, phase
                _ring(core, book, before)
        settle(core)
        set_wake(core)
    core.begin(now_ns)


def _ring(core: Core, book: Book, before: Phase) -> None:
    """The phase of an instrument changed: hold the auctions, expire, put to bed, wake up."""
    _auctions(core, book, before)
    for order in [one for one in core.live.values() if one.book is book]:
        if not order.live or order.stage is Stage.AWAITS_AUCTION:
            continue
        was, may = book.admits(before, order.outside), book.admits(book.phase, order.outside)
        if was and not may and order.rule.ends_with_session:
            cancel_now(core, order, EXPIRED)
        elif was and not may and order.stage in ASLEEP:
            order.warned, order.announced = True, ""  # GTC sleeps silently, and speaks up at the next open
            order.move(Stage.AWAITS_OPEN)
        elif may and not was and order.stage is Stage.AWAITS_OPEN:
            core.ready.append(order)
    book.refresh()


def _auctions(core: Core, book: Book, before: Phase) -> None:
    """At the close at once, at the last mark; at the open with the first quote or trade that follows it."""
    if Phase.REGULAR not in (before, book.phase):
        return
    closes = before is Phase.REGULAR
    for order in [one for one in core.live.values() if one.book is book]:
        if order.stage is not Stage.AWAITS_AUCTION or not order.live:
            continue
        if closes and order.kind.at_close:
            hold_auction(core, order)
        elif not closes and order.rule.at_open:
            order.opening = True
            watch(order, book)
