"""Channels around the market: Bollinger, Donchian, Keltner."""

from __future__ import annotations

from math import sqrt
from typing import ClassVar

from msgspec import Struct

from tws.indicators.averages import Ema
from tws.indicators.inputs import finite, range_of
from tws.indicators.kept import Kept
from tws.indicators.ranges import Atr
from tws.indicators.window import Extremes, Moments, Window
from tws.model.market import Bar

__all__ = ["Bands", "Bollinger", "Donchian", "Keltner"]


class Bands(Struct, frozen=True, gc=False):
    """Three prices, in currency."""

    lower: float
    middle: float
    upper: float


class Bollinger(Kept):
    """The mean of the last n prices, and k standard deviations below and above it; None before the n-th.

    The deviation is that of the population (divided by n). Source: J. Bollinger, "Bollinger on Bollinger
    Bands", 2001; equal to TA-Lib's BBANDS with the simple average.
    """

    __slots__ = ("_width", "_window", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_window", "value")
    value: Bands | None

    def __init__(self, period: int = 20, deviations: float = 2.0) -> None:
        self._window = Window(period, Moments)
        self._width = deviations
        self.period = self.warm_up = self.settled = period
        self.value = None

    def update(self, price: float) -> Bands | None:
        moments = self._window.update(Moments(1, finite(price)))
        if moments is not None:
            half = self._width * sqrt(moments.spread / moments.count)
            self.value = Bands(moments.mean - half, moments.mean, moments.mean + half)
        return self.value


class Donchian(Kept):
    """The lowest low and the highest high of the last n bars, this one included, and their middle; None
    before the n-th.

    Source: R. Donchian's four-week rule, as in C. Faith, "Way of the Turtle", 2007; equal to TA-Lib's
    DONCHIAN.
    """

    __slots__ = ("_window", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_window", "value")
    value: Bands | None

    def __init__(self, period: int = 20) -> None:
        self._window = Window(period, Extremes)
        self.period = self.warm_up = self.settled = period
        self.value = None

    def update(self, bar: Bar) -> Bands | None:
        high, low, _ = range_of(bar)
        found = self._window.update(Extremes(high, low))
        if found is not None:
            self.value = Bands(found.low, (found.high + found.low) / 2.0, found.high)
        return self.value


class Keltner(Kept):
    """EMA(n) of the typical price (high + low + close) / 3, and k times ATR(m) below and above it.

    None before bar max(n, m + 1), where both begin: the one that needs fewer bars starts so much later, as
    TA-Lib has it. Source: C. Keltner, "How to Make Money in Commodities", 1960, with the ATR of L. Raschke's
    later form; equal to TA-Lib's KC.
    """

    __slots__ = ("_atr", "_early", "_middle", "_width", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_atr", "_early", "_middle", "value")
    _early: int
    value: Bands | None

    def __init__(self, period: int = 20, atr: int = 10, width: float = 2.0) -> None:
        self._middle, self._atr = Ema(period), Atr(atr)
        self._early = self._middle.warm_up - self._atr.warm_up
        self._width = width
        self.warm_up = max(period, atr + 1)
        self.settled = max(self._middle.settled, self._atr.settled) + abs(self._early)
        self.value = None

    def update(self, bar: Bar) -> Bands | None:
        high, low, close = range_of(bar)
        atr = middle = None
        if self._early <= 0:
            atr = self._atr.update(bar)
        if self._early >= 0:
            middle = self._middle.update((high + low + close) / 3.0)
        self._early -= (self._early > 0) - (self._early < 0)
        if atr is not None and middle is not None:
            half = self._width * atr
            self.value = Bands(middle - half, middle, middle + half)
        return self.value
