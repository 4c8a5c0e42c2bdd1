"""`Seam`: bars of the past and bars that are being built, in one row, none twice and none missing.

A builder that begins to listen within a span sees a part of it, so its first whole bar begins at the next
one: `first_ns`. The past must reach to there. Until it has come (`past`), live bars wait; of a span that both
know the past's bar counts, since the builder may have heard a part of it. A span of which the past has no bar
though the builder heard a trade in it is `lacking`: the past was asked too early, ask again; if it stays so,
the live bar stands in for it. After that every live bar passes through as it comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from tws.clock import NS_PER_S
from tws.model.market import Bar

__all__ = ["Seam"]

_MOST = 10_000
"""Live bars that wait: a day of 10-second bars and more. Beyond it the oldest go, and are counted: the
past, which is late by a day, has them."""


class Seam:
    """For bars of `seconds`, whose builder listens since `since_ns` and cuts by the clock.

    `twice` counts live bars that were known, `dropped` those that waited too long.
    """

    def __init__(self, seconds: int, since_ns: int) -> None:
        span = seconds * NS_PER_S
        self.seconds = seconds
        self.first_ns = -(-since_ns // span) * span
        """Where the first span begins that the builder can hear whole."""
        self.joined = False
        self.twice = self.dropped = 0
        self._waiting: list[Bar] = []
        self._last_ns = -1

    def live(self, bar: Bar) -> list[Bar]:
        """A bar that was built: what may be taken now, in order."""
        if self.joined:
            return self._passed([bar])
        self._waiting.append(bar)
        if len(self._waiting) > _MOST:
            del self._waiting[0]
            self.dropped += 1
        return []

    def lacking(self, past: Sequence[Bar]) -> list[Bar]:
        """Live bars before `first_ns` that this past should have and has not."""
        known = {bar.time_ns for bar in past}
        return [bar for bar in self._waiting if bar.time_ns < self.first_ns and bar.time_ns not in known]

    def past(self, bars: Sequence[Bar], until_ns: int) -> list[Bar]:
        """The past, oldest first, which holds every bar that begins before `until_ns`: all that can be taken
        now. Raises ValueError for one that does not reach `first_ns`, or comes a second time.
        """
        if self.joined:
            raise ValueError("the seam is joined already")
        if until_ns < self.first_ns:
            raise ValueError(f"the past ends at {until_ns}, before the first whole bar ({self.first_ns})")
        known = [bar for bar in bars if bar.time_ns < until_ns]
        own = {bar.time_ns for bar in known}
        live = [bar for bar in self._waiting if bar.time_ns not in own]
        self.joined, self._waiting = True, []
        return self._passed(sorted([*known, *live], key=lambda bar: bar.time_ns))

    def _passed(self, bars: list[Bar]) -> list[Bar]:
        found = []
        for bar in bars:
            if bar.time_ns > self._last_ns:
                self._last_ns = bar.time_ns
                found.append(bar)
            else:
                self.twice += 1
        return found
