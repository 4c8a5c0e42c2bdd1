"""Where an order stands that states no price of its own: beside the quote, or after something else's price.

`anchored` gives its limit for this moment, rounded away from the market: buys down, sells up (official for
percent offsets, assumed for the rest). Types that follow (`kinds`) watch their book, and that of their
reference; `follow` moves them with each quote, which costs them their place in the queue. Before the first
quote that can tell, they wait.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from tws.exchange.book import FAR, Book
from tws.exchange.core import Core
from tws.exchange.families import cancel_now
from tws.exchange.kinds import Anchor
from tws.exchange.special import Special
from tws.exchange.triggers import watch
from tws.exchange.working import Working

__all__ = ["PROTECTION_TICKS", "anchored", "follow", "out_of_range", "references", "stand", "watch_anchor"]

PROTECTION_TICKS = 12
"""3.00 points of 0.25 in IB's example of a stop with protection (official); each exchange has its own."""
COMPETE_SIZE = Decimal(100)
"""PEG BEST competes with at least so many shares, unless told (official for IBKR ATS)."""
DAYS_A_YEAR = 252
PERCENT, HALF = Decimal(100), Decimal(2)
NOTHING = Special()
BY_REFERENCE = (Anchor.REFERENCE, Anchor.STOCK, Anchor.VOLATILITY)
INDEX = "IND"


def watch_anchor(core: Core, order: Working) -> None:
    """See to it that a quote which moves the order is looked at."""
    watch(order, order.book)
    reference = references(core, order)
    if reference is not None:
        watch(order, reference)


def references(core: Core, order: Working) -> Book | None:
    """The book whose price moves the order, apart from its own."""
    if order.anchor not in BY_REFERENCE:
        return None
    if order.anchor is Anchor.REFERENCE:
        return core.books.get(_special(order).peg.reference)
    con_id = core.options.underlying(order.book.con_id) if core.options is not None else None
    return None if con_id is None else core.books.get(con_id)


def anchored(core: Core, order: Working) -> int | None:
    """The order's limit in ticks as the market stands; None while that can't tell. Its own limit price is the
    worst, a cap of TWS too.
    """
    value = _PLACES[order.anchor](core, order)
    if value is None:
        return None
    buys, ticket = order.sign > 0, order.ticket
    found = int(value.to_integral_value(ROUND_FLOOR if buys else ROUND_CEILING))
    if order.portion is not None:
        found -= order.sign * order.portion.retreat
    worst = [order.cap] if order.cap else []
    if order.kind.caps and ticket.limit_price:
        worst.append(order.book.instrument.nearest_ticks(ticket.limit_price))
    return min([found, *worst]) if buys else max([found, *worst])


def stand(order: Working, limit: int) -> None:
    """Take a limit; some have discretion from there up to the limit price that they state."""
    order.limit, order.anchored = limit, True
    special, stated = _special(order), order.ticket.limit_price
    if special.to_limit and stated and order.kind.caps:
        order.discretion = order.book.instrument.nearest_ticks(stated) - limit


def follow(core: Core, order: Working, book: Book) -> None:
    """A quote came: move the order, or cancel it beyond its range. Another book's move is matched later."""
    if out_of_range(core, order):
        cancel_now(core, order)
        return
    found = anchored(core, order)
    if found is None:
        return
    if order.kind.ratchets and _offset(order) and not _special(order).peg.directed:
        found = max(found, order.limit) if order.sign > 0 else min(found, order.limit)
    if found == order.limit and order.anchored:
        return
    elsewhere = book is not order.book or not order.anchored
    stand(order, found)
    order.give_way(core.next_rank())
    if elsewhere:
        core.ready.append(order)
    elif not order.picky:
        order.book.enqueue(order)


def out_of_range(core: Core, order: Working) -> bool:
    """Whether the reference left the range within which the order lives."""
    peg = _special(order).peg
    if peg.range_lower is None and peg.range_upper is None:
        return False
    now = _reference_price(core, order)
    if now is None:
        return False
    return (peg.range_lower is not None and now < peg.range_lower) or (
        peg.range_upper is not None and now > peg.range_upper
    )


# -- the places ---------------------------------------------------------------------------------


def _special(order: Working) -> Special:
    return order.ticket.special or NOTHING


def _sides(order: Working) -> tuple[Decimal | None, Decimal | None]:
    """The order's own side of the quote and the other, in ticks."""
    book = order.book
    bid = Decimal(book.bid) if book.bid > -FAR else None
    ask = Decimal(book.ask) if book.ask < FAR else None
    return (bid, ask) if order.sign > 0 else (ask, bid)


def _offset(order: Working) -> Decimal:
    """The order's offset in ticks: the larger of its amount and its percent (official)."""
    amount = (order.ticket.stop_price or Decimal(0)) / order.book.instrument.tick
    percent, own = _special(order).peg.percent_offset, _sides(order)[0]
    return max(amount, own * percent / PERCENT) if percent and own is not None else amount


