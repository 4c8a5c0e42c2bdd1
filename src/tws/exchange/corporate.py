"""Positions and cash that move without an order: splits, exercise and assignment, transfers, deposits.

Nothing here makes an execution, as at IB: clients learn of it from positions and account values alone.
Reached as `exchange.corporate`. What an account doesn't hold is left alone, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from tws.errors import ConfigError
from tws.exchange.activation import settle
from tws.exchange.bells import elapse
from tws.exchange.book import FAR, Book
from tws.exchange.core import Core
from tws.exchange.events import AccountChanged, Event
from tws.exchange.families import cancel_now
from tws.exchange.ledger import Ledger
from tws.exchange.matching import tell_books

__all__ = ["Corporate"]

ZERO = Decimal(0)
FINE = Decimal("1E-8")


class Corporate:
    """The inputs. Quantities in shares or contracts, prices in the contract's currency, times in ns UTC."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def split(self, con_id: int, ratio: Decimal, now_ns: int) -> Sequence[Event]:
        """`ratio` new shares for each old one (0.1: a reverse split of ten to one), at the same total cost.

        Living orders on it are cancelled, as IB's guide says of GTC orders; fractions are paid out at the
        mark. The book forgets its quote, and its last price and close are divided; the next quote counts.
        Raises ConfigError for an unknown con_id or a ratio that is not above 0.
        """
        core, book = self._core, self._book(con_id)
        if ratio <= 0:
            raise ConfigError("ratio", ratio, "is not above 0", "Give new shares per old one, such as 2.")
        elapse(core, now_ns)
        for order in [order for order in core.live.values() if order.book is book]:
            if order.live:
                cancel_now(core, order)
        divide(book, ratio)
        for ledger in core.ledgers.values():
            if ledger.split(con_id, ratio):
                self._pay_fraction(ledger, book)
                tell_books(core, ledger.account, book)
        return self._settle()

    def _pay_fraction(self, ledger: Ledger, book: Book) -> None:
        holding, lot = ledger.holdings[book.con_id], book.instrument.lot
        rest = holding.quantity - (holding.quantity / lot).to_integral_value(ROUND_DOWN) * lot
        if rest:
            mark = book.mark()
            price = holding.average_cost() if mark is None else book.instrument.price(mark) * book.multiplier
            ledger.fill(book.con_id, -rest, (-rest * price).quantize(FINE), ZERO)

    def exercise(
        self, account: str, con_id: int, contracts: Decimal, under_con_id: int, now_ns: int
    ) -> Sequence[Event]:
        """Options become shares at the strike: exercised when held long, assigned when short.

        At most what is held. The option goes out at 0, so its cost becomes a realised loss (or gain). An
        option on a future becomes one future each; one on an index is paid out at the index's mark.
        Raises ConfigError for an unknown con_id.
        """
        core, option, under = self._core, self._book(con_id), self._book(under_con_id)
        elapse(core, now_ns)
        ledger = core.ledgers[account]
        held = ledger.holdings.get(con_id)
        count = min(contracts, abs(held.quantity)) if held is not None else ZERO
        if held is None or count <= 0:
            return self._settle()
        contract = option.instrument.contract
        sign = 1 if held.quantity > 0 else -1
        side, strike = sign * (1 if contract.right == "C" else -1), Decimal(repr(contract.strike or 0.0))
        kind = under.instrument.contract.sec_type
        if kind == "IND":
            mark = under.mark()
            worth = ZERO if mark is None else max(ZERO, side * sign * (under.instrument.price(mark) - strike))
            ledger.fill(con_id, -sign * count, -sign * count * option.multiplier * worth, ZERO)
            tell_books(core, account, option)
            return self._settle()
        ledger.fill(con_id, -sign * count, ZERO, ZERO)
        shares = side * count * (1 if kind == "FUT" else option.multiplier)
        ledger.fill(under_con_id, shares, shares * strike * under.multiplier, ZERO)
        tell_books(core, account, option)
        tell_books(core, account, under)
        return self._settle()

    def lapse(self, account: str, con_id: int, contracts: Decimal, now_ns: int) -> Sequence[Event]:
        """Options go out at 0, at most what is held. Raises ConfigError for an unknown con_id."""
        core, option = self._core, self._book(con_id)
        elapse(core, now_ns)
        held = core.ledgers[account].holdings.get(con_id)
        if held is not None and held.quantity:
            sign = 1 if held.quantity > 0 else -1
            core.ledgers[account].fill(con_id, -sign * min(contracts, abs(held.quantity)), ZERO, ZERO)
            tell_books(core, account, option)
        return self._settle()

    def transfer(
        self, account: str, con_id: int, shares: Decimal, price: Decimal, now_ns: int
    ) -> Sequence[Event]:
        """Signed shares come from another broker, or go there, at a cost of `price` each; no cash moves.

        Raises ConfigError for an unknown con_id.
        """
        core, book = self._core, self._book(con_id)
        elapse(core, now_ns)
        core.ledgers[account].receive(con_id, shares, price * shares * book.multiplier)
        tell_books(core, account, book)
        return self._settle()

    def deposit(self, account: str, currency: str, amount: Decimal, now_ns: int) -> Sequence[Event]:
        """Cash comes, or goes (negative)."""
        elapse(self._core, now_ns)
        self._core.ledgers[account].deposit(currency, amount)
        self._core.out.append(AccountChanged(account))
        return self._settle()

    def _book(self, con_id: int) -> Book:
        book = self._core.books.get(con_id)
        if book is None or book.legs:
            raise ConfigError("con_id", con_id, "is not listed", "Add it to the exchange first.")
        return book

    def _settle(self) -> Sequence[Event]:
        settle(self._core)
        return self._core.take()


def divide(book: Book, ratio: Decimal) -> None:
    """The book's prices after a split: last and close divided, the quote gone until the next one."""
    if book.last is not None:
        book.last = int((book.last / ratio).to_integral_value())
    if book.close is not None:
        book.close = int((book.close / ratio).to_integral_value())
    book.bid, book.bid_left, book.ask, book.ask_left = -FAR, 0, FAR, 0
    book.refresh()
