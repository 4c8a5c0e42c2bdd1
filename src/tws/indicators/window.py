"""A sliding window that knows something of its last n values together without ever subtracting.

The textbook way (add the new value, take away the oldest) lets rounding errors pile up for ever,
and one wild price leaves its error behind after it has gone. Here values come in blocks of n. Of the
block before, each tail is kept joined; of the block that fills, its head. A window is always one tail
joined to one head. Tails are computed once a block: n steps every n values, so a value costs the same on
average whatever n is.

What is known is a part: a value of a class whose `joined` puts two neighbouring stretches together, the
older one first. `Moments` knows count, mean and spread (Chan, Golub, LeVeque 1979, "Updating Formulae and a
Pairwise Algorithm for Computing Sample Variances"), `Weighted` the sum and the sum by age, `Extremes`
the highest and the lowest.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import msgspec
from msgspec import Struct

from tws.indicators.kept import Kept

__all__ = ["Extremes", "Moments", "Weighted", "Window"]


class _Part(Protocol):
    def joined(self, other: Self) -> Self: ...


T = TypeVar("T", bound=_Part)


class Moments(Struct, frozen=True, gc=False, array_like=True):
    """Of some values: how many, their mean, and the sum of squares of their distances from it."""

    count: int
    mean: float
    spread: float = 0.0

    def joined(self, other: Moments) -> Moments:
        """The moments of both sets together."""
        count = self.count + other.count
        distance = other.mean - self.mean
        mean = self.mean + distance * other.count / count
        spread = self.spread + other.spread + distance * distance * self.count * other.count / count
        return Moments(count, mean, spread)


class Weighted(Struct, frozen=True, gc=False, array_like=True):
    """Of some values: how many, their sum, and the sum with the oldest counted once, the next twice, …"""

    count: int
    total: float
    weighted: float

    def joined(self, other: Weighted) -> Weighted:
        """`other` is younger: each of its values weighs by so many more as there are older ones."""
        return Weighted(
            self.count + other.count,
            self.total + other.total,
            self.weighted + other.weighted + self.count * other.total,
        )


class Extremes(Struct, frozen=True, gc=False, array_like=True):
    """Of some ranges: the highest high and the lowest low."""

    high: float
    low: float

    def joined(self, other: Extremes) -> Extremes:
        return Extremes(
            self.high if self.high > other.high else other.high,
            self.low if self.low < other.low else other.low,
        )


class Window(Kept, Generic[T]):
    """The last `size` parts, joined. Its parts are of the class `kind`."""

    __slots__ = ("_block", "_head", "_tails", "kind", "size")
    KEPT: ClassVar[tuple[str, ...]] = ("_block", "_head", "_tails")

    def __init__(self, size: int, kind: type[T]) -> None:
        if size < 1:
            raise ValueError(f"a window of {size} values: at least 1")
        self.size = size
        self.kind = kind
        self._block: list[T] = []
        self._head: T | None = None
        self._tails: list[T] = []

    def update(self, part: T) -> T | None:
        """Takes a part; answers the last `size` ones joined, None while there are fewer."""
        self._block.append(part)
        head = self._head = part if self._head is None else self._head.joined(part)
        seen = len(self._block)
        if seen == self.size:
            self._turn()
            return head
        return self._tails[seen].joined(head) if self._tails else None

    def _turn(self) -> None:
        tail = self._block.pop()
        tails = [tail]
        while self._block:
            tail = self._block.pop().joined(tail)
            tails.append(tail)
        tails.reverse()
        self._tails = tails
        self._head = None

    def restore(self, state: Any) -> None:
        try:
            self._block = msgspec.convert(state["block"], list[self.kind])  # type: ignore[name-defined]
            self._tails = msgspec.convert(state["tails"], list[self.kind])  # type: ignore[name-defined]
            self._head = msgspec.convert(state["head"], self.kind | None)
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise ValueError(f"no state of a window: {error!r}") from None
        if len(self._block) >= self.size or len(self._tails) not in (0, self.size):
            raise ValueError(f"no state of a window of {self.size} values: it has another length")
        if (self._head is None) != (not self._block):
            raise ValueError("no state of a window: its head and its block do not belong together")
