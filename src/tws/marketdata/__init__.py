"""The merged view of the market that strategies read: last values, a dirty set, bars built before merging."""

from __future__ import annotations

from tws.marketdata.board import BarDone, Line, QuoteBoard

__all__ = ["BarDone", "Line", "QuoteBoard"]
