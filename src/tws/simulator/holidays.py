"""Holidays and early closes of the markets, by rule. Pure, from 1900 to 2099.

Weekends are not named here. A calendar that needs more than a rule (lunar feasts, Japan's national days)
keeps only its fixed days, so the simulated market may trade where the real one rests.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

__all__ = ["early_closes", "holidays"]


@lru_cache(maxsize=512)
def holidays(calendar: str, year: int) -> frozenset[date]:
    """The days of the year on which this calendar's market stays closed."""
    easter = _easter(year)
    good_friday, monday = easter - timedelta(days=2), easter + timedelta(days=1)
    new_year, christmas = date(year, 1, 1), date(year, 12, 25)
    boxing, may_day = date(year, 12, 26), date(year, 5, 1)
    if calendar == "US":
        return _new_york(year)
    if calendar in ("GLOBEX", "FX"):
        return frozenset({new_year, christmas} | ({good_friday} if calendar == "GLOBEX" else set()))
    if calendar == "XETRA":
        eves = {date(year, 12, 24), date(year, 12, 31)}
        return frozenset({new_year, good_friday, monday, may_day, christmas, boxing} | eves)
    if calendar == "EURONEXT":
        return frozenset({new_year, good_friday, monday, may_day, christmas, boxing})
    if calendar == "LSE":
        banks = {_nth(year, 5, 0, 1), _nth(year, 5, 0, -1), _nth(year, 8, 0, -1)}
        return frozenset({_monday(new_year), good_friday, monday} | banks | _christmas(year))
    if calendar == "TSX":
        victoria = date(year, 5, 24) - timedelta(days=date(year, 5, 24).weekday())
        moving = {
            _nth(year, 2, 0, 3),
            victoria,
            _nth(year, 8, 0, 1),
            _nth(year, 9, 0, 1),
            _nth(year, 10, 0, 2),
        }
        return frozenset(
            {_monday(new_year), good_friday, _monday(date(year, 7, 1))} | moving | _christmas(year)
        )
    if calendar == "ASX":
        fixed = {_monday(new_year), date(year, 1, 26), date(year, 4, 25), _nth(year, 6, 0, 2)}
        return frozenset(fixed | {good_friday, monday} | _christmas(year))
    if calendar == "SEHK":
        fixed = {new_year, may_day, date(year, 7, 1), date(year, 10, 1), christmas, boxing}
        return frozenset(fixed | {good_friday, monday})
    if calendar == "TSEJ":
        return frozenset({new_year, date(year, 1, 2), date(year, 1, 3), date(year, 12, 31)})
    return frozenset()


@lru_cache(maxsize=512)
def early_closes(calendar: str, year: int) -> frozenset[date]:
    """The days on which the market closes early; of Globex also most holidays of New York."""
    days = {_nth(year, 11, 3, 4) + timedelta(days=1), date(year, 12, 24), date(year, 7, 3)}
    if calendar == "US":
        return frozenset(day for day in days if day.weekday() < 5 and day not in _new_york(year))
    if calendar == "GLOBEX":
        return frozenset(days | _new_york(year)) - holidays("GLOBEX", year)
    return frozenset()


@lru_cache(maxsize=128)
def _new_york(year: int) -> frozenset[date]:
    fixed = [_observed(date(year, 7, 4)), _observed(date(year, 12, 25))]
    if year >= 2022:
        fixed.append(_observed(date(year, 6, 19)))
    new_year = date(year, 1, 1)
    if new_year.weekday() != 5:  # on a Saturday the exchange keeps no substitute day
        fixed.append(_observed(new_year))
    moving = [
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        _easter(year) - timedelta(days=2),
        _nth(year, 5, 0, -1),
        _nth(year, 9, 0, 1),
        _nth(year, 11, 3, 4),
    ]
    return frozenset(fixed + moving)


def _observed(day: date) -> date:
    """New York's substitute: Saturday's on Friday, Sunday's on Monday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _monday(day: date) -> date:
    """London's substitute: the Monday after the weekend."""
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))


def _christmas(year: int) -> set[date]:
    """Christmas and Boxing Day with their substitutes, which may not fall on each other."""
    days = [date(year, 12, 25), date(year, 12, 26)]
    kept = {day for day in days if day.weekday() < 5}
    free = date(year, 12, 27)
    for _ in range(2 - len(kept)):
        while free.weekday() > 4 or free in kept:
            free += timedelta(days=1)
        kept.add(free)
    return kept


def _nth(year: int, month: int, weekday: int, which: int) -> date:
    """The `which`-th such weekday of a month, -1 the last."""
    if which > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
    last = date(year, month + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _easter(year: int) -> date:
    """Easter Sunday (Gauss's rule in its Gregorian form, 1900 to 2099)."""
    a, b, c = year % 19, year % 4, year % 7
    d = (19 * a + 24) % 30
    e = (2 * b + 4 * c + 6 * d + 5) % 7
    offset = 22 + d + e
    if (d, e) == (29, 6) or (d, e, a > 10) == (28, 6, True):
        offset -= 7
    return date(year, 3, 1) + timedelta(days=offset - 1)
