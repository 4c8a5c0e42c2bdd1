"""Combos: several contracts traded as one, at the sum of their prices (TWS-BEHAVIOUR.md C4, F5).

A combo has a book of its own, made from its legs when it is first named: its bid is what selling one
unit brings at the legs' quotes, its ask what buying one costs, its displayed size what the thinnest leg
allows. Such a book has a negative con_id and follows the legs' quotes, so orders wait, trigger and fill
in it like in any other; prices may be zero or negative. A fill is booked on the legs, at their own
quotes, with a fee for each; what the combo traded at apart from them is laid on the first leg, so that the
legs always add up to the combo to the last digit.

The price is per unit of the largest multiplier: one option of 100 with 100 shares is quoted as the share
less or plus the option.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import gcd

from msgspec.structs import replace

from tws.exchange.book import FAR, Book
from tws.exchange.core import Core
from tws.exchange.events import AccountChanged, CommissionCharged, Executed, ExecutionReport, PositionChanged
from tws.exchange.terms import Leg, Listing, OrderTicket, TriggerMethod
from tws.exchange.working import LegFill, Working, average
from tws.model.contract import Contract
from tws.model.instrument import Instrument

__all__ = [
    "as_combo", "consume", "fill_leg", "fill_legs", "legs_of", "legs_within", "requote", "tell_legs",
    "whole_of",
]  # fmt: skip

FINE = Decimal("1E-8")
ZERO = Decimal(0)
PENNY = Fraction(1, 100)
"""No combo's price step is coarser: legs of five cents still trade at any cent together."""


# -- the combo's book ---------------------------------------------------------------------------


def as_combo(core: Core, ticket: OrderTicket) -> OrderTicket:
    """The ticket with the con_id of its combo's book; 0, which no book has, when the legs make none."""
    key = tuple((leg.con_id, leg.ratio * leg.side.sign) for leg in ticket.legs)
    con_id = core.combos.get(key)
    if con_id is None:
        con_id = _open(core, ticket.legs)
        if con_id:
            core.combos[key] = con_id
    return replace(ticket, con_id=con_id, limit_price=_limit_of(core, ticket))


def _limit_of(core: Core, ticket: OrderTicket) -> Decimal | None:
    """Its limit, or without one what its legs cost at theirs, if each has one."""
    prices = () if ticket.special is None else ticket.special.leg_prices
    books = [core.books.get(leg.con_id) for leg in ticket.legs]
    if ticket.limit_price or len(prices) != len(books) or not all(books):
        return ticket.limit_price
    most = max(book.multiplier for book in books if book is not None)
    total = ZERO
    for leg, book, price in zip(ticket.legs, books, prices, strict=True):
        if book is None or price is None:
            return ticket.limit_price
        total += leg.side.sign * leg.ratio * price * book.multiplier / most
    return total


def _open(core: Core, legs: tuple[Leg, ...]) -> int:
    books = [core.books.get(leg.con_id) for leg in legs]
    known = [book for book in books if book is not None and not book.legs]
    currencies = {book.instrument.contract.currency for book in known}
    if len(known) != len(legs) or len(legs) < 2 or len(currencies) != 1 or any(leg.ratio < 1 for leg in legs):
        return 0
    multiplier = max(book.multiplier for book in known)
    weights = [
        Fraction(leg.ratio) * Fraction(book.multiplier * book.instrument.tick) / Fraction(multiplier)
        for leg, book in zip(legs, known, strict=True)
    ]
    step = _common([PENNY, *weights])
    first = known[0].instrument.contract
    symbols = ",".join(dict.fromkeys(book.instrument.contract.symbol for book in known))
    contract = Contract(
        con_id=-1 - len(core.combos), symbol=symbols, sec_type="BAG", currency=first.currency,
        multiplier=str(multiplier),
    )  # fmt: skip
    tick = Decimal(step.numerator) / Decimal(step.denominator)
    listing = Listing(instrument=Instrument(contract=contract, tick=tick), session=known[0].listing.session)
    combo = Book(replace(listing, trigger=TriggerMethod.BID_ASK), core.now)
    combo.legs = tuple((book, leg.ratio * leg.side.sign) for leg, book in zip(legs, known, strict=True))
    combo.weights = tuple(int(weight / step) for weight in weights)
    core.books[contract.con_id] = combo
    core.set_bell(combo)
    for book in known:
        if combo not in book.combos:
            book.combos.append(combo)
            book.refresh()
    _show(combo)
    return contract.con_id


