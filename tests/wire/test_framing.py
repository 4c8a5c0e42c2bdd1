"""Frames survive any chunking; a bad length is refused after everything before it was given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.errors import FrameError
from tws.wire.framing import MAX_LENGTH, FrameDecoder, frame

PAYLOADS = st.lists(st.binary(min_size=1, max_size=40), max_size=12)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """The data in chunks of these sizes, over and over."""
    chunks, at, turn = [], 0, 0
    while at < len(data):
        chunks.append(data[at : at + sizes[turn % len(sizes)]])
        at, turn = at + len(chunks[-1]), turn + 1
    return chunks


@given(PAYLOADS, st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_any_chunking_gives_the_same_payloads(payloads: list[bytes], sizes: list[int]) -> None:
    decoder, got = FrameDecoder(), list[bytes]()
    for chunk in cut(b"".join(map(frame, payloads)), sizes):
        got += decoder.feed(chunk)
    assert got == payloads
    assert decoder.pending == 0


def test_an_unfinished_frame_waits() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(frame(b"abc")[:-1]) == []
    assert decoder.pending == 6
    assert decoder.feed(b"c" + b"\0\0") == [b"abc"]
    assert decoder.release() == b"\0\0"
    assert decoder.pending == 0


@pytest.mark.parametrize("prefix", [b"\0\0\0\0", b"HTTP", b"\xff\xff\xff\xff", (101).to_bytes(4, "big")])
def test_a_length_out_of_bounds_is_refused_at_once(prefix: bytes) -> None:
    with pytest.raises(FrameError):
        FrameDecoder(max_length=100).feed(prefix)


def test_what_stands_before_a_bad_length_is_given_first() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(frame(b"a") + frame(b"b") + b"\0\0\0\0more") == [b"a", b"b"]
    with pytest.raises(FrameError):
        decoder.feed(b"")


def test_the_longest_frame_passes() -> None:
    assert FrameDecoder(max_length=100).feed(frame(b"x" * 100)) == [b"x" * 100]


@pytest.mark.parametrize("payload", [b"", b"x" * (MAX_LENGTH + 1)])
def test_what_can_not_be_framed_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        frame(payload)


def test_a_frame_of_many_chunks_is_gathered_in_place() -> None:
    """Joining all that came at each chunk would copy gigabytes for one long frame."""
    decoder = FrameDecoder()
    whole = frame(b"x" * 2**20)
    for at in range(0, len(whole) - 100, 100):
        assert decoder.feed(whole[at : at + 100]) == []
    before = decoder._rest
    assert decoder.feed(whole[at + 100 : at + 101]) == [] and decoder._rest is before
    assert decoder.feed(whole[at + 101 :]) == [b"x" * 2**20]
    assert decoder.pending == 0
