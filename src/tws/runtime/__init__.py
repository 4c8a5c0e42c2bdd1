"""Owns tasks, timers, start, reconciliation and end: what makes a desk a trader.

trader     `Trader`: the public face
life       its start, the watch over its tasks and its link, its end
trade      `Trade`: one bracket as its owner sees it
engine     drain, decide, commit, perform
hands      effects into calls on the connection
watch      the contracts that are followed
strategies a strategy in Python, hosted: its markets, fills, state
stage      the thread it is played on, and what becomes of one that raises or blocks
programs   strategies in Python from their sections
earnings   what each strategy has made
kill       the emergency stop, its task and its answer
emergency  what it rests on when the journal can't commit
hours      the hours of what is held, told to the desk
parts      clocks, links and stores for tests and demos
"""

from __future__ import annotations

from tws.runtime.parts import TraderParts
from tws.runtime.trade import Trade
from tws.runtime.trader import Trader

__all__ = ["Trade", "Trader", "TraderParts"]
