"""Margin: what an account must hold for what it carries. Assumed throughout, a plain reading by type.

Stocks as Reg T (half to open, a quarter to keep), long and short alike; a bought option its whole
price; a sold one its price and a share of its strike; futures, currency pairs and CFDs a share of
their worth; crypto all of it. Nothing offsets anything: a hedge costs what its parts cost.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = ["MarginModel", "MarginRule"]

ZERO = Decimal(0)


class MarginRule(Struct, frozen=True, kw_only=True):
    """Shares of a holding's absolute market value; `of_strike` comes on top for options sold short."""

    initial: Decimal
    maintenance: Decimal
    of_strike: Decimal = ZERO


class MarginModel(Struct, frozen=True, kw_only=True):
    """A rule for each type of security."""

    stock: MarginRule = MarginRule(initial=Decimal("0.50"), maintenance=Decimal("0.25"))
    option: MarginRule = MarginRule(initial=Decimal(1), maintenance=Decimal(1), of_strike=Decimal("0.15"))
    future: MarginRule = MarginRule(initial=Decimal("0.10"), maintenance=Decimal("0.08"))
    forex: MarginRule = MarginRule(initial=Decimal("0.03"), maintenance=Decimal("0.03"))
    crypto: MarginRule = MarginRule(initial=Decimal(1), maintenance=Decimal(1))
    cfd: MarginRule = MarginRule(initial=Decimal("0.20"), maintenance=Decimal("0.20"))

    def of(self, sec_type: str) -> MarginRule:
        """The rule of TWS's type; one that has none of its own counts as a stock."""
        rule = _BY_TYPE.get(sec_type)
        return self.stock if rule is None else getattr(self, rule)


_BY_TYPE = {
    "OPT": "option", "FOP": "option", "WAR": "option", "FUT": "future", "CASH": "forex", "CRYPTO": "crypto",
    "CFD": "cfd",
}  # fmt: skip
