"""Time bars: one instrument's prints gathered into spans of equal length.

A bar is given out once, when the first event at or after its end shows that the span is over: a print, a
volume, or `advance` from a timer.

An empty span gives no bar. A flat bar invented for it would shrink an average range and move an
average; the next bar states the `gap`, and `missed` counts them all. A print that is older
than the open span comes too late for its bar, which was given out: it is counted and left out.
Every call costs the same, however long the silence before it.
"""

from __future__ import annotations

from math import isfinite

from tws.bars.spans import Spans
from tws.model.market import Bar

__all__ = ["TimeBars"]


class TimeBars(Spans):
    """Builds bars of `seconds` (10 unless told) from prints. Prices in currency, sizes in shares."""

    __slots__ = ("_count",)

    def __init__(self, seconds: int = 10, since_ns: int = 0) -> None:
        super().__init__(seconds, since_ns)
        self._count = 0

    def trade(self, time_ns: int, price: float, size: float = 0.0) -> Bar | None:
        """A print (or a mid price, with size 0). Answers the bar that it completed, if any."""
        if not (isfinite(price) and isfinite(size) and size >= 0):
            self.rejected += 1
            return None
        done = None
        if not (self._running and self._begin <= time_ns < self._end):
            done = self.advance(time_ns)
            if not self._may_begin(time_ns):
                return done
            self._begin_span(time_ns, price)
            self._count = 0
        elif price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        self._volume += size
        self._notional += price * size
        self._count += 1
        return done

    def volume(self, time_ns: int, size: float) -> Bar | None:
        """Shares traded at the last price, where a feed states volume apart from price.

        A volume without a price in its span opens no bar. Answers the bar that it completed, if any.
        """
        if not (isfinite(size) and size >= 0):
            self.rejected += 1
            return None
        done = self.advance(time_ns)
        if self._running and time_ns >= self._begin:
            self._volume += size
            self._notional += self._close * size
        return done

    def _closing(self) -> tuple[float | None, int]:
        return self._notional / self._volume if self._volume else None, self._count
