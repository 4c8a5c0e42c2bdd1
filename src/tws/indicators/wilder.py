"""Wilder's smoothing, which ATR, RSI and ADX share."""

from __future__ import annotations

from typing import ClassVar

from tws.indicators.averages import Sma, forgetting
from tws.indicators.inputs import finite
from tws.indicators.kept import Kept

__all__ = ["Wilder"]


class Wilder(Kept):
    """w += (x - w) / n, begun with the mean of the first n values; None before the n-th.

    Source: J. W. Wilder, "New Concepts in Technical Trading Systems", 1978.
    """

    __slots__ = ("_seed", "period", "settled", "value")
    KEPT: ClassVar[tuple[str, ...]] = ("_seed", "value")
    value: float | None

    def __init__(self, period: int) -> None:
        self._seed: Sma | None = Sma(period)
        self.period = period
        self.settled = period + forgetting(1.0 / period)
        self.value = None

    def update(self, value: float) -> float | None:
        if self.value is not None:
            self.value += (finite(value) - self.value) / self.period
        elif self._seed is not None:
            self.value = self._seed.update(value)
            if self.value is not None:
                self._seed = None
        return self.value
