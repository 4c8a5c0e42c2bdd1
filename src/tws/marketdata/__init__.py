"""The merged view of the market that strategies read: last values and their age, a dirty set, bars built
before merging.
"""

from __future__ import annotations

from tws.marketdata.board import BarDone, Line, QuoteBoard
from tws.marketdata.prices import Freshness, Price

__all__ = ["BarDone", "Freshness", "Line", "Price", "QuoteBoard"]
