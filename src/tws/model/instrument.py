"""The only door between the three number worlds.

Market data is float (it is analysed), orders and money are Decimal (they are booked), the
exchange counts integer ticks and lots. A float becomes a Decimal by its shortest repr,
never by its binary expansion; NaN and infinity stop here.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TypeAlias

from msgspec import Struct

from tws.model.contract import Contract

__all__ = ["Instrument", "Number", "decimal"]

Number: TypeAlias = int | float | str | Decimal
"""What whoever places an order may give as a price or a quantity."""


def decimal(value: Number, what: str = "number") -> Decimal:
    """`value` as a finite Decimal; a float by its repr, so that 0.1 is Decimal("0.1").

    Raises ValueError for NaN, infinity, bool and text that is no number; `what` names it.
    """
    if isinstance(value, bool):
        raise ValueError(f"{what} is {value!r}: a truth value is no number")
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError(f"{what} is {value!r}: not a number") from None
    if not number.is_finite():
        raise ValueError(f"{what} is {value!r}: must be finite")
    return number


class Instrument(Struct, frozen=True, kw_only=True):
    """A contract with its grid: `tick` is the price step in currency, `lot` the quantity step in shares."""

    contract: Contract
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal(1)

    def ticks(self, price: Number) -> int:
        """`price` in whole ticks. Raises ValueError when it lies off the grid."""
        count = decimal(price, "price") / self.tick
        whole = count.to_integral_value()
        if whole != count:
            symbol = self.contract.symbol
            raise ValueError(f"price {price} is no multiple of the tick {self.tick} of {symbol}")
        return int(whole)

    def nearest_ticks(self, price: Number) -> int:
        """`price` in ticks, rounded to the nearest (for market data, which may come off the grid)."""
        return int((decimal(price, "price") / self.tick).to_integral_value(ROUND_HALF_EVEN))

    def price(self, ticks: int) -> Decimal:
        """The price of so many ticks."""
        return self.tick * ticks

    def snap(self, price: Number, *, up: bool | None = None) -> Decimal:
        """`price` on the grid: nearest, or the next one up (`up=True`) or down (`up=False`)."""
        mode = ROUND_HALF_EVEN if up is None else ROUND_CEILING if up else ROUND_FLOOR
        return (decimal(price, "price") / self.tick).to_integral_value(mode) * self.tick

    def lots(self, quantity: Number) -> int:
        """`quantity` in whole lots. Raises ValueError when it lies off the grid."""
        count = decimal(quantity, "quantity") / self.lot
        whole = count.to_integral_value()
        if whole != count:
            symbol = self.contract.symbol
            raise ValueError(f"quantity {quantity} is no multiple of the lot {self.lot} of {symbol}")
        return int(whole)

    def quantity(self, lots: int) -> Decimal:
        """The quantity of so many lots."""
        return self.lot * lots
