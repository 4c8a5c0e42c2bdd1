"""Historical bars from rows of tape and past: the grammar of durations and bar sizes, sessions, what to show.

Source: TWS-BEHAVIOUR.md E; the official documentation of what to show. Intraday bars start at multiples
of their size counted from midnight in the market's zone; a day bar holds a trading day, which for a future
begins the evening before; a week or month bar the trading days of that week or month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.simulator.hours import TEMPLATES, US_STOCK, Day, day_of
from tws.simulator.past import PastRow
from tws.simulator.tape import Row

__all__ = ["BAR_SIZES", "DAY_S", "BuiltBar", "Week", "build", "parse_duration", "parse_end"]

DAY_S = 86_400
BAR_SIZES: dict[str, int] = {
    **{f"{n} secs": n for n in (1, 5, 10, 15, 30)},
    "1 sec": 1,
    "1 min": 60,
    **{f"{n} mins": 60 * n for n in (1, 2, 3, 4, 5, 10, 15, 20, 30)},
    "1 hour": 3600,
    **{f"{n} hours": 3600 * n for n in (1, 2, 3, 4, 8)},
    "1 day": DAY_S,
    "1 week": 7 * DAY_S,
    "1 month": 30 * DAY_S,
    "1D": DAY_S,
    "1W": 7 * DAY_S,
    "1M": 30 * DAY_S,
}
"""Seconds of each bar size (E); a day or more is a matter of dates."""
_UNITS = {"S": 1, "D": DAY_S, "W": 7 * DAY_S, "M": 30 * DAY_S, "Y": 365 * DAY_S}
LONGEST_S = 21 * 365 * DAY_S
ZONES = {"EST": "America/New_York", "EDT": "America/New_York", "GMT": "UTC", "CST": "America/Chicago"}
"""What users and old clients write for zones that have another name today."""


class BuiltBar(Struct, frozen=True):
    """`key` is the begin in seconds for an intraday bar, a date for longer ones. Volume in lots.

    `volume` and `count` are -1 and `wap` -1.0 where TWS knows none.
    """

    key: int | date
    open: float
    high: float
    low: float
    close: float
    volume: int
    wap: float
    count: int


class Week(Struct, frozen=True):
    """When a security trades: the mode of the simulator, and the name of its template of hours."""

    mode: str = "exchange"
    template: str = US_STOCK

    @property
    def zone(self) -> ZoneInfo:
        return TEMPLATES[self.template].zone

    def day(self, day: date) -> Day | None:
        """The trading day of a date, None when closed."""
        return day_of(day, self.mode, self.template)

    def is_liquid(self, time_s: int) -> bool:
        """Whether a moment lies in regular hours."""
        today, now_ns = datetime.fromtimestamp(time_s, self.zone).date(), time_s * NS_PER_S
        days = (self.day(today), self.day(today + timedelta(days=1)))
        return any(start <= now_ns < stop for day in days if day for start, stop in day.liquid)


def parse_duration(text: str, end_s: int, week: Week) -> int:
    """The start in seconds of a span that ends at `end_s`; "n D" counts trading days. Raises ValueError."""
    number, _, unit = text.strip().partition(" ")
    if not number.isdigit() or not 0 < len(number) < 7 or int(number) < 1 or unit.upper() not in _UNITS:
        raise ValueError(text)
    count = int(number)
    if unit.upper() != "D":
        return end_s - min(count * _UNITS[unit.upper()], LONGEST_S)
    day = datetime.fromtimestamp(end_s, week.zone).date() + timedelta(days=1)
    start_s = end_s
    for _ in range(min(count, 8000) * 2 + 10):
        known = week.day(day)
        if known is not None and known.pre_ns // NS_PER_S < end_s:
            count -= 1
            start_s = known.pre_ns // NS_PER_S
        if not count:
            break
        day -= timedelta(days=1)
    return start_s


def parse_end(text: str, now_s: int, zone: ZoneInfo) -> int:
    """The instant of an endDateTime in seconds: empty is now. Raises ValueError.

    Forms: `yyyyMMdd-HH:mm:ss` (UTC), `yyyyMMdd HH:mm:ss[ zone]` (in `zone` unless said).
    """
    text = text.strip()
    if not text:
        return now_s
    if "-" in text[:9]:
        return int(datetime.strptime(text.rstrip("Z"), "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp())
    parts = text.split()
    if len(parts) == 1:
        parts.append("00:00:00")
    if len(parts) > 2:
        try:
            zone = ZoneInfo(ZONES.get(parts[2], parts[2]))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(text) from error
    return int(datetime.strptime(" ".join(parts[:2]), "%Y%m%d %H:%M:%S").replace(tzinfo=zone).timestamp())


# -- building -----------------------------------------------------------------------------------

Values = tuple[float, float, float, float, int, float, int]
"""open, high, low, close, volume, value and count of a row in the wanted sense."""


def build(
    rows: Iterable[Row], size_s: int, shown: Callable[[Row], Values | None], week: Week, *, rth: bool
) -> list[BuiltBar]:
    """Bars of `size_s` seconds over rows in the order of time; stretches without data have no bar."""
    finish = _bar if shown is not bid_ask else _average
    bars: list[BuiltBar] = []
    group: list[Values] = []
    key: int | date | None = None
    for row, day, begin_s in _dated(rows, week, rth=rth):
        values = shown(row)
        if values is None:
            continue
        now = _key(row.time_s, day, begin_s, size_s)
        if now != key and group and key is not None:
            bars.append(finish(key, group))
            group = []
        key = now
        group.append(values)
    if group and key is not None:
        bars.append(finish(key, group))
    return bars


def _dated(rows: Iterable[Row], week: Week, *, rth: bool) -> Iterator[tuple[Row, date, int]]:
    """Each row with its trade date and the midnight of its calendar date, without those outside regular
    hours when `rth`. Rows outside every session count to their calendar date.
    """
    zone = week.zone
    begin_s = end_s = 0
    days: list[Day] = []
    today = date.min
    for row in rows:
        if not begin_s <= row.time_s < end_s:
            today = datetime.fromtimestamp(row.time_s, zone).date()
            begin_s, end_s = (_midnight_s(today + timedelta(days=n), zone) for n in (0, 1))
            days = [day for n in (0, 1) if (day := week.day(today + timedelta(days=n))) is not None]
        now_ns = row.time_s * NS_PER_S
        day = next((one for one in days if one.pre_ns <= now_ns < one.post_ns), None)
        if rth and not (day and any(start <= now_ns < stop for start, stop in day.liquid)):
            continue
        yield row, day.date if day else today, begin_s


def _midnight_s(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _key(time_s: int, day: date, begin_s: int, size_s: int) -> int | date:
    if size_s < DAY_S:
        return begin_s + (time_s - begin_s) // size_s * size_s
    if size_s == DAY_S:
        return day
    if size_s == 7 * DAY_S:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def _bar(key: int | date, group: list[Values]) -> BuiltBar:
    high = max(values[1] for values in group)
    low = min(values[2] for values in group)
    volume = sum(values[4] for values in group)
    value = sum(values[5] for values in group)
    count = sum(values[6] for values in group)
    if count < 0:  # quotes: TWS knows neither volume nor count (official documentation)
        return BuiltBar(key, group[0][0], high, low, group[-1][3], -1, -1.0, -1)
    wap = value / volume if volume else group[-1][3]
    return BuiltBar(key, group[0][0], high, low, group[-1][3], volume, wap, count)


def _average(key: int | date, group: list[Values]) -> BuiltBar:
    """A bar of BID_ASK: its open is the average bid, its close the average ask."""
    opened, close = (round(sum(values[i] for values in group) / len(group), 8) for i in (0, 3))
    return replace(_bar(key, group), open=opened, close=close)


# -- what to show -------------------------------------------------------------------------------

NO_COUNT = -(2**40)
"""Marks values of quotes; no sum of real counts comes near it."""


def trades(row: Row) -> Values | None:
    """The prints of a row."""
    if not row.prints:
        return None
    return row.open, row.high, row.low, row.close, row.volume, row.value, row.prints


def bid(row: Row) -> Values | None:
    """The highest bids."""
    return _side(row, row.bid, row.bid - row.close) if row.bid else None


def ask(row: Row) -> Values | None:
    """The lowest asks."""
    return _side(row, row.ask, row.ask - row.close) if row.ask else None


def midpoint(row: Row) -> Values | None:
    """Half way between bid and ask."""
    if not row.bid or not row.ask:
        return None
    middle = round((row.bid + row.ask) / 2, 8)
    return _side(row, middle, middle - row.close)


def bid_ask(row: Row) -> Values | None:
    """Average bid, highest ask, lowest bid, average ask (official documentation); of a row its last."""
    if not row.bid or not row.ask:
        return None
    low, high = bid(row), ask(row)
    assert low is not None and high is not None
    return low[3], high[1], low[2], high[3], 0, 0.0, NO_COUNT


def _side(row: Row, price: float, offset: float) -> Values:
    """A quote of a row: one instant's, or of an invented stretch a band that moved beside its prints."""
    if isinstance(row, PastRow):
        opened, high, low, close = (
            round(one + offset, 8) for one in (row.open, row.high, row.low, row.close)
        )
        return opened, high, low, close, 0, 0.0, NO_COUNT
    return price, price, price, price, 0, 0.0, NO_COUNT


def volatility(level: float, reference: float) -> Callable[[Row], Values | None]:
    """A volatility that falls as the price rises, `level` at the price `reference` (invented)."""

    def shown(row: Row) -> Values | None:
        prices = (row.open, row.high, row.low, row.close) if row.open else (row.bid,) * 4
        if not all(prices):
            return None
        opened, high, low, close = (round(level * (reference / price) ** 0.5, 6) for price in prices)
        return opened, max(high, low), min(high, low), close, 0, 0.0, NO_COUNT

    return shown


def constant(value: float) -> Callable[[Row], Values | None]:
    """The same at every time (a borrow fee)."""
    return lambda row: (value, value, value, value, 0, 0.0, NO_COUNT)
