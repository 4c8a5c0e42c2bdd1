"""When the link is expected to go: TWS's own restart, the resets of IB, the weekly login.

The week is `tws.connection.keeping.calendar`'s; TWS's own time of restart comes from its settings, where its
version tells them. It is read in the zone of its login (assumed: IB's page does not say which zone it means).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from tws.clock import to_datetime, to_ns
from tws.connection.keeping.calendar import Calendar, Event, Maintenance
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.report import Outcome, PauseAhead

__all__ = ["Pause", "Planned", "Restart", "examine_pauses", "known_pauses", "next_at", "time_of_day"]

NEAR = timedelta(minutes=30)
"""From here on a pause is a warning: an order placed now may still work when the link goes."""

_AHEAD = 3
"""How many pauses are told: tonight's, TWS's restart, and the next login or weekend."""


class Pause(Struct, frozen=True):
    """A time when the link is expected to go: what it is, when it begins, when it is over (None: unknown)."""

    what: str
    begin: datetime
    end: datetime | None = None


class Restart(Struct, frozen=True):
    """What TWS told: the time of day at which it ends, in which zone, and whether it comes back."""

    at: time
    zone: tzinfo
    comes_back: bool


Planned: TypeAlias = Callable[[int, Restart | None], tuple[Pause, ...]]
"""The pauses around an instant (ns), soonest first."""


def known_pauses(now_ns: int, restart: Restart | None) -> tuple[Pause, ...]:
    """What is on now, and the next ones."""
    now, extra = to_datetime(now_ns), list[Pause]()
    maintenance = Maintenance()
    if restart is not None and restart.comes_back and isinstance(restart.zone, ZoneInfo):
        maintenance = Maintenance(auto_restart=f"{restart.at:%H:%M}", auto_restart_zone=restart.zone.key)
    elif restart is not None:
        what = "daily restart of TWS" if restart.comes_back else "daily log-off of TWS"
        extra.append(Pause(what, next_at(restart.at, restart.zone, now)))
    calendar = Calendar(maintenance)
    on, found, after_ns = calendar.during(now_ns), list[Event](), now_ns
    for _ in range(_AHEAD):
        event = calendar.next_event(after_ns)
        if event is None:
            break
        found.append(event)
        after_ns = event.begins_ns
    pauses = [_pause(event) for event in ([on] if on is not None else []) + found]
    return tuple(sorted(pauses + extra, key=lambda one: one.begin))


def time_of_day(text: str) -> time | None:
    """ "11:45 PM" or "23:45" as TWS writes it; None for what is no time of day."""
    clock, _, half = text.strip().partition(" ")
    hour, _, minute = clock.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(minute) < 60):
        return None
    hours, half = int(hour), half.strip().upper()
    if half in ("AM", "PM"):
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half == "PM" else 0)
    return time(hours, int(minute)) if hours < 24 else None


def next_at(at: time, zone: tzinfo, now: datetime) -> datetime:
    """The next instant (UTC) at which clocks of that zone show this time of day."""
    local = now.astimezone(zone)
    day = local.date() if local.time() < at else local.date() + timedelta(days=1)
    return datetime.combine(day, at, zone).astimezone(UTC)


def examine_pauses(notes: Notes, pauses: tuple[Pause, ...], now_ns: int) -> tuple[PauseAhead, ...]:
    """Note what is ahead; what is on, or begins within `NEAR`, is a warning."""
    now = to_datetime(now_ns)
    ahead = [one for one in pauses if (one.end or one.begin) > now]
    if not ahead:
        notes.step("calendar", Outcome.SKIPPED, "no restart or reset is known")
        return ()
    near = [one for one in ahead if one.begin - now <= NEAR]
    for one in near:
        notes.found("pause_near", "calendar", what=one.what, when=_when(one, now))
    if not near:
        notes.step("calendar", Outcome.OK, f"next: {ahead[0].what}, {ahead[0].begin:%Y-%m-%d %H:%M} UTC")
    return tuple(_told(one) for one in ahead)


def _when(pause: Pause, now: datetime) -> str:
    if pause.begin > now:
        minutes = (to_ns(pause.begin) - to_ns(now)) // 60_000_000_000
        return f"in {minutes} minutes, at {pause.begin:%H:%M} UTC"
    return f"now, until {pause.end:%H:%M} UTC" if pause.end is not None else "now"


def _pause(event: Event) -> Pause:
    return Pause(event.text, to_datetime(event.begins_ns), to_datetime(event.ends_ns))


def _told(pause: Pause) -> PauseAhead:
    end = "" if pause.end is None else pause.end.isoformat(timespec="seconds")
    return PauseAhead(what=pause.what, begin=pause.begin.isoformat(timespec="seconds"), end=end)
