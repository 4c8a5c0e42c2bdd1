"""Bars from shorter bars: TWS's real-time bars of five seconds, or those of a file, into longer ones.

Each short bar lies in one span. Where the source gives one for every stretch of time, traded or not, as TWS
does with its real-time bars (TWS-BEHAVIOUR.md B and E; that it does so without a trade is assumed), a
span is whole when all its parts came: a lost one is seen. A part in which nothing traded stands at the last
price, which is no trade: it counts as heard and adds nothing, and a span of such parts alone gives no bar.
The bar is given out with its last part, or when time or a later part shows that this one will not come.
"""

from __future__ import annotations

from math import isfinite

from tws.bars.spans import Spans
from tws.clock import NS_PER_S
from tws.model.market import Bar

__all__ = ["MergedBars"]


class MergedBars(Spans):
    """Builds bars of `seconds` from finished bars of `part_seconds`, which must divide it.

    `trades`: the parts tell of trades, so that one without volume and count tells of none; False for bars of
    bids, asks or midpoints, which have no volume.
    """

    __slots__ = ("_count", "_counted_ns", "_heard", "_is_priced", "_part_ns", "part_seconds", "trades")

    def __init__(self, seconds: int = 10, part_seconds: int = 5, *, trades: bool = True) -> None:
        super().__init__(seconds)
        if part_seconds < 1 or seconds % part_seconds:
            raise ValueError(f"bars of {seconds} s from bars of {part_seconds} s: it must divide them")
        self.part_seconds, self.trades = part_seconds, trades
        self._count = self._heard = 0
        self._part_ns = -1  # where the last part begins
        self._counted_ns = -1  # where the span begins whose parts were counted
        self._is_priced = True

    def part(self, bar: Bar) -> tuple[Bar, ...]:
        """A finished short bar. Answers the bars that it completed, oldest first: one before it, its own."""
        if not self._is_sound(bar):
            self.rejected += 1
            return ()
        before = self.advance(bar.time_ns)
        found: tuple[Bar, ...] = () if before is None else (before,)
        if bar.time_ns <= self._part_ns:
            self.late += 1  # twice, or out of order
            return found
        if not self._may_begin(bar.time_ns):
            return found
        self._part_ns = bar.time_ns
        begin, end = self._edges(bar.time_ns)
        if begin != self._counted_ns:
            self._counted_ns, self._heard = begin, 0
        self._heard += bar.is_whole
        if not self.trades or bar.volume or bar.count:
            self._add(bar)
        if bar.time_ns + self.part_seconds * NS_PER_S >= end:
            own = self.advance(end)
            found += () if own is None else (own,)
        return found

    def advance(self, now_ns: int) -> Bar | None:
        """Time went by: the open bar, if its span is over at `now_ns`."""
        if not self._running or now_ns < self._end:
            return None
        parts = -(-(self._end - self._begin) // (self.part_seconds * NS_PER_S))
        return self._finish(self._end, self._heard == parts)

    def _is_sound(self, bar: Bar) -> bool:
        prices = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.wap or 0.0)
        return (
            bar.is_final
            and bar.seconds == self.part_seconds
            and all(map(isfinite, prices))
            and bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            and (bar.volume >= 0 or not self.trades)
        )

    def _add(self, bar: Bar) -> None:
        if not self._running:
            self._begin_span(bar.time_ns, bar.open)
            self._count, self._is_priced = 0, True
        self._high, self._low = max(self._high, bar.high), min(self._low, bar.low)
        self._close = bar.close
        volume = max(bar.volume, 0.0)
        self._volume += volume
        self._count += max(bar.count, 0)
        if bar.wap is not None:
            self._notional += bar.wap * volume
        elif volume:
            self._is_priced = False

    def _closing(self) -> tuple[float | None, int]:
        """An average price is known when every part with a volume states its own."""
        known = self._volume and self._is_priced
        return self._notional / self._volume if known else None, self._count
