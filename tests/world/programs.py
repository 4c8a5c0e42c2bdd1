"""Strategies in Python for the simulated world: one that behaves, one that raises, one that blocks.

Each wishes by the number of the bar alone, so that a run repeats. Blocking is virtual: the loop is told how
long a hook takes (`VirtualLoop.block`), as `time.sleep` would hold its thread.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tws import Strategy
from tws.clock import NS_PER_S
from tws.model.market import Bar
from tws.model.signal import Signal, Wish
from tws.strategy.base import Fill

__all__ = ["Blocking", "Raising", "Steady"]

WISHES = (Wish.BUY, Wish.BUY, Wish.SHORT, Wish.SELL, Wish.SHORT, Wish.NEUTRAL)


class Steady(Strategy):
    """Wishes on each seventh bar, and counts its fills over restarts."""

    def __init__(self) -> None:
        self.fills: list[str] = []

    def on_bar(self, symbol: str, bar: Bar) -> Signal | None:
        number = bar.time_ns // NS_PER_S
        return None if number % 7 else self.signal(symbol, WISHES[number // 7 % len(WISHES)])

    def on_fill(self, fill: Fill) -> None:
        if fill.fill_id in self.fills:
            raise AssertionError(f"fill {fill.fill_id} was told twice")
        self.fills.append(fill.fill_id)

    def save(self) -> Any:
        return self.fills

    def restore(self, value: Any) -> None:
        self.fills = list(value)


class Raising(Steady):
    """Fails on each fifth bar, in the middle of others' work."""

    def on_bar(self, symbol: str, bar: Bar) -> Signal | None:
        if bar.time_ns // NS_PER_S % 5 == 0:
            raise ZeroDivisionError("nothing to divide by")
        return super().on_bar(symbol, bar)


class Blocking(Steady):
    """Takes three seconds on each ninth bar, and once in a while twelve, after which it is disabled."""

    def on_bar(self, symbol: str, bar: Bar) -> Signal | None:
        number = bar.time_ns // NS_PER_S
        if number % 9 == 0:
            loop: Any = asyncio.get_running_loop()
            loop.block(12.0 if number % 54 == 0 else 3.0)
        return super().on_bar(symbol, bar)
