"""Bars from what the market says, by market time. Pure: instants are arguments.

    builder = TimeBars(seconds=10)
    done = builder.trade(time_ns, price, size)     # the bar that this print completed, or None
    done = builder.advance(now_ns)                 # the same when only time went by

`spans_missed(before, after)` tells how many spans lay empty between two bars.
"""

from __future__ import annotations

from tws.bars.time_bars import TimeBars, spans_missed

__all__ = ["TimeBars", "spans_missed"]
