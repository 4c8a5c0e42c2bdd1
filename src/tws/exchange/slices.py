"""Orders that trade in pieces: how much stands at the market now, and what follows a piece that is gone.

An order may have a `Portion`; most have none, and pay nothing. It is asked when the order comes to the market
(`begin`), by matching how many lots may trade (`part`), and told of each fill (`filled`). A new piece stands
at the end of its queue. Scales and algos are portions, too (`scales`, `schedules`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tws.exchange.core import Core
    from tws.exchange.working import Working

__all__ = ["Iceberg", "Portion", "jitter", "requeue"]


class Portion:
    """What an order has at the market: `left` lots of its present piece; `dependents` end with it.

    `watches`: it wants to see each trade, and says whether that lets more trade (`more`).
    """

    __slots__ = ("dependents", "left", "retreat")
    watches = False

    def __init__(self, left: int) -> None:
        self.left = left
        self.retreat = 0  # so many ticks further from the market than its type says
        self.dependents: list[Working] = []

    def begin(self, core: Core, order: Working) -> bool:
        """The order comes to the market, or is looked at again there. False: nothing of it trades now."""
        return True

    def part(self, order: Working, lots: int, arrives: bool) -> int:
        """How many of these lots may trade now; `arrives`: the order just reached the market."""
        return min(lots, self.left)

    def filled(self, core: Core, order: Working, lots: int) -> None:
        """So many lots traded."""
        self.left -= lots

    def more(self, core: Core, order: Working) -> bool:
        """Whether the trade that just came lets more of it trade."""
        return False

    def readopt(self, order: Working) -> None:
        """The order was changed, its special parts were not."""


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
        if self.left <= 0:
            self.left = self.size
            requeue(core, order)


def requeue(core: Core, order: Working) -> None:
    """Put a new piece of a working order to the end of its queue."""
    order.give_way(core.next_rank())
    if order.in_queue:
        order.book.enqueue(order)


def jitter(seed: int, number: int, percent: int) -> int:
    """A deviation in percent, between -`percent` and +`percent`, that looks random and is always the same."""
    mixed = (seed * 2_654_435_761 + number * 2_246_822_519) & 0xFFFF_FFFF
    mixed ^= mixed >> 15
    mixed = mixed * 2_246_822_519 & 0xFFFF_FFFF
    return (mixed ^ mixed >> 13) % (2 * percent + 1) - percent
