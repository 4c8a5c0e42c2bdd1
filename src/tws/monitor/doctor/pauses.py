"""When the link is expected to go: TWS's own restart, the resets of IB, the weekly login.

What is known of the week is a list of pauses (`known_pauses`); TWS's own time of restart comes from its
settings where its version tells them. `next_at` is pure.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.report import Outcome, PauseAhead

__all__ = ["Pause", "examine_pauses", "known_pauses", "next_at"]

NEAR = timedelta(minutes=30)
"""From here on a pause is a warning: an order placed now may still work when the link goes."""


class Pause(Struct, frozen=True):
    """A time when the link is expected to go: what it is, when it begins, when it is over (None: unknown)."""

    what: str
    begin: datetime
    end: datetime | None = None


def known_pauses(now_ns: int) -> tuple[Pause, ...]:
    """The pauses of the coming week that every TWS has."""
    return ()


def next_at(time: str, period: str, offset_min: int, now: datetime) -> datetime | None:
    """The next instant at which clocks that are so far ahead of UTC show this time of day ("12:07", "AM").

    None when the text is no time of day. Summer time may begin in between: it is then an hour off.
    """
    hour, _, minute = time.strip().partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) <= 24 and int(minute) < 60):
        return None
    hours = int(hour)
    if period.strip().upper() in ("AM", "PM"):
        hours = hours % 12 + (12 if period.strip().upper() == "PM" else 0)
    local = now.astimezone(UTC) + timedelta(minutes=offset_min)
    at = local.replace(hour=hours % 24, minute=int(minute), second=0, microsecond=0)
    if at <= local:
        at += timedelta(days=1)
    return at - timedelta(minutes=offset_min)


def examine_pauses(notes: Notes, pauses: tuple[Pause, ...], now: datetime) -> tuple[PauseAhead, ...]:
    """Note what is ahead, soonest first; what begins within `NEAR`, or runs, is a warning."""
    ahead = sorted((one for one in pauses if (one.end or one.begin) > now), key=lambda one: one.begin)
    if not ahead:
        notes.step("calendar", Outcome.SKIPPED, "no restart or reset is known")
        return ()
    first = ahead[0]
    begin = f"{first.begin:%Y-%m-%d %H:%M}"
    if first.begin - now <= NEAR:
        minutes = max(0, round((first.begin - now).total_seconds() / 60))
        notes.found("pause_near", "calendar", what=first.what, minutes=minutes, begin=begin)
    else:
        notes.step("calendar", Outcome.OK, f"next: {first.what} at {begin} UTC")
    return tuple(_told(one) for one in ahead)


def _told(pause: Pause) -> PauseAhead:
    end = "" if pause.end is None else pause.end.isoformat(timespec="seconds")
    return PauseAhead(what=pause.what, begin=pause.begin.isoformat(timespec="seconds"), end=end)
