"""A sliding window that knows count, mean and spread of its last n values without ever subtracting.

The textbook way (add the new value, take away the oldest) lets rounding errors pile up for ever,
and one wild price leaves its error behind after it has gone. Here values come in blocks of n. Of the
block before, the moments of each tail are kept; of the block that fills, those of its head. A window
is always one tail joined to one head (Chan, Golub, LeVeque 1979, "Updating Formulae and a Pairwise
Algorithm for Computing Sample Variances"). Tails are computed once a block: n steps every n values,
so a value costs the same on average whatever n is.
"""

from __future__ import annotations

from math import isfinite

from msgspec import Struct

__all__ = ["Moments", "Window", "finite"]


class Moments(Struct, frozen=True, gc=False):
    """Of some values: how many, their mean, and the sum of squares of their distances from it."""

    count: int = 0
    mean: float = 0.0
    spread: float = 0.0

    def joined(self, other: Moments) -> Moments:
        """The moments of both sets together."""
        if not self.count:
            return other
        if not other.count:
            return self
        count = self.count + other.count
        distance = other.mean - self.mean
        mean = self.mean + distance * other.count / count
        spread = self.spread + other.spread + distance * distance * self.count * other.count / count
        return Moments(count, mean, spread)


_NONE = Moments()


class Window:
    """The moments of the last `size` values."""

    __slots__ = ("_block", "_head", "_tails", "size")

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a window of {size} values: at least 1")
        self.size = size
        self._block: list[float] = []
        self._head = _NONE
        self._tails: list[Moments] = []

    def update(self, value: float) -> Moments | None:
        """Takes a value; answers the moments of the last `size` ones, None while there are fewer."""
        self._block.append(finite(value))
        self._head = self._head.joined(Moments(1, value))
        seen = len(self._block)
        if seen == self.size:
            whole = self._head
            self._turn()
            return whole
        return self._tails[seen].joined(self._head) if self._tails else None

    def _turn(self) -> None:
        tail, tails = _NONE, []
        for value in reversed(self._block):
            tail = Moments(1, value).joined(tail)
            tails.append(tail)
        self._tails = tails[::-1]
        self._block = []
        self._head = _NONE


def finite(value: float) -> float:
    """`value` itself; ValueError when it is NaN or infinite."""
    if not isfinite(value):
        raise ValueError(f"an indicator was given {value!r}: not a finite number")
    return value
