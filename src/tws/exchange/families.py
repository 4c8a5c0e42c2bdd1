"""How one order's fate touches others: brackets, OCA groups, and the end of an order.

A bracket's children hang on their parent and, among each other, form a group that behaves as OCA
(of the children's own `oca_type`, 3 when unset), named by the parent's permId unless they state a
group. Sizes in a reducing group shrink in proportion and exactly (as fractions), so a group never
fills more than one whole; only the part an order shows is rounded down to lots.
"""

from __future__ import annotations

from fractions import Fraction

from tws.exchange.core import Core
from tws.exchange.events import CompletedOrder, OrderView
from tws.exchange.hedges import grow, neutralise
from tws.exchange.terms import ChildrenWork, OcaType
from tws.exchange.triggers import unwatch
from tws.exchange.working import Stage, Working
from tws.model.order import BrokerStatus

__all__ = [
    "after_fill", "awaits_parent", "cancel_now", "close_books", "forget", "join_group", "join_name",
    "workable",
]  # fmt: skip

TRADER = "Cancelled by Trader"
SYSTEM = "Cancelled by System"
EXPIRED = "Expired"


# -- the end ------------------------------------------------------------------------------------


def cancel_now(core: Core, order: Working, why: str = SYSTEM, reason: str = "") -> None:
    """End an order: Cancelled, then 202 with its reason (C2), then whatever hung on it."""
    untransmitted = order.stage is Stage.UNTRANSMITTED
    order.end_status = BrokerStatus.API_CANCELLED if untransmitted else BrokerStatus.CANCELLED
    order.move(Stage.DONE)
    view = core.say_status(order)
    core.notify(order, 202, f"Order Canceled - reason:{reason}")
    close_books(core, order, view, why)


def close_books(core: Core, order: Working, view: OrderView, completed_status: str) -> None:
    """An order is done, as was said last in `view`: off the lists, into the completed ones, out of its group;
    its children hear.
    """
    unwatch(order)
    order.book.refresh()
    core.leave(order)
    if view.why_held:  # what it waited for is over
        view = order.view()
    core.archive.add_order(
        CompletedOrder(order=view, completed_ns=core.now, completed_status=completed_status)
    )
    if order.group is not None:
        _leave_group(core, order)
    if order.end_status != BrokerStatus.FILLED:
        for one in () if order.portion is None else order.portion.dependents:
            if one.live:
                cancel_now(core, one)
        for child in order.children:
            if child.live:
                _orphan(core, child, order)
    core.retire(order)


def forget(core: Core, order: Working) -> None:
    """An order vanishes: off every list, and nobody is told, its children neither."""
    order.end_status = BrokerStatus.CANCELLED
    order.move(Stage.DONE)
    unwatch(order)
    order.book.refresh()
    core.leave(order)
    if order.group is not None:
        _leave_group(core, order)


def _orphan(core: Core, child: Working, parent: Working) -> None:
    """The parent ended unfilled: the child goes too, but for the part that it already protects (by habit)."""
    if child.hedge is not None:
        _end_hedge(core, child)
        return
    part = _part(core, child, parent)
    if part <= 0 or child.stage is Stage.UNTRANSMITTED:
        cancel_now(core, child)
    elif part < child.remaining:
        child.exact = part
        _shrink(child, part)
        core.say_pair(child)


def _end_hedge(core: Core, child: Working) -> None:
    """A hedge's parent ended: what it was to have it has, or goes on to get."""
    if child.remaining:
        return
    if not child.filled:
        cancel_now(core, child)
        return
    child.end_status = BrokerStatus.FILLED
    child.move(Stage.DONE)
    size = child.book.instrument.quantity(child.filled)
    close_books(core, child, core.say_pair(child), f"Filled Size: {size}")


def _shrink(order: Working, remaining: int) -> None:
    order.consumed += order.remaining - remaining
    order.total = order.filled + remaining


# -- parents and children -----------------------------------------------------------------------


def awaits_parent(core: Core, order: Working) -> bool:
    """Whether a child has nothing to do yet."""
    return order.parent is not None and workable(core, order) <= 0


def workable(core: Core, order: Working) -> int:
    """Lots that may trade now: all that remains, or for a child what its parent's fills allow."""
    parent = order.parent
    if parent is None or not parent.live:  # what outlived its parent was cut to its part then
        return order.remaining
    return _part(core, order, parent)


def _part(core: Core, order: Working, parent: Working) -> int:
    if order.hedge is not None:
        return order.remaining
    if core.habits.children is ChildrenWork.HELD_UNTIL_FULL:
        return 0
    allowed = parent.filled * order.asked // parent.total
    return min(order.remaining, allowed - order.consumed)


# -- OCA ----------------------------------------------------------------------------------------


def join_name(order: Working) -> str:
    """The order's OCA group: its own, or that of its parent's children, or none."""
    alone = order.parent is None or not order.parent.perm_id or order.hedge is not None
    if order.ticket.oca_group or alone or order.parent is None:
        return order.ticket.oca_group
    return str(order.parent.perm_id)


def join_group(core: Core, order: Working) -> None:
    """Enter the order's OCA group."""
    name = join_name(order)
    if name:
        order.group = (order.ticket.account, name)
        core.groups.setdefault(order.group, []).append(order)


def _leave_group(core: Core, order: Working) -> None:
    assert order.group is not None
    members = core.groups.get(order.group, [])
    if order in members:
        members.remove(order)
    if not members:
        core.groups.pop(order.group, None)


def after_fill(core: Core, order: Working, lots: int) -> None:
    """An order filled so many lots: its group and its children learn of it."""
    before, order.exact = order.exact, order.exact - lots
    if order.group is not None:
        _tell_group(core, order, Fraction(lots) / before)
    if order.ticket.special is not None and order.ticket.special.neutral:
        neutralise(core, order, lots)
    for child in order.children:
        if child.hedge is not None and child.live:
            grow(core, child, lots)
            if order.live or child.remaining:
                core.ready.append(child)
            else:
                _end_hedge(core, child)
    if order.children and (not order.live or core.habits.children is ChildrenWork.FOR_FILLED_PART):
        sent = [child for child in order.children if child.stage is not Stage.UNTRANSMITTED]
        core.ready.extend(child for child in sent if child.live)


def _tell_group(core: Core, order: Working, share: Fraction) -> None:
    """Others in the group are cancelled (type 1), or reduced by the share of its size that filled (2, 3)."""
    assert order.group is not None
    if not order.live:
        core.spent.add(order.group)
    cancels = order.ticket.oca_type == OcaType.CANCEL_WITH_BLOCK or not order.live
    for other in list(core.groups.get(order.group, ())):
        if other is order or not other.live:
            continue
        other.exact *= 1 - share
        left = 0 if cancels else int(other.exact)
        if left <= 0:
            cancel_now(core, other)
        elif left < other.remaining:
            _shrink(other, left)
            core.say_pair(other)
