"""`MarketRule`: which prices an exchange takes, by price level (answer 93).

    rule = MarketRule(rule_id=109, increments=((D("0"), D("0.01")), (D("3"), D("0.05"))))
    rule.tick_at(D("2.99"))            # 0.01; from 3 on it is 0.05
    rule.snap(D("2.991"), up=True)     # 3.00, the first price of the next band

A price is allowed when it is a whole multiple, counted from zero, of the increment of its own band; an edge
belongs to the band that it opens. `snap` gives the neighbour among the allowed prices, so that between the
price and its answer no allowed price lies, whatever bands are crossed. A negative price, as spreads have
them, is read as the mirror of the positive one.

Sources: the bands, TWS-BEHAVIOUR.md E and the official page on minimum increments (H); the edge as the
first price of its band is the meaning of `lowEdge` there (H). Multiples from zero and the mirror below it
are assumed: in each rule that we know the edges are multiples of both neighbours, which makes the two
readings one; and where steps widen with the price, the mirror's prices are prices of a rule that knows no
mirror too.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from math import gcd

from msgspec import Struct

__all__ = ["FARTHEST", "MarketRule", "snapped"]

FARTHEST = Decimal(10) ** 15
"""Prices and quantities end here. A million billions is beyond any market, and every step down to 1E-12 still
divides it within the 28 digits of Decimal's context, so that no quotient here is ever rounded."""

_FINEST = Decimal("1E-12")


class MarketRule(Struct, frozen=True, kw_only=True):
    """One rule: `increments` are (low edge, increment) in the contract's currency, ascending from zero.

    Raises ValueError for a table that can't be read so: none, not from zero, not ascending, a step that
    is not above zero.
    """

    rule_id: int
    increments: tuple[tuple[Decimal, Decimal], ...]

    def __post_init__(self) -> None:
        if not all(number.is_finite() for row in self.increments for number in row):
            raise ValueError(f"market rule {self.rule_id} has no finite steps: {_text(self.increments)}")
        edges = [edge for edge, _ in self.increments]
        if not edges or edges[0] != 0:
            raise ValueError(f"market rule {self.rule_id} does not begin at zero: {_text(self.increments)}")
        if any(not low < high <= FARTHEST for low, high in pairwise(edges)):
            raise ValueError(f"market rule {self.rule_id} does not ascend: {_text(self.increments)}")
        if any(not _FINEST <= step <= FARTHEST or step % _FINEST for _, step in self.increments):
            raise ValueError(f"market rule {self.rule_id} has an impossible step: {_text(self.increments)}")

    @property
    def step(self) -> Decimal:
        """The widest step that divides every increment: each allowed price is a multiple of it."""
        common = _FINEST * gcd(*(int(step / _FINEST) for _, step in self.increments))
        return common.quantize(max((step for _, step in self.increments), key=_digits))

    def tick_at(self, price: Decimal) -> Decimal:
        """The increment of the band that `price` lies in."""
        return self.increments[self._band(abs(price))][1]

    def is_on(self, price: Decimal) -> bool:
        """Whether an order may have this price. Raises ValueError beyond FARTHEST."""
        return not _within(price) % self.tick_at(price)

    def snap(self, price: Decimal, *, up: bool | None = None) -> Decimal:
        """The nearest allowed price (half way: the even one), or the next up or down; itself when allowed.

        Raises ValueError beyond FARTHEST.
        """
        size = abs(_within(price))
        if up is not None:
            found = self._above(size) if up is (price >= 0) else self._below(size)
        else:
            low, high = self._below(size), self._above(size)
            to_low, to_high = size - low, high - size
            even = not low // self.tick_at(low) % 2
            found = low if to_low < to_high or (to_low == to_high and even) else high
        return found if price >= 0 else -found

    def _band(self, size: Decimal) -> int:
        for index in range(len(self.increments) - 1, 0, -1):
            if size >= self.increments[index][0]:
                return index
        return 0

    def _below(self, size: Decimal) -> Decimal:
        index, inclusive = self._band(size), True
        while True:
            edge, step = self.increments[index]
            found = size // step * step
            if found == size and not inclusive:
                found -= step
            if found >= edge:
                return found
            # The band opens between two of its multiples: below the first of them lies the band beneath.
            size, inclusive, index = edge, False, index - 1

    def _above(self, size: Decimal) -> Decimal:
        index = self._band(size)
        while True:
            step = self.increments[index][1]
            found = size // step * step
            if found < size:
                found += step
            index += 1
            if index == len(self.increments) or found < self.increments[index][0]:
                return found
            size = self.increments[index][0]


def snapped(price: Decimal, step: Decimal, up: bool | None) -> Decimal:
    """`price` on the multiples of one step: the rule of a single band. Raises ValueError beyond FARTHEST."""
    whole = _within(price) // step  # towards zero
    rest = price - whole * step
    if up is None:
        away = 2 * abs(rest) > step or (2 * abs(rest) == step and whole % 2 != 0)
    else:
        away = rest != 0 and up is (rest > 0)
    if away:
        whole += 1 if rest > 0 else -1
    return whole * step + 0  # never -0


def _within(price: Decimal) -> Decimal:
    if not abs(price) <= FARTHEST:
        raise ValueError(f"price {price} is beyond {FARTHEST:E}")
    return price


def _digits(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _text(increments: tuple[tuple[Decimal, Decimal], ...]) -> str:
    return ", ".join(f"from {edge} by {step}" for edge, step in increments[:8]) or "it is empty"
