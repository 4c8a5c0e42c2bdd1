"""Historical bars (17) read by columns, since a year of minutes has a hundred thousand of them.

A message becomes `Rows`, an array for each field, made in C: msgspec's JSON reader takes plainly written
numbers, the parser of protobuf takes many bars as one whose fields recur. A stretch at a time, so that the
memory between is small and stays near. From rows come `Bar`s or `BarColumns`, as the caller wanted; `Wanted`
is the finishing function of such a request, by which the reader knows that rows are welcome.

Whatever is not plainly written (an exponent, a sentinel for "unset", a blank, a field too many, a time with
a zone) makes the whole message go to the careful reading instead, row by row.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from itertools import chain, pairwise
from math import isfinite, nan
from operator import add
from struct import error as StructError
from struct import pack
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct, field

from tws.clock import NS_PER_S
from tws.connection.hearing.reading import bar_of
from tws.connection.hearing.replies import Requests
from tws.connection.hearing.tws_time import instant_ns
from tws.model.market import Bar, BarColumns
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
_HEAD = 200
"""Bytes in which the fields before the rows end: ids, two times, a count."""
_STRETCH_BYTES = 1 << 16
"""What is read at a time: its objects fit into the processor's cache."""
_numbers = msgspec.json.Decoder(list[int | float])


class Rows(Struct, kw_only=True):
    """Bars as columns of equal length; `days` are the dates of day bars, empty for others."""

    columns: BarColumns
    days: list[str] = field(default_factory=list)


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
        self.seconds = seconds
        self.zone = zone

    def __call__(self, parts: list[Any]) -> T:
        return self._make(parts, self.seconds, self.zone())


def bars_from(parts: Iterable[Any], seconds: int, zone: tzinfo) -> list[Bar]:
    """All bars, oldest first."""
    bars: list[Bar] = []
    for part in parts:
        if isinstance(part, Rows):
            bars += _bars_of(part)
        else:
            bars.append(bar_of(part, seconds, zone))
    return bars


def _bars_of(rows: Rows) -> list[Bar]:
    columns = rows.columns
    numbers = zip(*(getattr(columns, name) for name in _COLUMNS), strict=True)
    seconds, days = columns.seconds, rows.days or [""] * len(columns)
    return [
        Bar(
            time_ns=time_ns,
            seconds=seconds,
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
            wap=wap,
            count=count,
            date=day,
        )
        for (time_ns, open_, high, low, close, volume, wap, count), day in zip(numbers, days, strict=True)
    ]


def columns_from(parts: Iterable[Any], seconds: int, zone: tzinfo) -> BarColumns:
    """All bars as columns."""
    made = [
        part.columns if isinstance(part, Rows) else _columns_of(bar_of(part, seconds, zone)) for part in parts
    ]
    whole = made[0] if made else BarColumns(seconds=seconds)
    for more in made[1:]:
        for name in _COLUMNS:
            getattr(whole, name).extend(getattr(more, name))
    return whole


_COLUMNS = ("time_ns", "open", "high", "low", "close", "volume", "wap", "count")


def _columns_of(bar: Bar) -> BarColumns:
    columns = BarColumns(seconds=bar.seconds)
    for name in _COLUMNS:
        value = getattr(bar, name)
        getattr(columns, name).append(nan if value is None else value)
    return columns


class BarsReader:
    """Reads message 17 of one session for the requests that want rows."""

    def __init__(self, server_version: int, requests: Requests) -> None:
        self._requests = requests
        self._states_ends = server_version < _STATES_ENDS
        self.readers: dict[bytes, Callable[[bytes], PastBars | None]] = {}
        if server_version < RAW_ID:
            self.readers = {b"17": self._text}
        elif server_version >= MARKS[_HISTORY]:
            self.readers = {(PROTOBUF_OFFSET + _HISTORY).to_bytes(4, "big"): self._protobuf}

    def _text(self, payload: bytes) -> PastBars | None:
        fields = 5 if self._states_ends else 3
        head = payload[:_HEAD].split(b"\0", fields)
        if len(head) <= fields or head[0] != b"17":
            return None
        number, count = head[1], head[-2]
        if not (number.isdigit() and count.isdigit()):
            return None
        wanted = self._wanted(int(number))
        if wanted is None:
            return None
        try:
            rows = _text_rows(payload, len(b"\0".join(head[:-1])) + 1, int(count), wanted)
        except (ValueError, TypeError, OverflowError, StructError):
            return None  # the careful reading knows better, or says what is wrong
        return PastBars(int(number), rows, self._states_ends and head[3] != b"")

    def _protobuf(self, payload: bytes) -> PastBars | None:
        from ibapi.protobuf.HistoricalData_pb2 import HistoricalData  # a text session pays nothing for it

        from tws.wire.protobuf import UnreadableError

        try:
            head, *pieces = _pieces(payload[4:])
            message = HistoricalData.FromString(head)
            wanted = self._wanted(message.reqId)
            if wanted is None or message.historicalDataBars:
                return None
            rows = _protobuf_rows(pieces, wanted)
        except (ValueError, TypeError, OverflowError, StructError, UnreadableError):
            return None
        return PastBars(message.reqId, rows, False)

    def _wanted(self, request_id: int) -> Wanted[Any] | None:
        finish = self._requests.finisher(request_id)
        return finish if isinstance(finish, Wanted) else None