def _own(core: Core, order: Working) -> Decimal | None:
    own, far = _sides(order)
    if own is None:
        return None
    found, sign = own + order.sign * order.kind.offset * _offset(order), order.sign
    if far is None or not _special(order).peg.before_far:
        return found
    return min(found, far - 1) if sign > 0 else max(found, far + 1)


def _far(core: Core, order: Working) -> Decimal | None:
    far = _sides(order)[1]
    return None if far is None else far + order.sign * order.kind.offset * _offset(order)


def _middle(core: Core, order: Working) -> Decimal | None:
    own, far = _sides(order)
    if own is None or far is None:
        return None
    middle, peg = (own + far) / HALF, _special(order).peg
    off = peg.at_whole if middle == int(middle) else peg.at_half
    if off is None:
        return middle + order.sign * order.kind.offset * _offset(order)
    return middle - order.sign * off / order.book.instrument.tick


def _best(core: Core, order: Working) -> Decimal | None:
    own, middle = _sides(order)[0], _middle(core, order)
    if own is None or middle is None:
        return own
    peg, book, sign = _special(order).peg, order.book, order.sign
    beside = book.instrument.quantity(book.bid_left if sign > 0 else book.ask_left)
    if beside < (COMPETE_SIZE if peg.compete_size is None else peg.compete_size):
        return own
    most = middle - sign * (peg.compete or Decimal(0)) / book.instrument.tick
    return min(own + 1, most) if sign > 0 else max(own - 1, most)


def _protected(core: Core, order: Working) -> Decimal | None:
    begin = _sides(order)[1] if order.stop is None else Decimal(order.stop)
    return None if begin is None else begin + order.sign * PROTECTION_TICKS


def _reference_price(core: Core, order: Working) -> Decimal | None:
    """Where the reference stands, in its currency: an index at its last; PEG BENCH by the bid for buys and
    the ask for sells (official), the others by the middle, or VOL by the side it is told.
    """
    book = references(core, order)
    if book is None:
        return None
    tick, last = book.instrument.tick, book.last
    if book.instrument.contract.sec_type == INDEX:
        return None if last is None else tick * last
    bid = tick * book.bid if book.bid > -FAR else None
    ask = tick * book.ask if book.ask < FAR else None
    peg, rises = _special(order).peg, order.sign > 0
    if order.anchor is Anchor.REFERENCE:
        return bid if rises else ask
    if peg.by_quote and order.anchor is Anchor.VOLATILITY:  # the bid: call bought, put sold (official)
        return bid if rises == _is_call(order) else ask
    return None if bid is None or ask is None else (bid + ask) / HALF


def _is_call(order: Working) -> bool:
    return order.book.instrument.contract.right[:1] == "C"


def _begin(core: Core, order: Working) -> tuple[Decimal, Decimal, Decimal] | None:
    """Where the reference stands and stood, and the price from which the order moves, in ticks of its own."""
    now = _reference_price(core, order)
    if now is None:
        return None
    if order.pinned is None:
        own, middle = _sides(order)[0], _middle(core, order)
        start = order.ticket.starting_price
        price = own if order.anchor is Anchor.REFERENCE else middle
        if start is not None:
            price = start / order.book.instrument.tick
        if price is None:
            return None
        stated = _special(order).peg.reference_price
        order.pinned = (stated or now, price)
    return now, *order.pinned


def _by_reference(core: Core, order: Working) -> Decimal | None:
    known, peg = _begin(core, order), _special(order).peg
    if known is None or not peg.per:
        return None
    now, before, start = known
    steps = int((now - before) / peg.per)
    moved = steps * (peg.change or Decimal(0)) / order.book.instrument.tick
    return start - moved if peg.decreases else start + moved


def _by_stock(core: Core, order: Working) -> Decimal | None:
    known = _begin(core, order)
    if known is None:
        return None
    now, before, start = known
    delta = abs(_special(order).peg.delta or Decimal(0)) / PERCENT * (1 if _is_call(order) else -1)
    return start + delta * (now - before) / order.book.instrument.tick


def _by_volatility(core: Core, order: Working) -> Decimal | None:
    peg, under = _special(order).peg, _reference_price(core, order)
    if under is None or peg.volatility is None or core.options is None:
        return None
    yearly = float(peg.volatility / PERCENT) * (DAYS_A_YEAR**0.5 if peg.daily else 1.0)
    price = core.options.price(order.book.con_id, yearly, float(under), core.now)
    return None if price is None else Decimal(repr(price)) / order.book.instrument.tick


_PLACES: dict[Anchor, Callable[[Core, Working], Decimal | None]] = {
    Anchor.OWN_SIDE: _own,
    Anchor.FAR_SIDE: _far,
    Anchor.MIDDLE: _middle,
    Anchor.BEST: _best,
    Anchor.PROTECTED: _protected,
    Anchor.REFERENCE: _by_reference,
    Anchor.STOCK: _by_stock,
    Anchor.VOLATILITY: _by_volatility,
}
