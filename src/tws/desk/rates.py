"""What each currency is worth in an account's base currency, in the broker's own words.

TWS states it with the account's values: a row `ExchangeRate` for each currency of which the account has a
ledger, what one unit of it is in the base currency ("0.8303924", USD, in an account in EUR; 1.00 for EUR
itself and for BASE), and the base currency as that of the rows `NetLiquidation` and `BuyingPower`. (Reported:
users' listings of account values. Newer versions may write `$LEDGER-ExchangeRate`: TWS-BEHAVIOUR.md D.)

A rate that was never stated, or stated as no number above zero, is unknown; nobody guesses it. TWS states
the rates anew every three minutes; in between, and while the link is down, the last one holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from tws.model.account import AccountValue

__all__ = ["Money", "Rates"]

_ONE = Decimal(1)
_PREFIX = "$LEDGER-"
_IN_BASE = ("NetLiquidation", "BuyingPower")
"""Rows of the whole account: their currency is the base."""


class Money(Struct, frozen=True, kw_only=True):
    """One account's base currency (empty: not stated) and the rates to it."""

    base: str = ""
    rates: Mapping[str, Decimal] = {}

    def rate(self, currency: str) -> Decimal | None:
        """What one unit is in the base currency; None when that is not known."""
        return _ONE if currency == self.base else self.rates.get(currency)


class Rates:
    """The rates of every account of which values were heard. A change makes a new `Money`."""

    def __init__(self) -> None:
        self._accounts: dict[str, Money] = {}
        self._assumed = Money()

    def hear(self, value: AccountValue) -> None:
        """Keep what a row says of currencies; the others say nothing here."""
        known = self._accounts.get(value.account, _NOTHING)
        key, currency = value.key.removeprefix(_PREFIX), value.currency
        if currency in ("", "BASE") or value.model:
            return
        if key in _IN_BASE and currency != known.base:
            self._accounts[value.account] = replace(known, base=currency)
        elif key == "ExchangeRate":
            rate = value.amount
            rates = {name: kept for name, kept in known.rates.items() if name != currency}
            if rate is not None and rate > 0:
                rates[currency] = rate
            if rates != known.rates:
                self._accounts[value.account] = replace(known, rates=rates)

    def stated(self, account: str) -> bool:
        """Whether the broker has said anything of this account's currencies."""
        return account in self._accounts

    def of(self, account: str) -> Money:
        """As the broker states it."""
        return self._accounts.get(account, _NOTHING)

    def assumed(self, currency: str) -> Money:
        """What an account would have whose base is this currency, and of which nothing else is known."""
        if self._assumed.base != currency:
            self._assumed = Money(base=currency)
        return self._assumed

    def copied(self) -> Rates:
        """The same, and apart from now on."""
        twin = Rates()
        twin._accounts = dict(self._accounts)
        return twin


_NOTHING = Money()
