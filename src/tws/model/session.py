"""Trading sessions as the broker states them: TWS's hours text into instants.

TWS writes `20261123:0930-20261123:1600;20261126:CLOSED` in the zone `timeZoneId`, older builds
`20180323:0400-2000` without the second date; several spans of a day are joined by commas
(TWS-BEHAVIOUR.md E; official client, ContractDetails.liquidHours). Early closes and holidays are
in it, so no calendar of ours is asked while the broker speaks.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from tws.clock import NS_PER_S, to_ns

__all__ = ["Session", "local_time", "parse_hours", "session_at", "session_day", "trading_day"]

_OLD_ZONES = {
    "EST": "America/New_York",
    "EST5EDT": "America/New_York",
    "US/Eastern": "America/New_York",
    "CST": "America/Chicago",
    "PST": "America/Los_Angeles",
    "GMT": "Europe/London",
    "MET": "Europe/Berlin",
    "JST": "Asia/Tokyo",
}
"""Abbreviations that TWS is known to write, which name a place with summer time, not a fixed offset."""


class Session(Struct, frozen=True, order=True):
    """One span of trading: from `open_ns` (inclusive) to `close_ns` (exclusive), UTC nanoseconds."""

    open_ns: int
    close_ns: int

    def holds(self, now_ns: int) -> bool:
        return self.open_ns <= now_ns < self.close_ns


def parse_hours(text: str, zone_id: str) -> tuple[Session, ...]:
    """The sessions of an hours text, ascending; closed days leave none.

    Raises ValueError naming the part that can't be read, or the unknown zone.
    """
    zone = _zone(zone_id)
    sessions = []
    for day in filter(None, (part.strip() for part in text.split(";"))):
        for span in day.split(","):
            if not span.endswith("CLOSED"):
                sessions.append(_span(span, day[:8], zone))
    return tuple(sorted(sessions))


def _zone(zone_id: str) -> ZoneInfo:
    try:
        return ZoneInfo(_OLD_ZONES.get(zone_id, zone_id))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"unknown time zone {zone_id!r}") from None


def _span(span: str, day: str, zone: ZoneInfo) -> Session:
    try:
        begin, _, end = span.partition("-")
        begin = begin if ":" in begin else f"{day}:{begin}"
        end = end if ":" in end else f"{begin[:8]}:{end}"
        opens, closes = (to_ns(_instant(part, zone)) for part in (begin, end))
    except ValueError as error:
        raise ValueError(f"unreadable trading hours {span!r}: {error}") from None
    if closes <= opens:
        raise ValueError(f"trading hours {span!r} close before they open")
    return Session(opens, closes)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    return datetime.strptime(text, "%Y%m%d:%H%M").replace(tzinfo=zone)


def session_at(sessions: tuple[Session, ...], now_ns: int) -> Session | None:
    """The session that holds `now_ns`, else the next one, else None."""
    return next((session for session in sessions if now_ns < session.close_ns), None)


def session_day(session: Session | None, zone_id: str | None) -> str:
    """The trading day of a session, that of its close in the exchange's zone; empty when one is not known.

    Raises ValueError for a zone that is unknown.
    """
    # A close at midnight belongs to the day that it ends.
    return "" if session is None or zone_id is None else trading_day(session.close_ns - 1, zone_id)


def trading_day(now_ns: int, zone_id: str) -> str:
    """The date in a zone, as 2026-11-23. Raises ValueError for a zone that is unknown."""
    return local_time(now_ns, zone_id).date().isoformat()


def local_time(now_ns: int, zone_id: str) -> datetime:
    """What a clock of a zone shows, to the second. Raises ValueError for a zone that is unknown."""
    return datetime.fromtimestamp(now_ns // NS_PER_S, _zone(zone_id))
