"""When TWS and the broker are away by plan, and how loud an outage is that the plan does not explain.

    calendar = Calendar(Maintenance(auto_restart="23:45", auto_restart_zone="Europe/Berlin"))
    calendar.next_event(now_ns)                    # what comes next: reset, maintenance, restart, login
    calendar.during(now_ns)                        # what is on now
    calendar.alarm_level(began_ns, now_ns)         # how loud to be about an outage that lasts

Four kinds: the broker resets its servers each night and maintains them each weekend, TWS restarts itself
once a day at a time that its user set, and the first restart after Sunday 01:00 New York asks a human for
the full login. Windows are times of day in a zone, so summer time moves them as it moves the clocks; an
hour that the clocks repeat or skip is read both ways, and the window lasts from the earlier reading to the
later. All functions are pure, time is an argument.

Sources: the broker's page "System Status" (H that it stood so; M that it still does, for it was changed:
until 2024 North America had 23:45 to 00:45), its page "Auto Restart Considerations" for the login (H),
TWS-BEHAVIOUR.md A6 and H for the restart. Each value can be set by the user. See docs/design/calendar.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.errors import ConfigError

__all__ = ["REGIONS", "Alarm", "Calendar", "Event", "Kind", "Maintenance", "Severity", "describe"]

REGIONS: dict[str, tuple[str, ...]] = {
    "america": ("Sun-Fri 00:15-01:45 America/New_York",),
    "europe": ("Sun-Fri 06:25-07:45 Europe/Zurich",),
    "asia": ("Sun-Fri 04:45-06:05 Asia/Hong_Kong", "Sun-Fri 20:15-21:15 Asia/Hong_Kong"),
}
"""Nightly resets by the region of the user's server. One takes seconds, somewhere in its window; orders at
the exchange go on working, reports of them are delayed until it is over (the same page, H).
"""

WEEKEND = ("Fri 23:00-03:00 America/New_York",)
"""The weekend's maintenance, the same for each region: nothing answers while it lasts (the same page, H)."""

NEVER = "never"
_BROKER = ZoneInfo("America/New_York")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MINUTE_NS = 60 * NS_PER_S
_EARLY_NS = _MINUTE_NS  # clocks differ, and a socket may go just before its hour
_RESTART_NS = 10 * _MINUTE_NS  # a restart takes one to some minutes (A6); other software grants it ten (M)
_LOGIN_NS = 30 * _MINUTE_NS  # for the human who confirms the login; our choice
_ALARM_NS = 2 * _MINUTE_NS  # who restarts TWS by hand is back within; our choice
_CRITICAL_NS = 15 * _MINUTE_NS  # and said again as often: an alarm that falls silent loses days


class Kind(StrEnum):
    """Why TWS is away; the value is for people."""

    RESET = "nightly reset of the broker's servers"
    WEEKEND = "weekend maintenance of the broker's servers"
    RESTART = "daily restart of TWS"
    LOGIN = "weekly login of TWS, which somebody must confirm"


class Severity(IntEnum):
    """How loud to be about an outage."""

    EXPECTED = 0
    """The calendar explains it."""
    WARNING = 1
    """Somebody is needed by plan, or nothing explains it and it is young."""
    ALARM = 2
    """It has outlasted its window, or what needs no reason, by two minutes."""
    CRITICAL = 3
    """By a quarter of an hour: it does not mend itself."""


class Event(Struct, frozen=True, kw_only=True):
    """One absence, planned from `begins_ns` until before `ends_ns`; its hours are told in `zone`."""

    kind: Kind
    begins_ns: int
    ends_ns: int
    zone: str

    @property
    def text(self) -> str:
        """What it is, for people."""
        return self.kind.value


class Alarm(Struct, frozen=True, kw_only=True):
    """What to say about an outage, and when to ask again: the level rises then, or the alarm is repeated.

    `event` is what explains it, or did; `due_ns` when it should be over: its own beginning when nothing does.
    """

    severity: Severity
    text: str
    event: Event | None
    due_ns: int
    again_ns: int


