"""How many shares: a fixed number, a sum of money, or a share of the equity at risk.

Always rounded down to whole lots: a size never exceeds what was asked for. 0 means: not even one lot.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from msgspec import Struct

from tws.model.sizing import Allocation, RiskFraction, Shares, Sizing

__all__ = ["Allocation", "Basis", "RiskFraction", "Shares", "Sizing", "quantity_for"]


class Basis(Struct, frozen=True, kw_only=True):
    """What a size is reckoned from. Money and prices in the contract's currency.

    `price` is what an entry would pay now, `risk` the distance from there to the stop, `equity` the account's
    net liquidation (None: unknown), `lot` the step of quantities, `multiplier` shares per contract.
    """

    price: Decimal
    risk: Decimal
    equity: Decimal | None = None
    lot: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)


def quantity_for(sizing: Sizing, basis: Basis) -> Decimal:
    """The quantity, in whole lots, rounded down; 0 when there is no basis for one."""
    if isinstance(sizing, Shares):
        wanted = sizing.count
    elif isinstance(sizing, Allocation):
        unit = basis.price * basis.multiplier
        wanted = sizing.cash / unit if unit > 0 else Decimal(0)
    else:
        unit = basis.risk * basis.multiplier
        equity = basis.equity or Decimal(0)
        wanted = equity * sizing.fraction / unit if unit > 0 else Decimal(0)
    if wanted <= 0:
        return Decimal(0)
    return (wanted / basis.lot).to_integral_value(ROUND_FLOOR) * basis.lot
