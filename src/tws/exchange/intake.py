"""placeOrder and cancelOrder: what becomes of a ticket.

    new id      checked, its id consumed, held (transmit false) or sent with its family
    known id    the change of a living order; refused changes leave it as it was
    what-if     answered, nothing is kept
"""

from __future__ import annotations

from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.exchange.checks import change_refused, parent_of
from tws.exchange.combos import as_combo
from tws.exchange.core import Core
from tws.exchange.credit import margin_effect, margin_refuses
from tws.exchange.events import Notice, OrderView, WhatIfAnswered
from tws.exchange.families import TRADER, cancel_now
from tws.exchange.hedges import grow, hedge_refused
from tws.exchange.kinds import TIFS
from tws.exchange.pieces import portion_of
from tws.exchange.refusals import Refusal
from tws.exchange.terms import OcaType, OrderTicket
from tws.exchange.transmission import set_expiry, transmit, transmit_family
from tws.exchange.triggers import unwatch
from tws.exchange.validity import ticket_refused
from tws.exchange.working import Stage, Working
from tws.model.order import BrokerStatus, OrderType, TimeInForce

__all__ = ["cancel", "change", "enter", "fill_in", "place", "start_cancel"]

DUPLICATE = Refusal(103, "Duplicate order id")
PRESET = "Order TIF was set to DAY based on order preset."
IGNORED_RTH = (
    'Order Event Warning: Attribute "Outside Regular Trading Hours" is ignored based on the order type and '
    "destination. PlaceOrder is now processed."
)


def place(core: Core, ticket: OrderTicket) -> None:
    """Take one placeOrder."""
    known = core.orders.get((ticket.client_id, ticket.order_id))
    ticket, notes = fill_in(core, ticket)
    if known is not None and known.live and not ticket.what_if:
        refusal = change(core, known, ticket)
    elif ticket.order_id <= core.highest.get(ticket.client_id, 0):
        done = core.archive.order(ticket.client_id, ticket.order_id)
        filled = done is not None and done.order.status == BrokerStatus.FILLED
        refusal = Refusal(104, "Cannot modify a filled order.") if filled else DUPLICATE
    else:
        core.highest[ticket.client_id] = ticket.order_id
        refusal = _what_if(core, ticket) if ticket.what_if else _new(core, ticket)
    for code, text in (refusal,) if refusal else notes:
        core.out.append(Notice(client_id=ticket.client_id, order_id=ticket.order_id, code=code, text=text))


def fill_in(core: Core, ticket: OrderTicket) -> tuple[OrderTicket, list[Refusal]]:
    """TWS's fill-ins, and what it says about them."""
    notes = []
    if ticket.legs:
        ticket = as_combo(core, ticket)
    if not ticket.account and len(core.ledgers) == 1:
        ticket = replace(ticket, account=next(iter(core.ledgers)))
    if not ticket.tif:
        ticket = replace(ticket, tif=TimeInForce.DAY)
        notes.append(Refusal(10349, PRESET))
    if ticket.tif in TIFS and (minutes := TIFS[ticket.tif].minutes):
        ticket = replace(ticket, good_till_ns=core.now + minutes * 60 * NS_PER_S)
    if ticket.outside_rth and ticket.order_type == OrderType.MARKET:
        ticket = replace(ticket, outside_rth=False)
        notes.append(Refusal(2109, IGNORED_RTH))
    if not ticket.oca_type:
        ticket = replace(ticket, oca_type=int(OcaType.REDUCE_NO_BLOCK))
    return ticket, notes


# -- new orders ---------------------------------------------------------------------------------


def _new(core: Core, ticket: OrderTicket) -> Refusal | None:
    refusal = ticket_refused(core, ticket)
    if refusal:
        return refusal
    book = core.books[ticket.con_id]
    order = Working(ticket, book, 0 if _hedges(ticket) else book.instrument.lots(ticket.quantity))
    if ticket.parent_id or order.hedge is not None:
        order.parent = parent_of(core, ticket)
        if order.parent is None:
            return Refusal(10006, "Missing parent order.")
        refusal = hedge_refused(core, ticket, order.parent)
        if refusal:
            return refusal
        if order.hedge is not None and order.parent.filled:
            grow(core, order, order.parent.filled)
        order.parent.children.append(order)
    key = (ticket.client_id, ticket.order_id)
    core.orders[key] = order
    core.untransmitted[key] = order
    if ticket.transmit:
        transmit_family(core, order)
    return None


def _hedges(ticket: OrderTicket) -> bool:
    return ticket.special is not None and ticket.special.hedge is not None


def enter(core: Core, ticket: OrderTicket) -> Working:
    """A checked ticket without a family goes straight to the broker."""
    book = core.books[ticket.con_id]
    order = Working(ticket, book, book.instrument.lots(ticket.quantity))
    transmit(core, order)
    if order.live:
        core.ready.append(order)
    return order


