"""What an order would cost the account that has to carry it: margin, commission, and whether it may.

The order is taken as filled in full at its likely price. Other working orders are not counted, nor
is a child that only protects what its parent opens.
"""

from __future__ import annotations

from decimal import Decimal

from tws.exchange.book import FAR, Book
from tws.exchange.core import Core
from tws.exchange.events import MarginEffect
from tws.exchange.kinds import KINDS
from tws.exchange.terms import OrderTicket

__all__ = ["margin_effect", "margin_refuses"]

ZERO = Decimal(0)
CENT = Decimal("0.01")


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
    """What a full fill would do to the account, in its currency; None while no price is known."""
    parts = _parts(book, ticket)
    if parts is None:
        return None
    ledger = core.ledgers[ticket.account]
    fee, extra = ZERO, {}
    for part, shares, price in parts:
        owed = core.owed(part, abs(shares), abs(price * shares))
        fee += owed * ledger.rate(part.instrument.contract.currency)
        extra[part.con_id] = (shares, price)
    equity, init, maint, init_after, maint_after = ledger.standing(extra)
    return MarginEffect(
        init_before=init, init_change=init_after - init, init_after=init_after,
        maint_before=maint, maint_change=maint_after - maint, maint_after=maint_after,
        equity_before=equity, equity_change=-fee, equity_after=equity - fee,
        commission=fee, currency=ledger.currency,
    )  # fmt: skip


def _parts(book: Book, ticket: OrderTicket) -> list[tuple[Book, Decimal, Decimal]] | None:
    """What would be traded: book, signed shares, price of one contract; a combo's legs at their quotes."""
    sign = ticket.side.sign
    if not book.legs:
        price = _likely_price(book, ticket)
        return None if price is None else [(book, ticket.quantity * sign, price * book.multiplier)]
    parts = []
    for leg, ratio in book.legs:
        price = _quoted(leg, ratio * sign)
        if price is None:
            return None
        parts.append((leg, ticket.quantity * ratio * sign, price * leg.multiplier))
    return parts


def _likely_price(book: Book, ticket: OrderTicket) -> Decimal | None:
    """The price stated for the fill, or for the trigger, or what the market shows."""
    kind = KINDS[ticket.order_type]
    states = kind.limit and kind.caps and not kind.trails
    if states and ticket.limit_price:  # a pegged order may state none, or 0
        return ticket.limit_price
    if kind.waits and not kind.trails and ticket.stop_price is not None:
        return ticket.stop_price
    return _quoted(book, ticket.side.sign)


def _quoted(book: Book, sign: int) -> Decimal | None:
    """What buyers (sign > 0) pay or sellers get now, else the mark."""
    side, shown = (book.ask, book.ask_left) if sign > 0 else (book.bid, book.bid_left)
    ticks = side if shown and -FAR < side < FAR else book.mark()
    return None if ticks is None else book.instrument.price(ticks)
