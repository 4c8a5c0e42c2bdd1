"""What is wrong with a ticket on its own: pure checks, each a code and its text, in TWS's order.

Codes and texts are those of the official tables of message codes; which of them TWS says first, where
several would fit, is assumed: instrument, account, type, time in force, trigger, size, prices, times,
conditions.
"""

from __future__ import annotations

from decimal import Decimal

from tws.exchange.book import Book
from tws.exchange.core import Core
from tws.exchange.kinds import KINDS, TIFS, Anchor, OrderKind, TifRule
from tws.exchange.refusals import Refusal, invalid
from tws.exchange.specialvalidity import amounts, special_refused
from tws.exchange.terms import Condition, ConditionKind, OrderTicket, TriggerMethod
from tws.model.order import OrderType

__all__ = ["ticket_refused"]

FRACTION = "Fractional-sized order cannot be placed via API. Please use desktop version to place this order."
TICK = "The price does not conform to the minimum price variation for this contract."
ADJUSTABLE = ("STP", "STP LMT", "TRAIL", "TRAIL LIMIT")
TOO_MANY = "The size specified violates the size constraint specified in the default order settings."
TOO_FAR = (
    "The price specified violates the number of ticks constraint specified in the default order settings."
)
METHODS = tuple(TriggerMethod)
MOST_PERCENT = 100
COIN_TYPES = (OrderType.MARKET, OrderType.LIMIT)
MOST_SHARES, MOST_MONEY = Decimal(10) ** 9, Decimal(10) ** 8
"""Beyond them TWS's own precautions refuse an order; money of what is below stays exact in 28 digits."""


def ticket_refused(core: Core, ticket: OrderTicket) -> Refusal | None:
    """What is wrong with a ticket on its own."""
    book = core.books.get(ticket.con_id)
    if book is None:
        return Refusal(200, "No security definition has been found for the request")
    if ticket.account not in core.ledgers:
        return invalid(f"Invalid account code '{ticket.account}'.")
    kind, rule = KINDS.get(ticket.order_type), TIFS.get(ticket.tif)
    if kind is None or book.instrument.contract.sec_type == "IND":  # nobody trades an index itself
        return Refusal(387, "Unsupported order type for this exchange and security type.")
    if rule is None:
        return invalid(f"Invalid time in force:{ticket.tif}.")
    if ticket.trigger_method not in METHODS:
        return Refusal(146, "Invalid trigger method.")
    return (
        _bounds_refused(ticket)
        or _tif_refused(core, ticket, kind, rule)
        or _coins_refused(book, ticket, rule)
        or _quantity_refused(book, ticket)
        or _prices_refused(book, ticket, kind)
        or _adjusting_refused(book, ticket, kind)
        or special_refused(core, book, ticket, kind)
        or _conditions_refused(core, ticket)
    )


def _tif_refused(core: Core, ticket: OrderTicket, kind: OrderKind, rule: TifRule) -> Refusal | None:
    if kind.at_close and ticket.tif != "DAY":
        return Refusal(113, "The Tif option should be set to DAY for MOC and LOC orders.")
    if rule.at_open and kind.waits:
        return Refusal(111, "The TIF (Tif type) and the order type are incompatible.")
    if rule.until and ticket.good_till_ns <= core.now:
        return Refusal(334, "Invalid Good Till Date order")
    return None


def _coins_refused(book: Book, ticket: OrderTicket, rule: TifRule) -> Refusal | None:
    """Coins are traded at the market and at a limit, and nothing else lives for minutes (official)."""
    coins = book.instrument.contract.sec_type == "CRYPTO"
    if rule.minutes and not (coins and ticket.order_type == OrderType.LIMIT):
        return invalid(f"Invalid time in force:{ticket.tif}.")
    if coins and ticket.order_type not in COIN_TYPES:
        return Refusal(387, "Unsupported order type for this exchange and security type.")
    return None


