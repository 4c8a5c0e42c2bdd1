"""What the calendar has to say to the user: a restart that comes, and how loud an outage is.

`look` is called once a second. An event is announced once, `announce_minutes` before it begins. While the
link is down the calendar says how loud to be and when to say it again, so a forgotten weekly login grows from
a warning into an alarm that does not fall silent (INCIDENTS.md 12)."""

from __future__ import annotations

from collections.abc import Callable

from tws.clock import NS_PER_S
from tws.connection.keeping.calendar import Calendar, Event, describe
from tws.connection.keeping.calendar import Severity as Loudness
from tws.connection.keeping.events import Severity

__all__ = ["Planned"]

_LEVELS = {
    Loudness.EXPECTED: Severity.INFO,
    Loudness.WARNING: Severity.WARNING,
    Loudness.ALARM: Severity.ALARM,
    Loudness.CRITICAL: Severity.ALARM,
}
_QUIET_NS = 60 * NS_PER_S
"""A link that is back within a minute was a hiccup: its loss is in the log, and needs no calendar."""


class Planned:
    """See the module. `tell(text, severity)` is told what the user should know."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._announced: Event | None = None
        self._next: Event | None = None
        self._next_known_ns = 0
        self._down_ns: int | None = None
        self._again_ns = 0

    def look(self, now_ns: int, up: bool, tell: Callable[[str, Severity], None]) -> None:
        """What is to be said now; `up` whether the broker can be reached."""
        if up:
            if self._down_ns is not None and now_ns - self._down_ns >= _QUIET_NS:
                tell(f"the link is back after {(now_ns - self._down_ns) // NS_PER_S} s", Severity.INFO)
            self._down_ns = None
            self._announce(now_ns, tell)
            return
        if self._down_ns is None:
            self._down_ns, self._again_ns = now_ns, now_ns + _QUIET_NS
        if now_ns >= self._again_ns:
            alarm = self.calendar.alarm_level(self._down_ns, now_ns)
            self._again_ns = alarm.again_ns
            tell(alarm.text, _LEVELS[alarm.severity])

    def _announce(self, now_ns: int, tell: Callable[[str, Severity], None]) -> None:
        if now_ns >= self._next_known_ns:
            self._next = self.calendar.next_event(now_ns)
            self._next_known_ns = now_ns + _QUIET_NS if self._next is None else self._next.begins_ns
        event, ahead_ns = self._next, self.calendar.maintenance.announce_minutes * _QUIET_NS
        if event is not None and event != self._announced and event.begins_ns - now_ns <= ahead_ns:
            self._announced = event
            tell(describe(event, now_ns), Severity.INFO)