# -- both encodings: stretches of columns, appended after a look at them

_Column: TypeAlias = "list[Any] | array[float]"


def _append(made: BarColumns, times_ns: list[int], numbers: Sequence[_Column], counts: list[int]) -> None:
    """Raises ValueError, TypeError or OverflowError for a column that is not what it should be."""
    for name, column in zip(_COLUMNS[1:7], numbers, strict=True):
        getattr(made, name).frombytes(
            column.tobytes() if isinstance(column, array) else pack(f"{len(column)}d", *column)
        )
    if min(counts) < 0:  # TWS does not know
        counts = [max(count, 0) for count in counts]
    made.count.frombytes(pack(f"{len(counts)}q", *counts))
    made.time_ns.frombytes(pack(f"{len(times_ns)}q", *times_ns))


def _are_stated(columns: Iterable[_Column]) -> bool:
    """Whether no number may mean "unset", or is none. Of an array one look at each highest byte will do."""
    return all(
        (isinstance(column, array) and not column.tobytes()[_HIGHEST::8].translate(None, _SMALL))
        or (max(column) < _LARGEST and isfinite(sum(column)))
        for column in columns
    )


class _Hours(dict[int, int]):
    """When each hour (yyyymmddHH) begins. Within it time goes on evenly, unless the zone's clocks are
    changed.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def __missing__(self, hour: int) -> int:
        year, month, day, clock = hour // 1_000_000, hour // 10_000 % 100, hour // 100 % 100, hour % 100
        zone, begin = self._zone, datetime(year, month, day, clock, 0, 0, 0, self._zone)
        if zone.utcoffset(begin) != zone.utcoffset(datetime(year, month, day, clock, 59, 59, 0, zone)):
            raise ValueError("the clocks are changed in this hour")
        self[hour] = made = int(begin.timestamp()) * NS_PER_S
        return made


class _Minutes(dict[int, int]):
    """How far MMSS, or 1MMSS, is behind the hour."""

    def __missing__(self, clock: int) -> int:
        minute, second = divmod(clock % 10_000, 100)
        if minute > 59 or second > 59:
            raise ValueError("no such minute")
        self[clock] = made = (minute * 60 + second) * NS_PER_S
        return made


_MINUTES = _Minutes()

class _Times:
    """From the dates of bars to their begins: epochs, days (which join `days`) or instants of a zone."""

    def __init__(self, first: str, days: list[str], zone: tzinfo) -> None:
        self.at_clock = len(first) == len(_CLOCK)
        self._days = days if len(first) == 8 else None
        self._hours, self._minutes = _Hours(zone), _MINUTES

    def of(self, dates: list[Any]) -> list[int]:
        """Dates are whole numbers; those at a clock have had blanks and colons, as `_CLOCK` has, and lost
        them. Raises ValueError or TypeError.
        """
        if self.at_clock:
            hours, minutes = self._hours, self._minutes
            return [hours[when // 10_000] + minutes[when % 10_000] for when in dates]
        if self._days is None:
            if min(dates) < 10**8:
                raise ValueError("a day among the epochs")
            return [when * NS_PER_S for when in array("q", dates)]
        if min(dates) < 10**7 or max(dates) >= 10**8:
            raise ValueError("an instant among the days")
        texts = list(map(str, dates))
        self._days += texts
        return [instant_ns(text, UTC) for text in texts]


    def of_texts(self, dates: bytes, count: int) -> list[int]:
        """The same of texts with commas between."""
        if not self.at_clock:
            return self.of(_numbers_of(dates, count))
        if dates.translate(_TO_ZERO) + b"," != (_CLOCK + b",") * count:
            raise ValueError("a date of another form")
        # From `yyyymmdd  HH:MM:SS,` to `yyyymmddHH,1MMSS,`: the hour takes the blanks' place.
        apart = bytearray(dates + b",")
        apart[8::_WIDTH], apart[9::_WIDTH] = apart[10::_WIDTH], apart[11::_WIDTH]
        apart[10::_WIDTH], apart[11::_WIDTH] = b"," * count, b"1" * count
        numbers = _numbers_of(bytes(apart[:-1]).translate(None, b":"), 2 * count)
        hours, minutes = self._hours.__getitem__, _MINUTES.__getitem__
        return list(map(add, map(hours, numbers[::2]), map(minutes, numbers[1::2])))


_CLOCK = b"00000000  00:00:00"
"""`20250708  02:35:00` with each digit as 0."""
_WIDTH = len(_CLOCK) + 1
_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_TO_COMMA = bytes.maketrans(b"\0", b",")


# -- text


def _text_rows(payload: bytes, at: int, count: int, wanted: Wanted[Any]) -> Rows:
    """The rows of a message, from behind its count."""
    rows = Rows(columns=BarColumns(seconds=wanted.seconds))
    if at == len(payload) and not count:
        return rows
    if payload[-1]:
        raise ValueError("cut off")
    times = _Times(payload[at : payload.find(b"\0", at)].decode(), rows.days, wanted.zone())
    done, left, small = 0, list[Any](), times.at_clock
    while at < len(payload):
        stop = payload.find(b"\0", at + _STRETCH_BYTES) + 1 or len(payload)
        raw, before = payload[at:stop], len(left)
        shape = raw.translate(_TO_ZERO)
        at, clocks = stop, shape.count(_CLOCK + b"\0") if times.at_clock else 0
        left += _numbers_in(raw, clocks)
        if times.at_clock and clocks != (len(left) + 7) // 8 - (before + 7) // 8:
            raise ValueError("a date without its blanks and colons, or another field with them")
        small = small and b"0" * 10 not in shape
        whole = len(left) // 8 * 8
        dates, *numbers, counts = (left[column:whole:8] for column in range(8))
        if not small and (_ZEROS in raw or not _are_stated((*numbers, counts))):
            raise ValueError("very small, or perhaps unset")
        _append(rows.columns, times.of(dates), numbers, counts)
        del left[:whole]
        done += len(counts)
    if left or done != count:
        raise ValueError("rows are missing, or there are too many")
    return rows


def _numbers_in(raw: bytes, clocks: int) -> list[Any]:
    """The numbers of some whole fields, so many of which are dates at a clock. Raises ValueError, as msgspec
    does, for what is not plainly written.

    Blanks and colons go, if there are just those of the dates. Each of these then stands where it should: no
    other column takes a number of fourteen digits.
    """
    plain = raw[:-1].translate(_TO_COMMA, b" :")
    if b"," in raw:
        raise ValueError("a comma would part a field in two")
    if len(raw) - 1 - len(plain) != 4 * clocks or plain.translate(None, b"0123456789-.,"):
        raise ValueError("not plainly written")
    numbers: list[Any] = _numbers.decode(b"[" + plain + b"]")
    return numbers


# -- protobuf

_PRICES, _TEXTS = ("open", "high", "low", "close"), ("date", "volume", "WAP")
_TAGS = b"\x12\x1a\x22\x2a"
"""What the columns of the prices, fields 2 to 5, begin with when they are packed."""
_AROUND = 2 + 3 * 2 + len(_PRICES) + 1
"""Tags and lengths of a bar, of its three texts, and tags of its prices and of its count."""
_BEGINS = re.compile(rb"\x12.\x0a.\d{8}", re.DOTALL)
_SMALL = bytes(range(0x41))
"""The highest bytes of the doubles from 0 up to 131,072."""
_HIGHEST = 7 if sys.byteorder == "little" else 0


@cache
def _merged() -> type[Any]:
    """A class that reads a HistoricalData otherwise than the official one does: to it the bars are one field
    that does not recur and whose own fields do. What is sent of such a field again and again is merged, says
    protobuf's encoding, so that the parser itself makes a column of each field of a bar.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from ibapi.protobuf.HistoricalData_pb2 import HistoricalData

    kind = descriptor_pb2.FieldDescriptorProto
    bars = HistoricalData.DESCRIPTOR.fields_by_name["historicalDataBars"]
    once, many = partial(kind, label=kind.LABEL_OPTIONAL), partial(kind, label=kind.LABEL_REPEATED)
    plain = {kind.TYPE_STRING: kind.TYPE_BYTES}
    columns = [
        many(name=each.name, number=each.number, type=plain.get(each.type, each.type))
        for each in bars.message_type.fields
    ]
    merged = once(name="bars", number=bars.number, type=kind.TYPE_MESSAGE, type_name=".tws.Columns")
    file = descriptor_pb2.FileDescriptorProto(name="tws/bars.proto", package="tws", syntax="proto3")
    file.message_type.add(name="Columns", field=columns)
    file.message_type.add(name="Merged", field=[merged])
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tws.Merged"))