def _bounds_refused(ticket: OrderTicket) -> Refusal | None:
    """Numbers that no order has: not finite, or beyond all measure."""
    if not (ticket.quantity.is_finite() and abs(ticket.quantity) <= MOST_SHARES):
        return Refusal(383, TOO_MANY)
    numbers = (
        ticket.limit_price, ticket.stop_price, ticket.trailing_percent, ticket.trail_stop_price,
        ticket.lmt_price_offset, ticket.starting_price, ticket.min_qty, ticket.trigger_price,
        ticket.adjusted_stop_price, ticket.adjusted_stop_limit_price, ticket.adjusted_trailing_amount,
        *(condition.price for condition in ticket.conditions),
        *(amounts(ticket.special) if ticket.special is not None else ()),
    )  # fmt: skip
    for number in numbers:
        if number is not None and not (number.is_finite() and abs(number) <= MOST_MONEY):
            return Refusal(382, TOO_FAR)
    for condition in ticket.conditions:
        amount = condition.amount
        if amount is not None and not (amount.is_finite() and abs(amount) <= MOST_SHARES):
            return Refusal(382, TOO_FAR)
    return None


def _quantity_refused(book: Book, ticket: OrderTicket) -> Refusal | None:
    quantity = ticket.quantity
    if ticket.special is not None and ticket.special.hedge is not None:
        return None  # its parent's fills say how much
    if quantity <= 0:
        return Refusal(434, "The order size cannot be zero.")
    try:
        book.instrument.lots(quantity)
    except ValueError:
        return Refusal(10243, FRACTION)
    return None


def _prices_refused(book: Book, ticket: OrderTicket, kind: OrderKind) -> Refusal | None:
    if kind.trails:
        return _trailing_refused(book, ticket, kind)
    stated = kind.limit and kind.anchor is Anchor.STATED
    for needed, price, name in (
        (stated, ticket.limit_price, "limit"),
        (kind.waits, ticket.stop_price, "stop"),
    ):
        if not needed:
            continue
        if price is None or (price <= 0 and not book.legs):
            return invalid(f"The {name} price of a {ticket.order_type} order must be above zero.")
        if _off_grid(book, price):
            return Refusal(110, TICK)
    return None


def _off_grid(book: Book, price: Decimal) -> bool:
    try:
        book.instrument.ticks(price)
    except ValueError:
        return True
    return False


def _trailing_refused(book: Book, ticket: OrderTicket, kind: OrderKind) -> Refusal | None:
    """A trailing order states an amount or a percent, not both, and TRAIL LIMIT where its limit lies."""
    amount, percent, start = ticket.stop_price or 0, ticket.trailing_percent or 0, ticket.trail_stop_price
    if (amount > 0) == (percent > 0) or percent >= MOST_PERCENT:
        return invalid("Please enter either a trailing amount or a trailing percent.")
    if start is not None and (start <= 0 or _off_grid(book, start)):
        return Refusal(110, TICK) if start > 0 else Refusal(403, "Invalid stop price.")
    placed = ticket.lmt_price_offset is not None or (ticket.limit_price is not None and start is not None)
    if kind.limit and not placed:
        return invalid("A TRAIL LIMIT order needs a limit price offset, or a limit and a stop price.")
    return None


def _adjusting_refused(book: Book, ticket: OrderTicket, kind: OrderKind) -> Refusal | None:
    becomes = ticket.adjusted_order_type
    if becomes in ("", "None"):
        return None
    if becomes not in ADJUSTABLE or not kind.stop:
        return Refusal(387, "Unsupported order type for this exchange and security type.")
    trails, limit = becomes.startswith("TRAIL"), becomes in ("STP LMT", "TRAIL LIMIT")
    for needed, price, code, name in (
        (True, ticket.trigger_price, 361, "trigger price"),
        (True, ticket.adjusted_stop_price, 362, "adjusted stop price"),
        (limit, ticket.adjusted_stop_limit_price, 363, "adjusted stop limit price"),
        (trails, ticket.adjusted_trailing_amount, 364, "adjusted trailing amount"),
    ):
        off = price is not None and code in (362, 363) and _off_grid(book, price)
        if needed and (price is None or price <= 0 or off):
            return Refusal(code, f"Invalid {name}.")
    return None


def _conditions_refused(core: Core, ticket: OrderTicket) -> Refusal | None:
    for condition in ticket.conditions:
        if not _complete(core, condition):
            return Refusal(147, "The conditional contract info is incomplete.")
        if condition.trigger_method not in METHODS:
            return Refusal(146, "Invalid trigger method.")
    return None


def _complete(core: Core, condition: Condition) -> bool:
    kind = condition.kind
    if kind is ConditionKind.PRICE:
        return condition.con_id in core.books and condition.price is not None
    if kind in (ConditionKind.VOLUME, ConditionKind.PERCENT_CHANGE):
        return condition.con_id in core.books and condition.amount is not None
    return kind is not ConditionKind.MARGIN or condition.amount is not None
