"""Positions in two books: what our own orders made, and what the whole account holds.

    book.py     PositionBook: distinct fills, corrections, cost, realised profit, fees
    compare.py  a book beside the broker's list

A desk keeps two `PositionBook`s. Ours takes the fills that carry our reference; the account's takes all,
on top of the opening balance that the broker stated first.
"""

from __future__ import annotations

from tws.positions.book import Fill, Holding, PositionBook, multiplier, split_exec_id
from tws.positions.compare import Difference, compare

__all__ = ["Difference", "Fill", "Holding", "PositionBook", "compare", "multiplier", "split_exec_id"]
