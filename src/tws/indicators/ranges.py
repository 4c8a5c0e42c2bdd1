"""Average true range."""

from __future__ import annotations

from tws.indicators.wilder import Wilder
from tws.indicators.window import finite
from tws.model.market import Bar

__all__ = ["Atr"]


class Atr:
    """Average true range, in currency: Wilder's average of max(high, close before) - min(low, close before).

    The first bar has no close before it and gives no range, so None before bar n + 1. A gap between two
    bars is part of the range of the second. Source: J. W. Wilder, "New Concepts in Technical
    Trading Systems", 1978; equal to TA-Lib's ATR.
    """

    __slots__ = ("_average", "_close", "period", "value")

    def __init__(self, period: int = 14) -> None:
        self._average = Wilder(period)
        self._close: float | None = None
        self.period = period
        self.value: float | None = None

    def update(self, bar: Bar) -> float | None:
        high, low, close = finite(bar.high), finite(bar.low), finite(bar.close)
        before, self._close = self._close, close
        if before is not None:
            self.value = self._average.update(max(high, before) - min(low, before))
        return self.value
