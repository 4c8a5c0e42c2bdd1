"""Time bars: one instrument's prints gathered into spans of equal length.

A span begins at a whole multiple of its length since midnight UTC, so that two builders, or a
builder that starts late, cut at the same instants. A bar is given out once, when the first
event at or after its end shows that the span is over: a print, a volume, or `advance` from a timer.

An empty span gives no bar. A flat bar invented for it would shrink an average range and move an
average; who must know asks `spans_missed`, and `missed` counts them all. A print that is older
than the open span comes too late for its bar, which was given out: it is counted and left out.
Every call costs the same, however long the silence before it.
"""

from __future__ import annotations

from math import isfinite

from tws.clock import NS_PER_S
from tws.model.market import Bar

__all__ = ["DAY_S", "TimeBars", "spans_missed"]

DAY_S = 86_400


class TimeBars:
    """Builds bars of `seconds` (10 unless told; it must divide a day). Prices in currency, sizes in shares.

    `late` counts prints older than the open span, `rejected` those whose price or size is not a finite
    number or whose size is negative, `missed` the empty spans between two bars.
    """

    __slots__ = (
        "_begin",
        "_close",
        "_count",
        "_end",
        "_high",
        "_last_end",
        "_low",
        "_notional",
        "_open",
        "_span",
        "_volume",
        "late",
        "missed",
        "rejected",
        "seconds",
    )

    def __init__(self, seconds: int = 10) -> None:
        if not 1 <= seconds <= DAY_S or DAY_S % seconds:
            raise ValueError(f"bars of {seconds} s: the length must divide a day of {DAY_S} s")
        self.seconds = seconds
        self._span = seconds * NS_PER_S
        self._begin = self._end = self._last_end = 0
        self._open = self._high = self._low = self._close = 0.0
        self._volume = self._notional = 0.0
        self._count = 0
        self.late = self.missed = self.rejected = 0

    def trade(self, time_ns: int, price: float, size: float = 0.0) -> Bar | None:
        """A print (or a mid price, with size 0). Answers the bar that it completed, if any."""
        if not (isfinite(price) and isfinite(size) and size >= 0):
            self.rejected += 1
            return None
        if time_ns < self._begin or (not self._count and time_ns < self._last_end):
            self.late += 1
            return None
        done = self.advance(time_ns) if self._count and time_ns >= self._end else None
        if not self._count:
            self._begin_span(time_ns, price)
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
        if self._count and time_ns >= self._begin:
            self._volume += size
            self._notional += self._close * size
        return done

    def advance(self, now_ns: int) -> Bar | None:
        """Time went by: the open bar, if its span is over at `now_ns`."""
        if not self._count or now_ns < self._end:
            return None
        return self.flush()

    def flush(self) -> Bar | None:
        """The open bar as it stands, whole or not: for the end of a session or of a file."""
        if not self._count:
            return None
        wap = self._notional / self._volume if self._volume else None
        bar = Bar(
            time_ns=self._begin,
            seconds=self.seconds,
            open=self._open,
            high=self._high,
            low=self._low,
            close=self._close,
            volume=self._volume,
            wap=wap,
            count=self._count,
        )
        self._last_end, self._count = self._end, 0
        return bar

    def _begin_span(self, time_ns: int, price: float) -> None:
        self._begin = time_ns - time_ns % self._span
        self._end = self._begin + self._span
        if self._last_end:
            self.missed += max(0, (self._begin - self._last_end) // self._span)
        self._open = self._high = self._low = price
        self._volume = self._notional = 0.0


def spans_missed(before: Bar, after: Bar) -> int:
    """How many whole spans lie empty between two bars of one builder: 0 when they touch."""
    gap_ns = after.time_ns - before.time_ns - before.seconds * NS_PER_S
    return max(0, gap_ns // (before.seconds * NS_PER_S))
