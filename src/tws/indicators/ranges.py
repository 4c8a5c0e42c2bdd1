"""Average true range."""

from __future__ import annotations

from typing import ClassVar

from tws.indicators.inputs import range_of
from tws.indicators.kept import Kept
from tws.indicators.wilder import Wilder
from tws.model.market import Bar

__all__ = ["Atr"]


class Atr(Kept):
    """Average true range, in currency: Wilder's average of max(high, close before) - min(low, close before).

    The first bar has no close before it and gives no range, so None before bar n + 1. A gap between two
    bars is part of the range of the second. Source: J. W. Wilder, "New Concepts in Technical
    Trading Systems", 1978; equal to TA-Lib's ATR.
    """

    __slots__ = ("_average", "_close", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_average", "_close", "value")
    _close: float | None
    value: float | None

    def __init__(self, period: int = 14) -> None:
        self._average = Wilder(period)
        self._close = None
        self.period = period
        self.warm_up = period + 1
        self.settled = self._average.settled + 1
        self.value = None

    def update(self, bar: Bar) -> float | None:
        high, low, close = range_of(bar)
        before, self._close = self._close, close
        if before is not None:
            self.value = self._average.update(max(high, before) - min(low, before))
        return self.value
