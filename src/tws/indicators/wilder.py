"""Wilder's smoothing, which ATR and RSI share."""

from __future__ import annotations

from tws.indicators.averages import Sma
from tws.indicators.window import finite

__all__ = ["Wilder"]


class Wilder:
    """w += (x - w) / n, begun with the mean of the first n values; None before the n-th.

    Source: J. W. Wilder, "New Concepts in Technical Trading Systems", 1978.
    """

    __slots__ = ("_seed", "period", "value")

    def __init__(self, period: int) -> None:
        self._seed: Sma | None = Sma(period)
        self.period = period
        self.value: float | None = None

    def update(self, value: float) -> float | None:
        if self.value is not None:
            self.value += (finite(value) - self.value) / self.period
        elif self._seed is not None:
            self.value = self._seed.update(value)
            if self.value is not None:
                self._seed = None
        return self.value
