"""What a market is to the driver: updates in the order of their time, asked for up to an instant.

Quotes are whole ticks and lots of the security, since the exchange matches on that grid; a print may lie
off the grid (sub-penny improvements), so its price is a float in currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from tws.simulator.universe import Security

__all__ = ["DERIVED", "QUOTED", "Begun", "ManualMarket", "Market", "MarketUpdate", "Row"]


DERIVED = ("OPT", "FOP", "WAR", "CFD")
"""Types that have no market of their own: they follow what they stand on."""
QUOTED = ("CASH", "BOND", "CMDTY")
"""Types that are quoted and never printed (E; metals reported, bonds assumed)."""


class MarketUpdate(Struct, frozen=True, gc=False):
    """One change of one instrument's market at `time_ns` (market time, UTC).

    `bid`, `ask` in ticks of `security.tick` and their sizes in lots: the whole top of the book after the
    change, size 0 where that side is empty. `trade` in currency, 0 when the update brings no print, and
    `trade_size` in lots; an index prints without a size.
    """

    time_ns: int
    con_id: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    trade: float = 0.0
    trade_size: int = 0


class Row(NamedTuple):
    """One second (or a longer stretch of the past) from `time_s` on; prices in currency, volume in lots.

    Print prices are 0 where nothing was printed; bid and ask are those at the end, 0 where empty.
    """

    time_s: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    value: float
    prints: int
    bid: float
    ask: float


class Begun(Struct, frozen=True):
    """What an instrument that is followed from now on brings: its past since the market began, a quote."""

    past: tuple[Row, ...] = ()
    update: MarketUpdate | None = None


class Market(Protocol):
    """A source of updates. Time only moves forward; two runs of one seed or file are equal."""

    @property
    def start_ns(self) -> int:
        """Market time at which the market begins."""
        ...

    @property
    def listings(self) -> Sequence[Security]:
        """The instruments that trade here."""
        ...

    def next_ns(self) -> int | None:
        """The time of the next update; None when the market is over (or speaks only by hand)."""
        ...

    def take(self, until_ns: int) -> list[MarketUpdate]:
        """Remove and return the updates up to and including `until_ns`, by time.

        Raises DataError when a replayed row can't be read.
        """
        ...

    def previous_close(self, con_id: int) -> float | None:
        """The close of the session before `start_ns`, in currency; None where the market knows none."""
        ...

    def can_follow(self, security: Security) -> bool:
        """Whether `follow` could let it speak."""
        ...

    def follow(self, security: Security, now_ns: int) -> Begun | None:
        """From now on this instrument speaks too. None when it can't, or does already."""
        ...

    def opening(self, con_id: int) -> float | None:
        """The price with which an invented past ends, in currency; None where no past may be invented."""
        ...


class ManualMarket:
    """A market that says nothing by itself: tests push quotes and prints through `SimulatedTWS.quote`."""

    def __init__(self, listings: Sequence[Security], start_ns: int) -> None:
        self.listings = listings
        self.start_ns = start_ns

    def next_ns(self) -> int | None:
        return None

    def take(self, until_ns: int) -> list[MarketUpdate]:
        return []

    def previous_close(self, con_id: int) -> float | None:
        return None

    def opening(self, con_id: int) -> float | None:
        return None

    def can_follow(self, security: Security) -> bool:
        return True

    def follow(self, security: Security, now_ns: int) -> Begun | None:
        return Begun()
