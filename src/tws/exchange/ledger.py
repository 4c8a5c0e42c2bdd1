"""An account's books: cash by currency, holdings, average cost, realised and unrealised profit, margin.

Average cost includes commissions (TWS-BEHAVIOUR.md D), so realised profit is net of both the
opening and the closing commission. A holding keeps its *total* cost, negative when short, and what
leaves it is subtracted exactly. How a fill touches cash depends on the security:

    paid       stocks, options, crypto …: the value is paid
    carried    futures, CFDs: nothing is paid but the fee; `unpaid` is what the holding was opened for
    exchanged  currency pairs: one currency is paid, the other received; TWS calls the position virtual

So at every instant, for each currency, to the last digit:

    cash - deposits  =  sum over its holdings of (realised - cost + unpaid)
                      + sum of the quantities of pairs that begin with it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from tws.exchange.book import Book
from tws.exchange.currencies import Rates
from tws.exchange.margins import MarginModel
from tws.exchange.terms import AccountSetup
from tws.model.contract import Contract

__all__ = ["Holding", "Kind", "Ledger", "Standing"]

ZERO = Decimal(0)
FINE = Decimal("1E-8")
CENT = Decimal("0.01")
NOTHING: Mapping[int, tuple[Decimal, Decimal]] = {}


class Kind(IntEnum):
    """How a security touches cash."""

    PAID = 0
    CARRIED = 1
    EXCHANGED = 2


KINDS = {"FUT": Kind.CARRIED, "CFD": Kind.CARRIED, "CASH": Kind.EXCHANGED}


class Valued(NamedTuple):
    """A holding's worth in its currency and its unrounded margin in the base currency, at a mark in ticks."""

    mark: int | None
    quantity: Decimal
    rate: Decimal
    value: Decimal
    initial: Decimal
    maintenance: Decimal


class Standing(NamedTuple):
    """An account in its base currency: equity (NetLiquidation: cash of all currencies and what the holdings
    are worth), initial and maintenance margin to the cent, and both margins as they would be.
    """

    equity: Decimal
    initial: Decimal
    maintenance: Decimal
    initial_after: Decimal
    maintenance_after: Decimal


class Holding:
    """One position: shares (negative when short), total cost with its sign, today's realised profit."""

    __slots__ = (
        "cost", "kind", "quantity", "realized", "realized_before", "unpaid", "unrealized_before", "valued",
    )  # fmt: skip

    def __init__(self, kind: Kind = Kind.PAID) -> None:
        self.kind = kind
        self.quantity = ZERO
        self.cost = ZERO
        self.unpaid = ZERO  # what was not paid when it was opened, 0 unless carried
        self.realized = ZERO  # today
        self.realized_before = ZERO  # up to today
        self.unrealized_before = ZERO  # when today began
        self.valued: Valued | None = None  # the ledger's

    def average_cost(self) -> Decimal:
        """Cost per share (per contract where there is a multiplier, as TWS states it)."""
        return (self.cost / self.quantity).quantize(FINE) if self.quantity else ZERO

    def fill(self, shares: Decimal, value: Decimal, fee: Decimal) -> Decimal | None:
        """Book a fill of signed `shares`, worth signed `value`. Returns the profit, None if opening."""
        closing = min(abs(shares), abs(self.quantity)) if shares * self.quantity < 0 else ZERO
        if not closing:
            self.quantity += shares
            self.cost += value + fee
            if self.kind is Kind.CARRIED:
                self.unpaid += value
            return None
        whole_fill, whole_position = closing == abs(shares), closing == abs(self.quantity)
        closing_value = value if whole_fill else (value * closing / abs(shares)).quantize(FINE)
        closing_fee = fee if whole_fill else (fee * closing / abs(shares)).quantize(FINE)
        removed = self.cost if whole_position else (self.cost * closing / abs(self.quantity)).quantize(FINE)
        if self.kind is Kind.CARRIED:
            held = abs(self.quantity)
            gone = self.unpaid if whole_position else (self.unpaid * closing / held).quantize(FINE)
            self.unpaid += (value - closing_value) - gone
        profit = -closing_value - closing_fee - removed
        self.quantity += shares
        self.cost += (value - closing_value) + (fee - closing_fee) - removed
        self.realized += profit
        return profit


