"""RSI and MACD."""

from __future__ import annotations

from msgspec import Struct

from tws.indicators.averages import Ema
from tws.indicators.wilder import Wilder
from tws.indicators.window import finite

__all__ = ["Macd", "MacdValue", "Rsi"]


class Rsi:
    """Relative strength index, 0 to 100: 100 * G / (G + L), G and L Wilder's averages of gains and losses.

    None before the (n + 1)-th price. A market that did not move at all gives 50, the middle (TA-Lib
    says 0 there, which reads as a crash). Source: J. W. Wilder, "New Concepts in Technical Trading
    Systems", 1978; equal to TA-Lib's RSI elsewhere.
    """

    __slots__ = ("_before", "_gain", "_loss", "period", "value")

    def __init__(self, period: int = 14) -> None:
        self._gain, self._loss = Wilder(period), Wilder(period)
        self._before: float | None = None
        self.period = period
        self.value: float | None = None

    def update(self, price: float) -> float | None:
        before, self._before = self._before, finite(price)
        if before is None:
            return None
        gain = self._gain.update(max(0.0, price - before))
        loss = self._loss.update(max(0.0, before - price))
        if gain is not None and loss is not None:
            total = gain + loss
            self.value = 100.0 * (gain / total) if total else 50.0  # in this order never above 100
        return self.value


class MacdValue(Struct, frozen=True, gc=False):
    """`line` = fast - slow average, `signal` = the line's own average, `histogram` = line - signal."""

    line: float
    signal: float
    histogram: float


class Macd:
    """Moving average convergence/divergence: EMA(fast) - EMA(slow), and EMA(signal) of that line.

    None before price slow + signal - 1. Each average begins with its own first prices; TA-Lib begins the
    fast one later, so that the first values differ and then meet. Source: G. Appel, "Technical
    Analysis: Power Tools for Active Investors", 2005.
    """

    __slots__ = ("_fast", "_signal", "_slow", "value")

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        if not 0 < fast < slow:
            raise ValueError(f"MACD({fast}, {slow}): the fast period must be the shorter one")
        self._fast, self._slow, self._signal = Ema(fast), Ema(slow), Ema(signal)
        self.value: MacdValue | None = None

    def update(self, price: float) -> MacdValue | None:
        fast, slow = self._fast.update(price), self._slow.update(price)
        if fast is not None and slow is not None:
            line = fast - slow
            signal = self._signal.update(line)
            if signal is not None:
                self.value = MacdValue(line, signal, line - signal)
        return self.value
