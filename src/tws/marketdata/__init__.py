"""The merged view of the market that strategies read: last values and their age, a dirty set, bars built
before merging; the past of a market from TWS and from files, for warming up.
"""

from __future__ import annotations

from tws.marketdata.board import BarDone, Line, QuoteBoard
from tws.marketdata.feed import Feed
from tws.marketdata.past import BarCache, Past, Series
from tws.marketdata.prices import Freshness, Price
from tws.marketdata.warmup import WarmUp, warm_up

__all__ = [
    "BarCache",
    "BarDone",
    "Feed",
    "Freshness",
    "Line",
    "Past",
    "Price",
    "QuoteBoard",
    "Series",
    "WarmUp",
    "warm_up",
]
