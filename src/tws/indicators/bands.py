"""Bollinger bands."""

from __future__ import annotations

from math import sqrt

from msgspec import Struct

from tws.indicators.window import Window

__all__ = ["Bands", "Bollinger"]


class Bands(Struct, frozen=True, gc=False):
    """Three prices, in currency."""

    lower: float
    middle: float
    upper: float


class Bollinger:
    """The mean of the last n prices, and k standard deviations below and above it; None before the n-th.

    The deviation is that of the population (divided by n). Source: J. Bollinger, "Bollinger on Bollinger
    Bands", 2001; equal to TA-Lib's BBANDS with the simple average.
    """

    __slots__ = ("_width", "_window", "period", "value")

    def __init__(self, period: int = 20, deviations: float = 2.0) -> None:
        self._window = Window(period)
        self._width = deviations
        self.period = period
        self.value: Bands | None = None

    def update(self, price: float) -> Bands | None:
        moments = self._window.update(price)
        if moments is not None:
            half = self._width * sqrt(moments.spread / moments.count)
            self.value = Bands(moments.mean - half, moments.mean, moments.mean + half)
        return self.value
