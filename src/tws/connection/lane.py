"""The fact lane: what the connection hears of orders, fills, positions and the link, in the order of the
bytes.

A lane with a listener calls it for each fact. A lane without one queues, up to a bound; at the bound the
connection stops reading its socket, in the middle of what it has received if need be, so that TWS waits
instead
of our memory growing. Nothing is dropped or merged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from tws.model.facts import Fact

__all__ = ["FactLane", "FactLanes"]


class FactLane:
    """One listener's view. Made by `TWSConnection.facts`; `close` ends it."""

    def __init__(self, lanes: FactLanes, listener: Callable[[Fact], object] | None, bound: int) -> None:
        if bound < 1:
            raise ValueError(f"bound is {bound}: a lane holds at least one fact")
        self.bound = bound
        self._lanes = lanes
        self._listener = listener
        self._facts: deque[Fact] = deque()
        self._wakers: list[asyncio.Future[None]] = []
        self._closed = False

    def __len__(self) -> int:
        """Facts that wait to be drained."""
        return len(self._facts)

    @property
    def full(self) -> bool:
        """Whether this lane keeps the socket from being read."""
        return len(self._facts) >= self.bound

    def drain(self, limit: int | None = None) -> list[Fact]:
        """The oldest facts (all, or at most `limit`), removed from the lane. Reading goes on below half the
        bound.
        """
        count = len(self._facts) if limit is None else min(limit, len(self._facts))
        taken = [self._facts.popleft() for _ in range(count)]
        if taken and len(self._facts) <= self.bound // 2:
            self._lanes.relieved()
        return taken

    def __aiter__(self) -> FactLane:
        return self

    async def __anext__(self) -> Fact:
        """The next fact; the lane goes on over lost links, and ends with `close`."""
        while not self._facts:
            if self._closed:
                raise StopAsyncIteration
            await self.wait()
        return self.drain(1)[0]

    async def wait(self) -> None:
        """Return when there is at least one fact to drain, or the lane is closed. The link's end is a fact,
        so it wakes too."""
        while not self._facts and not self._closed:
            waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._wakers.append(waker)
            try:
                await waker
            finally:
                if waker in self._wakers:
                    self._wakers.remove(waker)

    def close(self) -> None:
        """Listen no more; what is queued is forgotten. Safe twice."""
        self._closed = True
        self._facts.clear()
        self._lanes.remove(self)
        self._wake()

    def put(self, fact: Fact) -> None:
        """For the connection: one fact more."""
        if self._listener is not None:
            self._lanes.isolate(self._listener, fact)
            return
        self._facts.append(fact)
        self._wake()

    def _wake(self) -> None:
        for waker in self._wakers:
            if not waker.done():
                waker.set_result(None)


class FactLanes:
    """All lanes of a connection. `on_relief` is called when reading may go on."""

    def __init__(self, isolate: Callable[..., None], on_relief: Callable[[], None]) -> None:
        self.isolate = isolate
        self._on_relief = on_relief
        self._lanes: tuple[FactLane, ...] = ()

    def add(self, listener: Callable[[Fact], object] | None, bound: int) -> FactLane:
        lane = FactLane(self, listener, bound)
        self._lanes = (*self._lanes, lane)
        return lane

    def remove(self, lane: FactLane) -> None:
        self._lanes = tuple(other for other in self._lanes if other is not lane)
        self.relieved()

    @property
    def full(self) -> bool:
        """Whether some lane is at its bound."""
        return any(lane.full for lane in self._lanes)

    def tell(self, fact: Fact) -> None:
        for lane in self._lanes:
            lane.put(fact)

    def relieved(self) -> None:
        if not self.full:
            self._on_relief()
