"""Orders that trade in pieces: how much stands at the market now, and what follows a piece that is gone.

An order may have a `Portion`; most have none, and pay nothing. Matching asks it how many lots may trade, and
tells it of each fill. A new piece stands at the end of its queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tws.exchange.core import Core
    from tws.exchange.working import Working

__all__ = ["Iceberg", "Portion"]


class Portion:
    """What an order has at the market: `left` lots of its present piece."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def part(self, order: Working, lots: int, arrives: bool) -> int:
        """How many of these lots may trade now; `arrives`: the order just reached the market."""
        return min(lots, self.left)

    def filled(self, core: Core, order: Working, lots: int) -> None:
        """So many lots traded."""
        self.left -= lots


class Iceberg(Portion):
    """Shows so many lots at a time. An order that finds its price on arrival takes all it can (official)."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size

    def part(self, order: Working, lots: int, arrives: bool) -> int:
        return lots if arrives else min(lots, self.left)

    def filled(self, core: Core, order: Working, lots: int) -> None:
        self.left -= lots
        if self.left <= 0 and order.live:
            self.left = self.size
            order.give_way(core.next_rank())
            order.book.enqueue(order)
