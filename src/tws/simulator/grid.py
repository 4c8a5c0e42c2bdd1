"""The grid of one instrument: integer ticks and lots on one side, prices and quantities on the other.

The market and the exchange count in whole ticks and lots; clients read currency and shares, contracts
or coins. Every crossing of that border goes through here. Market data is float: a price is the float
nearest to the decimal that ticks times tick makes.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import floor

__all__ = ["CENT", "Grid", "grid_of"]


class Grid:
    """Ticks of `tick` currency, lots of `lot` shares, contracts or coins."""

    def __init__(self, tick: Decimal, lot: Decimal) -> None:
        self.tick = float(tick)
        self.per_unit = float(1 / tick)
        self.lot = lot
        self.whole = lot == 1
        exponent = tick.normalize().as_tuple().exponent
        assert isinstance(exponent, int)  # a finite number
        self.digits = max(0, -exponent)

    def price(self, ticks: int) -> float:
        """The price of so many ticks."""
        return round(ticks * self.tick, self.digits)

    def ticks(self, price: float) -> int:
        """The nearest whole number of ticks."""
        return floor(price * self.per_unit + 0.5)

    def is_on(self, price: float) -> bool:
        """Whether the price is one of the grid's; a print may lie between."""
        return abs(price - self.price(self.ticks(price))) < self.tick * 1e-6

    def mid(self, bid: int, ask: int) -> float:
        """Half way between two quotes."""
        return round((bid + ask) * self.tick / 2, self.digits + 1)

    def quantity(self, lots: int) -> Decimal:
        """So many lots as shares, contracts or coins."""
        return Decimal(lots) if self.whole else self.lot * lots

    def size(self, lots: int) -> bytes:
        """A quantity as the wire's decimal text: no exponent, no zeros behind the point."""
        if self.whole:
            return b"%d" % lots
        text = format(self.lot * lots, "f")
        return (text.rstrip("0").rstrip(".") if "." in text else text).encode()


@lru_cache(maxsize=256)
def grid_of(tick: Decimal, lot: Decimal) -> Grid:
    """The one grid of this tick and lot."""
    return Grid(tick, lot)


CENT = grid_of(Decimal("0.01"), Decimal(1))
