"""What an indicator takes in. One NaN would poison an average for good, so it is stopped here, with a word.

Each check comes before anything changes: an indicator that refused a value answers to the next one as
though the refused one had never come.
"""

from __future__ import annotations

from tws.model.market import Bar

__all__ = ["LARGEST", "finite", "range_of", "volume_of"]

LARGEST = 1e100
"""Beyond it squares and sums of squares would leave the range of a double and become infinite. No price
comes near it; TWS's own mark for "unset" (1.8e308) does."""


def finite(value: float) -> float:
    """`value` itself; ValueError when it is NaN, infinite or beyond `LARGEST`."""
    if not -LARGEST < value < LARGEST:
        raise ValueError(f"an indicator was given {value!r}: not a finite number below {LARGEST}")
    return value


def range_of(bar: Bar) -> tuple[float, float, float]:
    """High, low and close; ValueError when one is not finite or the close lies outside of the other two."""
    high, low, close = finite(bar.high), finite(bar.low), finite(bar.close)
    if not low <= close <= high:
        raise ValueError(f"a bar with high {high!r}, low {low!r}, close {close!r}: the close lies outside")
    return high, low, close


def volume_of(bar: Bar) -> float:
    """Its volume; ValueError when it is not finite or below 0."""
    if finite(bar.volume) < 0:
        raise ValueError(f"a bar with a volume of {bar.volume!r}: at least 0")
    return bar.volume
