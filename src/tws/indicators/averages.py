"""Moving averages of prices."""

from __future__ import annotations

from tws.indicators.window import Window, finite

__all__ = ["Ema", "Sma"]


class Sma:
    """Simple moving average: (p[1] + … + p[n]) / n over the last n prices; None before the n-th.

    Source: any textbook; equal to TA-Lib's SMA.
    """

    __slots__ = ("_window", "period", "value")

    def __init__(self, period: int) -> None:
        self._window = Window(period)
        self.period = period
        self.value: float | None = None

    def update(self, price: float) -> float | None:
        moments = self._window.update(price)
        self.value = None if moments is None else moments.mean
        return self.value


class Ema:
    """Exponential moving average: e += (p - e) * 2 / (n + 1), begun with the mean of the first n prices.

    None before the n-th price. Source: TA-Lib's EMA in its default ("classic") mode, which it equals.
    """

    __slots__ = ("_seed", "_weight", "period", "value")

    def __init__(self, period: int) -> None:
        self._seed: Sma | None = Sma(period)
        self._weight = 2.0 / (period + 1)
        self.period = period
        self.value: float | None = None

    def update(self, price: float) -> float | None:
        if self.value is not None:
            self.value += (finite(price) - self.value) * self._weight
        elif self._seed is not None:
            self.value = self._seed.update(price)
            if self.value is not None:
                self._seed = None
        return self.value