def _common(steps: list[Fraction]) -> Fraction:
    """The coarsest step of which all are multiples."""
    bottom = 1
    for step in steps:
        bottom = bottom * step.denominator // gcd(bottom, step.denominator)
    return Fraction(gcd(*(int(step * bottom) for step in steps)), bottom)


def requote(combo: Book) -> bool:
    """Follow the legs' quotes. Whether that reaches an order of the combo's."""
    _show(combo)
    fills = combo.ask <= combo.buy_best or combo.bid >= combo.sell_best
    return fills or combo.bid >= combo.rises_at_bid or combo.ask <= combo.falls_at_ask


def _show(combo: Book) -> None:
    bid = ask = 0
    bid_lots = ask_lots = FAR
    for (leg, ratio), weight in zip(combo.legs, combo.weights, strict=True):
        buy, sell = (leg.ask, leg.ask_left), (leg.bid, leg.bid_left)
        (paid, paid_lots), (got, got_lots) = (buy, sell) if ratio > 0 else (sell, buy)
        sign = 1 if ratio > 0 else -1
        ask += sign * weight * paid
        bid += sign * weight * got
        units = abs(ratio) / leg.instrument.lot
        ask_lots = min(ask_lots, int(paid_lots / units))
        bid_lots = min(bid_lots, int(got_lots / units))
    combo.bid, combo.bid_left = (bid, bid_lots) if bid_lots else (-FAR, 0)
    combo.ask, combo.ask_left = (ask, ask_lots) if ask_lots else (FAR, 0)


def legs_of(core: Core, con_id: int) -> tuple[tuple[int, int], ...]:
    """con_id and signed ratio of each leg of a combo's book; () for anything else."""
    book = core.books.get(con_id)
    return tuple((leg.con_id, ratio) for leg, ratio in book.legs) if book is not None else ()


def legs_within(order: Working) -> bool:
    """Whether each leg's quote is within the price that the order states for it."""
    for (leg, ratio), limit in zip(order.book.legs, order.leg_limits, strict=True):
        sign = order.sign if ratio > 0 else -order.sign
        quote = leg.ask if sign > 0 else leg.bid
        if limit is not None and (limit - quote) * sign < 0:
            return False
    return True


# -- fills --------------------------------------------------------------------------------------


def fill_legs(core: Core, order: Working, price: int, lots: int, liquidity: int) -> list[ExecutionReport]:
    """Book a fill of a combo on its legs: the combo's own execution, then one for each leg."""
    order.filled += lots
    order.consumed += lots
    order.cost_ticks += price * lots
    order.last_ticks = price
    book, instrument = order.book, order.book.instrument
    units = instrument.quantity(lots)
    exec_id = core.next_exec_id()
    reports = [whole_of(core, order, (lots, instrument.price(price)), exec_id, liquidity)]
    rest = instrument.price(price) * units * book.multiplier * order.sign
    parts = []
    for leg, ratio in book.legs:
        sign = order.sign if ratio > 0 else -order.sign
        ticks = consume(leg, sign, int(abs(ratio) * units / leg.instrument.lot))
        shares = ratio * units * order.sign
        value = ZERO if ticks is None else leg.instrument.price(ticks) * shares * leg.multiplier
        parts.append((leg, shares, value))
        rest -= value
    if not order.leg_fills:
        order.leg_fills = [LegFill() for _ in book.legs]
    for place, (leg, shares, value) in enumerate(parts):
        value += rest if place == 0 else ZERO
        leg_id = f"{exec_id[:-5]}{place + 2:02d}.01.01"
        reports.append(fill_leg(core, order, leg, (shares, value), place, leg_id, liquidity))
    for report in reports:
        core.archive.add_execution(report)
    return reports


