"""When the simulated contracts trade: TWS's hours text, spans for the exchange, the US calendar.

Two modes. "exchange" is that of US equities: 09:30 to 16:00 in New York, extended hours from 04:00 to
20:00, closed on weekends and the holidays of the New York Stock Exchange, 13:00 on its early closes
(public rules of the exchange, since 2022). "always" states every day from midnight to midnight: no close.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from tws.clock import to_datetime, to_ns

__all__ = [
    "NEW_YORK",
    "ZONE_ID",
    "Day",
    "day_of",
    "hours_text",
    "local_date",
    "midnight_ns",
    "spans",
    "trading_days_before",
]

ZONE_ID = "America/New_York"
NEW_YORK = ZoneInfo(ZONE_ID)
STATED_DAYS = 6
"""How many days the hours text covers, as real answers do (recorded)."""


class Day(Struct, frozen=True):
    """One trading day in ns UTC: regular hours from `open_ns` to `close_ns`, extended ones around them."""

    date: date
    pre_ns: int
    open_ns: int
    close_ns: int
    post_ns: int


def local_date(now_ns: int) -> date:
    """The date in New York."""
    return to_datetime(now_ns).astimezone(NEW_YORK).date()


def midnight_ns(day: date) -> int:
    """The instant at which the date begins in New York."""
    return _at(day, time(0))


def _at(day: date, clock: time) -> int:
    return to_ns(datetime.combine(day, clock, NEW_YORK))


@lru_cache(maxsize=4096)
def day_of(day: date, mode: str = "exchange") -> Day | None:
    """The trading day of this date, None when closed."""
    if mode == "always":
        start, end = midnight_ns(day), midnight_ns(day + timedelta(days=1))
        return Day(day, start, start, end, end)
    if day.weekday() > 4 or day in _holidays(day.year):
        return None
    early = day in _early_closes(day.year)
    close, post = (time(13), time(17)) if early else (time(16), time(20))
    return Day(day, _at(day, time(4)), _at(day, time(9, 30)), _at(day, close), _at(day, post))


def hours_text(now_ns: int, mode: str, *, liquid: bool) -> str:
    """tradingHours or liquidHours as TWS writes them, from today on (TWS-BEHAVIOUR.md F6; official
    samples).
    """
    first = local_date(now_ns)
    parts = []
    for offset in range(STATED_DAYS):
        day = day_of(first + timedelta(days=offset), mode)
        if day is None:
            parts.append(f"{first + timedelta(days=offset):%Y%m%d}:CLOSED")
        else:
            begin, end = (day.open_ns, day.close_ns) if liquid else (day.pre_ns, day.post_ns)
            parts.append(f"{_stamp(begin)}-{_stamp(end)}")
    return ";".join(parts)


def _stamp(ns: int) -> str:
    return to_datetime(ns).astimezone(NEW_YORK).strftime("%Y%m%d:%H%M")


@lru_cache(maxsize=8)
def spans(first: date, days: int) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Regular and extended spans of the exchange from `first` on, for `days` calendar days."""
    found = [day for offset in range(days) if (day := day_of(first + timedelta(days=offset)))]
    regular = tuple((day.open_ns, day.close_ns) for day in found)
    extended = tuple(
        span for day in found for span in ((day.pre_ns, day.open_ns), (day.close_ns, day.post_ns))
    )
    return regular, extended


def trading_days_before(day: date, count: int, mode: str) -> list[Day]:
    """The `count` trading days before `day`, latest first."""
    found: list[Day] = []
    while len(found) < count:
        day -= timedelta(days=1)
        known = day_of(day, mode)
        if known is not None:
            found.append(known)
    return found


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    fixed = [_observed(date(year, 7, 4)), _observed(date(year, 12, 25))]
    if year >= 2022:
        fixed.append(_observed(date(year, 6, 19)))
    new_year = date(year, 1, 1)
    if new_year.weekday() != 5:  # on a Saturday the exchange keeps no substitute day
        fixed.append(_observed(new_year))
    moving = [
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        _good_friday(year),
        _nth(year, 5, 0, -1),
        _nth(year, 9, 0, 1),
        _nth(year, 11, 3, 4),
    ]
    return frozenset(fixed + moving)


@lru_cache(maxsize=64)
def _early_closes(year: int) -> frozenset[date]:
    days = (_nth(year, 11, 3, 4) + timedelta(days=1), date(year, 12, 24), date(year, 7, 3))
    return frozenset(day for day in days if day.weekday() < 5 and day not in _holidays(year))


def _observed(day: date) -> date:
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, which: int) -> date:
    """The `which`-th such weekday of a month, -1 the last."""
    if which > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
    last = date(year, month + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _good_friday(year: int) -> date:
    """Two days before Easter Sunday (Gauss's rule in its Gregorian form, 1900 to 2099)."""
    a, b, c = year % 19, year % 4, year % 7
    d = (19 * a + 24) % 30
    e = (2 * b + 4 * c + 6 * d + 5) % 7
    offset = 22 + d + e
    if (d, e) == (29, 6) or (d, e, a > 10) == (28, 6, True):
        offset -= 7
    return date(year, 3, 1) + timedelta(days=offset - 1 - 2)