class Maintenance(Struct, frozen=True, kw_only=True):
    """What the user knows of his TWS. A window is written "Sun-Fri 23:45-00:45 America/New_York".

    region              where his server stands: america, europe or asia
    auto_restart        "HH:MM" as TWS shows it under Lock and Exit; None: unknown, or none
    auto_restart_zone   the zone of the machine that TWS runs on, such as Europe/Berlin
    weekly_login        from when in New York the next restart asks for the login; "never": it does not
    resets, weekend     other windows than those of the region
    announce_minutes    how long before it an event is worth a word

    Raises ConfigError, which names field, value and cure.
    """

    region: str = "america"
    auto_restart: str | None = None
    auto_restart_zone: str = ""
    weekly_login: str = "Sun 01:00"
    resets: tuple[str, ...] | None = None
    weekend: tuple[str, ...] | None = None
    announce_minutes: int = 15

    def __post_init__(self) -> None:
        if self.region not in REGIONS:
            raise ConfigError("region", self.region, "no such region", f"Write one of {', '.join(REGIONS)}")
        if self.auto_restart is not None and not self.auto_restart_zone:
            cure = "Name the zone of the machine that TWS runs on, such as America/New_York"
            raise ConfigError("auto_restart_zone", "", "auto_restart is given without its zone", cure)
        if not 0 <= self.announce_minutes <= 1440:
            cure = "Give minutes, a day's at most; 0 announces nothing"
            raise ConfigError("announce_minutes", self.announce_minutes, "not between 0 and 1440", cure)
        Calendar(self)  # reads every text


