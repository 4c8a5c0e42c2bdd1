"""What time does: opens, closes, auctions, expiries, and whatever else was set for an instant.

`elapse` plays everything due up to now, in the order of its instants. The exchange asks for it
before each input that comes at or after `core.wake`, the next instant at which anything is due. Books stand
in a heap by the next edge of their hours, so thousands of them cost an alarm nothing.
"""

from __future__ import annotations

from heapq import heappop, heapreplace
from operator import itemgetter

from tws.exchange.activation import settle
from tws.exchange.auctions import hold_auction
from tws.exchange.book import NEVER, Book, Phase
from tws.exchange.core import Core
from tws.exchange.families import EXPIRED, cancel_now
from tws.exchange.triggers import watch
from tws.exchange.working import Stage, Working

__all__ = ["elapse"]

ASLEEP = (Stage.WORKING, Stage.ARMED)


def elapse(core: Core, now_ns: int) -> None:
    """Play what is due until `now_ns`, each thing at its own instant."""
    while core.wake <= now_ns:
        core.begin(core.wake)
        while core.alarms and core.alarms[0][0] <= core.now:
            heappop(core.alarms)[2]()
        if core.bells and core.bells[0][0] <= core.now:
            _turn(core)
        settle(core)
        core.wake = min(queue[0][0] if queue else NEVER for queue in (core.bells, core.alarms))
    core.begin(now_ns)


def _turn(core: Core) -> None:
    """Books have an edge of their hours now: in the order of their listing those whose phase changes ring."""
    due = []
    while core.bells and core.bells[0][0] <= core.now:
        _, rank, book = core.bells[0]
        due.append((rank, book))
        edge = book.next_edge(core.now)
        if edge == NEVER:
            heappop(core.bells)
        else:
            heapreplace(core.bells, (edge, rank, book))
    waiting: dict[int, list[Working]] = {}
    for order in core.live.values():
        waiting.setdefault(order.book.con_id, []).append(order)
    for _, book in sorted(due, key=itemgetter(0)):
        phase = book.phase_at(core.now)
        if phase is not book.phase:
            before, book.phase = book.phase, phase
            _ring(core, book, before, waiting.get(book.con_id, []))


def _ring(core: Core, book: Book, before: Phase, orders: list[Working]) -> None:
    """The phase of an instrument changed: hold the auctions, expire, put to bed, wake up."""
    if Phase.REGULAR in (before, book.phase):
        _auctions(core, book, orders, before is Phase.REGULAR)
    for order in orders:
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
    if orders:
        book.refresh()


def _auctions(core: Core, book: Book, orders: list[Working], closes: bool) -> None:
    """At the close at once, at the last mark; at the open with the first quote or trade that follows it."""
    for order in orders:
        if order.stage is not Stage.AWAITS_AUCTION or not order.live:
            continue
        if closes and order.kind.at_close:
            hold_auction(core, order)
        elif not closes and order.rule.at_open:
            order.opening = True
            watch(order, book)
