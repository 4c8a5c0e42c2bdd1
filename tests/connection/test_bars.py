"""Bars read by columns are the bars that the careful reading gives, in both encodings, and go back to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from decimal import Decimal
from math import inf, isnan, nan
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.connection import TWSConnection
from tws.connection.hearing.bars import _STRETCH_BYTES, BarsReader, PastBars, Wanted, bars_from, columns_from
from tws.connection.hearing.reading import bar_of
from tws.connection.hearing.replies import Requests
from tws.errors import DecodeError
from tws.model.contract import stock
from tws.model.market import Bar, BarColumns
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.messages import HistoricalData, HistoricalDataBar
from tws.wire.thresholds import PROTOBUF_OFFSET

VERSIONS = [157, 195, 196, 200, 202, 208, 225]
NEW_YORK, LORD_HOWE, UTC_ZONE = ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), UTC


class Asked(Requests):
    """A book in which request 1001 wants bars and nobody else anything."""

    def __init__(self, wanted: Wanted[Any]) -> None:
        super().__init__(1.0)
        self.wanted = wanted

    def finisher(self, request_id: int) -> Callable[[list[Any]], Any] | None:
        return self.wanted if request_id == 1001 else None


def fast(payload: bytes, version: int, zone: tzinfo, make: Any = bars_from) -> tuple[object, bool, bool]:
    """What the caller gets, whether the answer is over, whether it was read by columns."""
    wanted = Wanted(make, 60, lambda: zone)
    readers = BarsReader(version, Asked(wanted)).readers
    width = len(next(iter(readers), b""))
    reader = readers.get(payload[:width])
    found = None if reader is None else reader(payload)
    if found is not None:
        return wanted([found.rows]), found.ended, True
    rows, ended = careful(payload, version)
    return wanted(list(rows)), ended, False


def careful(payload: bytes, version: int) -> tuple[tuple[HistoricalDataBar, ...], bool]:
    message = codec.decode_answer(payload, version, lenient=True)
    assert isinstance(message, HistoricalData)
    return message.historical_data_bars, bool(message.end_date_str)


def slow(payload: bytes, version: int, zone: tzinfo) -> tuple[object, bool]:
    rows, ended = careful(payload, version)
    return [bar_of(row, 60, zone) for row in rows], ended


def outcome(call: Callable[[], tuple[Any, ...]]) -> object:
    try:
        bars, ended = call()[:2]
    except (DecodeError, ValueError, KeyError, AssertionError) as error:
        return type(error)
    assert all(type(bar.open) is float and type(bar.volume) is float for bar in bars)
    return [repr(bar) for bar in bars], ended


def compare(payload: bytes, version: int, zone: tzinfo) -> None:
    expected = outcome(lambda: slow(payload, version, zone))
    assert outcome(lambda: fast(payload, version, zone)) == expected


minute = st.integers(0, 59).map("{:02}".format)
dates = st.one_of(
    st.integers(1_700_000_000, 1_800_000_000).map(str),
    st.builds("202{}  {:02}:{}:{}".format, st.just("51102"), st.integers(0, 24), minute, st.just("00")),
    st.builds("202{}  {:02}:{}:{}".format, st.just("50309"), st.integers(0, 3), minute, minute),
    st.builds("202{}  {:02}:{}:{}".format, st.just("51005"), st.integers(0, 3), minute, minute),
)
odd_dates = st.sampled_from(
    ["20250708", "20250708 02:35:00 US/Eastern", "20250708-06:35:00", "7", "20250708  02:61:00", "", "x" * 18]
)
prices = st.one_of(
    st.integers(0, 10**6).map(lambda cents: cents / 100),
    st.sampled_from([0.0, -37.63, 1e-7, 3e9, 1e300, 123456789.123]),
)
sizes = st.none() | st.integers(0, 10**10).map(Decimal) | st.decimals(0, 1000, places=6)
bars = st.builds(
    HistoricalDataBar, dates, prices, prices, prices, prices, sizes, sizes, st.sampled_from([-1, 0, 7, 10**9])
)


usual_price = st.integers(0, 10**6).map(lambda cents: cents / 100) | st.sampled_from([0.0, -37.63, 1e5])
usual_size = st.integers(0, 10**8).map(Decimal) | st.decimals(0, 1000, places=6)
usual_bars = st.builds(
    HistoricalDataBar,
    dates,
    usual_price,
    usual_price,
    usual_price,
    usual_price,
    usual_size,
    usual_size,
    st.sampled_from([-1, 0, 7, 10**9]),
)


def of_one_form(rows: list[HistoricalDataBar], form: int) -> list[HistoricalDataBar]:
    wanted = {0: 10, 1: 18}[form]
    return [row for row in rows if len(row.date) == wanted]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(usual_bars, max_size=12) | st.lists(usual_bars | bars, max_size=12),
    st.sampled_from([0, 1, 2]),
    st.just([]) | st.lists(odd_dates, max_size=2),
    st.sampled_from(VERSIONS),
    st.sampled_from([NEW_YORK, LORD_HOWE, UTC_ZONE]),
    st.sampled_from(["", "20251231  16:00:00"]),
    st.sampled_from([1001, 1002]),
)
def test_any_bars(
    rows: list[HistoricalDataBar],
    form: int,
    odd: list[str],
    version: int,
    zone: tzinfo,
    end: str,
    number: int,
) -> None:
    if form < 2:
        rows = of_one_form(rows, form)
    plain = HistoricalDataBar("", 1.0, 2.0, 0.5, 1.5, Decimal(100), Decimal("1.25"), 3)
    rows = rows + [HistoricalDataBar(date, *[getattr(plain, name) for name in FIELDS[1:]]) for date in odd]
    message = HistoricalData(number, tuple(rows), end, end)
    compare(codec.encode(message, version), version, zone)


FIELDS = HistoricalDataBar.__struct_fields__


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8),
    st.sampled_from(["1700000000", "20250708  02:35:00", "20250708"]),
    st.sampled_from(VERSIONS),
)
@example([(44, 44)], "1700000000", 196)
def test_any_damage(harm: list[tuple[int, int]], date: str, version: int) -> None:
    row = HistoricalDataBar(date, 100.25, 101.5, 99.0, 100.0, Decimal(1200), Decimal("100.125"), 42)
    good = codec.encode(HistoricalData(1001, (row, row, row), "", ""), version)
    for place, byte in harm:
        at = place % len(good)
        for payload in (
            good[:at] + bytes([byte]) + good[at + 1 :],
            good[:at] + good[at + 1 :],
            good[:at] + bytes([byte]) + good[at:],
            good[:at],
        ):
            compare(payload, version, NEW_YORK)


@pytest.mark.parametrize(
    ("place", "field", "moved"),
    [
        (0, 0, "20250708023500"),  # TWS's date without its separators is a number of seconds
        (150, 0, "20250708023500"),
        (150, 5, "20250708  02:35:00"),  # and such a date is no number
        (150, 0, "2025070802:35:00"),
        (150, 2, "1  00"),
        (150, 2, "1:0"),
        (299, 7, "7:7"),
        (150, 0, "20250708 02:35:00"),
        (150, 3, "2147483647"),
        (150, 5, "9223372036854775807"),
        (150, 7, "7.0"),
        (150, 7, "1,2"),
        (150, 1, ""),
        (150, 1, "1e2"),
        (150, 1, "+1"),
        (150, 1, " 1"),
        (150, 6, "0." + "0" * 70 + "1"),
    ],
)
@pytest.mark.parametrize(
    "also", [None, (2000, 0, "20250708023500"), (1500, 6, "20250708  02:35:00"), (2500, 3, "1:0")]
)
def test_odd_fields_of_text(place: int, field: int, moved: str, also: tuple[int, int, str] | None) -> None:
    """One or two fields of many rows are odd, in stretches of their own; they must not make up for each
    other.
    """
    rows = [
        f"20250708  {9 + number // 60:02}:{number % 60:02}:00,100.5,101,99.25,100,{1000 + number},100.05,7"
        for number in range(300)
    ] * 10
    fields = [row.split(",") for row in rows]
    for row, column, text in ((place, field, moved), *([also] if also else [])):
        fields[row][column] = text
    body = "\0".join("\0".join(row) for row in fields)
    compare(f"17\x001001\x00{len(rows)}\0{body}\0".encode(), 196, NEW_YORK)
    del fields[77][5]
    body = "\0".join("\0".join(row) for row in fields)
    compare(f"17\x001001\x00{len(rows)}\0{body}\0".encode(), 196, NEW_YORK)


@pytest.mark.parametrize("text", ["2147483647", "9223372036854775807", "0." + "0" * 70 + "1"])
def test_an_odd_number_where_a_stretch_ends(text: str) -> None:
    """The row that is cut there is looked at, too, though the next stretch has nothing odd."""
    rows = [f"20250708  09:{number % 60:02}:00,100.5,101,99.25,100,1000,100.05,7" for number in range(1500)]
    for shift in range(0, len(rows[0]), 4):  # so that it ends in each field once
        fields = [each.split(",") for each in rows]
        fields[0][1] += "0" * shift
        cut = "\0".join("\0".join(each) for each in fields)[:_STRETCH_BYTES].count("\0") // 8
        fields[cut][5] = text
        odd = "\0".join("\0".join(each) for each in fields)
        compare(f"17\x001001\x00{len(rows)}\0{odd}\0".encode(), 196, NEW_YORK)


def many_in_protobuf(count: int = 2500) -> Any:
    """Bars of some stretches, each with numbers of its own, in the official class."""
    from ibapi.protobuf.HistoricalData_pb2 import HistoricalData as Official

    message = Official(reqId=1001)
    for number in range(count):
        price = 100 + number * 0.25
        message.historicalDataBars.add(
            date=f"20250{1 + number % 9}08  {number // 60 % 24:02}:{number % 60:02}:00",
            open=price,
            high=price + 1,
            low=-price,
            close=price * 1000,
            volume=str(number * 11),
            WAP=str(price),
            barCount=number * 9,
        )
    assert len(message.SerializeToString()) > 2 * _STRETCH_BYTES
    return message


def in_frame(message: Any) -> bytes:
    return (PROTOBUF_OFFSET + 17).to_bytes(4, "big") + bytes(message.SerializeToString())


def test_stretches_of_protobuf() -> None:
    payload = in_frame(many_in_protobuf())
    compare(payload, 225, NEW_YORK)
    assert fast(payload, 225, NEW_YORK)[2], "all were read by columns"


@pytest.mark.parametrize("place", [0, 1200, 2499])
@pytest.mark.parametrize("field", ["date", "open", "high", "low", "close", "volume", "WAP", "barCount"])
def test_a_bar_in_protobuf_that_lacks_a_field(place: int, field: str) -> None:
    message = many_in_protobuf()
    message.historicalDataBars[place].ClearField(field)
    compare(in_frame(message), 225, NEW_YORK)


@pytest.mark.parametrize("field", ["open", "close"])
@pytest.mark.parametrize("number", [nan, inf, -inf, 2147483647.0, 1.7976931348623157e308])
def test_a_price_in_protobuf_that_is_none(field: str, number: float) -> None:
    message = many_in_protobuf()
    setattr(message.historicalDataBars[1200], field, number)
    payload = in_frame(message)
    compare(payload, 225, NEW_YORK)
    (reader,) = BarsReader(225, Asked(Wanted(bars_from, 60, lambda: NEW_YORK))).readers.values()
    assert reader(payload) is None


@pytest.mark.parametrize("unknown", [b"\x48\x01", b"\x4d\0\0\0\0", b"\x49" + bytes(8)])
@pytest.mark.parametrize("times", [1, 2, 4])
def test_fields_of_a_bar_in_protobuf_that_nobody_knows(unknown: bytes, times: int) -> None:
    message = many_in_protobuf()
    bar = message.historicalDataBars[1200]
    bar.MergeFromString(unknown * times)
    payload = in_frame(message)
    assert unknown in payload
    compare(payload, 225, NEW_YORK)


@pytest.mark.parametrize("place", [0, 1200, 2499])
def test_an_empty_bar_in_protobuf(place: int) -> None:
    """It has no field that a column could lack: it is missed by the bytes that are left over."""
    message = many_in_protobuf()
    message.historicalDataBars[place].Clear()
    compare(in_frame(message), 225, NEW_YORK)


def test_protobuf_whose_bars_come_before_its_number() -> None:
    payload = in_frame(many_in_protobuf())
    compare(payload[:4] + payload[7:] + payload[4:7], 225, NEW_YORK)


@pytest.mark.parametrize("version", [196, 225])
def test_hours_in_which_clocks_are_changed(version: int) -> None:
    """On Lord Howe Island half an hour is left out within one hour."""
    for day in ("20250406", "20251005", "20250309", "20251102"):
        row = HistoricalDataBar("", 1.0, 2.0, 0.5, 1.5, Decimal(100), Decimal("1.25"), -1)
        rows = [replace(row, date=f"{day}  {at // 12:02}:{at % 12 * 5:02}:00") for at in range(60)]
        payload = codec.encode(HistoricalData(1001, tuple(rows), "", ""), version)
        for zone in (NEW_YORK, LORD_HOWE, UTC_ZONE):
            compare(payload, version, zone)


def plain_rows(count: int) -> tuple[HistoricalDataBar, ...]:
    return tuple(
        HistoricalDataBar(
            str(1_700_000_000 + 60 * number),
            100 + number / 8,
            101.5,
            99.25,
            100.0,
            Decimal(1000 + number),
            Decimal("100.05"),
            number,
        )
        for number in range(count)
    )


@pytest.mark.parametrize("version", [157, 196, 208, 225])
def test_usual_bars_are_read_by_columns(version: int) -> None:
    payload = codec.encode(HistoricalData(1001, plain_rows(300), "", ""), version)
    made, _, by_columns = fast(payload, version, UTC)
    assert by_columns and len(made) == 300  # type: ignore[arg-type]
    empty = codec.encode(HistoricalData(1001, (), "", ""), version)
    assert fast(empty, version, UTC)[::2] == ([], True)


@pytest.mark.parametrize("version", [157, 225])
def test_columns_hold_what_the_bars_hold(version: int) -> None:
    rows = (*plain_rows(5), HistoricalDataBar("1700000900", 1.0, 2.0, 0.5, 1.0, Decimal(3), None, -1))
    for wanted in (rows[:5], rows):  # by columns, and carefully
        payload = codec.encode(HistoricalData(1001, wanted, "", ""), version)
        columns, bars = fast(payload, version, UTC, columns_from)[0], fast(payload, version, UTC)[0]
        assert isinstance(columns, BarColumns) and isinstance(bars, list)
        assert len(columns) == len(bars) == len(wanted) and columns.seconds == 60
        for name in ("time_ns", "open", "high", "low", "close", "volume", "count"):
            assert getattr(columns, name).tolist() == [getattr(bar, name) for bar in bars]
        waps = [nan if bar.wap is None else bar.wap for bar in bars]
        assert [None if isnan(wap) else wap for wap in columns.wap] == [
            None if isnan(wap) else wap for wap in waps
        ]


def test_columns_are_buffers() -> None:
    columns = columns_from([], 60, UTC)
    assert len(columns) == 0
    assert memoryview(columns.close).format == "d" and memoryview(columns.time_ns).format == "q"


def test_an_answer_in_two_messages() -> None:
    one, two = (fast_rows(plain_rows(count)) for count in (3, 2))
    bars = bars_from([one, two], 60, UTC)
    columns = columns_from([one, two], 60, UTC)
    assert [bar.time_ns for bar in bars] == columns.time_ns.tolist() and len(columns) == 5


def fast_rows(rows: tuple[HistoricalDataBar, ...]) -> Any:
    payload = codec.encode(HistoricalData(1001, rows, "", ""), 225)
    (reader,) = BarsReader(225, Asked(Wanted(bars_from, 60, lambda: UTC))).readers.values()
    found = reader(payload)
    assert isinstance(found, PastBars)
    return found.rows


async def test_columns_of_a_simulated_market(sim: SimulatedTWS, connection: TWSConnection) -> None:
    # Two days: a day of hours without a close begins at midnight in New York, which may be a moment ago.
    columns = await connection.request_historical_columns(stock("SPY"), duration="2 D")
    bars = await connection.request_historical_bars(stock("SPY"), duration="2 D")
    assert len(bars) > 100 and all(isinstance(bar, Bar) for bar in bars)
    assert columns.close.tolist()[:50] == [bar.close for bar in bars[:50]]
    assert columns.time_ns.tolist()[:50] == [bar.time_ns for bar in bars[:50]]
    with pytest.raises(ValueError, match="bar_size"):
        connection.request_historical_columns(stock("SPY"), bar_size="7 mins")
