"""How widely prices scatter: rolling volatility, and how far off the last one is."""

from __future__ import annotations

from math import log1p, sqrt
from typing import ClassVar

from tws.indicators.inputs import finite
from tws.indicators.kept import Kept
from tws.indicators.window import Moments, Window

__all__ = ["Volatility", "ZScore"]


class Volatility(Kept):
    """The sample's standard deviation (divided by n - 1) of the last n logarithmic returns ln(p / p before),
    times the square root of `per_year`, the bars in a year; 1 leaves it per bar.

    None before price n + 1. A price of 0 or below raises ValueError: it has no logarithm. Source: J. Hull,
    "Options, Futures, and Other Derivatives", on historical volatility.
    """

    __slots__ = ("_before", "_scale", "_window", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_before", "_window", "value")
    _before: float | None
    value: float | None

    def __init__(self, period: int = 20, per_year: float = 1.0) -> None:
        if period < 2:
            raise ValueError(f"a volatility of {period} returns: at least 2")
        self._window = Window(period, Moments)
        self._scale = sqrt(per_year)
        self._before = None
        self.period = period
        self.warm_up = self.settled = period + 1
        self.value = None

    def update(self, price: float) -> float | None:
        if finite(price) <= 0:
            raise ValueError(f"a volatility was given the price {price!r}: above 0")
        before, self._before = self._before, price
        if before is None:
            return None
        moments = self._window.update(Moments(1, log1p((price - before) / before)))
        if moments is not None:
            self.value = self._scale * sqrt(moments.spread / (moments.count - 1))
        return self.value


class ZScore(Kept):
    """How many standard deviations the last price is above the mean of the last n, itself included.

    The deviation is that of the population, so that 2 is the upper band of `Bollinger(n, 2)`. None before the
    n-th price; 0 when all n are equal. Source: any textbook of statistics (standard score).
    """

    __slots__ = ("_window", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_window", "value")
    value: float | None

    def __init__(self, period: int = 20) -> None:
        if period < 2:
            raise ValueError(f"a z-score of {period} prices: at least 2")
        self._window = Window(period, Moments)
        self.period = self.warm_up = self.settled = period
        self.value = None

    def update(self, price: float) -> float | None:
        moments = self._window.update(Moments(1, finite(price)))
        if moments is not None:
            deviation = sqrt(moments.spread / moments.count)
            self.value = (price - moments.mean) / deviation if deviation else 0.0
        return self.value
