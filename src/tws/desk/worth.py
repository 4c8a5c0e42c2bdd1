"""What our positions are worth at their worst, at the market: kept beside the state, like the quotes.

One row per contract that we hold or work. A row is reckoned anew only when its quote, its orders or what is
held has changed since; the sums over all rows are kept, and moved by what a row has changed. So a judgement
costs a look at each contract and never one at each order. Prices are taken to eight places: no market
has more, and a product of a price and a quantity then keeps all its digits, so that the sums stay exact
however often they move.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from tws.desk.state import DeskState
from tws.desk.totals import Exposure
from tws.model.contract import Contract
from tws.model.market import Quote
from tws.positions.book import Holding, multiplier

__all__ = ["Others", "Worth"]

_ZERO = Decimal(0)
_INFINITE = float("inf")
_PLACES = 8


class Others(Struct, frozen=True, kw_only=True):
    """The worst values of all contracts but one, in money; `symbol` of those that bear the same symbol.

    `working` is what all entries that work may still cost, of the one contract too.
    """

    gross: Decimal
    if_bought: Decimal
    if_sold: Decimal
    symbol: Decimal
    working: Decimal


class _Row:
    """One contract, and for which quote, orders and shares its values hold."""

    __slots__ = ("bought", "con_id", "exposure", "gross", "held", "holding", "if_bought", "if_sold", "open",
                 "quote", "sold", "stamp", "symbol", "units", "working")

    def __init__(self, contract: Contract, exposure: Exposure | None, holding: Holding | None) -> None:
        self.con_id = contract.con_id
        self.symbol = contract.symbol
        self.units = multiplier(contract)
        self.exposure = exposure or Exposure(contract=contract)
        self.holding = holding or Holding(account="", contract=contract)
        self.quote: Quote | None = None
        self.stamp = -1
        self.held: Decimal = _ZERO
        self.bought = self.sold = self.open = _ZERO
        self.gross = self.if_bought = self.if_sold = self.working = _ZERO

    def reckon(self, quote: Quote | None) -> None:
        """At the market, else at what it cost; no lower than the dearest entry that works."""
        exposure, held = self.exposure, self.holding.quantity
        if exposure.stamp != self.stamp or held is not self.held:
            self.stamp, self.held = exposure.stamp, held
            self.bought, self.sold = held + exposure.buys, held - exposure.sells
            self.open = exposure.buys + exposure.sells
        self.quote = quote
        price = _mark(quote)
        if price is None:
            price = round(self.holding.average_price, _PLACES)
        price = max(price, exposure.entry_price) * self.units
        self.if_bought, self.if_sold = self.bought * price, self.sold * price
        self.gross = max(abs(self.if_bought), abs(self.if_sold))
        self.working = self.open * price


def _mark(quote: Quote | None) -> Decimal | None:
    """The ask, else the last trade, else the bid: rounded, so that sums of values stay exact."""
    if quote is None:
        return None
    for price in (quote.ask, quote.last, quote.bid):
        if price is not None and 0 < price < _INFINITE:
            return Decimal(repr(round(price, _PLACES)))
    return None


class Worth:
    """The rows of one state. Another state, or a contract more, and they are made anew."""

    def __init__(self) -> None:
        self._state: DeskState | None = None
        self._size = (-1, -1)
        self._account = ""
        self._rows: dict[int, _Row] = {}
        self._gross = self._if_bought = self._if_sold = self._working = _ZERO
        self._by_symbol: dict[str, Decimal] = {}

    def others(self, state: DeskState, quotes: Mapping[int, Quote], contract: Contract) -> Others:
        """All contracts but this one, as the market stands now."""
        size = (len(state.totals.contracts), len(state.ours.holdings))
        if state is not self._state or size != self._size or state.account != self._account:
            self._make(state, size)
        for con_id, row in self._rows.items():
            quote = quotes.get(con_id)
            if (quote is not row.quote or row.exposure.stamp != row.stamp
                    or row.holding.quantity is not row.held):
                self._reckon(row, quote)
        symbol = self._by_symbol.get(contract.symbol, _ZERO)
        own = self._rows.get(contract.con_id)
        if own is None:
            return Others(gross=self._gross, if_bought=self._if_bought, if_sold=self._if_sold,
                          symbol=symbol, working=self._working)
        return Others(gross=self._gross - own.gross, if_bought=self._if_bought - own.if_bought,
                      if_sold=self._if_sold - own.if_sold, symbol=symbol - own.gross, working=self._working)

    def _make(self, state: DeskState, size: tuple[int, int]) -> None:
        self._state, self._size, self._account = state, size, state.account
        self._gross = self._if_bought = self._if_sold = self._working = _ZERO
        self._by_symbol = {}
        contracts = {con_id: each.contract for con_id, each in state.totals.contracts.items()}
        for holding in state.ours.holdings.values():
            if holding.account == state.account:
                contracts.setdefault(holding.contract.con_id, holding.contract)
        self._rows = {
            con_id: _Row(contract, state.totals.contracts.get(con_id),
                         state.ours.holdings.get(state.ours.key(state.account, con_id)))
            for con_id, contract in contracts.items()
        }

    def _reckon(self, row: _Row, quote: Quote | None) -> None:
        before = (row.gross, row.if_bought, row.if_sold, row.working)
        row.reckon(quote)
        self._gross += row.gross - before[0]
        self._if_bought += row.if_bought - before[1]
        self._if_sold += row.if_sold - before[2]
        self._working += row.working - before[3]
        self._by_symbol[row.symbol] = self._by_symbol.get(row.symbol, _ZERO) + row.gross - before[0]