def whole_of(
    core: Core, order: Working, traded: tuple[int, Decimal], exec_id: str, liquidity: int
) -> ExecutionReport:
    """The combo's own execution, of so many lots at a price: nothing is charged for it."""
    (lots, price), instrument = traded, order.book.instrument
    whole = _executed(
        core, order, order.book,
        (order.sign * instrument.quantity(lots), price, instrument.quantity(order.filled)),
        average(order.cost_ticks, order.filled, instrument.tick), exec_id, liquidity,
    )  # fmt: skip
    uncharged = CommissionCharged(
        exec_id=exec_id, client_id=whole.client_id, account=whole.account, amount=ZERO, currency="",
        realized_pnl=None,
    )  # fmt: skip
    return ExecutionReport(executed=whole, commission=uncharged)


def consume(leg: Book, sign: int, lots: int) -> int | None:
    """Take from a leg's displayed size; the price in ticks, None where nothing is quoted."""
    if sign > 0:
        leg.ask_left = max(0, leg.ask_left - lots)
        return leg.ask if leg.ask < FAR else leg.mark()
    leg.bid_left = max(0, leg.bid_left - lots)
    return leg.bid if leg.bid > -FAR else leg.mark()


def fill_leg(
    core: Core, order: Working, leg: Book, traded: tuple[Decimal, Decimal], place: int, exec_id: str,
    liquidity: int,
) -> ExecutionReport:  # fmt: skip
    """Book a leg's part on the account; `traded` is signed shares and what they cost."""
    shares, value = traded
    so_far = order.leg_fills[place]
    so_far.quantity += abs(shares)
    so_far.value += abs(value)
    owed = max(core.owed(leg, so_far.quantity, so_far.value), so_far.fee)
    fee, so_far.fee = owed - so_far.fee, owed
    profit = core.ledgers[order.ticket.account].fill(leg.con_id, shares, value, fee)
    price = (value / shares / leg.multiplier).quantize(FINE).normalize() + ZERO
    mean = (so_far.value / so_far.quantity / leg.multiplier).quantize(FINE)
    executed = _executed(core, order, leg, (shares, price, so_far.quantity), mean, exec_id, liquidity)
    charged = CommissionCharged(
        exec_id=exec_id, client_id=executed.client_id, account=executed.account, amount=fee,
        currency=leg.instrument.contract.currency, realized_pnl=profit,
    )  # fmt: skip
    return ExecutionReport(executed=executed, commission=charged)


def _executed(
    core: Core, order: Working, book: Book, traded: tuple[Decimal, Decimal, Decimal], mean: Decimal,
    exec_id: str, liquidity: int,
) -> Executed:  # fmt: skip
    """One execution; `traded` is signed shares, price and what was traded so far."""
    ticket, contract = order.ticket, book.instrument.contract
    shares, price, cumulative = traded
    return Executed(
        exec_id=exec_id, client_id=ticket.client_id, order_id=order.said_id, perm_id=order.perm_id,
        account=ticket.account, con_id=book.con_id, side="BOT" if shares > 0 else "SLD", quantity=abs(shares),
        price=price, time_ns=core.now, cumulative=cumulative, average_price=mean, order_ref=ticket.order_ref,
        exchange=contract.primary_exchange or contract.exchange, liquidity=liquidity,
    )  # fmt: skip


def tell_legs(core: Core, order: Working) -> None:
    """What the fill did to the positions in the legs."""
    ledger = core.ledgers[order.ticket.account]
    for leg, _ in order.book.legs:
        holding = ledger.holdings.get(leg.con_id)
        if holding is None:  # its leg has not traded yet, others have
            continue
        core.out.append(PositionChanged(
            account=ledger.account, con_id=leg.con_id, quantity=holding.quantity,
            average_cost=holding.average_cost(),
        ))  # fmt: skip
    core.out.append(AccountChanged(ledger.account))
