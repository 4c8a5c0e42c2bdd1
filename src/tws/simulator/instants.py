"""TWS's texts of dates and times, read once at the door into ns UTC.

    20261231 15:59:00 US/Eastern    with a zone
    20261231 15:59:00               in the zone of the login
    20261231-20:59:00               UTC
    20261231                        a day: its end, or its begin
    15:59:00 EST                    today

Sources: official texts of codes 337, 343 and the notes on the UTC form since API 10.15; abbreviations that
the time zone database doesn't know as places are read as the American zones that TWS means (assumed).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tws.clock import NS_PER_S, to_datetime, to_ns

__all__ = ["instant"]

_PLACES = {
    "EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago",
    "MST": "America/Denver", "MDT": "America/Denver", "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles", "JST": "Asia/Tokyo", "HKT": "Asia/Hong_Kong", "BST": "Europe/London",
}  # fmt: skip
_FORM = re.compile(
    r"(?:(?P<day>\d{8}))?(?P<gap>-|\s+)?(?:(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?)?"
    r"(?:\s+(?P<zone>[A-Za-z_/+\-0-9]+))?"
)


def instant(text: str, zone: tzinfo, now_ns: int, *, end_of_day: bool = False) -> int:
    """The instant that a text names, in ns UTC; 0 for an empty text. Raises ValueError for any other text.

    `zone` is that of the login. A day alone means its begin, or its last second.
    """
    text = text.strip()
    if not text:
        return 0
    found = _FORM.fullmatch(text)
    if found is None or not (found["day"] or found["hour"]) or (found["gap"] and not found["hour"]):
        raise ValueError(f"{text!r} is no date or time of TWS")
    where: tzinfo = UTC if found["gap"] == "-" else _zone(found["zone"]) if found["zone"] else zone
    today = to_datetime(now_ns).astimezone(where).strftime("%Y%m%d")
    day = datetime.strptime(found["day"] or today, "%Y%m%d").replace(tzinfo=where)
    if not found["hour"]:
        return to_ns(day + timedelta(days=1)) - NS_PER_S if end_of_day else to_ns(day)
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    return to_ns(day.replace(hour=hour, minute=minute, second=second))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(_PLACES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone known here") from error