class Ledger:
    """The books of one account. Securities are looked up in `books`, rates in `rates`, when needed."""

    def __init__(
        self, setup: AccountSetup, margin: MarginModel, books: Mapping[int, Book], rates: Rates
    ) -> None:
        self.account = setup.account
        self.currency = setup.currency
        self.cash: dict[str, Decimal] = {setup.currency: setup.cash}
        self.deposits: dict[str, Decimal] = {setup.currency: setup.cash}
        self.fees: dict[str, Decimal] = {}
        self.holdings: dict[int, Holding] = {}
        self.margin = margin
        self.previous_equity = setup.cash
        self._books = books
        self._rates = rates

    # -- what moves -------------------------------------------------------------------------------

    def fill(self, con_id: int, shares: Decimal, value: Decimal, fee: Decimal) -> Decimal | None:
        """Book a fill: cash moves by value and fee, the holding by shares. Returns the realised profit."""
        contract = self._books[con_id].instrument.contract
        holding = self.holdings.get(con_id)
        if holding is None:
            holding = self.holdings[con_id] = Holding(KINDS.get(contract.sec_type, Kind.PAID))
        currency, unpaid = contract.currency, holding.unpaid
        profit = holding.fill(shares, value, fee)
        self._pay(currency, holding.unpaid - unpaid - value - fee)
        if fee:
            self.fees[currency] = self.fees.get(currency, ZERO) + fee
        if holding.kind is Kind.EXCHANGED:
            self._pay(contract.symbol, shares)
        return profit

    def deposit(self, currency: str, amount: Decimal) -> None:
        """Cash comes from outside, or leaves (negative)."""
        self._pay(currency, amount)
        self.deposits[currency] = self.deposits.get(currency, ZERO) + amount

    def receive(self, con_id: int, shares: Decimal, value: Decimal) -> None:
        """Signed shares come from outside at a cost of signed `value`; no cash moves."""
        currency = self._books[con_id].instrument.contract.currency
        before = self.cash.get(currency, ZERO)
        self.fill(con_id, shares, value, ZERO)
        moved = before - self.cash[currency]
        self.deposit(currency, moved)

    def split(self, con_id: int, ratio: Decimal) -> bool:
        """`ratio` new shares for each old one, at the same cost. Whether anything is held."""
        holding = self.holdings.get(con_id)
        if holding is None or not holding.quantity:
            return False
        holding.quantity *= ratio
        return True

    def restate(
        self, con_id: int, fills: Sequence[tuple[Decimal, Decimal, Decimal]], gone: Decimal, fee: Decimal
    ) -> bool:
        """A holding anew from all its fills (signed shares, signed value, fee), without `gone` shares and
        their `fee`.

        False when the fills don't make what is held: then something else has moved it, and it stays.
        """
        old, new = self.holdings[con_id], Holding(self.holdings[con_id].kind)
        for shares, value, fee in fills:
            new.fill(shares, value, fee)
        if new.quantity != old.quantity - gone:
            return False
        contract = self._books[con_id].instrument.contract
        new.realized_before, new.unrealized_before = old.realized_before, old.unrealized_before
        new.realized -= old.realized_before
        self._pay(contract.currency, (new.realized - new.cost + new.unpaid)
                  - (old.realized - old.cost + old.unpaid))
        if new.kind is Kind.EXCHANGED:
            self._pay(contract.symbol, -gone)
        if fee:
            self.fees[contract.currency] -= fee
        self.holdings[con_id] = new
        return True

    def _pay(self, currency: str, amount: Decimal) -> None:
        self.cash[currency] = self.cash.get(currency, ZERO) + amount

    def new_day(self) -> None:
        """Today's realised profit starts anew, and yesterday's equity is kept."""
        self.previous_equity = self.standing().equity
        for con_id, holding in self.holdings.items():
            holding.realized_before += holding.realized
            holding.realized = ZERO
            holding.unrealized_before = self.unrealized(con_id, holding)

    # -- worth ------------------------------------------------------------------------------------

    def rate(self, currency: str) -> Decimal:
        """Units of the base currency, 0 while unknown."""
        return self._rates.of(currency) or ZERO

    def contract_of(self, con_id: int) -> Contract:
        """What a holding is."""
        return self._books[con_id].instrument.contract

    def market_value(self, con_id: int, holding: Holding) -> Decimal:
        """Signed, in the contract's currency; at cost while nothing was ever quoted."""
        if not holding.quantity:
            return ZERO
        book = self._books[con_id]
        mark = book.mark()
        if mark is None:
            return holding.cost
        return book.instrument.price(mark) * holding.quantity * book.multiplier

    def unrealized(self, con_id: int, holding: Holding) -> Decimal:
        """In the contract's currency."""
        return self.market_value(con_id, holding) - holding.cost

    def standing(self, extra: Mapping[int, tuple[Decimal, Decimal]] = NOTHING) -> Standing:
        """Equity and margin now, and margin with `extra`: signed shares and the price of one contract
        (multiplier included) by con_id. Every order asks, so one pass over the holdings answers all.
        """
        worth = initial = maintenance = initial_after = maintenance_after = ZERO
        for currency, amount in self.cash.items():
            worth += amount * self.rate(currency)
        for con_id, holding in self.holdings.items():
            if not holding.quantity:
                continue
            valued = self._valued(con_id, holding)
            if holding.kind is not Kind.EXCHANGED:
                worth += (valued.value - holding.unpaid) * valued.rate
            initial += valued.initial
            maintenance += valued.maintenance
            if con_id not in extra:
                initial_after += valued.initial
                maintenance_after += valued.maintenance
        for con_id, (shares, price) in extra.items():
            held = self.holdings.get(con_id)
            quantity = shares if held is None else shares + held.quantity
            more = self.requirement(con_id, quantity, price * quantity)
            initial_after, maintenance_after = initial_after + more[0], maintenance_after + more[1]
        return Standing(
            worth, initial.quantize(CENT), maintenance.quantize(CENT), initial_after.quantize(CENT),
            maintenance_after.quantize(CENT),
        )  # fmt: skip

    def _valued(self, con_id: int, holding: Holding) -> Valued:
        """What a holding is worth and requires; kept until its mark, its size or the rate moves."""
        book, quantity = self._books[con_id], holding.quantity
        mark, rate = book.mark(), self.rate(book.instrument.contract.currency)
        known = holding.valued
        if known is not None and known.quantity is quantity and known.mark == mark and known.rate == rate:
            return known
        value = self.market_value(con_id, holding)
        valued = Valued(mark, quantity, rate, value, *self.requirement(con_id, quantity, value))
        holding.valued = None if mark is None else valued  # without a mark it is worth its cost, which moves
        return valued

    def requirement(self, con_id: int, quantity: Decimal, value: Decimal) -> tuple[Decimal, Decimal]:
        """Margin of one holding in the base currency, unrounded."""
        contract = self.contract_of(con_id)
        rule = self.margin.of(contract.sec_type)
        rate, size = self.rate(contract.currency), abs(value)
        more = ZERO
        if rule.of_strike and quantity < 0:
            strike = Decimal(repr(contract.strike or 0.0)) * self._books[con_id].multiplier
            more = rule.of_strike * strike * -quantity
        return (size * rule.initial + more) * rate, (size * rule.maintenance + more) * rate
