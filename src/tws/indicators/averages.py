"""Moving averages of prices."""

from __future__ import annotations

from math import ceil, log, log1p
from typing import ClassVar

from tws.indicators.inputs import finite
from tws.indicators.kept import Kept
from tws.indicators.window import Moments, Weighted, Window

__all__ = ["Ema", "Sma", "Wma", "forgetting"]


FORGOTTEN = 0.001
"""A beginning that weighs no more than a thousandth counts as forgotten (`settled`)."""


def forgetting(weight: float) -> int:
    """How many values an average takes, each by so much, until what was before is forgotten."""
    return ceil(log(FORGOTTEN) / log1p(-weight)) if weight < 1 else 0


class Sma(Kept):
    """Simple moving average: (p[1] + … + p[n]) / n over the last n prices; None before the n-th.

    Source: any textbook; equal to TA-Lib's SMA.
    """

    __slots__ = ("_window", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_window", "value")
    value: float | None

    def __init__(self, period: int = 20) -> None:
        self._window = Window(period, Moments)
        self.period = self.warm_up = self.settled = period
        self.value = None

    def update(self, price: float) -> float | None:
        moments = self._window.update(Moments(1, finite(price)))
        self.value = None if moments is None else moments.mean
        return self.value


class Ema(Kept):
    """Exponential moving average: e += (p - e) * 2 / (n + 1), begun with the mean of the first n prices.

    None before the n-th price. Source: TA-Lib's EMA in its default ("classic") mode, which it equals.
    """

    __slots__ = ("_seed", "_weight", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_seed", "value")
    value: float | None

    def __init__(self, period: int = 20) -> None:
        self._seed: Sma | None = Sma(period)
        self._weight = 2.0 / (period + 1)
        self.period = self.warm_up = period
        self.settled = period + forgetting(self._weight)
        self.value = None

    def update(self, price: float) -> float | None:
        if self.value is not None:
            self.value += (finite(price) - self.value) * self._weight
        elif self._seed is not None:
            self.value = self._seed.update(price)
            if self.value is not None:
                self._seed = None
        return self.value


class Wma(Kept):
    """Weighted moving average: (1 p[1] + 2 p[2] + … + n p[n]) / (1 + … + n), p[n] the last price; None before
    the n-th.

    Source: R. Colby, "The Encyclopedia of Technical Market Indicators", 2003; equal to TA-Lib's WMA.
    """

    __slots__ = ("_window", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_window", "value")
    value: float | None

    def __init__(self, period: int = 20) -> None:
        self._window = Window(period, Weighted)
        self.period = self.warm_up = self.settled = period
        self.value = None

    def update(self, price: float) -> float | None:
        found = self._window.update(Weighted(1, finite(price), price))
        self.value = None if found is None else found.weighted * 2.0 / (self.period * (self.period + 1))
        return self.value
