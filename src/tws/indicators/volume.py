"""Volume-weighted average price."""

from __future__ import annotations

from tws.indicators.window import finite
from tws.model.market import Bar

__all__ = ["Vwap"]


class Vwap:
    """Sum of price * volume over sum of volume, since the beginning or the last `reset` (at each open).

    A bar's price is its own `wap` where it has one, else its typical price (high + low + close) / 3.
    None until a share was traded. Source: Berkowitz, Logue, Noser, "The Total Cost of
    Transactions on the NYSE", Journal of Finance 1988.
    """

    __slots__ = ("_notional", "_volume", "value")

    def __init__(self) -> None:
        self._notional = self._volume = 0.0
        self.value: float | None = None

    def reset(self) -> None:
        """A new session begins."""
        self._notional = self._volume = 0.0
        self.value = None

    def update(self, bar: Bar) -> float | None:
        price = (bar.high + bar.low + bar.close) / 3.0 if bar.wap is None else bar.wap
        volume = finite(bar.volume)
        if volume < 0:
            raise ValueError(f"VWAP was given a volume of {volume}: at least 0")
        self._notional += finite(price) * volume
        self._volume += volume
        if self._volume:
            self.value = self._notional / self._volume
        return self.value
