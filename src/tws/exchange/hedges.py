"""Hedges: children whose size grows with what their parent fills.

    D   an option's fill times its delta, in its underlying; a PEG STK's own, else the delta of that moment
    B   the fill's value times beta, at the price of what hedges it
    F   the fill's value in its currency, in a pair that has it
    P   the fill times the ratio

Official are the four kinds, that only executions of the parent send them, and that the user says the side;
the formulas of B and F, that each fill adds its part at its own moment, and the rounding are assumed.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from tws.exchange.book import FAR, Book
from tws.exchange.core import Core
from tws.exchange.kinds import Anchor
from tws.exchange.refusals import Refusal
from tws.exchange.special import Hedge
from tws.exchange.specialvalidity import OPTIONS
from tws.exchange.terms import OrderTicket
from tws.exchange.working import Working
from tws.model.order import OrderType, Side

__all__ = ["grow", "hedge_refused", "neutralise"]

NO_TYPE = Refusal(10007, "Invalid hedge type.")
NO_BETA = Refusal(10008, "Invalid beta value.")
NO_RATIO = Refusal(10009, "Invalid hedge ratio.")
NO_DELTA = Refusal(10010, "Invalid delta hedge order.")
NO_PAIR = Refusal(
    10063,
    "Invalid FX hedge order. The hedging contract can only be a currency pair where one of the currencies "
    "matches the parent order.",
)
NEUTRAL = ("LMT", "REL")
"""Types of a delta-neutral order that need its price; every other is worked at the market (assumed)."""
PERCENT, ZERO = Decimal(100), Decimal(0)


def hedge_refused(core: Core, ticket: OrderTicket, parent: Working) -> Refusal | None:
    """What is wrong with an order as the hedge of its parent."""
    hedge = ticket.special.hedge if ticket.special is not None else None
    if hedge is None:
        return None
    book, under = core.books[ticket.con_id], None
    if hedge.kind == "D" and core.options is not None:
        under = core.options.underlying(parent.book.con_id)
    if hedge.kind == "D":
        fits = parent.book.instrument.contract.sec_type in OPTIONS and under == book.con_id
        return None if fits else NO_DELTA
    if hedge.kind == "F":
        currency = parent.book.instrument.contract.currency
        return None if currency in _pair(book) else NO_PAIR
    if hedge.kind in ("B", "P"):
        number = _param(hedge)
        refusal = NO_BETA if hedge.kind == "B" else NO_RATIO
        return refusal if number is None or number <= 0 else None
    return NO_TYPE


def neutralise(core: Core, order: Working, lots: int) -> None:
    """A VOL order filled: its delta goes to the market the other way, in an order of TWS itself (id 0)."""
    special = order.ticket.special
    con_id = core.options.underlying(order.book.con_id) if core.options is not None else None
    under = None if con_id is None else core.books.get(con_id)
    if special is None or not special.neutral or under is None:
        return
    delta = _delta(core, order, under) * order.sign
    shares = order.book.instrument.quantity(lots) * order.book.multiplier * abs(delta)
    size = int((shares / under.instrument.lot).to_integral_value(ROUND_HALF_EVEN))
    if not size:
        return
    old, price = order.ticket, special.neutral_price
    kind = special.neutral if special.neutral in NEUTRAL and price is not None else OrderType.MARKET
    core.births.append((
        OrderTicket(
            client_id=old.client_id, order_id=0, account=old.account, con_id=under.con_id,
            side=Side.SELL if delta > 0 else Side.BUY, quantity=under.instrument.quantity(size),
            order_type=kind, limit_price=price if kind == OrderType.LIMIT else None,
            stop_price=price if kind == "REL" else None, tif=old.tif, order_ref=old.order_ref,
            parent_id=old.order_id, outside_rth=old.outside_rth and kind != OrderType.MARKET,
            oca_type=old.oca_type, good_till_ns=old.good_till_ns,
        ),
        None,
    ))  # fmt: skip


def grow(core: Core, child: Working, lots: int) -> None:
    """The parent filled so many lots at its last price: more is to be hedged."""
    assert child.hedge is not None
    assert child.parent is not None
    child.owed += _part(core, child, child.hedge, lots)
    instrument, most = child.book.instrument, child.hedge.most
    shares = child.owed if most is None else min(child.owed, most)
    total = int((shares / instrument.lot).to_integral_value(ROUND_HALF_EVEN))
    child.total = max(child.total, total)
    child.exact = child.remaining


def _part(core: Core, child: Working, hedge: Hedge, lots: int) -> Decimal:
    """Shares that hedge one fill."""
    parent = child.parent
    assert parent is not None
    instrument = parent.book.instrument
    shares = instrument.quantity(lots)
    value = abs(instrument.price(parent.last_ticks)) * shares * parent.book.multiplier
    if hedge.kind == "P":
        return shares * (_param(hedge) or ZERO)
    if hedge.kind == "D":
        return shares * parent.book.multiplier * abs(_delta(core, parent, child.book))
    mark = child.book.mark()
    price = child.book.instrument.price(mark) if mark else None
    if hedge.kind == "F" and _pair(child.book)[0] == instrument.contract.currency:
        return value
    if price is None:
        return ZERO
    if hedge.kind == "F":
        return value / price
    return value * (_param(hedge) or ZERO) / (price * child.book.multiplier)


def _delta(core: Core, option: Working, under: Book) -> Decimal:
    special = option.ticket.special
    if option.kind.anchor is Anchor.STOCK and special is not None and special.peg.delta is not None:
        return special.peg.delta / PERCENT
    mark = under.mark() if under.bid <= -FAR or under.ask >= FAR else (under.bid + under.ask) / Decimal(2)
    if mark is None or core.options is None:
        return ZERO
    price = float(under.instrument.tick * mark)
    delta = core.options.delta(option.book.con_id, price, core.now)
    return ZERO if delta is None else Decimal(repr(delta))


def _pair(book: Book) -> tuple[str, str]:
    """The currencies of a pair, the one that is traded first; nothing for what is no pair."""
    contract = book.instrument.contract
    return (contract.symbol, contract.currency) if contract.sec_type == "CASH" else ("", "")


def _param(hedge: Hedge) -> Decimal | None:
    """The number of `beta=1.5`, `ratio=2`, or of the number alone (both official)."""
    try:
        number = Decimal(hedge.param.rpartition("=")[2].strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
