"""One pilot's life. Its fate book stays at hand when its trader was killed, so that a check knows what it
believed at its last moment.
"""

from __future__ import annotations

from collections.abc import Callable

from tws.runtime.pilot import Pilot
from tws.signals import Taken
from tws.strategy import Fate
from tws.world import current_domain

__all__ = ["Flight"]


class Flight:
    """One pilot, from its making to its end. `over_s` is None for one that was killed, or failed."""

    def __init__(self, pilot: Pilot, began_s: float, first: int) -> None:
        self.pilot = pilot
        self.began_s = began_s
        self.domain = current_domain()
        self.opened_s: float | None = None
        self.over_s: float | None = None
        self.first, self.last = first, 0
        """Its records: the number of the first in the journal, and of the one after the last."""
        self.looks: list[float] = []
        """When its sources were looked at."""

    def watch(self, time: Callable[[], float]) -> None:
        """Note when sources are looked at."""
        take = self.pilot.sources.take

        def taken(now_ns: int) -> list[Taken]:
            self.looks.append(time())
            return take(now_ns)

        self.pilot.sources.take = taken  # type: ignore[method-assign]

    def ended(self, now_s: float, last: int) -> None:
        """It ended in an orderly way."""
        self.over_s, self.last = now_s, last

    def rows(self) -> list[Fate]:
        """Its book, oldest first."""
        return self.pilot.book.fates()[::-1]
