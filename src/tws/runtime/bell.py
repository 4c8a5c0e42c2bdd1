"""`Bell`: wakes whoever drives a trader at once, instead of at the next look.

    bell.ring()                       # there is something to look at: from any thread, never waits
    rung = await bell.wait(0.2)       # until somebody rings, at most so long

A ring carries nothing: what happened lies where it happened, and is found by looking. So many rings between
two looks are one, and one that comes during a look leads to the next. Whoever rings has put before he rings,
and `wait` forgets the ring before its caller looks, so nothing that was put is left lying.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

__all__ = ["Bell"]


class Bell:
    """One loop waits, one task of it at a time; anybody rings."""

    def __init__(self) -> None:
        self._rung = False
        self._waiter: asyncio.Future[None] | None = None
        self._thread = 0

    def ring(self) -> None:
        """Wake whoever waits, or will wait next. Safe from any thread, and when nobody waits any more."""
        if self._rung:
            return
        self._rung = True
        waiter = self._waiter
        if waiter is None:
            return  # `wait` looks at `_rung` after it has put its waiter there
        if threading.get_ident() == self._thread:
            _wake(waiter)
            return
        with suppress(RuntimeError):  # the loop was closed: nobody looks any more
            waiter.get_loop().call_soon_threadsafe(_wake, waiter)

    async def wait(self, timeout_s: float) -> bool:
        """Whether somebody rang since the last wait ended. Always lets the loop turn once."""
        loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        waiter = self._waiter = loop.create_future()
        timer = loop.call_later(timeout_s, _wake, waiter)
        try:
            if self._rung:
                await asyncio.sleep(0)  # a bell that never rests must not keep the loop from reading
            else:
                await waiter
        finally:
            timer.cancel()
            self._waiter = None
        rung, self._rung = self._rung, False
        return rung


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
