"""Bytes on their way from a session's outbox to its transport, cut and delayed as a fault wants.

Its times are the event loop's, since a socket knows no market time. What waits here counts as unsent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Cut", "Pipe"]

Cut = Callable[[bytes, int], tuple[int, float]]
"""How many of the waiting bytes go next, and the pause before them in seconds; told how many went before."""
LOOK = 65536
"""So many of the waiting bytes a `Cut` is shown."""


class Pipe:
    """One piece after the other, in order. `target` takes them; `moved` is called after each."""

    def __init__(self, cut: Cut, moved: Callable[[], None]) -> None:
        self.target: Callable[[bytes], None] = lambda data: None
        self._cut = cut
        self._moved = moved
        self._waiting = bytearray()
        self._sent = 0
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def size(self) -> int:
        """Bytes that wait here."""
        return len(self._waiting)

    def write(self, data: bytes) -> None:
        """Take bytes that are to leave."""
        self._waiting += data
        if self._timer is None:
            self._plan()

    def _plan(self) -> None:
        self._timer = None
        if self._waiting:
            self._next, pause_s = self._cut(bytes(self._waiting[:LOOK]), self._sent)
            self._timer = asyncio.get_running_loop().call_later(pause_s, self._leave)

    def _leave(self) -> None:
        piece = bytes(self._waiting[: self._next])
        del self._waiting[: self._next]
        self._sent += len(piece)
        self.target(piece)
        self._plan()
        self._moved()

    def drain(self) -> None:
        """Everything at once: the session or the fault ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            data = bytes(self._waiting)
            self._waiting.clear()
            self.target(data)

    def stop(self) -> None:
        """What waits here will not leave."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
