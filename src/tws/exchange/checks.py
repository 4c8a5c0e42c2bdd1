"""What TWS refuses because of what it knows already: a change that doesn't fit, a broker that won't, a parent
that is missing. Pure checks, each a code and its text; a ticket on its own is looked at in `validity`.

Sources: TWS-BEHAVIOUR.md C2 and C3, the error tables of the official documentation; where only
the code or only the fact is known, docs/design/exchange.md says so.
"""

from __future__ import annotations

from tws.exchange.core import Core, crowd_of
from tws.exchange.credit import margin_refuses
from tws.exchange.families import join_name
from tws.exchange.refusals import Refusal
from tws.exchange.terms import Habits, OrderTicket
from tws.exchange.working import Stage, Working
from tws.model.order import BrokerStatus, TimeInForce

__all__ = ["broker_refuses", "change_refused", "parent_of"]

IN_MONEY = (
    "Order Quantity is expressed in monetary terms. Modification is not supported via API. Please use "
    "desktop version to revise this order."
)
MISMATCH = Refusal(105, "Order being modified does not match original order.")


def change_refused(habits: Habits, order: Working, ticket: OrderTicket) -> Refusal | None:
    """Whether a living order may become this ticket; its old self lives on if not."""
    old = order.ticket
    if order.cancelling:
        return Refusal(2102, "Unable to modify this order as it is still being processed.")
    if ticket.parent_id and order.perm_id and not habits.parent_in_change:
        return Refusal(135, f"Can't find order with ID ={ticket.order_id}")
    if old.in_money or ticket.in_money:
        return Refusal(10241, IN_MONEY)
    if (ticket.con_id, ticket.side, ticket.account) != (old.con_id, old.side, old.account):
        return MISMATCH
    if _is_loose(ticket) != _is_loose(old):
        return MISMATCH
    if ticket.parent_id not in (0, old.parent_id):
        return MISMATCH
    if ticket.oca_group and ticket.oca_group != join_name(order):
        return Refusal(10326, "OCA group revision is not allowed")
    special, before = ticket.special, old.special
    if (special.algo if special else None) != (before.algo if before else None):
        return Refusal(440, "Order modify failed. Algorithm cannot be modified.")
    if before is not None and before.scale is not None and _scaled(ticket) != _scaled(old):
        return MISMATCH
    if order.hedge is None and ticket.quantity <= order.book.instrument.quantity(order.filled):
        return MISMATCH
    return None


def _is_loose(ticket: OrderTicket) -> bool:
    return ticket.special is not None and ticket.special.apart


def _scaled(ticket: OrderTicket) -> tuple[object, ...]:
    """What of a scale can't be changed once it is sent (official)."""
    return ticket.special, ticket.limit_price, ticket.quantity


def broker_refuses(core: Core, order: Working) -> str | None:
    """Why the broker rejects a new, valid order (the reason of 201), None when it doesn't."""
    ticket = order.ticket
    if ticket.con_id in core.refusals:
        return core.refusals[ticket.con_id]
    if (ticket.account, join_name(order)) in core.spent:
        return "OCA group is already filled."
    contract = order.book.instrument.contract
    if contract.sec_type == "CRYPTO" and not order.is_limit and ticket.tif != TimeInForce.IOC:
        return "The crypto MKT order must be IOC"
    currency = contract.currency
    if core.rates.of(currency) is None:
        return f"No exchange rate of {currency} is known."
    most = core.habits.max_working
    if core.crowd.get(crowd_of(order), 0) >= most:
        return f"At most {most} working orders per contract, side and account are accepted."
    if core.habits.check_margin and order.parent is None:
        return margin_refuses(core, order.book, ticket)
    return None


def parent_of(core: Core, ticket: OrderTicket) -> Working | None:
    """The living or filled parent that a ticket names; None: 10006."""
    parent = core.orders.get((ticket.client_id, ticket.parent_id))
    if parent is None:
        return _revived(core, ticket)
    return None if parent.stage is Stage.DONE and parent.end_status != BrokerStatus.FILLED else parent


def _revived(core: Core, ticket: OrderTicket) -> Working | None:
    """A parent that filled and went to the archive comes back for its late child."""
    done = core.archive.order(ticket.client_id, ticket.parent_id)
    if done is None or done.order.status != BrokerStatus.FILLED:
        return None
    view = done.order
    book = core.books[view.con_id]
    parent = Working(view.ticket, book, book.instrument.lots(view.total))
    parent.perm_id, parent.stage, parent.end_status = view.perm_id, Stage.DONE, view.status
    parent.filled = parent.total
    parent.last_ticks = book.instrument.nearest_ticks(view.last_price)
    core.orders[view.client_id, view.order_id] = parent
    return parent
