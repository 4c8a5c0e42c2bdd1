"""What TWS refuses before an order exists or changes: pure checks, each a code and its text.

Sources: TWS-BEHAVIOUR.md C2 and C3, the error tables of the official documentation; where only
the code or only the fact is known, docs/design/exchange.md says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tws.exchange.book import Book
from tws.exchange.core import Core, multiplier
from tws.exchange.events import MarginEffect
from tws.exchange.families import join_name
from tws.exchange.fees import due
from tws.exchange.terms import OrderTicket, TriggerMethod
from tws.exchange.working import Stage, Working
from tws.model.order import BrokerStatus, OrderType, TimeInForce

__all__ = ["Refusal", "broker_refuses", "change_refused", "margin_effect", "ticket_refused"]

FRACTION = "Fractional-sized order cannot be placed via API. Please use desktop version to place this order."
TICK = "The price does not conform to the minimum price variation for this contract."


class Refusal(NamedTuple):
    """Message 4: code and text."""

    code: int
    text: str


def invalid(cause: str) -> Refusal:
    """321, TWS's word for a request that makes no sense."""
    return Refusal(321, f"Error validating request.-'bW' : cause - {cause}")


def ticket_refused(core: Core, ticket: OrderTicket) -> Refusal | None:
    """What is wrong with a ticket on its own."""
    book = core.books.get(ticket.con_id)
    if book is None:
        return Refusal(200, "No security definition has been found for the request")
    if ticket.account not in core.ledgers:
        return invalid(f"Invalid account code '{ticket.account}'.")
    if ticket.order_type not in tuple(OrderType):
        return Refusal(387, "Unsupported order type for this exchange and security type.")
    if ticket.tif not in tuple(TimeInForce):
        return invalid(f"Invalid time in force:{ticket.tif}.")
    if ticket.trigger_method not in tuple(TriggerMethod):
        return invalid(f"Unsupported trigger method:{ticket.trigger_method}.")
    return _quantity_refused(book, ticket.quantity) or _price_refused(book, ticket)


def _quantity_refused(book: Book, quantity: Decimal) -> Refusal | None:
    if quantity <= 0:
        return Refusal(434, "The order size cannot be zero.")
    try:
        book.instrument.lots(quantity)
    except ValueError:
        return Refusal(10243, FRACTION)
    return None


def _price_refused(book: Book, ticket: OrderTicket) -> Refusal | None:
    needs_limit = ticket.order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    needs_stop = ticket.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
    for needed, price, name in (
        (needs_limit, ticket.limit_price, "limit"),
        (needs_stop, ticket.stop_price, "stop"),
    ):
        if not needed:
            continue
        if price is None or price <= 0:
            return invalid(f"The {name} price of a {ticket.order_type} order must be above zero.")
        try:
            book.instrument.ticks(price)
        except ValueError:
            return Refusal(110, TICK)
    return None


def change_refused(order: Working, ticket: OrderTicket) -> Refusal | None:
    """Whether a living order may become this ticket; its old self lives on if not."""
    old = order.ticket
    if order.cancelling:
        return Refusal(2102, "Unable to modify this order as it is still being processed.")
    if (ticket.con_id, ticket.side, ticket.account) != (old.con_id, old.side, old.account):
        return Refusal(105, "Order being modified does not match original order.")
    if ticket.parent_id not in (0, old.parent_id):
        return Refusal(105, "Order being modified does not match original order.")
    if ticket.oca_group and ticket.oca_group != join_name(order):
        return Refusal(10326, "OCA group revision is not allowed")
    if ticket.quantity <= order.book.instrument.quantity(order.filled):
        return Refusal(105, "Order being modified does not match original order.")
    return None


def broker_refuses(core: Core, order: Working) -> str | None:
    """Why the broker rejects a new, valid order (the reason of 201), None when it doesn't."""
    ticket = order.ticket
    if ticket.con_id in core.refusals:
        return core.refusals[ticket.con_id]
    kind, most = (ticket.con_id, ticket.side, ticket.account), core.habits.max_working
    living = (one.ticket for one in core.live.values())
    if sum((one.con_id, one.side, one.account) == kind for one in living) >= most:
        return f"At most {most} working orders per contract, side and account are accepted."
    if core.habits.check_margin and order.parent is None:
        return margin_refuses(core, order.book, ticket)
    return None


def margin_refuses(core: Core, book: Book, ticket: OrderTicket) -> str | None:
    """Why the account can't carry it: an order that adds exposure needs initial margin within the equity."""
    effect = margin_effect(core, book, ticket)
    if effect is None or effect.init_change <= 0 or effect.equity_after >= effect.init_after:
        return None
    return (
        "Your order is not accepted. In order to obtain the desired position your Equity with Loan Value "
        f"[{effect.equity_after:.2f} {effect.currency}] must exceed the Initial Margin "
        f"[{effect.init_after:.2f} {effect.currency}]"
    )


def margin_effect(core: Core, book: Book, ticket: OrderTicket) -> MarginEffect | None:
    """What a full fill at the likely price would do to the account; None while no price is known."""
    price = _likely_price(book, ticket)
    if price is None:
        return None
    ledger = core.ledgers[ticket.account]
    shares = ticket.quantity * ticket.side.sign
    value = price * shares * multiplier(book)
    fee = due(core.fees, ticket.quantity, abs(value))
    equity, before = ledger.equity(), ledger.gross()
    after = ledger.gross_after(ticket.con_id, shares, value)
    init, maint = ledger.initial, ledger.maintenance
    return MarginEffect(
        init_before=init(before), init_change=init(after) - init(before), init_after=init(after),
        maint_before=maint(before), maint_change=maint(after) - maint(before), maint_after=maint(after),
        equity_before=equity, equity_change=-fee, equity_after=equity - fee,
        commission=fee, currency=book.instrument.contract.currency,
    )  # fmt: skip


def _likely_price(book: Book, ticket: OrderTicket) -> Decimal | None:
    if ticket.order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        return ticket.limit_price
    if ticket.order_type == OrderType.STOP:
        return ticket.stop_price
    side = book.ask if ticket.side.sign > 0 else book.bid
    shown = book.ask_left if ticket.side.sign > 0 else book.bid_left
    ticks = side if shown else book.mark()
    return None if ticks is None else book.instrument.price(ticks)


def parent_of(core: Core, ticket: OrderTicket) -> Working | None:
    """The living or filled parent that a ticket names; None: 10006."""
    parent = core.orders.get((ticket.client_id, ticket.parent_id))
    if parent is None or (parent.stage is Stage.DONE and parent.end_status != BrokerStatus.FILLED):
        return None
    return parent