def _what_if(core: Core, ticket: OrderTicket) -> Refusal | None:
    """Only openOrder with the margin figures; a refusal is 201 (C2)."""
    if not ticket.transmit:
        return Refusal(413, "What-if orders should have the transmit flag set to true.")
    refusal = ticket_refused(core, ticket)
    if refusal:
        return refusal
    book = core.books[ticket.con_id]
    effect = margin_effect(core, book, ticket)
    if effect is None:
        return Refusal(201, "Order rejected - reason:No price is known for this contract.")
    reason = core.refusals.get(ticket.con_id) or margin_refuses(core, book, ticket)
    if reason:
        return Refusal(201, f"Order rejected - reason:{reason}")
    zero = ticket.quantity * 0
    view = OrderView(
        ticket=ticket, perm_id=0, status=BrokerStatus.PRE_SUBMITTED, total=ticket.quantity, filled=zero,
        remaining=ticket.quantity,
    )  # fmt: skip
    core.out.append(WhatIfAnswered(order=view, margin=effect))
    return None


# -- changes ------------------------------------------------------------------------------------


def change(core: Core, order: Working, ticket: OrderTicket) -> Refusal | None:
    """Change a living order. What the ticket leaves empty is kept: reference, parent, OCA group and type."""
    old = order.ticket
    refusal = change_refused(core.habits, order, ticket) or ticket_refused(core, ticket)
    if refusal:
        return refusal
    grows = order.parent is None and ticket.quantity > order.book.instrument.quantity(order.total)
    if grows and core.habits.check_margin and (reason := margin_refuses(core, order.book, ticket)):
        return Refusal(201, f"Order rejected - reason:{reason}")
    ticket = replace(
        ticket, order_ref=ticket.order_ref or old.order_ref, parent_id=old.parent_id, oca_group=old.oca_group,
        oca_type=old.oca_type,
    )  # fmt: skip
    if core.drifting.pop((ticket.client_id, ticket.order_id), 1) is None and order.perm_id:
        _drift(core, order, ticket)
        return None
    _adopt(core, order, ticket)
    if order.stage is Stage.UNTRANSMITTED:
        if ticket.transmit:
            transmit_family(core, order)
        return None
    core.say_pair(order)
    core.ready.append(order)
    return None


def _adopt(core: Core, order: Working, ticket: OrderTicket) -> None:
    """Let an order become the ticket: another trigger arms it again, other conditions are waited for again,
    a new price or a larger size goes to the end of the queue.
    """
    old, lots = order.ticket, order.total if order.hedge else order.book.instrument.lots(ticket.quantity)
    again = _trigger_terms(ticket) != _trigger_terms(old)
    if again:
        order.triggered = False
        order.counts.clear()
    if ticket.conditions != old.conditions:
        order.released = False
        order.counts.clear()
    if (ticket.limit_price, ticket.stop_price) != (old.limit_price, old.stop_price) or lots > order.total:
        order.queue(core.next_rank())
    stop = None if again else order.stop
    if (ticket.special, ticket.starting_price) != (old.special, old.starting_price):
        order.pinned = None
    unwatch(order)
    order.adopt(ticket, lots)
    if order.portion is None or ticket.special != old.special:
        order.portion = portion_of(order)
    else:
        order.portion.readopt(order)
    if order.kind.trails and stop is not None:
        order.stop = stop
    if order.perm_id:
        set_expiry(core, order)


def _trigger_terms(ticket: OrderTicket) -> tuple[object, ...]:
    return (
        ticket.order_type, ticket.stop_price, ticket.trailing_percent, ticket.trail_stop_price,
        ticket.trigger_method,
    )  # fmt: skip


def _drift(core: Core, order: Working, ticket: OrderTicket) -> None:
    """The change becomes a second order while the first lives on, out of reach (INCIDENTS.md 3)."""
    second = Working(ticket, order.book, order.book.instrument.lots(ticket.quantity))
    second.parent = order.parent
    core.orders[ticket.client_id, ticket.order_id] = second
    transmit(core, second)
    core.ready.append(second)


def cancel(core: Core, client_id: int, order_id: int) -> None:
    """cancelOrder: PendingCancel if it takes its while, Cancelled, 202; or why not (C3)."""
    order = core.orders.get((client_id, order_id))
    ended = order_id != 0 and (order is None or not order.live)  # 0: of TWS itself, never found (C3)
    done = core.archive.order(client_id, order_id) if ended else None
    status = done.order.status if done else ""
    if order is None and done is None:
        _say(core, client_id, order_id, 10147, f"OrderId {order_id} that needs to be cancelled is not found.")
    elif status in (BrokerStatus.FILLED, BrokerStatus.CANCELLED):
        _say(
            core, client_id, order_id, 10148,
            f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {status}.",
        )  # fmt: skip
    elif order is None or not order.live or order.cancelling:
        perm_id = done.order.perm_id if done else order.perm_id if order else 0
        _say(
            core, client_id, order_id, 161,
            f"Cancel attempted when order is not in a cancellable state. Order permId ={perm_id}",
        )  # fmt: skip
    else:
        start_cancel(core, order)


def start_cancel(core: Core, order: Working) -> None:
    """Cancel a living order, at once or after the habit's latency."""
    if not core.habits.cancel_latency_ns or order.stage is Stage.UNTRANSMITTED:
        cancel_now(core, order, TRADER)
        return
    order.cancelling = True
    core.say_status(order)

    def confirm() -> None:
        if order.live:
            cancel_now(core, order, TRADER)

    core.set_alarm(core.now + core.habits.cancel_latency_ns, confirm)


def _say(core: Core, client_id: int, order_id: int, code: int, text: str) -> None:
    core.out.append(Notice(client_id=client_id, order_id=order_id, code=code, text=text))
