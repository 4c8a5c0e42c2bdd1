"""What our positions are worth at their worst, at the market: kept beside the state, like the quotes.

One row per contract that we hold or work, in the account's base currency. A quote is folded in as it arrives
(`hear`): its row is reckoned anew, and the sums over all rows move by what the row has changed. So does a
judgement with the rows whose orders or shares a record has moved since the last one (`note`); all else it
finds made, and it never looks at each order. Prices are taken to eight places in the base currency: no
market has more, and a product of a price and a quantity then keeps all its digits, so that the sums stay
exact however often they move.

A contract in a currency whose rate is not known is worth nothing that could be added: it is named instead
(`Others.unrated`), and the limits in money deny.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from tws.desk.rates import Money
from tws.desk.state import DeskState
from tws.desk.totals import Exposure
from tws.model.contract import Contract
from tws.model.market import Quote
from tws.model.records import (
    Alarmed,
    Answered,
    Approved,
    Asked,
    CancelAsked,
    Denied,
    Intended,
    Moved,
    Planned,
    PositionHeard,
    Record,
    Stated,
)
from tws.positions.book import Holding, multiplier

__all__ = ["Others", "Worth"]

_ZERO = Decimal(0)
_ONE = Decimal(1)
_INFINITE = float("inf")
_PLACES = 8

_OF_ONE_ORDER = frozenset({Approved, CancelAsked, Intended, Moved, Stated})
"""Records that move one order, and with it the exits of its trade: of its contract nothing else."""
_OF_NO_ORDER = frozenset({Alarmed, Answered, Asked, Denied, Planned, PositionHeard})
"""Records that move no order and no holding of ours. After any other kind every row is looked at."""


class Others(Struct, frozen=True, kw_only=True):
    """The worst values of all contracts but one, in money; `symbol` of those that bear the same symbol.

    `working` is what all entries that work may still cost, of the one contract too. `unrated` names, by
    symbol and currency, the contracts whose value is not among it, for want of an exchange rate.
    """

    gross: Decimal
    if_bought: Decimal
    if_sold: Decimal
    symbol: Decimal
    working: Decimal
    unrated: tuple[tuple[str, str], ...] = ()


class _Row:
    """One contract, and for which quote, orders, shares and rate its values hold."""

    __slots__ = ("bought", "contract", "exposure", "gross", "held", "holding", "if_bought", "if_sold", "open",
                 "quote", "rate", "sold", "stamp", "units", "working")

    def __init__(self, contract: Contract, rate: Decimal | None) -> None:
        self.contract = contract
        self.units = multiplier(contract)
        self.exposure = Exposure(contract=contract)
        self.holding = Holding(account="", contract=contract)
        self.rate = rate
        self.quote: Quote | None = None
        self.stamp = -1
        self.held: Decimal = _ZERO
        self.bought = self.sold = self.open = _ZERO
        self.gross = self.if_bought = self.if_sold = self.working = _ZERO

    @property
    def unrated(self) -> bool:
        """Whether there is something to value, and no rate to do it by."""
        return self.rate is None and bool(self.bought or self.sold or self.open)

    def reckon(self, quote: Quote | None) -> None:
        """At the market, else at what it cost; no lower than the dearest entry that works."""
        exposure, held = self.exposure, self.holding.quantity
        if exposure.stamp != self.stamp or held is not self.held:
            self.stamp, self.held = exposure.stamp, held
            self.bought = held + exposure.buys + exposure.exit_buys
            self.sold = held - exposure.sells - exposure.exit_sells
            self.open = exposure.buys + exposure.sells
        self.quote = quote
        rate = self.rate
        if rate is None or not (self.bought or self.sold or self.open):
            self.gross = self.if_bought = self.if_sold = self.working = _ZERO
            return
        price = _mark(quote)
        if price is None:
            price = round(self.holding.average_price, _PLACES)
        price = max(price, exposure.entry_price) * self.units
        if rate != _ONE:
            price = round(price * rate, _PLACES)
        self.if_bought, self.if_sold = self.bought * price, self.sold * price
        self.gross = max(abs(self.if_bought), abs(self.if_sold))
        self.working = self.open * price


def _mark(quote: Quote | None) -> Decimal | None:
    """The ask, else the last trade, else the bid."""
    if quote is None:
        return None
    for price in (quote.ask, quote.last, quote.bid):
        if price is not None and 0 < price < _INFINITE:
            return _rounded(price)
    return None


@lru_cache(maxsize=4096)  # a market goes to and fro between the same few prices
def _rounded(price: float) -> Decimal:
    return Decimal(repr(round(price, _PLACES)))


class Worth:
    """The rows of one state; for another state or account they are made anew.

    It must hear each quote and each record after the first `others`: `Desk.step` and `Turn.emit` see to it.
    """

    def __init__(self) -> None:
        self._state: DeskState | None = None
        self._contracts: Mapping[int, Exposure] = {}
        self._size = (-1, -1)
        self._account = ""
        self._money = Money()
        self._rows: dict[int, _Row] = {}
        self._stirred: dict[int, None] = {}
        """Contracts of which a record has told since the last judgement."""
        self._all_stirred = True
        self._unrated: dict[int, _Row] = {}
        self._gross = self._if_bought = self._if_sold = self._working = _ZERO
        self._by_symbol: dict[str, Decimal] = {}

    def hear(self, quote: Quote) -> None:
        """Fold a quote in. Cheap where the price by which we value stands as before."""
        row = self._rows.get(quote.con_id)
        if row is None:
            return
        ask, old = quote.ask, row.quote
        if old is not None and ask is not None and ask == old.ask and 0 < ask < _INFINITE:
            row.quote = quote
        else:
            self._reckon(row, quote)

    def note(self, state: DeskState, record: Record) -> None:
        """A record has been applied: whose row may it have moved?"""
        kind = type(record)
        if kind in _OF_NO_ORDER or self._all_stirred:
            return
        intent_id = getattr(record, "intent_id", "") if kind in _OF_ONE_ORDER else ""
        order = state.book.get(intent_id) if intent_id else None
        if order is None:
            self._all_stirred = True
        else:
            self._stirred[order.contract.con_id] = None
            if order.exercise is not None and order.exercise.underlying is not None:
                self._stirred[order.exercise.underlying.con_id] = None

    def others(
        self, state: DeskState, quotes: Mapping[int, Quote], contract: Contract, money: Money
    ) -> Others:
        """All contracts but this one, as the market stands now."""
        self._follow(state, quotes, money)
        if self._all_stirred or self._stirred:
            self._look()
        symbol = self._by_symbol.get(contract.symbol, _ZERO)
        own = self._rows.get(contract.con_id)
        unrated = tuple((row.contract.symbol, row.contract.currency)
                        for row in self._unrated.values() if row is not own)
        if own is None:
            return Others(gross=self._gross, if_bought=self._if_bought, if_sold=self._if_sold,
                          symbol=symbol, working=self._working, unrated=unrated)
        return Others(gross=self._gross - own.gross, if_bought=self._if_bought - own.if_bought,
                      if_sold=self._if_sold - own.if_sold, symbol=symbol - own.gross, working=self._working,
                      unrated=unrated)

    def _look(self) -> None:
        """Reckon the rows whose orders or shares have moved."""
        for con_id in tuple(self._rows if self._all_stirred else self._stirred):
            row = self._rows.get(con_id)
            if row is not None and (row.exposure.stamp != row.stamp or row.holding.quantity is not row.held):
                self._reckon(row, row.quote)
        self._stirred.clear()
        self._all_stirred = False

    def _follow(self, state: DeskState, quotes: Mapping[int, Quote], money: Money) -> None:
        """Hold the rows of this state, at these rates."""
        contracts = state.totals.contracts
        size = (len(contracts), len(state.ours.holdings))
        if state is not self._state or state.account != self._account:
            self._state, self._account, self._size = state, state.account, (-1, -1)
            self._gross = self._if_bought = self._if_sold = self._working = _ZERO
            self._rows, self._by_symbol, self._unrated = {}, {}, {}
        if money is not self._money and money != self._money:
            self._money = money
            for row in self._rows.values():
                rate = money.rate(row.contract.currency)
                if rate != row.rate:
                    row.rate = rate
                    self._reckon(row, row.quote)
        if contracts is not self._contracts or size != self._size:
            self._contracts, self._size = contracts, size
            self._grow(state, quotes)

    def _grow(self, state: DeskState, quotes: Mapping[int, Quote]) -> None:
        """A row for each contract on which we have orders or a holding; those that are new are reckoned."""
        contracts = {con_id: each.contract for con_id, each in state.totals.contracts.items()}
        for holding in state.ours.holdings.values():
            if holding.account == state.account:
                contracts.setdefault(holding.contract.con_id, holding.contract)
        for con_id, contract in contracts.items():
            row = self._rows.get(con_id)
            if row is None:
                row = self._rows[con_id] = _Row(contract, self._money.rate(contract.currency))
            exposure = state.totals.contracts.get(con_id, row.exposure)
            held = state.ours.holdings.get(state.ours.key(state.account, con_id), row.holding)
            if row.stamp < 0 or exposure is not row.exposure or held is not row.holding:
                row.exposure, row.holding, row.stamp = exposure, held, -1
                self._reckon(row, quotes.get(con_id))

    def _reckon(self, row: _Row, quote: Quote | None) -> None:
        before = (row.gross, row.if_bought, row.if_sold, row.working)
        row.reckon(quote)
        self._gross += row.gross - before[0]
        self._if_bought += row.if_bought - before[1]
        self._if_sold += row.if_sold - before[2]
        self._working += row.working - before[3]
        symbol = row.contract.symbol
        self._by_symbol[symbol] = self._by_symbol.get(symbol, _ZERO) + row.gross - before[0]
        if row.unrated:
            self._unrated[row.contract.con_id] = row
        elif self._unrated:
            self._unrated.pop(row.contract.con_id, None)
