"""The fast reading of ticks is the careful reading, in both encodings, however the bytes are cut."""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.connection.hearing.ticks import Heads, Walker
from tws.connection.hearing.ticks_protobuf import ProtobufTicks
from tws.connection.hearing.ticks_text import TextTicks
from tws.connection.streaming.streams import QuoteStream, Stamp, Stream, TickStream
from tws.errors import DecodeError, FrameError
from tws.model.contract import stock
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import (
    Answer,
    ErrorMessage,
    Message,
    TickByTickData,
    TickGeneric,
    TickPrice,
    TickSize,
    TickString,
)

SPY = stock("SPY")
TEXT, PROTOBUF = 157, 225
REQUESTS = (1001, 1002, 900_000_003, 7)
"""Quotes, quotes, ticks, ticks; numbers of two, two, five and one byte."""


def direct(function: Callable[..., object], *arguments: object) -> None:
    function(*arguments)


class Side:
    """The open streams, as one of the two readings fills them, and what was heard in which order."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.log: list[object] = []
        quotes = [QuoteStream(SPY, direct) for _ in range(2)]
        ticks: list[TickStream[TickByTickData]] = [TickStream(SPY, direct) for _ in range(2)]
        self.quotes = quotes
        self.streams: dict[int, Stream] = dict(zip(REQUESTS, (*quotes, *ticks), strict=True))
        for each in quotes:
            each.on_tick(lambda field, price, size: self.log.append((field, str(price), str(size))))
        for stream in ticks:
            stream.on_tick(self.log.append)
        kind = TextTicks if version == TEXT else ProtobufTicks
        self.walker: Walker = kind(self.streams, Heads(), Stamp(), direct)

    def careful(self, payload: bytes) -> None:
        """As `tws.connection.families` does it."""
        try:
            message = codec.decode_answer(payload, self.version, lenient=True)
        except DecodeError:
            self.log.append(payload)
            return
        stream = self.streams.get(getattr(message, "req_id", -1))
        if isinstance(message, TickByTickData) and isinstance(stream, TickStream):
            stream.put(message)
        elif isinstance(message, TickPrice | TickSize | TickGeneric | TickString) and isinstance(
            stream, QuoteStream
        ):
            value = getattr(message, "price", getattr(message, "value", None))
            size = getattr(message, "size", None)
            if value is not None or size is not None:
                stream.apply(message.tick_type, value, None if size is None else float(size), 0)
        else:
            self.log.append(message)

    def state(self) -> list[object]:
        return [
            self.log,
            [(each.prices, each.sizes, each.texts, each.count, each.merged) for each in self.quotes],
            [each.count for each in self.streams.values()],
        ]


def both_ways(payloads: list[bytes], cuts: list[int], version: int) -> Side:
    """Hold the two readings of the same bytes equal."""
    fast, slow = Side(version), Side(version)
    stream = b"".join(frame(payload) for payload in payloads)
    position, turn = 0, 0
    while position < len(stream):
        cut = cuts[turn % len(cuts)]
        fast.walker.feed(stream[position : position + cut], fast.careful)
        position, turn = position + cut, turn + 1
    for payload in payloads:
        slow.careful(payload)
    assert fast.state() == slow.state()
    assert fast.walker.pending == 0
    return fast


prices = st.one_of(
    st.integers(-1, 10**6).map(lambda cents: cents / 100),
    st.sampled_from([-1.0, 0.0, -0.0, 3e9, 1e-7, 1.5e308, 999999999.0]),
)
sizes = st.one_of(
    st.none(),
    st.integers(0, 10**12).map(Decimal),
    st.decimals(0, 100, places=3),
    st.sampled_from([Decimal("1e-8"), Decimal("-1"), Decimal(2**31 - 2)]),
)
request = st.sampled_from([*REQUESTS, 9, 900_000_004, 2**31 - 1])
field = st.sampled_from([0, 1, 2, 3, 4, 5, 8, 9, 66, 69, 127, 128, 300])
mask = st.integers(0, 3)
times = st.one_of(st.integers(1_700_000_000, 1_700_000_003), st.sampled_from([0, 1, 2**28 - 1, 2**35]))
venue = st.sampled_from(["", "NASDAQ", "ARCA", "Börse", "x" * 130])
messages = st.one_of(
    st.builds(TickPrice, request, field, prices, sizes, st.sampled_from([0, 1, 5, 9, 200])),
    st.builds(TickSize, request, field, sizes),
    st.builds(TickByTickData, request, st.sampled_from([1, 2]), times, prices, sizes, mask, venue, venue),
    st.builds(
        TickByTickData,
        request,
        st.just(3),
        times,
        st.none(),
        st.none(),
        mask,
        st.just(""),
        st.just(""),
        prices,
        prices,
        sizes,
        sizes,
    ),
    st.builds(TickByTickData, request, st.just(4), times, mid_point=prices),
    st.builds(TickGeneric, request, field, st.just(2.0)),
    st.builds(TickString, request, field, st.sampled_from(["", "1700000000", "12.5;100;1;2;3;true"])),
    st.builds(ErrorMessage, request, st.just(0), st.just(2104), st.sampled_from(["", "x" * 20, "y" * 300])),
)
cuts = st.lists(st.integers(1, 90), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(messages, max_size=40), cuts, st.sampled_from([TEXT, PROTOBUF]))
def test_any_messages(sent: list[Message], cut: list[int], version: int) -> None:
    both_ways([codec.encode(message, version) for message in sent], cut, version)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(messages, min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    cuts,
    st.sampled_from([TEXT, PROTOBUF]),
)
def test_any_damage(sent: list[Message], harm: list[tuple[int, int]], cut: list[int], version: int) -> None:
    """Bytes of payloads are changed, dropped or doubled; a good message stands before and behind each."""
    payloads = []
    for message in sent:
        good = codec.encode(message, version)
        payloads.append(good)
        for place, byte in harm:
            at = place % len(good)
            payloads.append(good[:at] + bytes([byte]) + good[at + 1 :])
            payloads.append(good[:at] + good[at + 1 :] or b"0")
            payloads.append(good[:at] + bytes([byte]) + good[at:])
            payloads.append(good)
    both_ways(payloads, cut, version)


ODD_TEXT = [
    b"1\x006\x001001\x001\x00abc\x00100\x001\x00",
    b"1\x006\x001001\x001\x00100\x001\x00",
    b"1\x006\x001001\x001\x00100.5\x00100\x001\x00extra\x00",
    b"1\x006\x001001\x001\x00100.5\x00100\x001",
    b"2\x006\x001001\x000\x00\x00",
    b"1\x006\x001001\x001\x00nan\x001\x001\x00",
    b"1\x006\x001001\x001\x001_0\x001\x001\x00",
    b"1\x006\x001001\x001\x001e2\x001\x001\x00",
    b"1\x006\x001001\x001\x00 1\x001\x001\x00",
    b"1\x006\x001001\x001\x001\x001e-99\x001\x00",
    b"1\x006\x001001\x001\x001\x001.7976931348623157E308\x001\x00",
    b"1\x006\x001001\x001\x001.7976931348623157E308\x001\x001\x00",
    b"2\x006\x001001\x000\x00" + b"0" * 300 + b"1\x00",
    b"2\x006\x001001\x000\x00\x00\x00\x00\x00",
    b"99\x00900000003\x001\x001700000000\x001.5\x00100\x000\x00\x00\x00",
    b"99\x00900000003\x001\x00-5\x001.5\x00100\x000\x00ARCA\x00\x00",
    b"99\x00900000003\x001\x001700000000\x001.5\x002147483647\x000\x00ARCA\x00F\x00",
    b"99\x00900000003\x003\x001700000000\x001.5\x001.6\x00100\x00\x001\x00",
    b"99\x00900000003\x005\x001700000000\x001.5\x001.6\x00100\x00200\x001\x00",
    b"99\x00900000003\x001\x001700000000\x001.5\x00100\x000\x00ARCA\x00F\x00x",
    b"99\x001001\x001\x001700000000\x001.5\x00100\x000\x00ARCA\x00F\x00",
    b"1\x006\x00900000003\x001\x00100.5\x00100\x001\x00",
]


@pytest.mark.parametrize("odd", ODD_TEXT)
def test_an_odd_tick_of_text(odd: bytes) -> None:
    good = b"1\x006\x001001\x001\x00100.5\x00100\x001\x00"
    trade = b"99\x00900000003\x001\x001700000000\x001.5\x00100\x000\x00ARCA\x00F\x00"
    both_ways([good, odd, odd, good, trade, odd, trade, good, odd], [10**6], TEXT)


START = "0000012b 0883d293ad03 1001 "
TIME = "0880e2cfaa06 "
ODD_PROTOBUF = [
    "000000c9 08e907 1001 19000000000000f87f 220133 2801",  # nan
    "000000c9 08e907 1001 19ffffffffffffef7f 220133 2801",  # unset
    "000000c9 08e907 1001 190000000000105940 220133 28ff01",  # a mask of two bytes
    "000000c9 08e907 1001 190000000000105940 220133 2801 28",  # cut off
    "000000c9 08e907 1001 190000000000105940 220233",  # a size longer than the frame
    "000000c9 08e907 1001 190000000000105940",  # no size
    "000000c9 08e907 1001 190000000000105940 2200 2801",  # an empty one
    "000000c9 08e907 1001 190000000000105940 2801 220133",  # another order
    "000000c9 1001 08e907 190000000000105940 220133 2801",
    "000000c9 08e98700 1001 190000000000105940 220133 2801",  # a number longer than need be
    "000000c9 08e907 108101 190000000000105940 220133 2801",
    "000000c9 08ffffffffffffffffff01 1001 190000000000105940 220133 2801",
    "000000c9 08e907 1001 190000000000105940 220133 2801 3000",  # a field that nobody knows
    "000000ca 08e907 1000 1a0133 1a0134",  # twice
    "000000ca 08e907 1000 1a",
    "000000ca 08e907 1000 1a05",
    "000000ca 08e907",
    "000000ca",
    START + "1a20" + TIME + "190000000000105940 2203313030 2a064e4153444151 3202ffff",  # no UTF-8
    START + "1a1f" + TIME + "190000000000105940 2203313030 2a064e4153444151 32024654",  # lengths that lie
    START + "1a20" + TIME + "190000000000105940 2203313030 2a064e4153444151 32014654",
    START + "1a02 0805",
    START + "1a22" + TIME + "12020802 190000000000105940 2203313030 2a054e41534441 320146",
    START + "1a00",
    START,
]


@pytest.mark.parametrize("odd", ODD_PROTOBUF)
def test_an_odd_tick_of_protobuf(odd: str) -> None:
    good = codec.encode(TickPrice(1001, 1, 100.25, Decimal(3), 1), PROTOBUF)
    trade = bytes.fromhex(START + "1a20" + TIME + "190000000000105940 2203313030 2a064e4153444151 32024654")
    payload = bytes.fromhex(odd)
    assert both_ways([trade], [10**6], PROTOBUF).streams[900_000_003].count == 1
    both_ways(
        [good, payload, payload, good, trade, payload, trade, good, payload, good, good], [10**6], PROTOBUF
    )


def handed_on(version: int) -> tuple[Side, list[bytes]]:
    side = Side(version)
    return side, []


@pytest.mark.parametrize("version", [TEXT, PROTOBUF])
def test_usual_ticks_are_taken_in_place(version: int) -> None:
    side, others = handed_on(version)
    usual: list[Answer] = [
        TickPrice(1001, 1, 100.25, Decimal(3), 1),
        TickSize(1001, 0, Decimal(4)),
        TickPrice(1002, 66, -1.0, Decimal(0), 0),
        TickByTickData(900_000_003, 1, 1_700_000_000, 1.5, Decimal(100), 3, "ARCA", "F"),
        TickByTickData(900_000_003, 2, 1_700_000_001, 1.5, Decimal(100), 0, "ARCA", ""),
        TickByTickData(
            900_000_003, 3, 1_700_000_001, None, None, 0, "", "", 1.5, 1.6, Decimal(1), Decimal(20)
        ),
    ]
    for message in usual:
        side.walker.feed(frame(codec.encode(message, version)), others.append)
    side.walker.feed(b"".join(frame(codec.encode(message, version)) for message in usual) * 50, others.append)
    assert others == []
    assert sum(stream.count for stream in side.streams.values()) == 51 * len(usual)


@pytest.mark.parametrize("version", [TEXT, PROTOBUF])
def test_a_stream_that_went_is_not_fed_any_more(version: int) -> None:
    side, others = handed_on(version)
    tick = codec.encode(TickPrice(1001, 1, 100.25, Decimal(3), 1), version)

    def leave(*_: object) -> None:
        side.streams.pop(1001, None)
        side.walker._heads.clear()  # as `Quotes.drop` does

    side.quotes[0].on_tick(leave)
    side.walker.feed(frame(tick) * 3, others.append)
    assert others == [tick, tick]
    assert side.quotes[0].count == 1


def test_a_long_frame_whose_inside_looks_like_a_tick() -> None:
    """From 256 bytes on the length takes two bytes, and the zeros of the split stand elsewhere."""
    good = b"2\x006\x001001\x000\x005\x00"
    sly = b"4\x0012\x00x\x001001\x000\x0077\x00\x00" + b"y" * 300 + b"\x00"
    for length in range(256, 600):
        both_ways([good, sly[: length - 1] + b"\0", good, good], [10**6], TEXT)
    tail = b"\0\0\0\x10" + good[:-1]
    both_ways([good, b"4\x00" + tail + b"\0" + b"y" * 40 + tail + b"\0", good], [10**6], TEXT)


def test_a_tick_that_hides_another_one() -> None:
    """Behind the fields of a tick stand zeros and what looks like the next frame, all within one length."""
    head = b"1\x006\x001001\x001\x00"
    tick = head + b"1\x002\x001\x00"
    sly = tick + b"\0\0\0" + bytes([len(tick)]) + head + b"7\x008\x001\x00"
    good = head + b"0" * (len(sly) - len(head) - 6) + b"1\x002\x001\x00"
    assert len(good) == len(sly)  # so that its beginning is known
    both_ways([good, sly, good, tick, sly], [10**6], TEXT)


@pytest.mark.parametrize("version", [TEXT, PROTOBUF])
@pytest.mark.parametrize("length", [0, 16 * 2**20 + 1, 2**32 - 1])
def test_a_length_out_of_bounds(length: int, version: int) -> None:
    side, others = handed_on(version)
    good = frame(codec.encode(TickSize(1001, 0, Decimal(5)), version))
    with pytest.raises(FrameError):
        side.walker.feed(good * 2 + struct.pack(">I", length) + b"x" * 20, others.append)
    assert side.quotes[0].count + len(others) == 2


def test_a_frame_of_many_chunks_waits_until_it_is_whole() -> None:
    side, others = handed_on(TEXT)
    payload = b"17\x00" + b"x" * 100_000 + b"\0"
    framed = frame(payload) + frame(b"49\x001\x001\x00")
    for position in range(0, len(framed), 1000):
        side.walker.feed(framed[position : position + 1000], others.append)
        assert len(others) in (0, 2)
    assert others == [payload, b"49\x001\x001\x00"]
    assert side.walker.pending == 0
