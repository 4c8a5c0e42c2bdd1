"""Where in its week a synthetic market stands: closed, thin, or how lively."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from tws.simulator.hours import TEMPLATES, Day, day_of, local_date

__all__ = ["State", "Week", "profile"]

SEARCH_DAYS = 15
NIGHT = 0.3
"""Activity outside the liquid hours."""


def profile(fraction: float) -> float:
    """Activity at a fraction (0..1) of the session, 1 on average: a parabola, highest at both ends."""
    return 0.55 + 1.35 * (2 * fraction - 1) ** 2


class State(Struct, frozen=True):
    """`activity` scales movement and prints; `thin`: few speak and their quotes are wide."""

    activity: float
    thin: bool


class Week:
    """The calendar of one template of hours, asked second by second, forwards.

    `turned` is whether the last question met a new day, the first one aside.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self._zone = TEMPLATES[template].zone
        self._continuous = TEMPLATES[template].continuous
        self._day: Day | None = None
        self.turned = False

    def state(self, at_ns: int) -> State | None:
        """None while closed."""
        self.turned = False
        day = self._day
        if day is None or at_ns >= day.post_ns:
            day = self._next(at_ns)
            if day is None:
                return None
        if at_ns < day.pre_ns:
            return None
        if day is not self._day:
            self.turned = self._day is not None
            self._day = day
        if any(begin <= at_ns < end for begin, end in day.liquid):
            return State(profile((at_ns - day.open_ns) / (day.close_ns - day.open_ns)), thin=False)
        if any(begin <= at_ns < end for begin, end in day.trading):
            return State(NIGHT, thin=not self._continuous)
        return None

    def opens_ns(self, at_ns: int) -> int | None:
        """When it speaks next, not before `at_ns`; None when no day is in sight."""
        day = self._day if self._day is not None and at_ns < self._day.post_ns else self._next(at_ns)
        if day is None:
            return None
        return min(max(at_ns, begin) for begin, end in (*day.liquid, *day.trading) if end > at_ns)

    def _next(self, at_ns: int) -> Day | None:
        """The first day that ends after `at_ns`; a Globex day begins on the evening before its date."""
        first = local_date(at_ns, self._zone)
        for offset in range(SEARCH_DAYS):
            day = day_of(first + timedelta(days=offset), "exchange", self._template)
            if day is not None and at_ns < day.post_ns:
                return day
        return None
