"""The texts in which TWS writes instants, as nanoseconds since the epoch.

Known forms (TWS-BEHAVIOUR.md C4, E, A1): `20250708 02:35:00 America/New_York`, `20250708 02:35:00
US/Eastern`,
`20230224  12:04:56` (two blanks, no zone: TWS's login zone), `20250708-06:35:00` (UTC), epoch seconds, and
`20250425 15:23:54 EST` or a display name in the handshake.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tws.clock import NS_PER_S
from tws.log import get_logger

log = get_logger("tws.connection")

__all__ = ["instant_ns", "login_zone", "zone_named"]

_PLACES = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "EST5EDT": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "GMT": "Europe/London",
    "BST": "Europe/London",
    "CET": "Europe/Berlin",
    "CEST": "Europe/Berlin",
    "MET": "Europe/Berlin",
    "EET": "Europe/Athens",
    "EEST": "Europe/Athens",
    "JST": "Asia/Tokyo",
    "HKT": "Asia/Hong_Kong",
    "UTC": "UTC",
    "Z": "UTC",
    "British Summer Time": "Europe/London",
    "Greenwich Mean Time": "Europe/London",
    "Eastern Standard Time": "America/New_York",
    "Eastern Daylight Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Central Daylight Time": "America/Chicago",
    "Pacific Standard Time": "America/Los_Angeles",
    "Pacific Daylight Time": "America/Los_Angeles",
    "Central European Standard Time": "Europe/Berlin",
    "Central European Summer Time": "Europe/Berlin",
    "Coordinated Universal Time": "UTC",
}
"""Abbreviations and display names seen in the handshake (A1). An abbreviation names a place with summer
time.
"""


@lru_cache(maxsize=64)
def zone_named(name: str) -> tzinfo | None:
    """The zone of one of TWS's names; None when nobody knows it (it may be localised, A1)."""
    try:
        return ZoneInfo(_PLACES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def login_zone(connection_time: str) -> tzinfo:
    """The zone in which TWS dates what it sends without a zone, from the handshake's time; UTC when
    unknown, which the log says.
    """
    name = connection_time[17:].strip()
    zone = zone_named(name)
    if zone is None:
        log.warning("the time zone of TWS is not known, UTC is taken for its times", zone=name)
    return zone or UTC


@lru_cache(maxsize=4096)
def instant_ns(text: str, default: tzinfo) -> int:
    """Nanoseconds since the epoch; a text without a zone is meant in `default`.

    Raises ValueError when the text is none of the known forms or names an unknown zone.
    """
    text = text.strip()
    if text.isdigit() and len(text) != 8:
        return int(text) * NS_PER_S
    if text[8:9] == "-":
        return _at(text[:8], text[9:17], UTC)
    day, _, rest = text.partition(" ")
    clock, _, name = rest.strip().partition(" ")
    zone = zone_named(name.strip()) if name.strip() else default
    if zone is None:
        raise ValueError(f"unknown time zone in {text!r}")
    return _at(day, clock or "00:00:00", zone)


def _at(day: str, clock: str, zone: tzinfo) -> int:
    # strptime would take five times as long, and a year of minute bars has a hundred thousand of these
    if not (len(day) == 8 and len(clock) == 8 and clock[2] == clock[5] == ":"):
        raise ValueError(f"{day} {clock} is no instant of TWS")
    parts = (day[:4], day[4:6], day[6:], clock[:2], clock[3:5], clock[6:])
    year, month, date, hour, minute, second = map(int, parts)
    return int(datetime(year, month, date, hour, minute, second, tzinfo=zone).timestamp()) * NS_PER_S
