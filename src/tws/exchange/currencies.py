"""What a currency is worth in the accounts' base currency.

A listed pair that is quoted (EUR.USD, or USD.JPY the other way round) says it freshest; else the
rate that was stated by `Exchange.rate`. Without either it is unknown (None): orders in such a
currency are refused, and amounts in it count nothing.
"""

from __future__ import annotations

from decimal import Decimal

from tws.exchange.book import Book

__all__ = ["Rates"]

ONE = Decimal(1)


class Rates:
    """Units of the base currency per unit of another."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._stated: dict[str, Decimal] = {base: ONE}
        self._pairs: dict[str, tuple[Book, bool]] = {}

    def state(self, currency: str, units: Decimal) -> None:
        """`units` of the base currency for one of `currency`."""
        if currency != self.base:
            self._stated[currency] = units

    def watch(self, book: Book) -> None:
        """A pair was listed: from now on its mark is the rate, if one of the two is the base."""
        contract = book.instrument.contract
        if contract.currency == self.base:
            self._pairs[contract.symbol] = (book, False)
        elif contract.symbol == self.base:
            self._pairs[contract.currency] = (book, True)

    def of(self, currency: str) -> Decimal | None:
        """The rate now; None while unknown."""
        if currency == self.base:
            return ONE
        pair = self._pairs.get(currency)
        if pair is not None and (mark := pair[0].mark()):
            price = pair[0].instrument.price(mark)
            return ONE / price if pair[1] else price
        return self._stated.get(currency)

    def known(self) -> tuple[str, ...]:
        """Currencies with a rate, the base first."""
        return tuple(dict.fromkeys((*self._stated, *(c for c in self._pairs if self.of(c) is not None))))
