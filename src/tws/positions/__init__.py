"""Positions in two books: what our own orders made, and what the whole account holds.

    move.py     one move, and the step from one balance to the next
    carried.py  what moves came to that are folded
    holding.py  one contract: its moves in time, quantity, average cost, profit, fees
    book.py     PositionBook: distinct fills, corrections, busts, inferred fills
    compare.py  a book beside the broker's list
    sound.py    what no execution, position or fee can say

A desk keeps two `PositionBook`s. Ours takes the fills that carry our reference; the account's takes all,
on top of the opening balance that the broker stated first.
"""

from __future__ import annotations

from tws.positions.book import PositionBook, split_exec_id
from tws.positions.compare import Difference, compare
from tws.positions.holding import Balance, Holding, Move, MoveKind, multiplier, new_and_old, opening_price

__all__ = [
    "Balance",
    "Difference",
    "Holding",
    "Move",
    "MoveKind",
    "PositionBook",
    "compare",
    "multiplier",
    "new_and_old",
    "opening_price",
    "split_exec_id",
]
