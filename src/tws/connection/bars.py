"""Historical bars (17) read column by column, since a year of minutes has a hundred thousand of them.

A message becomes `Rows`: one list for each field, made in C (a split, and msgspec's JSON reader on a column
of plain numbers). From them come `Bar`s or `BarColumns`, as the caller wanted; `Wanted` is the finishing
function of such a request, by which the reader knows that rows are welcome. Whatever is not plainly written
(an exponent, a sentinel for "unset", a blank, a field too many) makes the whole message go to the careful
reading instead, row by row.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo
from math import isfinite, nan
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from tws.clock import NS_PER_S
from tws.connection.reading import bar_of
from tws.connection.replies import Requests
from tws.connection.tws_time import instant_ns
from tws.model.market import Bar, BarColumns
from tws.wire.protobuf import UnreadableError
from tws.wire.thresholds import ANSWERS as MARKS
from tws.wire.thresholds import PROTOBUF_OFFSET, RAW_ID

__all__ = ["BarsReader", "PastBars", "Rows", "Wanted", "bars_from", "columns_from"]

T = TypeVar("T")

_HISTORY, _STATES_ENDS = 17, 196
"""Below this server version the message states begin and end of what was asked (F6)."""
_LARGEST = 2**31 - 1
"""From here on a number may mean "unset" (`tws.wire.kinds`)."""
_ZEROS = b"0" * 21
"""No number of a market is that small: the careful reading knows from when on it is none."""
_floats, _ints = msgspec.json.Decoder(list[float]), msgspec.json.Decoder(list[int])


class Rows(Struct):
    """Bars as columns of equal length; `days` are the dates of day bars, empty for others."""

    times_ns: list[int]
    days: Sequence[str]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    volume: Sequence[float]
    wap: Sequence[float]
    count: Sequence[int]


class PastBars(Struct):
    """A message 17 whose request wants rows. `ended`: it is the whole answer."""

    req_id: int
    rows: Rows
    ended: bool


class Wanted(Generic[T]):
    """Finishes a request for bars: what came, `Rows` and single bars of the wire, becomes the answer."""

    def __init__(
        self, make: Callable[[Iterable[Any], int, tzinfo], T], seconds: int, zone: Callable[[], tzinfo]
    ) -> None:
        self._make = make
        self._seconds = seconds
        self.zone = zone

    def __call__(self, parts: list[Any]) -> T:
        return self._make(parts, self._seconds, self.zone())


def bars_from(parts: Iterable[Any], seconds: int, zone: tzinfo) -> list[Bar]:
    """All bars, oldest first."""
    bars: list[Bar] = []
    for part in parts:
        if isinstance(part, Rows):
            bars += _bars_of(part, seconds)
        else:
            bars.append(bar_of(part, seconds, zone))
    return bars


def _bars_of(rows: Rows, seconds: int) -> list[Bar]:
    days = rows.days or [""] * len(rows.times_ns)
    return [
        Bar(
            time_ns=time_ns, seconds=seconds, open=open_, high=high, low=low, close=close, volume=volume,
            wap=wap, count=count, date=day,
        )
        for time_ns, open_, high, low, close, volume, wap, count, day in zip(
            rows.times_ns, rows.open, rows.high, rows.low, rows.close, rows.volume, rows.wap, rows.count,
            days, strict=True,
        )
    ]  # fmt: skip


def columns_from(parts: Iterable[Any], seconds: int, zone: tzinfo) -> BarColumns:
    """All bars as columns."""
    made = [_columns_of(part, seconds, zone) for part in parts] or [BarColumns(seconds=seconds)]
    whole = made[0]
    for more in made[1:]:
        for name in _COLUMNS:
            getattr(whole, name).extend(getattr(more, name))
    return whole


_COLUMNS = ("time_ns", "open", "high", "low", "close", "volume", "wap", "count")


def _columns_of(part: Any, seconds: int, zone: tzinfo) -> BarColumns:
    if not isinstance(part, Rows):
        bar = bar_of(part, seconds, zone)
        wap = nan if bar.wap is None else bar.wap
        part = Rows(
            [bar.time_ns],
            [],
            [bar.open],
            [bar.high],
            [bar.low],
            [bar.close],
            [bar.volume],
            [wap],
            [bar.count],
        )
    return BarColumns(
        seconds=seconds,
        time_ns=array("q", part.times_ns),
        open=array("d", part.open),
        high=array("d", part.high),
        low=array("d", part.low),
        close=array("d", part.close),
        volume=array("d", part.volume),
        wap=array("d", part.wap),
        count=array("q", part.count),
    )


class BarsReader:
    """Reads message 17 of one session for the requests that want rows."""

    def __init__(self, server_version: int, requests: Requests) -> None:
        self._requests = requests
        self._head = 2 if server_version < _STATES_ENDS else 0
        self.readers: dict[bytes, Callable[[bytes], PastBars | None]] = {}
        if server_version < RAW_ID:
            self.readers = {b"17": self._text}
        elif server_version >= MARKS[_HISTORY]:
            self.readers = {(PROTOBUF_OFFSET + _HISTORY).to_bytes(4, "big"): self._protobuf}

    def _text(self, payload: bytes) -> PastBars | None:
        number = payload[3 : payload.find(b"\0", 3)]
        zone = self._zone(int(number)) if payload[2:3] == b"\0" and number.isdigit() else None
        if zone is None:
            return None
        fields = payload.split(b"\0")
        first = 3 + self._head
        try:
            count = int(fields[first - 1])
            if len(fields) != first + 8 * count + 1 or fields.pop():
                return None
            dates, *numbers, trades = (fields[first + column :: 8] for column in range(8))
            columns = [_numbers_of(b",".join(column), count, _PLAIN, _floats) for column in numbers]
            trade_counts = _numbers_of(b",".join(trades), count, _WHOLE, _ints)
            rows = _rows(dates, columns, trade_counts, zone)
        except (ValueError, IndexError):
            return None  # the careful reading knows better, or says what is wrong
        return PastBars(int(number), rows, bool(self._head and fields[3]))

    def _protobuf(self, payload: bytes) -> PastBars | None:
        from ibapi.protobuf.HistoricalData_pb2 import HistoricalData

        try:
            message = HistoricalData.FromString(payload[4:])
            zone = self._zone(message.reqId)
            if zone is None:
                return None
            bars = list(message.historicalDataBars)
            dates, *columns, trade_counts = (list(map(get, bars)) for get in _FIELDS)
            for place in (4, 5):
                text = ",".join(columns[place]).encode()
                columns[place] = _numbers_of(text, len(bars), _PLAIN, _floats)
            rows = _rows(dates, columns, trade_counts, zone)
        except (ValueError, UnreadableError):
            return None
        return PastBars(message.reqId, rows, False)

    def _zone(self, request_id: int) -> tzinfo | None:
        """The zone in which the request means times without one; None when it wants no rows."""
        finish = self._requests.finisher(request_id)
        return finish.zone() if isinstance(finish, Wanted) else None


_FIELDS = tuple(map(attrgetter, ("date", "open", "high", "low", "close", "volume", "WAP", "barCount")))


_PLAIN, _WHOLE = b"0123456789-.,", b"0123456789-,"


def _numbers_of(raw: bytes, count: int, plain: bytes, reader: msgspec.json.Decoder[list[T]]) -> list[T]:
    """So many plainly written numbers, joined by commas. Raises ValueError, as msgspec does, for others."""
    if raw.translate(None, plain) or _ZEROS in raw:
        raise ValueError("not plainly written")
    made = reader.decode(b"[" + raw + b"]")
    if len(made) != count:
        raise ValueError("a comma inside")
    return made


def _rows(dates: list[Any], columns: list[list[float]], counts: list[int], zone: tzinfo) -> Rows:
    """Raises ValueError for anything unusual."""
    for column in columns:
        if column and not (max(column) < _LARGEST and isfinite(sum(column))):
            raise ValueError("perhaps unset")
    if counts and min(counts) < 0:  # TWS does not know
        counts = [max(each, 0) for each in counts]
    days: list[str] = []
    lengths = set(map(len, dates))
    if _DAY in lengths:
        if lengths != {_DAY}:
            raise ValueError("days among instants")
        days = [_text_of(date) for date in dates]
    opens, highs, lows, closes, volumes, waps = columns
    times = _instants(dates, lengths, UTC if days else zone)
    return Rows(times, days, opens, highs, lows, closes, volumes, waps, counts)


_DAY, _INSTANT, _HOUR = len("20250708"), len("20250708  02:35:00"), len("20250708  02")


def _text_of(raw: str | bytes) -> str:
    return raw.decode() if isinstance(raw, bytes) else raw


def _instants(dates: list[Any], lengths: set[int], zone: tzinfo) -> list[int]:
    """The begins of the bars; dates are bytes or texts. Raises ValueError for one that is no instant."""
    if lengths == {_INSTANT}:
        hours, clock = _Hours(zone), _Clock()
        try:
            return [hours[date[:_HOUR]] + clock[date[_HOUR:]] for date in dates]
        except _ClockChange:
            pass
    if (
        lengths and max(lengths) < _INSTANT and min(lengths) > _DAY and dates[0].isdigit()
    ):  # epochs, as we ask
        joined = b",".join(dates) if isinstance(dates[0], bytes) else ",".join(dates).encode()
        seconds = _numbers_of(joined, len(dates), _WHOLE, _ints)
        if min(seconds) < 0:
            raise ValueError("no instant")
        return [second * NS_PER_S for second in seconds]
    return [instant_ns(_text_of(date), zone) for date in dates]


class _ClockChange(Exception):
    """The zone's clocks are changed within this hour."""


class _Hours(dict[Any, int]):
    """When each hour begins."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def __missing__(self, hour: str | bytes) -> int:
        text = _text_of(hour)
        begin = instant_ns(text + ":00:00", self._zone)
        if instant_ns(text + ":59:59", self._zone) - begin != 3599 * NS_PER_S:
            raise _ClockChange
        self[hour] = begin
        return begin


class _Clock(dict[Any, int]):
    """How far `:MM:SS` is behind the hour."""

    def __missing__(self, behind: str | bytes) -> int:
        at = instant_ns("20250101  00" + _text_of(behind), UTC) - instant_ns("20250101  00:00:00", UTC)
        self[behind] = at
        return at