def _pieces(raw: bytes) -> list[bytes]:
    """A HistoricalData in pieces, the first one without bars, the others with some hundred each.

    Where a bar begins is seen by its tag and the digits of its date. No number is long enough to look so, and
    a text that does is not plainly written, which is found out later.
    """
    cuts = [0]
    while begins := _BEGINS.search(raw, cuts[-1] + _STRETCH_BYTES if len(cuts) > 1 else 0):
        cuts.append(begins.start())
    return [raw[begin:end] for begin, end in pairwise((*cuts, len(raw)))]


def _protobuf_rows(pieces: Iterable[bytes], wanted: Wanted[Any]) -> Rows:
    """The rows of bars that travelled in pieces. No encoder writes a field twice into a bar: so where all
    columns are of one length, and make up the whole piece, no bar lacks a field, and none is empty.
    """
    rows, times = Rows(columns=BarColumns(seconds=wanted.seconds)), None
    for piece in pieces:
        made = _merged().FromString(piece).bars
        (dates, *texts), counts = (getattr(made, name)[:] for name in _TEXTS), made.barCount[:]
        count = len(counts)
        if any(len(column) != count for column in (dates, *texts)):
            raise ValueError("a bar lacks a field")
        times = times or _Times(dates[0].decode(), rows.days, wanted.zone())
        together = [b",".join(column) for column in (dates, *texts)]
        begins = times.of_texts(together[0], count)
        numbers = [_numbers_of(column, count) for column in together[1:]]
        prices, counted = _prices(made, count)
        letters = sum(map(len, together)) - 3 * (count - 1)
        if len(piece) != (_AROUND + 8 * len(_PRICES)) * count + letters + counted:
            raise ValueError("there is more than bars, or a bar is not as an encoder writes it")
        if not _are_stated(chain(prices, numbers)):
            raise ValueError("perhaps unset")
        _append(rows.columns, begins, [*prices, *numbers], counts)
    return rows


