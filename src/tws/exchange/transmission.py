"""How an order reaches the broker: with its family, accepted or rejected, or held by TWS itself on the way.

Transmitting an order transmits what it needs before it: its parent and the children placed so far.
"""

from __future__ import annotations

from tws.exchange.checks import broker_refuses
from tws.exchange.core import Core
from tws.exchange.families import EXPIRED, cancel_now, close_books, join_group
from tws.exchange.pieces import portion_of
from tws.exchange.triggers import start_trailing
from tws.exchange.working import Held, Stage, Working
from tws.model.order import BrokerStatus, OrderType

__all__ = ["release_held", "set_expiry", "transmit", "transmit_family"]

REJECTED = "Rejected"
LOCATE = (
    "Shares for this order are not immediately available for short sale. "
    "The order will be held while we attempt to locate the shares."
)


def transmit_family(core: Core, order: Working) -> None:
    """Send an order; a child takes its parent and its elder siblings along, the parent first."""
    parent = order.parent
    family = [order] if parent is None else [*_ancestors(order), *parent.children]
    sent = []
    for one in family:
        if (one.ticket.client_id, one.ticket.order_id) in core.popups:
            if one is not order and one in _ancestors(order):
                break  # what hangs on an order that a dialog holds can't go before it
        elif one.stage is Stage.UNTRANSMITTED:
            sent.append(one)
    for one in sent:
        if one.live:  # a rejected parent took its children with it
            transmit(core, one)
    core.ready.extend(one for one in sent if one.live)


def _ancestors(order: Working) -> list[Working]:
    line = []
    while order.parent is not None:
        order = order.parent
        line.append(order)
    return line[::-1]


def transmit(core: Core, order: Working) -> None:
    """The order reaches the broker: it gets its permId, and is accepted or rejected (201, then Inactive)."""
    core.untransmitted.pop((order.ticket.client_id, order.ticket.order_id), None)
    reason = broker_refuses(core, order)
    order.perm_id = core.next_perm_id()
    order.queue(core.next_rank())
    order.portion = portion_of(order)
    core.enter(order)
    if reason is not None:
        core.notify(order, 201, f"Order rejected - reason:{reason}")
        order.end_status = BrokerStatus.INACTIVE
        order.move(Stage.DONE)
        close_books(core, order, core.say_pair(order), REJECTED)
        return
    order.move(Stage.ACCEPTED)
    join_group(core, order)
    set_expiry(core, order)
    plain_limit = order.ticket.order_type == OrderType.LIMIT and order.parent is None
    short = _sells_short(core, order) and order.ticket.con_id in core.unborrowable
    if short:
        order.held = Held.LOCATE
    if not short and _starts_now(core, order):
        start_trailing(order)  # so that its first word says where it stands
    if core.habits.presubmitted_first or not plain_limit or short:
        core.say_pair(order)
    if short:
        core.notify(order, 404, LOCATE)


def set_expiry(core: Core, order: Working) -> None:
    """See to it that a GTD order ends at its time, unless it was given another by then."""
    perm_id = order.perm_id
    if not order.rule.until:
        return

    def expire() -> None:
        living = core.live.get(perm_id)
        if living is not None and living.rule.until and living.ticket.good_till_ns <= core.now:
            cancel_now(core, living, EXPIRED)

    core.set_alarm(order.ticket.good_till_ns, expire)


def _starts_now(core: Core, order: Working) -> bool:
    """Whether nothing but its trigger holds the order back."""
    ticket, book = order.ticket, order.book
    waits = order.parent is not None or ticket.conditions or core.now < ticket.good_after_ns
    return not waits and book.admits(book.phase, order.outside)


def _sells_short(core: Core, order: Working) -> bool:
    """Whether a full fill would leave the account short."""
    if order.sign > 0:
        return False
    holding = core.ledgers[order.ticket.account].holdings.get(order.book.con_id)
    return (holding.quantity if holding else 0) < order.ticket.quantity


def release_held(core: Core, order: Working) -> None:
    """What TWS itself held goes its way: a dialog was answered, shares were found."""
    if order.stage is Stage.UNTRANSMITTED:
        family = [order, *(order.parent.children if order.parent else order.children)]
        if any(one.ticket.transmit for one in family):
            transmit_family(core, order if order.ticket.transmit else family[-1])
    elif order.held is not Held.NOT:
        order.held = Held.NOT
        core.ready.append(order)
