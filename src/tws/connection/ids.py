"""Who gives out ids: order ids, reserved for good, and request ids in ranges that never meet; sets of them.

TWS reports an error with one number, be it an order's id or a request's (TWS-BEHAVIOUR.md A8). So request ids
live far above any order id that a user reaches, and those for calls on `connection.official` have a range
of their own below ours.
"""

from __future__ import annotations

import threading
from bisect import bisect_right

__all__ = ["LARGEST_ORDER_ID", "OFFICIAL_FIRST", "OURS_FIRST", "IdSet", "OrderIds", "RequestIds"]

LARGEST_ORDER_ID = 2**31 - 2
"""2147483647 marks executions of orders that were placed by hand (C4)."""
OFFICIAL_FIRST = 800_000_000
OURS_FIRST = 900_000_000
_SPAN = 100_000_000
_RANGES = 1000
"""Gaps are ids that were given and never used, a what-if's or a refused order's: some in a day."""


class OrderIds:
    """Order ids, each given once. Nothing is given before TWS has named its next one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 1
        self._known = False
        self._first: int | None = None

    def learn(self, next_valid_id: int) -> None:
        """nextValidId (9). It may have rolled back after a restart of TWS (INCIDENTS.md 1): never follow it
        down.
        """
        with self._lock:
            self._next = max(self._next, next_valid_id)
            self._known = True

    def raise_floor(self, floor: int) -> None:
        """Give no id below `floor`."""
        with self._lock:
            self._next = max(self._next, floor)

    def saw(self, order_id: int) -> None:
        """An order of our own client id bears this id, so the next one lies above it."""
        if 1 <= order_id <= LARGEST_ORDER_ID:
            self.raise_floor(order_id + 1)

    def take(self, n: int = 1) -> int | None:
        """Reserve n consecutive ids; the first of them, or None before the connection."""
        with self._lock:
            if not self._known:
                return None
            first = self._next
            if self._first is None:
                self._first = first
            self._next += n
            return first

    def gave(self, order_id: int) -> bool:
        """Whether this id may have been given here; if not, its order may be of an earlier run."""
        with self._lock:
            return self._first is not None and self._first <= order_id < self._next


class RequestIds:
    """Ids of requests, one range, begun anew when it is used up (100 million later)."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._next = first
        self._lock = threading.Lock()

    def take(self) -> int:
        with self._lock:
            taken = self._next
            self._next = self._first if taken + 1 >= self._first + _SPAN else taken + 1
            return taken

    def holds(self, number: int) -> bool:
        """Whether the number lies in this range."""
        return self._first <= number < self._first + _SPAN


class IdSet:
    """Ids once met, for good and in little room: ids are given in turn, so they make few ranges. Of more than
    `_RANGES` the lowest two become one, with the ids between them: whoever asks takes too much for met, never
    too little. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def add(self, number: int) -> None:
        with self._lock:
            firsts, lasts = self._firsts, self._lasts
            at = bisect_right(firsts, number)
            if at and number <= lasts[at - 1]:
                return
            below = at > 0 and lasts[at - 1] == number - 1
            above = at < len(firsts) and firsts[at] == number + 1
            if below and above:
                lasts[at - 1] = lasts.pop(at)
                del firsts[at]
            elif below:
                lasts[at - 1] = number
            elif above:
                firsts[at] = number
            else:
                firsts.insert(at, number)
                lasts.insert(at, number)
                if len(firsts) > _RANGES:
                    del firsts[1], lasts[0]

    def __contains__(self, number: int) -> bool:
        with self._lock:
            at = bisect_right(self._firsts, number)
            return at > 0 and number <= self._lasts[at - 1]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The first and last of each, ascending."""
        with self._lock:
            return list(zip(self._firsts, self._lasts, strict=True))