def _prices(columns: Any, count: int) -> tuple[list[array[float]], int]:
    """Four columns as the parser writes them one behind the other, each with a tag, its length and its
    doubles, once the texts are cleared away; and how many bytes the counts take, which come then.
    """
    for name in _TEXTS:
        columns.ClearField(name)
    packed = columns.SerializeToString()
    each = 1 + _varint(8 * count) + 8 * count
    ends = [each * place for place in range(1, len(_PRICES) + 1)]
    rest = len(packed) - ends[-1] - 1
    if rest < 1 or any(packed[end - each] != tag for end, tag in zip(ends, _TAGS, strict=True)):
        raise ValueError("a bar lacks a price")
    made = [array("d", packed[end - 8 * count : end]) for end in ends]
    if sys.byteorder == "big":
        for column in made:
            column.byteswap()
    return made, next(rest - width for width in range(1, 6) if _varint(rest - width) == width)


def _varint(number: int) -> int:
    """How many bytes a number takes."""
    return (number.bit_length() + 6) // 7 or 1


def _numbers_of(raw: bytes, count: int) -> list[Any]:
    """So many plainly written numbers with commas between. Raises ValueError, as msgspec does, for others."""
    if raw.translate(None, b"0123456789-.,") or _ZEROS in raw:
        raise ValueError("not plainly written")
    made = _numbers.decode(b"[" + raw + b"]")
    if len(made) != count:
        raise ValueError("a comma inside")
    return made
