"""Historical bars from rows of the tape: the grammar of durations and bar sizes, sessions, what to show.

Source: TWS-BEHAVIOUR.md E. Intraday bars start at multiples of their size counted from midnight in New
York; a day bar holds a trading day, a week or month bar the trading days of that week or month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator.hours import NEW_YORK, day_of, midnight_ns
from tws.simulator.tape import Row

__all__ = ["BAR_SIZES", "SHOWN", "BuiltBar", "build", "parse_duration", "parse_end"]

DAY_S = 86_400
BAR_SIZES: dict[str, int] = {
    **{f"{n} secs": n for n in (5, 10, 15, 30)},
    "1 sec": 1,
    "1 secs": 1,
    "1 min": 60,
    **{f"{n} mins": 60 * n for n in (2, 3, 4, 5, 10, 15, 20, 30)},
    "1 hour": 3600,
    **{f"{n} hours": 3600 * n for n in (2, 3, 4, 8)},
    "1 day": DAY_S,
    "1 week": 7 * DAY_S,
    "1 month": 30 * DAY_S,
    "1D": DAY_S,
    "1W": 7 * DAY_S,
    "1M": 30 * DAY_S,
}
"""Seconds of each bar size (E); a day or more is a matter of dates."""
SHOWN = ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK", "ADJUSTED_LAST")
_UNITS = {"S": 1, "D": DAY_S, "W": 7 * DAY_S, "M": 30 * DAY_S, "Y": 365 * DAY_S}


class BuiltBar(Struct, frozen=True):
    """`key` is the begin in seconds for an intraday bar, a date for longer ones. Volume in shares."""

    key: int | date
    open: float
    high: float
    low: float
    close: float
    volume: int
    wap: float
    count: int


def parse_duration(text: str, end_s: int, mode: str) -> int:
    """The start in seconds of a span that ends at `end_s`; "n D" counts trading days. Raises ValueError."""
    number, _, unit = text.strip().partition(" ")
    if not number.isdigit() or int(number) < 1 or unit.upper() not in _UNITS:
        raise ValueError(text)
    count = int(number)
    if unit.upper() != "D":
        return end_s - min(count * _UNITS[unit.upper()], 20 * 365 * DAY_S)
    day = datetime.fromtimestamp(end_s, NEW_YORK).date()
    start_s = end_s
    for _ in range(min(count, 3650) * 2 + 10):
        known = day_of(day, mode)
        if known is not None and known.pre_ns // NS_PER_S < end_s:
            count -= 1
            start_s = known.pre_ns // NS_PER_S
        if not count:
            break
        day -= timedelta(days=1)
    return start_s


def parse_end(text: str, now_s: int) -> int:
    """The instant of an endDateTime in seconds: empty is now. Raises ValueError.

    Forms: `yyyyMMdd-HH:mm:ss` (UTC), `yyyyMMdd HH:mm:ss[ zone]` (New York unless said).
    """
    text = text.strip()
    if not text:
        return now_s
    if "-" in text[:9]:
        return int(datetime.strptime(text.rstrip("Z"), "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp())
    parts = text.split()
    if len(parts) == 1:
        parts.append("00:00:00")
    zone = NEW_YORK
    if len(parts) > 2:
        try:
            zone = ZoneInfo({"EST": "America/New_York", "GMT": "UTC"}.get(parts[2], parts[2]))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(text) from error
    return int(datetime.strptime(" ".join(parts[:2]), "%Y%m%d %H:%M:%S").replace(tzinfo=zone).timestamp())


def build(rows: Iterable[Row], size_s: int, what: str, *, rth: bool, mode: str) -> list[BuiltBar]:
    """Bars of `size_s` seconds over rows in the order of time; stretches without data have no bar."""
    bars: list[BuiltBar] = []
    group: list[tuple[float, float, float, float, int, float, int]] = []
    key: int | date | None = None
    for row, day, begin_s in _dated(rows, rth, mode):
        values = _shown(row, what)
        if values is None:
            continue
        now = _key(row.time_s, day, begin_s, size_s)
        if now != key and group and key is not None:
            bars.append(_bar(key, group, what))
            group = []
        key = now
        group.append(values)
    if group and key is not None:
        bars.append(_bar(key, group, what))
    return bars


def _dated(rows: Iterable[Row], rth: bool, mode: str) -> Iterator[tuple[Row, date, int]]:
    """Each row with its date and that day's midnight, without those outside regular hours when `rth`."""
    begin_s, end_s, day, opens, closes = 0, 0, date.min, 0, 0
    for row in rows:
        if not begin_s <= row.time_s < end_s:
            day = datetime.fromtimestamp(row.time_s, NEW_YORK).date()
            begin_s = midnight_ns(day) // NS_PER_S
            end_s = midnight_ns(day + timedelta(days=1)) // NS_PER_S
            known = day_of(day, mode)
            opens, closes = (known.open_ns // NS_PER_S, known.close_ns // NS_PER_S) if known else (0, 0)
        if not rth or opens <= row.time_s < closes:
            yield row, day, begin_s


def _key(time_s: int, day: date, begin_s: int, size_s: int) -> int | date:
    if size_s < DAY_S:
        return begin_s + (time_s - begin_s) // size_s * size_s
    if size_s == DAY_S:
        return day
    if size_s == 7 * DAY_S:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def _shown(row: Row, what: str) -> tuple[float, float, float, float, int, float, int] | None:
    """open, high, low, close, volume, value, count of a row in the wanted sense."""
    if what in ("TRADES", "ADJUSTED_LAST"):
        if not row.prints:
            return None
        return row.open, row.high, row.low, row.close, row.volume, row.value, row.prints
    if not row.bid or not row.ask:
        return None
    if what == "BID_ASK":
        return row.bid, row.ask, row.bid, row.ask, 0, 0.0, 0
    price = {"BID": row.bid, "ASK": row.ask}.get(what, (row.bid + row.ask) / 2)
    return price, price, price, price, 0, 0.0, 0


def _bar(
    key: int | date, group: list[tuple[float, float, float, float, int, float, int]], what: str
) -> BuiltBar:
    high = max(values[1] for values in group)
    low = min(values[2] for values in group)
    volume = sum(values[4] for values in group)
    value = sum(values[5] for values in group)
    count = sum(values[6] for values in group)
    if what not in ("TRADES", "ADJUSTED_LAST"):
        volume, count = -1, -1  # TWS knows none for quotes (official documentation)
    wap = value / volume if volume > 0 else -1.0
    first, last = group[0][0], group[-1][3]
    if what == "BID_ASK":  # the averages of bid and of ask
        first, last = (sum(values[i] for values in group) / len(group) for i in (0, 3))
    return BuiltBar(key, first, high, low, last, volume, wap, count)
