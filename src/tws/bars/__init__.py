"""Bars from what the market says, by market time. Pure: instants are arguments.

    builder = TimeBars(seconds=10)
    done = builder.trade(time_ns, price, size)     # the bar that this print completed, or None
    done = builder.advance(now_ns)                 # the same when only time went by

    builder = MergedBars(seconds=60, part_seconds=5)
    done = builder.part(bar)                       # the bars that this short bar completed

Both cut by the clock, or by the session (`on_session`). A bar states the empty spans before it (`gap`) and
whether all of it was heard (`is_whole`). `Seam` joins the past to what is being built.
"""

from __future__ import annotations

from tws.bars.merged import MergedBars
from tws.bars.seam import Seam
from tws.bars.spans import NEVER_NS, Spans, spans_missed
from tws.bars.time_bars import TimeBars

__all__ = ["NEVER_NS", "MergedBars", "Seam", "Spans", "TimeBars", "spans_missed"]
