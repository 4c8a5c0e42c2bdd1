"""When a price is reached: trigger methods, trailing stops, adjusted stops, and who watches every quote.

A plain stop or touch waits in a ladder of its book and costs a quote nothing. Those that need more than
one number (a doubled trigger, a middle, a stop that trails or is to be adjusted) *watch* their book:
they see every quote and trade of it, and their book's ladders then let each of these through.

Prices are compared in half ticks, since a middle may lie between two.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from msgspec.structs import replace

from tws.exchange.book import FAR, Book
from tws.exchange.terms import OrderTicket, TriggerMethod
from tws.exchange.working import Working

__all__ = [
    "adjust_due", "adjusted", "counted", "method_of", "must_watch", "plausible", "reached", "start_trailing",
    "trail", "trailed_limit", "unwatch", "watch",
]  # fmt: skip

PERCENT = Decimal(100)
DOUBLED = (TriggerMethod.DOUBLE_BID_ASK, TriggerMethod.DOUBLE_LAST)
BY_LAST = (TriggerMethod.LAST, TriggerMethod.DOUBLE_LAST, TriggerMethod.LAST_OR_BID_ASK)
BY_QUOTE = (TriggerMethod.BID_ASK, TriggerMethod.DOUBLE_BID_ASK, TriggerMethod.LAST_OR_BID_ASK)


def method_of(book: Book, asked: int) -> TriggerMethod:
    """The trigger method asked for, or the instrument's own where that is the default."""
    return TriggerMethod(asked) if asked else book.listing.trigger


def plausible(book: Book) -> bool:
    """Whether the last price lies within the quote, or so little outside that it may trigger (`Habits`)."""
    last = book.last
    if last is None or not book.leeway:
        return last is not None
    return max(book.bid - last, last - book.ask) <= book.leeway * abs(last)


def _prices(book: Book, method: TriggerMethod, way: int) -> list[int]:
    """What a method looks at now, in half ticks: what must rise at the bid, what must fall at the ask."""
    found = []
    if book.last is not None and method in BY_LAST and plausible(book):
        found.append(2 * book.last)
    side = book.bid if way > 0 else book.ask
    if method in BY_QUOTE and abs(side) < FAR:
        found.append(2 * side)
    if method is TriggerMethod.MIDPOINT and book.bid > -FAR and book.ask < FAR:
        found.append(book.bid + book.ask)
    return found


def reached(book: Book, asked: int, way: int, ticks: Decimal | int) -> bool:
    """Whether the market stands at the price or beyond it: at or above for `way` +1, at or below for -1."""
    return any(price * way >= 2 * ticks * way for price in _prices(book, method_of(book, asked), way))


def counted(
    counts: dict[int, int], key: int, method: TriggerMethod, is_trade: bool | None, holds: bool
) -> bool:
    """Whether a trigger is met, given that its price is reached or not: a doubled one wants two in a row.

    `is_trade` says what just came: a trade, a quote (False), or nothing that counts (None).
    """
    if method not in DOUBLED:
        return holds
    if is_trade is not None and (method is TriggerMethod.DOUBLE_LAST) == is_trade:
        counts[key] = counts.get(key, 0) + 1 if holds else 0
    return counts.get(key, 0) >= 2


# -- watching -----------------------------------------------------------------------------------


def must_watch(order: Working) -> bool:
    """Whether an armed order needs to see every quote and trade, so that a ladder is not enough."""
    method = method_of(order.book, order.ticket.trigger_method)
    return order.kind.trails or order.adjusts or method in (*DOUBLED, TriggerMethod.MIDPOINT)


def watch(order: Working, book: Book) -> None:
    """Let an order see every quote and trade of a book."""
    if book not in order.watched:
        order.watched.append(book)
        book.watchers.append(order)
        book.refresh()


def unwatch(order: Working) -> None:
    """An order has seen enough."""
    for book in order.watched:
        book.watchers.remove(order)
        book.refresh()
    order.watched.clear()


# -- trailing -----------------------------------------------------------------------------------


def start_trailing(order: Working) -> None:
    """Give a trailing order its first trigger price, where it states none and the market is known."""
    if order.kind.trails and order.stop is None:
        trail(order)


def trail(order: Working) -> None:
    """Move the trigger price after the market, never back: it follows the price that would trigger it."""
    method = method_of(order.book, order.ticket.trigger_method)
    prices = _prices(order.book, method, order.way)
    if not prices:
        return
    stop = _behind(order, Decimal(prices[0]) / 2)
    if order.stop is None or stop * order.way < order.stop * order.way:
        order.stop = stop


def _behind(order: Working, price: Decimal) -> int:
    """The trigger price for a market price in ticks: off by the amount or percent, rounded away from it."""
    ticket, tick = order.ticket, order.book.instrument.tick
    amount = (ticket.stop_price or Decimal(0)) / tick
    if ticket.trailing_percent:
        amount = price * ticket.trailing_percent / PERCENT
    rounding = ROUND_CEILING if order.way > 0 else ROUND_FLOOR
    return int((price + order.way * amount).to_integral_value(rounding))


def trailed_limit(order: Working) -> int:
    """The limit of a TRAIL LIMIT whose stop was reached: so far beyond the stop as its offset says."""
    ticket, nearest = order.ticket, order.book.instrument.nearest_ticks
    assert order.stop is not None
    if ticket.lmt_price_offset is not None:
        return order.stop + order.sign * nearest(ticket.lmt_price_offset)
    if ticket.limit_price is None or ticket.trail_stop_price is None:
        return order.stop
    return order.stop + nearest(ticket.limit_price - ticket.trail_stop_price)


# -- adjusted stops -----------------------------------------------------------------------------


def adjust_due(order: Working) -> bool:
    """Whether the market reached the price at which a stop is adjusted: in its favour, away from the stop."""
    price = order.ticket.trigger_price
    if not order.adjusts or price is None:
        return False
    return reached(
        order.book, order.ticket.trigger_method, -order.way, price / order.book.instrument.tick
    )


def adjusted(ticket: OrderTicket) -> OrderTicket:
    """What a stop becomes: another type with the adjusted prices; nothing is left to adjust."""
    kind = ticket.adjusted_order_type
    trails = kind in ("TRAIL", "TRAIL LIMIT")
    amount = ticket.adjusted_trailing_amount
    percent = ticket.adjusted_trailing_percent
    return replace(
        ticket,
        order_type=kind,
        stop_price=(None if percent else amount) if trails else ticket.adjusted_stop_price,
        trailing_percent=amount if trails and percent else None,
        trail_stop_price=ticket.adjusted_stop_price if trails else None,
        limit_price=ticket.adjusted_stop_limit_price if kind in ("STP LMT", "TRAIL LIMIT") else None,
        adjusted_order_type="",
        trigger_price=None,
    )
