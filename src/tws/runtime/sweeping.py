"""When Python looks for garbage: between two looks of a run, and not while a signal becomes an order.

By itself it looks whenever enough was made, and most is made just then: one signal in six met a young round
of half a millisecond on its way, and after hours of trading a full one of 30 ms waits for its turn
(docs/performance.md). So a run sweeps by itself where it has nothing else to do. What the start has made
(modules, what the journal remembers) stays, and is looked at no more.

Whoever has switched the collector off, as a simulated world does, is not swept either.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Sweeper", "swept"]

YOUNG = 700
"""Objects made since the last round that are worth one: as many as Python itself waits for."""

NET = 50_000
"""So many and Python looks all the same: a strategy that makes them between two looks fills the memory. A
round over them takes some milliseconds.
"""

FULL_S = 3600.0
"""Between two rounds over all that the run has made, 30 ms after days of it (32 MB): what they find has
outlived a young round and then died in a ring, which little does.
"""


class Sweeper:
    """Made by `swept`."""

    def __init__(self, now_s: float) -> None:
        self._full_s = now_s + FULL_S

    def sweep(self, now_s: float) -> None:
        """A good moment. `now_s` is monotonic."""
        if not gc.isenabled():
            return
        if now_s >= self._full_s:
            self._full_s = now_s + FULL_S
            gc.collect()
        elif gc.get_count()[0] >= YOUNG:
            gc.collect(1)


@contextmanager
def swept(now_s: float) -> Iterator[Sweeper]:
    """From now on its `Sweeper` is told when; afterwards Python looks by itself again, and at all."""
    if not gc.isenabled():
        yield Sweeper(now_s)
        return
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(NET, *before[1:])
    try:
        yield Sweeper(now_s)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
