"""The fast walker: the codec is its judge, in any chunking; whatever it does not handle arrives in its
place.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tws.errors import DecodeError, FrameError
from tws.wire import codec, hot
from tws.wire.framing import frame
from tws.wire.hot import TickWalker
from tws.wire.messages import NextValidId, TickGeneric, TickPrice, TickSize, TickString

SIZES = st.none() | st.decimals(0, 10**12, places=4)
PRICES = st.floats(-(10**12), 10**12)
IDS, TYPES = st.integers(1, 3), st.integers(0, 300)
TICKS = st.one_of(
    st.builds(TickPrice, IDS, TYPES, PRICES, SIZES, st.integers(0, 300)),
    st.builds(TickSize, IDS, TYPES, SIZES),
    st.builds(TickGeneric, IDS, TYPES, PRICES),
    st.builds(
        TickString, IDS, TYPES, st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
    ),
    st.builds(NextValidId, IDS),
)


def expected(message: Any) -> tuple[Any, ...]:
    match message:
        case TickPrice():
            size = None if message.size is None else float(message.size)
            return message.req_id, message.tick_type, message.price, size, message.attr_mask
        case TickSize():
            return (
                message.req_id,
                message.tick_type,
                None,
                None if message.size is None else float(message.size),
                0,
            )
        case _:
            return message.req_id, message.tick_type, message.value, None, 0


def walk(walker: TickWalker, data: bytes, size: int = 10**9) -> list[Any]:
    """What comes out, in order: handled ticks as tuples, the rest as payloads."""
    out: list[Any] = []
    for req_id in (1, 2):
        walker.subscribe(req_id, lambda *tick, req_id=req_id: out.append((req_id, *tick)))
    for at in range(0, len(data), size):
        walker.feed(data[at : at + size], out.append)
    return out


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TICKS, max_size=30), st.integers(1, 70))
def test_the_codec_agrees(messages: list[Any], size: int) -> None:
    payloads = [codec.encode(message, 178) for message in messages]
    want = [
        payload if isinstance(message, NextValidId) or message.req_id == 3 else expected(message)
        for message, payload in zip(messages, payloads, strict=True)
    ]
    data = b"".join(map(frame, payloads))
    walker = TickWalker()
    assert walk(walker, data, size) == want
    assert walk(walker, data) == want  # from the cache
    assert walker.pending == 0


@pytest.mark.parametrize(
    "payload",
    [
        b"1\x006\x001\x001\x00nan\x001\x000\x00",
        b"1\x006\x001\x001\x00inf\x001\x000\x00",
        b"1\x006\x001\x001\x001_0\x001\x000\x00",
        b"1\x006\x001\x001\x00\x001\x000\x00",
        b"1\x006\x001\x001\x001.7976931348623157E308\x001\x000\x00",
        b"1\x006\x001\x001\x001.5\x00nan\x000\x00",
        b"1\x006\x001\x001\x001.5\x001\x00x\x00",
        b"1\x006\x001\x00x\x001.5\x001\x000\x00",
        b"1\x006\x001\x001\x001.5\x001\x000",
        b"1\x006\x001\x001\x001.5\x001\x00",
        b"1\x006\x001\x001\x001.5\x001\x000\x000\x00",
        b"2\x006\x001\x001\x00x\x00",
        b"2\x006\x001\x001\x00",
        b"45\x006\x001\x001\x00\x00",
        b"45\x006\x001\x001\x001.5",
        b"46\x006\x001\x001\x00a\x00b\x00",
        b"1\x00",
        b"2",
        b"45",
    ],
)
def test_what_the_codec_refuses_is_handed_on(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        codec.decode_answer(payload, 178)
    assert walk(TickWalker(), frame(payload)) == [payload]


def test_ids_that_only_begin_alike_are_handed_on() -> None:
    for message_id in (450, 461, 100, 21):
        payload = b"%d\x006\x001\x001\x005\x00" % message_id
        assert walk(TickWalker(), frame(payload)) == [payload]


def test_a_dropped_request_is_handed_on() -> None:
    walker, payload = TickWalker(), codec.encode(TickSize(1, 0, Decimal(5)), 178)
    assert walk(walker, frame(payload)) == [(1, 0, None, 5.0, 0)]
    walker.drop(1)
    out: list[bytes] = []
    assert walker.feed(frame(payload), out.append) == 0
    assert out == [payload]


def test_an_exception_of_a_handler_loses_one_tick_only() -> None:
    walker, seen = TickWalker(), list[Any]()

    def handler(_type: int, value: Any, *_: Any) -> None:
        if value == 2.0:
            raise RuntimeError("handler")
        seen.append(value)

    walker.subscribe(1, handler)
    data = b"".join(frame(codec.encode(TickGeneric(1, 49, value), 178)) for value in (1.0, 2.0, 3.0))
    with pytest.raises(RuntimeError):
        walker.feed(data, seen.append)
    walker.feed(b"", seen.append)
    assert seen == [1.0, 3.0]


def test_a_bad_length_ends_the_stream_after_what_came_before() -> None:
    walker, out = TickWalker(), list[bytes]()
    with pytest.raises(FrameError):
        walker.feed(frame(b"9\x001\x001\x00") + b"\0\0\0\0", out.append)
    assert out == [b"9\x001\x001\x00"]
    with pytest.raises(FrameError):
        TickWalker(max_length=10).feed(b"\0\0\0\x0b", out.append)


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot, "CACHE_SIZE", 4)
    walker = TickWalker()
    ticks = [TickGeneric(1, 49, float(n)) for n in range(50)]
    assert len(walk(walker, b"".join(frame(codec.encode(tick, 178)) for tick in ticks))) == 50
    assert len(walker._seen) <= 4
