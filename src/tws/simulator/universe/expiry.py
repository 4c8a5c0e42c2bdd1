"""When contracts expire: the public rules of the exchanges as pure functions of year and month.

A business day is one on which New York's or the named calendar's market is open.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from tws.simulator.holidays import holidays

__all__ = ["EXPIRIES", "business_day", "friday_expiry", "last_trade_date", "nth_weekday", "step_back"]


def business_day(day: date, calendar: str = "US") -> bool:
    return day.weekday() < 5 and day not in holidays(calendar, day.year)


def step_back(day: date, count: int = 0, calendar: str = "US") -> date:
    """`day` itself or the business day before it, then `count` business days further back."""
    while not business_day(day, calendar):
        day -= timedelta(days=1)
    for _ in range(count):
        day -= timedelta(days=1)
        while not business_day(day, calendar):
            day -= timedelta(days=1)
    return day


def nth_weekday(year: int, month: int, weekday: int, which: int) -> date:
    """The `which`-th such weekday of the month (Monday is 0)."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))


def _month(year: int, month: int, offset: int) -> tuple[int, int]:
    index = year * 12 + month - 1 + offset
    return index // 12, index % 12 + 1


def _month_end(year: int, month: int) -> date:
    return date(*_month(year, month, 1), 1) - timedelta(days=1)


def friday_expiry(year: int, month: int, calendar: str = "US") -> date:
    """The third Friday, or the business day before it (the 18th of June 2026)."""
    return step_back(nth_weekday(year, month, 4, 3), 0, calendar)


def _third_friday(year: int, month: int) -> date:
    return friday_expiry(year, month)


def _eurex(year: int, month: int) -> date:
    return friday_expiry(year, month, "XETRA")


def _crude(year: int, month: int) -> date:
    """Three business days before the 25th of the month before, or before the last one before that day
    when the 25th is none itself.
    """
    return step_back(date(*_month(year, month, -1), 25), 3)


def _gas(year: int, month: int) -> date:
    """Three business days before the first of the month."""
    return step_back(date(year, month, 1) - timedelta(days=1), 2)


def _metal(year: int, month: int) -> date:
    """The third last business day of the month."""
    return step_back(_month_end(year, month), 2)


def _note(year: int, month: int) -> date:
    """The seventh business day before the last one (10 and 30 years)."""
    return step_back(_month_end(year, month), 7)


def _short_note(year: int, month: int) -> date:
    """The last business day of the month (2 and 5 years)."""
    return step_back(_month_end(year, month))


def _currency(year: int, month: int) -> date:
    """Two business days before the third Wednesday."""
    return step_back(nth_weekday(year, month, 2, 3), 2)


def _volatility(year: int, month: int) -> date:
    """The Wednesday thirty days before the third Friday of the month after."""
    friday = friday_expiry(*_month(year, month, 1))
    return step_back(friday - timedelta(days=30))


def _grain(year: int, month: int) -> date:
    """The business day before the 15th."""
    return step_back(date(year, month, 15) - timedelta(days=1))


EXPIRIES: dict[str, Callable[[int, int], date]] = {
    "third friday": _third_friday,
    "eurex": _eurex,
    "crude": _crude,
    "gas": _gas,
    "metal": _metal,
    "note": _note,
    "short note": _short_note,
    "currency": _currency,
    "volatility": _volatility,
    "grain": _grain,
}
"""The rules by name, as a universe file names them."""


def last_trade_date(rule: str, year: int, month: int) -> date:
    """The last trading day of the contract month. Raises KeyError for an unknown rule."""
    return EXPIRIES[rule](year, month)
