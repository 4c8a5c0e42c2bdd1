"""What is due in market time: calls in the order of their instants.

The driver calls `elapse` as market time moves. At a speed the driver wakes once a second at least; a timer of
the event loop comes earlier when something is due before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from tws.clock import NS_PER_S

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Schedule"]

Due = tuple[int, int, Callable[[], None]]


class Schedule:
    """The heap. `name` marks what is a plan, shown and forgotten by `clear`, from the ends of what runs."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._due: list[Due] = []
        self._plans: dict[int, str] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def push(self, due_ns: int, do: Callable[[], None], name: str = "") -> None:
        """Call at this instant of market time, or at once when there is no more time to come."""
        self._count += 1
        if name:
            self._plans[self._count] = name
        heappush(self._due, (due_ns, self._count, do))
        if self._is_over:
            self._drain()
        else:
            self._set_timer()

    def plans(self) -> list[tuple[int, str]]:
        """Instant and name of what is planned, soonest first."""
        return sorted((due_ns, name) for due_ns, rank, _ in self._due if (name := self._plans.get(rank)))

    def clear(self) -> None:
        """Forget the plans."""
        self._due = [due for due in self._due if due[1] not in self._plans]
        heapify(self._due)
        self._plans.clear()

    def elapse(self, now_ns: int) -> bool:
        """Market time reached `now_ns`: do what is due; whether there was any."""
        struck = False
        while self._due and self._due[0][0] <= now_ns:
            _, rank, do = heappop(self._due)
            self._plans.pop(rank, None)
            do()
            struck = True
        return struck

    def end_of_time(self) -> None:
        """Market time will not move again: plans are void, and what runs for a time has had it."""
        self._is_over = True
        self.clear()
        self._drain()

    def close(self) -> None:
        """The simulator ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_over = True
        self._due.clear()

    def _drain(self) -> None:
        while self._due:
            heappop(self._due)[2]()

    def _set_timer(self) -> None:
        speed = self._core.options.speed
        if speed == "max" or not self._due:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # not started yet: the driver's first step comes
            return
        if self._timer is not None:
            self._timer.cancel()
        wait_s = (self._due[0][0] - self._core.now_ns()) / NS_PER_S / float(speed)
        self._timer = loop.call_later(max(0.0, wait_s) + 0.001, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self.elapse(self._core.now_ns()):
            self._core.flush()
            self._set_timer()
