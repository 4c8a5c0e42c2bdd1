"""What is wrong with the special parts of a ticket: pegs, what is shown, scales, hedges, combos' legs.

As in `validity` codes and texts are those of the official tables of message codes; that TWS says nothing
where nothing is said here is assumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tws.exchange.algos import Algo
from tws.exchange.book import Book
from tws.exchange.core import Core
from tws.exchange.kinds import Anchor, OrderKind
from tws.exchange.refusals import Refusal, invalid
from tws.exchange.special import Peg, Scale, Special
from tws.exchange.terms import OrderTicket

__all__ = ["OPTIONS", "UNGUARANTEED", "amounts", "special_refused"]

UNSUPPORTED = "Unsupported order type for this exchange and security type."
EITHER = (
    "An order can be EITHER Iceberg or Discretionary. Please remove either the Discretionary amount or the "
    "Display size."
)
DISCRETION = "Discretionary orders are not supported for this combination of exchange and order type."
DISCRETION_TICK = "Discretionary amount does not conform to the minimum price variation for this contract."
PERCENT = "The percent offset value must be between 0% and 100%."
DISPLAY = "Display size should be smaller than order size."
BLOCK = "The block order size must be at least 50."
LEAST_BLOCK = 50
MOST_PERCENT = 100
UNGUARANTEED = (
    "Missing or invalid NonGuaranteed value. REL+MKT, LMT+MKT, and REL+LMT order of two legs can only be set "
    "as non-guaranteed."
)
LEG_PRICES = (
    "Combo per-leg prices are only supported for non-guaranteed smart combos with two legs and the "
    '"IECOMBOPERLEGPRICE" feature enabled.'
)
LOOSE, TWO = ("LMT + MKT", "REL + MKT", "REL + LMT"), 2
"""Types of which two legs are never guaranteed; more than two always are (IB's support, as users tell)."""
DISCREET = ("LMT", "REL", "PASSV REL")
"""Types with discretion: limit orders (official), relative ones too (by the name of a flag)."""
OPTIONS = ("OPT", "FOP")
SCALED = ("LMT", "REL")
"""Types with components (official)."""
WORKED, DAYS = ("LMT", "MKT"), ("DAY", "GTC", "GTD")
"""Types and times in force that algorithms work with (official that overnight orders are refused)."""


def amounts(special: Special) -> Iterator[Decimal]:
    """Every number that it states."""
    for part in (special, special.peg, special.scale, special.hedge):
        if part is not None:
            for name in part.__struct_fields__:
                value = getattr(part, name)
                if isinstance(value, Decimal):
                    yield value
    yield from (price for price in special.leg_prices if price is not None)


def special_refused(core: Core, book: Book, ticket: OrderTicket, kind: OrderKind) -> Refusal | None:
    """What is wrong with the special parts, or with the lack of them."""
    special = ticket.special or Special()
    if special.algo is not None and (ticket.order_type not in WORKED or ticket.tif not in DAYS):
        return Refusal(442, "Specified algorithm is not allowed for this order.")
    if isinstance(special.algo, Algo) and not core.habits.twap_strategy and _names_strategy(special.algo):
        return Refusal(443, "Order processing failed. Unknown algo attribute:strategyType")
    return (
        _legs_refused(book, special, kind)
        or _peg_refused(core, book, special.peg, kind)
        or _shown_refused(book, ticket, special)
        or (_scale_refused(book, ticket, special.scale) if special.scale is not None else None)
    )


def _names_strategy(algo: Algo) -> bool:
    return algo.strategy == "Twap" and "strategyType" in algo.texts


def _peg_refused(core: Core, book: Book, peg: Peg, kind: OrderKind) -> Refusal | None:
    if kind.anchor in (Anchor.STOCK, Anchor.VOLATILITY):
        under = core.options.underlying(book.con_id) if core.options is not None else None
        if under not in core.books or book.instrument.contract.sec_type not in OPTIONS:
            return Refusal(387, UNSUPPORTED)
    if peg.percent_offset is not None and not 0 <= peg.percent_offset <= MOST_PERCENT:
        return Refusal(159, PERCENT)
    if kind.anchor is Anchor.STOCK and abs(peg.delta or Decimal(0)) > MOST_PERCENT:
        return invalid("The delta must be between 0 and 100.")
    if kind.anchor is Anchor.VOLATILITY and (peg.volatility is None or peg.volatility <= 0):
        return invalid("The volatility must be above zero.")
    if kind.anchor is Anchor.REFERENCE:
        if peg.reference not in core.books or peg.reference == book.con_id:
            return invalid("Invalid reference contract.")
        if peg.per is None or peg.per <= 0:
            return invalid("The reference change amount must be above zero.")
    return None


def _legs_refused(book: Book, special: Special, kind: OrderKind) -> Refusal | None:
    if special.apart and len(book.legs) != TWO:
        return Refusal(10002, "Invalid non-guaranteed legs.")
    if kind.text in LOOSE and len(book.legs) == TWO and not special.apart:
        return Refusal(10043, UNGUARANTEED)
    if not special.leg_prices:
        return None
    if len(special.leg_prices) != len(book.legs):
        return Refusal(312, "The combo details are invalid.")
    for at, ((leg, _), price) in enumerate(zip(book.legs, special.leg_prices, strict=True), 1):
        if price is not None and not leg.instrument.is_on(price):
            return Refusal(313, f"The combo details for leg '{at}' are invalid.")
    return None if special.apart else Refusal(10058, LEG_PRICES)


def _shown_refused(book: Book, ticket: OrderTicket, special: Special) -> Refusal | None:
    if special.shown is not None:
        if special.discretion:
            return Refusal(157, EITHER)
        if not 0 < special.shown < ticket.quantity:
            return Refusal(10020, DISPLAY)
    if special.discretion:
        if ticket.order_type not in DISCREET:
            return Refusal(325, DISCRETION)
        if special.discretion < 0 or not book.instrument.is_on(special.discretion):
            return Refusal(168, DISCRETION_TICK)
    if special.block and book.instrument.contract.sec_type in OPTIONS and ticket.quantity < LEAST_BLOCK:
        return Refusal(117, BLOCK)
    return None


def _scale_refused(book: Book, ticket: OrderTicket, scale: Scale) -> Refusal | None:
    if ticket.order_type not in SCALED:
        return Refusal(387, UNSUPPORTED)
    if scale.increment is None or scale.increment <= 0 or not book.instrument.is_on(scale.increment):
        return Refusal(408, "Invalid scale order increment.")
    if scale.initial is None:
        return Refusal(419, "Missing initial component size for scale order.")
    if not _is_size(book, scale.initial) or scale.initial > ticket.quantity:
        return Refusal(417, "Invalid initial component size for scale order.")
    if scale.later is not None and not _is_size(book, scale.later):
        return Refusal(410, "Invalid subsequent component size for scale order.")
    if scale.profit is not None and (scale.profit <= 0 or not book.instrument.is_on(scale.profit)):
        return Refusal(418, "Invalid scale order profit offset.")
    if scale.restores and scale.profit is None:
        return Refusal(446, "Missing scale order profit offset.")
    if (scale.adjust is None) != (not scale.adjust_ns):
        return Refusal(447, "Missing scale price adjustment amount or interval.")
    if scale.adjust_ns < 0:
        return Refusal(448, "Invalid scale price adjustment interval.")
    if scale.position < 0 or scale.filled < 0:
        return invalid("Invalid initial position of a scale order.")
    return None


def _is_size(book: Book, shares: Decimal) -> bool:
    return shares > 0 and not shares % book.instrument.lot