class Calendar:
    """The absences that a `Maintenance` plans. Raises ConfigError for a text that is no window or time."""

    def __init__(self, maintenance: Maintenance) -> None:
        self.maintenance = maintenance
        resets = REGIONS[maintenance.region] if maintenance.resets is None else maintenance.resets
        weekend = WEEKEND if maintenance.weekend is None else maintenance.weekend
        self._windows = [(Kind.RESET, _window("resets", text)) for text in resets]
        self._windows += [(Kind.WEEKEND, _window("weekend", text)) for text in weekend]
        self._restart: tuple[time, ZoneInfo] | None = None
        if maintenance.auto_restart is not None:
            zone = _zone("auto_restart_zone", maintenance.auto_restart_zone)
            self._restart = _time("auto_restart", maintenance.auto_restart, maintenance.auto_restart), zone
        self._login = None if maintenance.weekly_login == NEVER else _weekly(maintenance.weekly_login)

    def next_event(self, now_ns: int) -> Event | None:
        """The first event that begins after now; None when all are switched off."""
        later = [event for event in self._events(now_ns) if event.begins_ns > now_ns]
        return min(later, key=lambda event: event.begins_ns, default=None)

    def during(self, now_ns: int) -> Event | None:
        """The event that is on now; of several the one that ends last."""
        on = [event for event in self._events(now_ns) if event.begins_ns <= now_ns < event.ends_ns]
        return max(on, key=lambda event: event.ends_ns, default=None)

    def alarm_level(self, outage_started_ns: int, now_ns: int) -> Alarm:
        """How loud to be now about an outage that began then and lasts.

        What was on when it began explains it, and so does what follows without a gap; a window that opens
        later does not explain what began outside of it. A login that came due meanwhile is named, however
        the outage began.
        """
        now_ns = max(now_ns, outage_started_ns)  # a clock that was set back
        due_ns, reasons = self._explained(outage_started_ns)
        login = self._login_between(outage_started_ns, now_ns)
        late_ns = now_ns - due_ns
        if late_ns < 0:
            severity = Severity.EXPECTED if login is None else Severity.WARNING
            again_ns = due_ns
        elif late_ns < _ALARM_NS:
            severity, again_ns = Severity.WARNING, due_ns + _ALARM_NS
        elif late_ns < _CRITICAL_NS:
            severity, again_ns = Severity.ALARM, due_ns + _CRITICAL_NS
        else:
            severity = Severity.CRITICAL
            again_ns = due_ns + (late_ns // _CRITICAL_NS + 1) * _CRITICAL_NS
        text = _reason(reasons, due_ns, now_ns)
        if login is not None and login not in reasons:
            text += f"; since {_clock(login.begins_ns, login.zone, now_ns)} also: {login.text}"
        event = login or (reasons[-1] if reasons else None)
        return Alarm(severity=severity, text=text, event=event, due_ns=due_ns, again_ns=again_ns)

    def _explained(self, started_ns: int) -> tuple[int, list[Event]]:
        """Until when the plan explains an outage, without a gap from its beginning, and by what.

        A login ends the chain: whoever should have confirmed it is not excused by what comes next.
        """
        due_ns, reasons = started_ns, list[Event]()
        for event in sorted(self._events(started_ns), key=lambda event: event.begins_ns):
            if event.begins_ns - _EARLY_NS <= due_ns < event.ends_ns:
                due_ns = event.ends_ns
                reasons.append(event)
                if event.kind is Kind.LOGIN:
                    break
        return due_ns, reasons

    def _login_between(self, started_ns: int, now_ns: int) -> Event | None:
        logins = [
            event
            for event in self._events(now_ns)
            if event.kind is Kind.LOGIN
            and event.ends_ns > started_ns
            and event.begins_ns - _EARLY_NS <= now_ns
        ]
        return max(logins, key=lambda event: event.begins_ns, default=None)

    def _events(self, around_ns: int) -> Iterator[Event]:
        """All events of the days around, in no order."""
        for kind, window in self._windows:
            for day in _days(around_ns, window.zone):
                if day.weekday() in window.days:
                    begins_ns, ends_ns = window.on(day)
                    yield Event(kind=kind, begins_ns=begins_ns, ends_ns=ends_ns, zone=window.zone.key)
        restarts = self._restarts(around_ns)
        logins = self._logins(around_ns, restarts)
        for begins_ns, ends_ns, zone in restarts:
            if begins_ns not in logins:
                yield Event(kind=Kind.RESTART, begins_ns=begins_ns, ends_ns=ends_ns, zone=zone)
        for begins_ns, zone in logins.items():
            yield Event(kind=Kind.LOGIN, begins_ns=begins_ns, ends_ns=begins_ns + _LOGIN_NS, zone=zone)

    def _restarts(self, around_ns: int) -> list[tuple[int, int, str]]:
        if self._restart is None:
            return []
        hour, zone = self._restart
        readings = [_readings(day, hour, zone) for day in _days(around_ns, zone)]
        return [(earlier, later + _RESTART_NS, zone.key) for earlier, later in readings]

    def _logins(self, around_ns: int, restarts: list[tuple[int, int, str]]) -> dict[int, str]:
        """When TWS asks, and in which zone to say so: at the first restart after the hour, or at the hour
        itself when no restart is known.
        """
        found: dict[int, str] = {}
        if self._login is None:
            return found
        weekday, hour = self._login
        for day in _days(around_ns, _BROKER):
            if day.weekday() == weekday:
                invalid_ns, _ = _readings(day, hour, _BROKER)
                if self._restart is None:
                    found[invalid_ns] = _BROKER.key
                for begins_ns, _, zone in restarts:
                    if begins_ns >= invalid_ns:
                        found[begins_ns] = zone
                        break
        return found


def describe(event: Event, now_ns: int) -> str:
    """One sentence about an event, before it, while it is on, or when it is over."""
    begins, ends = _clock(event.begins_ns, event.zone, now_ns), _clock(event.ends_ns, event.zone, now_ns)
    if now_ns < event.begins_ns:
        return f"in {_span(event.begins_ns - now_ns)}, at {begins}: {event.text}"
    if now_ns < event.ends_ns:
        return f"expected until {ends}: {event.text}"
    return f"should be over since {ends} ({_span(now_ns - event.ends_ns)}): {event.text}"


def _reason(reasons: list[Event], due_ns: int, now_ns: int) -> str:
    late_ns = now_ns - due_ns
    if not reasons:
        return f"no link for {_span(late_ns)}, and no planned event explains it"
    names = ", then ".join(event.text for event in reasons)
    due = _clock(due_ns, reasons[-1].zone, now_ns)
    return (
        f"expected until {due}: {names}"
        if late_ns < 0
        else f"should be over since {due} ({_span(late_ns)}): {names}"
    )


class _Window(Struct, frozen=True):
    days: frozenset[int]
    begins: time
    ends: time
    zone: ZoneInfo

    def on(self, day: date) -> tuple[int, int]:
        last = day if self.ends > self.begins else day + timedelta(days=1)
        return _readings(day, self.begins, self.zone)[0], _readings(last, self.ends, self.zone)[1]


_WINDOW = re.compile(r"([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))? ([\d:]+)-([\d:]+) (\S+)")


def _window(field: str, text: str) -> _Window:
    found = _WINDOW.fullmatch(text)
    first, last = (found[1], found[2] or found[1]) if found else ("", "")
    if found is None or first not in _DAYS or last not in _DAYS or found[3] == found[4]:
        cure = 'Write it like "Sun-Fri 23:45-00:45 America/New_York"'
        raise ConfigError(field, text, "not days, a time to a time, and a zone", cure)
    begin = _DAYS.index(first)
    days = frozenset((begin + step) % 7 for step in range((_DAYS.index(last) - begin) % 7 + 1))
    begins, ends = _time(field, found[3], text), _time(field, found[4], text)
    return _Window(days, begins, ends, _zone(field, found[5]))


def _weekly(text: str) -> tuple[int, time]:
    day, _, hour = text.partition(" ")
    if day not in _DAYS:
        cure = 'Write it like "Sun 01:00", New York time, or "never"'
        raise ConfigError("weekly_login", text, "not a day and a time", cure)
    return _DAYS.index(day), _time("weekly_login", hour, text)


def _time(field: str, hour: str, text: str) -> time:
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", hour) is None:
        cure = "Write hours and minutes with two digits each, from 00:00 to 23:59"
        raise ConfigError(field, text, f"{hour!r} is no time of day", cure)
    return time.fromisoformat(hour)


def _zone(field: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        cure = "Use a name of the tz database, such as America/New_York or Europe/Berlin"
        raise ConfigError(field, name, "no such time zone", cure) from None


def _days(around_ns: int, zone: ZoneInfo) -> Iterator[date]:
    """Nine days before to nine days after: the rarest event comes weekly, and lasts into the next day."""
    today = datetime.fromtimestamp(around_ns // NS_PER_S, zone).date()
    return (today + timedelta(days=step) for step in range(-9, 10))


def _readings(day: date, hour: time, zone: ZoneInfo) -> tuple[int, int]:
    """The instants that this wall clock may mean, the earlier first: one, but for a change of summer time."""
    found = [datetime.combine(day, hour.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)]
    return int(min(found).timestamp()) * NS_PER_S, int(max(found).timestamp()) * NS_PER_S


def _clock(at_ns: int, zone: str, now_ns: int) -> str:
    at, now = (datetime.fromtimestamp(each // NS_PER_S, ZoneInfo(zone)) for each in (at_ns, now_ns))
    day = "" if at.date() == now.date() else f"{_DAYS[at.weekday()]} "
    return f"{day}{at:%H:%M} {zone.rpartition('/')[2].replace('_', ' ')}"


def _span(span_ns: int) -> str:
    minutes = span_ns // _MINUTE_NS
    for size, name, rest in ((24 * 60, "day", ""), (60, "hour", f" {minutes % 60} minutes")):
        if minutes >= 2 * size:
            return f"{minutes // size} {name}s" + (rest if minutes % size else "")
    return "less than a minute" if minutes < 1 else "1 minute" if minutes == 1 else f"{minutes} minutes"
