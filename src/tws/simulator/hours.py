"""When the simulated contracts trade: TWS's hours texts, spans for the exchange, the calendars.

Each `Template` is the week of one market in its own zone: the spans of a trade date as hours from that
date's midnight (so −7 is five in the afternoon of the day before, where a Globex day begins), liquid and
whole. A `Day` is a template laid on a date, in ns UTC. Holidays follow rules, not lists; those of the
US are the public rules of the New York Stock Exchange, since 2022; other calendars keep only what a rule
can say (no lunar feasts, no Japanese national days).

Two modes. "exchange" is the template's week. "always" states every day from midnight to midnight: no close.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from tws.clock import to_datetime, to_ns
from tws.simulator.holidays import early_closes, holidays

__all__ = [
    "NEW_YORK",
    "TEMPLATES",
    "US_STOCK",
    "ZONE_ID",
    "Day",
    "Template",
    "day_of",
    "hours_text",
    "local_date",
    "midnight_ns",
    "sessions",
    "spans",
    "trading_days_before",
]

ZONE_ID = "America/New_York"
NEW_YORK = ZoneInfo(ZONE_ID)
STATED_DAYS = 6
"""How many days the hours text covers, as real answers do (recorded)."""
US_STOCK = "US_STOCK"

Hours = tuple[tuple[float, float], ...]
"""Spans in hours from the trade date's midnight."""


QUARTER_NS = 900 * 1_000_000_000


class Template(Struct, frozen=True):
    """One market's week. `continuous`: orders work in the whole of `trading`, not in `liquid` alone.

    `early` and `early_trading` are where the last liquid and the last trading span end on a day of early
    close; None: such days are like any other.
    """

    zone_id: str
    liquid: Hours
    trading: Hours
    calendar: str = "US"
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    continuous: bool = False
    early: float | None = None
    early_trading: float | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_id)


_CHICAGO, _BERLIN = "America/Chicago", "Europe/Berlin"
_US_DAY: Hours = ((9.5, 16.0),)
_GLOBEX: Hours = ((-7.0, 16.0),)

TEMPLATES: dict[str, Template] = {
    US_STOCK: Template(ZONE_ID, _US_DAY, ((4.0, 20.0),), early=13.0, early_trading=17.0),
    "US_OPTION": Template(ZONE_ID, _US_DAY, _US_DAY, early=13.0, early_trading=13.0),
    "US_ETF_OPTION": Template(ZONE_ID, ((9.5, 16.25),), ((9.5, 16.25),), early=13.25, early_trading=13.25),
    "US_BOND": Template(ZONE_ID, ((8.0, 17.0),), ((8.0, 17.0),), early=14.0, early_trading=14.0),
    "US_INDEX": Template(ZONE_ID, _US_DAY, _US_DAY, early=13.0, early_trading=13.0),
    "CBOE_INDEX": Template(_CHICAGO, ((8.5, 15.25),), ((2.25, 8.25), (8.5, 15.25)), early=12.25),
    "SPX_OPTION": Template(
        _CHICAGO, ((8.5, 15.25),), ((-3.75, 8.25), (8.5, 15.25)), early=12.25, early_trading=12.25
    ),
    "GLOBEX": Template(
        _CHICAGO, ((8.5, 16.0),), _GLOBEX, "GLOBEX", continuous=True, early=12.0, early_trading=12.0
    ),
    "NYMEX": Template(
        ZONE_ID, ((9.5, 17.0),), ((-6.0, 17.0),), "GLOBEX", continuous=True, early=13.0, early_trading=13.0
    ),
    "CBOT_GRAIN": Template(
        _CHICAGO,
        ((8.5, 13 + 1 / 3),),
        ((-5.0, 7.75), (8.5, 13 + 1 / 3)),
        "GLOBEX",
        continuous=True,
        early=12.0,
    ),
    "CFE": Template(_CHICAGO, ((8.5, 15.0),), _GLOBEX, "GLOBEX", continuous=True, early=12.0),
    "EUREX": Template(_BERLIN, ((9.0, 17.5),), ((1 + 1 / 6, 22.0),), "XETRA", continuous=True),
    "FX": Template(ZONE_ID, ((-6.75, 17.0),), ((-6.75, 17.0),), "FX", continuous=True),
    "CRYPTO": Template(
        ZONE_ID, ((0.0, 24.0),), ((0.0, 24.0),), "NONE", (0, 1, 2, 3, 4, 5, 6), continuous=True
    ),
    "XETRA": Template(_BERLIN, ((9.0, 17.5),), ((9.0, 17.5),), "XETRA"),
    "EURONEXT": Template("Europe/Paris", ((9.0, 17.5),), ((9.0, 17.5),), "EURONEXT"),
    "SIX": Template("Europe/Zurich", ((9.0, 17.5),), ((9.0, 17.5),), "XETRA"),
    "LSE": Template("Europe/London", ((8.0, 16.5),), ((8.0, 16.5),), "LSE"),
    "TSX": Template("America/Toronto", _US_DAY, _US_DAY, "TSX"),
    "MEXI": Template("America/Mexico_City", ((7.5, 14.0),), ((7.5, 14.0),), "NONE"),
    "TSEJ": Template("Asia/Tokyo", ((9.0, 11.5), (12.5, 15.5)), ((9.0, 11.5), (12.5, 15.5)), "TSEJ"),
    "SEHK": Template("Asia/Hong_Kong", ((9.5, 12.0), (13.0, 16.0)), ((9.5, 12.0), (13.0, 16.0)), "SEHK"),
    "ASX": Template("Australia/Sydney", ((10.0, 16.0),), ((10.0, 16.0),), "ASX"),
}
"""Public hours of the exchanges; the zone ids are the recorded kind of name ("America/New_York")."""


