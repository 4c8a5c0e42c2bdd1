"""One instrument's market: the quote, what is left of its displayed size, and the orders that wait on it.

Orders wait in six ladders (heaps): buys and sells by price and time, and stops by the price that
triggers them, upwards and downwards, by last trade and by quote. The best price of each ladder is
kept as a plain integer, so a quote that concerns nobody costs a few comparisons.

An entry dies when its order's `version` moves on; dead entries are dropped when they surface.

Orders that must see every quote and trade stand in `watchers`; while there are any, the best prices
of the trigger ladders are set so that everything reaches them, and so are those of quotes while combos
follow the book. A book that nobody watches pays nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from tws.exchange.terms import Hours, Listing, Session, TriggerMethod
from tws.model.instrument import decimal

if TYPE_CHECKING:
    from tws.exchange.working import Working

__all__ = ["FAR", "NEVER", "Book", "Ladder", "Phase"]

FAR = 1 << 60
"""No price in ticks comes near it: an empty ask stands here, an empty bid at -FAR."""
NEVER = 1 << 62
"""No instant in ns since the epoch comes near it (year 2116)."""
SWEEP = 64
"""A ladder of fewer entries is not worth sweeping."""


class Phase(IntEnum):
    """Whether the instrument trades now."""

    CLOSED = 0
    EXTENDED = 1
    REGULAR = 2


class Ladder:
    """Orders by key, then by arrival; the smallest key first.

    When it has doubled since it was last swept, it is swept of dead entries: far orders that come and
    go never surface.
    """

    __slots__ = ("_heap", "_sweep_at")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Working]] = []
        self._sweep_at = SWEEP

    def push(self, key: int, order: Working) -> None:
        if len(self._heap) >= self._sweep_at:
            self._heap = [entry for entry in self._heap if entry[2] == entry[3].version]
            heapify(self._heap)
            self._sweep_at = max(SWEEP, 2 * len(self._heap))
        heappush(self._heap, (key, order.rank, order.version, order))

    def best(self) -> int:
        """The key of the best living entry, NEVER when there is none."""
        heap = self._heap
        while heap and heap[0][2] != heap[0][3].version:
            heappop(heap)
        return heap[0][0] if heap else NEVER

    def top(self) -> tuple[int, Working] | None:
        """The best living entry, or None."""
        heap = self._heap
        while heap and heap[0][2] != heap[0][3].version:
            heappop(heap)
        return (heap[0][0], heap[0][3]) if heap else None


class Book:
    """The market of one instrument. Prices in ticks, sizes in lots."""

    __slots__ = (
        "_edges", "ask", "ask_left", "bid", "bid_left", "buy_best", "buys", "close", "combos", "con_id",
        "falls_at_ask", "falls_at_last", "instrument", "last", "leeway", "legs", "listing", "multiplier",
        "phase", "rises_at_bid", "rises_at_last", "sell_best", "sells", "stops", "volume", "watchers",
        "weights",
    )  # fmt: skip

    def __init__(self, listing: Listing, now_ns: int) -> None:
        self.listing = listing
        self.instrument = listing.instrument
        self.con_id = listing.instrument.contract.con_id
        self.multiplier = _multiplier(listing)
        self.legs: tuple[tuple[Book, int], ...] = ()  # of a combo: books with signed ratios
        self.weights: tuple[int, ...] = ()  # of each leg: steps of the combo's price per tick
        self.combos: list[Book] = []  # the combos that have this as a leg
        self.bid = -FAR
        self.bid_left = 0
        self.ask = FAR
        self.ask_left = 0
        self.last: int | None = None
        self.leeway = Decimal(0)  # `Habits.last_leeway`
        self.close: int | None = None  # the previous session's
        self.volume = 0  # lots traded today
        self.watchers: list[Working] = []
        self.buys = Ladder()
        self.sells = Ladder()
        # (by quote?, upwards?) -> ladder
        self.stops = {(quoted, up): Ladder() for quoted in (False, True) for up in (False, True)}
        self._edges = _edges(listing.session)
        self.phase = self.phase_at(now_ns)
        self.refresh()

    # -- time -------------------------------------------------------------------------------------

    def phase_at(self, now_ns: int) -> Phase:
        """The phase of an instant."""
        session = self.listing.session
        if session.regular is None or _within(session.regular, now_ns):
            return Phase.REGULAR
        return Phase.EXTENDED if _within(session.extended, now_ns) else Phase.CLOSED

    def next_edge(self, now_ns: int) -> int:
        """The next instant after `now_ns` at which the phase may change, NEVER when there is none."""
        at = bisect_right(self._edges, now_ns)
        return self._edges[at] if at < len(self._edges) else NEVER

    def next_phase(self, now_ns: int, outside_rth: bool) -> int:
        """When an order may trade next, NEVER when the stated hours hold no such instant."""
        edge = self.next_edge(now_ns)
        while edge != NEVER and not self.admits(self.phase_at(edge), outside_rth):
            edge = self.next_edge(edge)
        return edge

    @staticmethod
    def admits(phase: Phase, outside_rth: bool) -> bool:
        """Whether orders may trade in a phase."""
        return phase is Phase.REGULAR or (phase is Phase.EXTENDED and outside_rth)

    # -- queues -----------------------------------------------------------------------------------

    def enqueue(self, order: Working) -> None:
        """Let an order work: a market order stands before every limit."""
        limit = order.limit + order.discretion if order.is_limit else FAR - 1 if order.sign > 0 else 1 - FAR
        if order.sign > 0:
            self.buys.push(-limit, order)
            self.buy_best = -self.buys.best()
        else:
            self.sells.push(limit, order)
            self.sell_best = self.sells.best()

    def arm(self, order: Working, method: TriggerMethod) -> None:
        """Let a stop or touch wait for its trigger; LAST_OR_BID_ASK waits in two ladders."""
        assert order.stop is not None
        up = order.way > 0
        key = order.stop if up else -order.stop
        if method in (TriggerMethod.LAST, TriggerMethod.LAST_OR_BID_ASK):
            self.stops[False, up].push(key, order)
        if method in (TriggerMethod.BID_ASK, TriggerMethod.LAST_OR_BID_ASK):
            self.stops[True, up].push(key, order)
        self.refresh()

    def refresh(self) -> None:
        """Recompute the best price of each ladder after a change."""
        self.buy_best = -self.buys.best()
        self.sell_best = self.sells.best()
        stops, watched = self.stops, bool(self.watchers)
        self.rises_at_last = -NEVER if watched else stops[False, True].best()
        self.falls_at_last = -stops[False, False].best()
        self.rises_at_bid = -NEVER if watched or self.combos else stops[True, True].best()
        self.falls_at_ask = -stops[True, False].best()

    def mark(self) -> int | None:
        """The mark in ticks: the last trade held within bid and ask, else their middle, else None."""
        last, bid, ask = self.last, self.bid, self.ask
        if last is None:
            return (bid + ask) // 2 if bid > -FAR and ask < FAR else None
        if last < bid:
            last = bid
        return ask if last > ask else last


def _multiplier(listing: Listing) -> Decimal:
    """Currency per point and contract; 1 for stocks."""
    text = listing.instrument.contract.multiplier
    return decimal(text, "multiplier") if text else Decimal(1)


def _within(hours: Hours, now_ns: int) -> bool:
    at = bisect_right(hours, (now_ns, NEVER)) - 1
    return at >= 0 and now_ns < hours[at][1]


def _edges(session: Session) -> tuple[int, ...]:
    spans = () if session.regular is None else session.regular + session.extended
    return tuple(sorted({edge for span in spans for edge in span}))
