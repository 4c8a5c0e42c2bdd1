"""Indicators that weigh by volume: VWAP and on-balance volume."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from tws.indicators.inputs import finite, range_of, volume_of
from tws.indicators.kept import Kept
from tws.model.market import Bar

__all__ = ["Obv", "Total", "Vwap"]


class Total(Struct, gc=False, array_like=True):
    """A sum that remembers what rounding took from it, so that a million small numbers onto a large one do
    not drift. Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
    Summen", ZAMM 1974.
    """

    total: float = 0.0
    lost: float = 0.0

    def add(self, value: float) -> float:
        """The sum with `value`."""
        before, total = self.total, self.total + value
        self.lost += (before - total) + value if abs(before) >= abs(value) else (value - total) + before
        self.total = total
        return total + self.lost


class Vwap(Kept):
    """Sum of price * volume over sum of volume, since the beginning or the last `reset` (at each open).

    A bar's price is its own `wap` where it has one, else its typical price (high + low + close) / 3.
    None until a share was traded. Source: Berkowitz, Logue, Noser, "The Total Cost of
    Transactions on the NYSE", Journal of Finance 1988; equal to TA-Lib's VWAP for bars without `wap`.
    """

    __slots__ = ("_notional", "_volume", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_notional", "_volume", "value")
    _notional: Total
    _volume: Total
    value: float | None

    def __init__(self) -> None:
        self.warm_up = self.settled = 1
        self.reset()

    def reset(self) -> None:
        """A new session begins."""
        self._notional, self._volume = Total(), Total()
        self.value = None

    def update(self, bar: Bar) -> float | None:
        high, low, close = range_of(bar)
        price = (high + low + close) / 3.0 if bar.wap is None else finite(bar.wap)
        volume = volume_of(bar)
        notional, traded = self._notional.add(price * volume), self._volume.add(volume)
        if traded:
            self.value = notional / traded
        return self.value


class Obv(Kept):
    """On-balance volume, in shares: the volume of bars that close above the close before, less that of those
    below; it begins with the first bar's volume, so that its changes mean something and its height does not.

    Source: J. Granville, "New Key to Stock Market Profits", 1963; equal to TA-Lib's OBV.
    """

    __slots__ = ("_close", "_total", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_close", "_total", "value")
    _close: float | None
    _total: Total
    value: float | None

    def __init__(self) -> None:
        self._total = Total()
        self._close = None
        self.warm_up = self.settled = 1
        self.value = None

    def update(self, bar: Bar) -> float | None:
        close, volume = finite(bar.close), volume_of(bar)
        before, self._close = self._close, close
        if before is None or close > before:
            self.value = self._total.add(volume)
        elif close < before:
            self.value = self._total.add(-volume)
        return self.value
