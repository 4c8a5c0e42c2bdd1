"""RSI, MACD and the stochastic oscillator."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from tws.indicators.averages import Ema, Sma
from tws.indicators.inputs import finite, range_of
from tws.indicators.kept import Kept
from tws.indicators.wilder import Wilder
from tws.indicators.window import Extremes, Window
from tws.model.market import Bar

__all__ = ["Macd", "MacdValue", "Rsi", "Stochastic", "StochasticValue"]


class Rsi(Kept):
    """Relative strength index, 0 to 100: 100 * G / (G + L), G and L Wilder's averages of gains and losses.

    None before the (n + 1)-th price. A market that did not move at all gives 50, the middle (TA-Lib
    says 0 there, which reads as a crash). Source: J. W. Wilder, "New Concepts in Technical Trading
    Systems", 1978; equal to TA-Lib's RSI elsewhere.
    """

    __slots__ = ("_before", "_gain", "_loss", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_before", "_gain", "_loss", "value")
    _before: float | None
    value: float | None

    def __init__(self, period: int = 14) -> None:
        self._gain, self._loss = Wilder(period), Wilder(period)
        self._before = None
        self.period = period
        self.warm_up = period + 1
        self.settled = self._gain.settled + 1
        self.value = None

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


class Macd(Kept):
    """Moving average convergence/divergence: EMA(fast) - EMA(slow), and EMA(signal) of that line.

    None before price slow + signal - 1. The fast average begins so late that its first value comes with
    the slow one's, as TA-Lib has it, which it equals. Source: G. Appel, "Technical Analysis: Power Tools for
    Active Investors", 2005.
    """

    __slots__ = ("_early", "_fast", "_signal", "_slow", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_early", "_fast", "_signal", "_slow", "value")
    _early: int
    value: MacdValue | None

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        if not 0 < fast < slow:
            raise ValueError(f"MACD({fast}, {slow}): the fast period must be the shorter one")
        self._fast, self._slow, self._signal = Ema(fast), Ema(slow), Ema(signal)
        self._early = slow - fast
        self.warm_up = slow + signal - 1
        self.settled = self._slow.settled + self._signal.settled - 1
        self.value = None

    def update(self, price: float) -> MacdValue | None:
        slow = self._slow.update(price)
        if self._early:
            self._early -= 1
            return None
        fast = self._fast.update(price)
        if fast is not None and slow is not None:
            line = fast - slow
            signal = self._signal.update(line)
            if signal is not None:
                self.value = MacdValue(line, signal, line - signal)
        return self.value


class StochasticValue(Struct, frozen=True, gc=False):
    """Two numbers from 0 to 100: `k`, and `d`, the average of the last `k`."""

    k: float
    d: float


class Stochastic(Kept):
    """Slow stochastic oscillator: where the close lies between the lowest low (0) and the highest high (100)
    of the last n bars; `k` is its mean over `smooth` bars, `d` the mean of `k` over `signal` bars.

    None before bar n + smooth + signal - 2. A range of nothing gives 50, the middle (TA-Lib says 0 there).
    Source: G. C. Lane, "Lane's Stochastics", Technical Analysis of Stocks & Commodities 1984; equal to
    TA-Lib's STOCH elsewhere.
    """

    __slots__ = ("_k", "_range", "_signal", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_k", "_range", "_signal", "value")
    value: StochasticValue | None

    def __init__(self, period: int = 14, smooth: int = 3, signal: int = 3) -> None:
        self._range = Window(period, Extremes)
        self._k, self._signal = Sma(smooth), Sma(signal)
        self.warm_up = self.settled = period + smooth + signal - 2
        self.value = None

    def update(self, bar: Bar) -> StochasticValue | None:
        high, low, close = range_of(bar)
        found = self._range.update(Extremes(high, low))
        if found is None:
            return None
        width = found.high - found.low
        k = self._k.update((close - found.low) / width * 100.0 if width else 50.0)
        d = None if k is None else self._signal.update(k)
        if k is not None and d is not None:
            self.value = StochasticValue(k, d)
        return self.value
