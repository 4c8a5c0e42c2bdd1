"""The only door between the three number worlds.

Market data is float (it is analysed), orders and money are Decimal (they are booked), the exchange counts
integer ticks and lots. A float becomes a Decimal by its shortest repr, never by its binary expansion; NaN
and infinity stop here. Prices lie on the multiples of one tick, or, when the broker's market rule is known,
on its bands.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from numbers import Real
from typing import TypeAlias

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.marketrule import FARTHEST, MarketRule, snapped

__all__ = ["Instrument", "Number", "decimal", "market_rule"]

Number: TypeAlias = int | float | str | Decimal
"""What whoever places an order may give as a price or a quantity."""


def decimal(value: Number, what: str = "number") -> Decimal:
    """`value` as a finite Decimal; a float by its repr, so that 0.1 is Decimal("0.1"). The numbers of numpy,
    which programs take from their tables, are numbers too.

    Raises ValueError for NaN, infinity, bool and text that is no number; `what` names it.
    """
    if isinstance(value, bool):
        raise ValueError(f"{what} is {value!r}: a truth value is no number")
    given: object = value
    if not isinstance(given, Real | str | Decimal):  # Decimal itself takes lists of digits, too
        raise ValueError(f"{what} is {value!r}: not a number")
    try:  # `str`: the repr of a numpy float names its type
        number = Decimal(given) if isinstance(given, int | str | Decimal) else Decimal(str(given))
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError(f"{what} is {value!r}: not a number") from None
    if not number.is_finite():
        raise ValueError(f"{what} is {value!r}: must be finite")
    return number


def market_rule(rule_id: int, rows: Iterable[tuple[Number, Number]]) -> MarketRule:
    """A rule from (low edge, increment) as the wire has them. Raises ValueError for a table that is none."""
    exact = tuple((decimal(edge, "low edge"), decimal(step, "increment")) for edge, step in rows)
    return MarketRule(rule_id=rule_id, increments=exact)


class Instrument(Struct, frozen=True, kw_only=True):
    """A contract with its grid: `tick` is the price step in currency, `lot` the quantity step in shares.

    With a `rule` the allowed prices are the rule's, and `tick` is the step in which they are counted: one
    that divides each increment, such as `rule.step`. Raises ValueError when it does not.
    """

    contract: Contract
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal(1)
    rule: MarketRule | None = None

    def __post_init__(self) -> None:
        if self.rule is not None and self.rule.step % self.tick:
            raise ValueError(f"the tick {self.tick} does not count the steps of {self.rule}")

    def tick_at(self, price: Number) -> Decimal:
        """The smallest step from this price upwards."""
        return self.tick if self.rule is None else self.rule.tick_at(decimal(price, "price"))

    def is_on(self, price: Number) -> bool:
        """Whether an order may have this price."""
        value = decimal(price, "price")
        return abs(value) <= FARTHEST and not value % self.tick_at(value)

    def ticks(self, price: Number) -> int:
        """`price` in whole ticks. Raises ValueError when it lies off the grid."""
        value = decimal(price, "price")
        if not self.is_on(value):
            step, symbol = self.tick_at(value), self.contract.symbol
            raise ValueError(f"price {price} is no multiple of the tick {step} of {symbol}")
        return int(value // self.tick)

    def nearest_ticks(self, price: Number) -> int:
        """`price` in ticks, rounded to the nearest (for market data, which may come off the grid)."""
        return int((decimal(price, "price") / self.tick).to_integral_value(ROUND_HALF_EVEN))

    def price(self, ticks: int) -> Decimal:
        """The price of so many ticks."""
        return self.tick * ticks

    def snap(self, price: Number, *, up: bool | None = None) -> Decimal:
        """`price` on the grid: nearest, or the next one up (`up=True`) or down (`up=False`).

        Raises ValueError beyond 1E15, where no market is.
        """
        value = decimal(price, "price")
        return snapped(value, self.tick, up) if self.rule is None else self.rule.snap(value, up=up)

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
