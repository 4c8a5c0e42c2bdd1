"""How large an entry is wished: a fixed number, a sum of money, or a share of the equity at risk.

Values alone, because rules (`tws.rules`) write them and the strategy (`tws.strategy.sizing`) turns them into
a quantity.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

__all__ = ["Allocation", "RiskFraction", "Shares", "Sizing"]


class Shares(Struct, frozen=True, tag="shares"):
    """So many shares."""

    count: Decimal


class Allocation(Struct, frozen=True, tag="allocation"):
    """So much money, in the contract's currency, turned into shares at the current price."""

    cash: Decimal


class RiskFraction(Struct, frozen=True, tag="risk"):
    """So large a part of the equity (0.01 is one percent) is lost when the stop fills at its own price."""

    fraction: Decimal


Sizing: TypeAlias = Shares | Allocation | RiskFraction