class Day(Struct, frozen=True):
    """One trading day in ns UTC: regular hours from `open_ns` to `close_ns`, extended ones around them.

    `liquid` and `trading` are the same spans with the pauses that some markets make (noon in Tokyo).
    """

    date: date
    pre_ns: int
    open_ns: int
    close_ns: int
    post_ns: int
    liquid: tuple[tuple[int, int], ...] = ()
    trading: tuple[tuple[int, int], ...] = ()


def local_date(now_ns: int, zone: ZoneInfo = NEW_YORK) -> date:
    """The date in New York, or in `zone`."""
    return _quarters_date(now_ns // QUARTER_NS, zone)


@lru_cache(maxsize=64)
def _quarters_date(quarter: int, zone: ZoneInfo) -> date:
    """The date during a quarter of an hour; no zone's midnight lies within one. Every order asks."""
    return to_datetime(quarter * QUARTER_NS).astimezone(zone).date()


def midnight_ns(day: date) -> int:
    """The instant at which the date begins in New York."""
    return _at(day, 0.0, NEW_YORK)


def _at(day: date, hours: float, zone: ZoneInfo) -> int:
    """So many hours by the wall's clock after the date's midnight; may lie on the day before or after."""
    minutes = round(hours * 60)
    shifted = day + timedelta(days=minutes // 1440)
    clock = time(minutes % 1440 // 60, minutes % 60)
    return to_ns(datetime.combine(shifted, clock, zone))


@lru_cache(maxsize=8192)
def day_of(day: date, mode: str = "exchange", template: str = US_STOCK) -> Day | None:
    """The trading day of this date, None when closed."""
    known = TEMPLATES[template]
    zone = known.zone
    if mode == "always":
        whole = ((_at(day, 0.0, zone), _at(day, 24.0, zone)),)
        return _day(day, whole, whole)
    if day.weekday() not in known.weekdays or day in holidays(known.calendar, day.year):
        return None
    liquid, trading = known.liquid, known.trading
    if known.early is not None and day in early_closes(known.calendar, day.year):
        liquid = _cut(liquid, known.early)
        trading = _cut(trading, known.early_trading or known.early)
    return _day(day, _spans(day, liquid, zone), _spans(day, trading, zone))


def _cut(hours: Hours, end: float) -> Hours:
    return tuple((begin, min(close, end)) for begin, close in hours if begin < end)


def _spans(day: date, hours: Hours, zone: ZoneInfo) -> tuple[tuple[int, int], ...]:
    return tuple((_at(day, begin, zone), _at(day, end, zone)) for begin, end in hours)


def _day(day: date, liquid: tuple[tuple[int, int], ...], trading: tuple[tuple[int, int], ...]) -> Day:
    return Day(
        day,
        min(trading[0][0], liquid[0][0]),
        liquid[0][0],
        liquid[-1][1],
        max(trading[-1][1], liquid[-1][1]),
        liquid,
        trading,
    )


def hours_text(now_ns: int, mode: str, *, liquid: bool, template: str = US_STOCK) -> str:
    """tradingHours or liquidHours as TWS writes them, from today on (TWS-BEHAVIOUR.md F6; official
    samples). Today and the times are those of the template's zone.
    """
    zone = TEMPLATES[template].zone
    first = local_date(now_ns, zone)
    return _text(first, mode, liquid, template)


@lru_cache(maxsize=256)
def _text(first: date, mode: str, liquid: bool, template: str) -> str:
    zone = TEMPLATES[template].zone
    parts = []
    for offset in range(STATED_DAYS):
        date_ = first + timedelta(days=offset)
        day = day_of(date_, mode, template)
        if day is None:
            parts.append(f"{date_:%Y%m%d}:CLOSED")
        else:
            found = day.liquid if liquid else day.trading
            parts += [f"{_stamp(begin, zone)}-{_stamp(end, zone)}" for begin, end in found]
    return ";".join(parts)


def _stamp(ns: int, zone: ZoneInfo) -> str:
    return to_datetime(ns).astimezone(zone).strftime("%Y%m%d:%H%M")


def sessions(
    first: date, last: date, mode: str = "exchange", template: str = US_STOCK, *, liquid: bool = True
) -> Iterator[tuple[date, int, int]]:
    """Each session of the trade dates from `first` to `last`, both included: (trade date, open, close) in
    ns UTC; the liquid spans, or the whole trading ones.
    """
    day = first
    while day <= last:
        known = day_of(day, mode, template)
        if known is not None:
            for begin, end in known.liquid if liquid else known.trading:
                yield day, begin, end
        day += timedelta(days=1)


@lru_cache(maxsize=64)
def spans(
    first: date, days: int, template: str = US_STOCK
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Regular and extended spans of the exchange from `first` on, for `days` calendar days.

    Where the market is continuous (futures, currencies, crypto) all of the trading hours are regular.
    """
    found = [
        day for offset in range(days) if (day := day_of(first + timedelta(days=offset), "exchange", template))
    ]
    if TEMPLATES[template].continuous:
        return _joined([span for day in found for span in day.trading]), ()
    regular = [span for day in found for span in day.liquid]
    extended = [part for day in found for span in day.trading for part in _outside(span, day.liquid)]
    return tuple(regular), tuple(extended)


def _joined(parts: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans that touch become one: a market that never closes has no midnight."""
    done: list[tuple[int, int]] = []
    for begin, end in parts:
        if done and begin <= done[-1][1]:
            done[-1] = (done[-1][0], end)
        else:
            done.append((begin, end))
    return tuple(done)


def _outside(span: tuple[int, int], liquid: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """What of a trading span lies before, between and after the liquid ones."""
    begin, end = span
    parts = []
    for start, stop in liquid:
        if stop <= begin or start >= end:
            continue
        if begin < start:
            parts.append((begin, start))
        begin = stop
    if begin < end:
        parts.append((begin, end))
    return parts


def trading_days_before(day: date, count: int, mode: str, template: str = US_STOCK) -> list[Day]:
    """The `count` trading days before `day`, latest first."""
    found: list[Day] = []
    while len(found) < count:
        day -= timedelta(days=1)
        known = day_of(day, mode, template)
        if known is not None:
            found.append(known)
    return found
