"""Faults of the bytes: pieces, pauses, slow ends and malformed frames, as they come out of a socket."""

from __future__ import annotations

import asyncio
import struct

import pytest
from tests.simulator.client import Client, Connect, Start
from tests.simulator.scene import ready, scene, settled, subscribed, until, until_closed

from tws.errors import DecodeError, FrameError
from tws.simulator import SimulatedTWS
from tws.simulator.pipe import Pipe
from tws.wire import codec
from tws.wire.framing import FrameDecoder
from tws.wire.messages import CurrentTime, CurrentTimeRequest, NextValidId, TickPrice


async def pieces(sim: SimulatedTWS, client: Client) -> list[bytes]:
    """What the transport of this client is handed from now on, piece by piece."""
    transport = sim.core.by_client[1].out._transport
    assert transport is not None
    written: list[bytes] = []
    real = transport.write
    transport.write = lambda data: (written.append(bytes(data)), real(data))[1]  # type: ignore[method-assign]
    sim.core.by_client[1].out._join()
    return written


async def test_split_output(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("split-output", most=3)
    written = await pieces(sim, client)
    await settled(client)
    await settled(client)
    assert len(written) > 4 and max(map(len, written)) <= 3
    late = await ready(connect, sim, 2)  # the handshake and the start burst come in pieces too
    assert late.all(NextValidId)
    sim.faults.clear()
    written.clear()
    await settled(client)
    assert len(written) == 1


async def test_coalesced_output(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("coalesced-output", gather="50ms", client=1)
    written = await pieces(sim, client)
    for _ in range(20):
        client.send(CurrentTimeRequest())
        await asyncio.sleep(0)
    await settled(client)
    assert len(written) <= 2
    frames = FrameDecoder().feed(b"".join(written))
    assert len(frames) >= 21


async def test_the_4096_byte_pause(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("pause-4096", pause="30ms", client=1)
    written = await pieces(sim, client)
    for number in range(200):
        sim.faults.play("notice", code=5, text=f"number {number}, which makes the output longer")
    await settled(client)
    assert [len(piece) for piece in written][:2] == [4096, 4096]
    with pytest.raises(IndexError):
        FrameDecoder().feed(written[0])[200]
    decoder = FrameDecoder()
    decoder.feed(written[0])
    assert decoder.pending, "the pause is in the middle of a frame"


async def test_slow_writer_merges_data_and_loses_nothing_else(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    await subscribed(client)
    sim.faults.play("slow-writer", bytes_per_s=1_000_000, client=1)
    session = sim.core.by_client[1]
    for number in range(40_000):
        sim.quote("SPY", bid=99 + number % 100 / 100, ask=101)
        if session.out.paused:
            break
    assert session.out.paused, "what waits in the pipe counts as unsent"
    sim.quote("SPY", bid=90, ask=101)
    sim.faults.clear()
    await client.expect(TickPrice, lambda m: m.price == 90)
    await settled(client)
    assert not session.out.paused


async def test_slow_reader(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("slow-reader", bytes_per_s=100, client=1)
    client.send(*[CurrentTimeRequest()] * 3)
    received = sim.bytes_received
    await until(lambda: sim.bytes_received > received)
    other = await ready(connect, sim, 2)
    await settled(other)
    answered = len(client.all(CurrentTime))
    while len(client.all(CurrentTime)) < 3:  # at five bytes in each twentieth of a second
        await client.pump()
    assert answered < 3
    sim.faults.clear()
    await settled(client)


KINDS = (
    "extra-field",
    "missing-field",
    "bad-number",
    "unknown-message",
    "empty",
    "truncated",
    "garbage-length",
)


async def raw(sim: SimulatedTWS, client: Client, kind: str, message: int = 0) -> bytes:
    """What client 2 gets when a frame is spoilt: a notice, or the next message of this id."""
    sim.faults.play("malformed-frame", kind=kind, message=message, client=2)
    if message:
        client.send(CurrentTimeRequest())
    return await client.reader.read(65536)


@pytest.mark.parametrize("version", [200, 225])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("message", [0, 49])
async def test_malformed_frames(
    start: Start, connect: Connect, kind: str, version: int, message: int
) -> None:
    sim, _ = await scene(start, connect)
    client = await ready(connect, sim, 2, version=version)
    data = await raw(sim, client, kind, message)
    decoder = FrameDecoder()
    if kind in ("empty", "garbage-length"):
        with pytest.raises(FrameError):
            decoder.feed(data)
        return
    (payload,) = decoder.feed(data)
    if kind == "unknown-message":
        assert isinstance(codec.decode_answer(payload, version), codec.Unknown)
        return
    try:
        told = codec.decode_answer(payload, version)
    except DecodeError:
        return
    assert version == 225 and kind in ("missing-field", "truncated"), told


async def test_only_so_many_frames_are_spoilt(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("malformed-frame", message=49, kind="extra-field", count=2)
    client.send(*[CurrentTimeRequest()] * 3)
    decoder, frames = FrameDecoder(), []
    while len(frames) < 3:
        frames += decoder.feed(await client.reader.read(65536))
    for frame in frames[:2]:
        with pytest.raises(DecodeError):
            codec.decode_answer(frame, 225)
    codec.decode_answer(frames[2], 225)
    await until(lambda: not sim.faults.status())


async def test_a_garbage_length_ends_one_session_alone(start: Start, connect: Connect) -> None:
    sim, other = await scene(start, connect)
    client = await ready(connect, sim, 2)
    data = await raw(sim, client, "garbage-length")
    assert struct.unpack(">I", data[:4])[0] > 2**24
    client.writer.close()
    await settled(other)


async def test_a_pipe_keeps_the_order_and_drains() -> None:
    out: list[bytes] = []
    moved: list[int] = []
    pipe = Pipe(lambda data, sent: (2, 0.05), lambda: moved.append(1))
    pipe.target = out.append
    pipe.write(b"abcde")
    pipe.write(b"fg")
    assert pipe.size == 7
    await until(lambda: out)
    pipe.drain()
    assert b"".join(out) == b"abcdefg" and pipe.size == 0 and len(moved) == len(out) - 1


async def test_closing_lets_out_what_waits_in_a_pipe(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("coalesced-output", gather="1h")
    sim.faults.play("notice", code=77)
    await asyncio.sleep(0)
    sim.faults.play("cut", how="close")
    await until_closed(client)
    assert client.heard[-1].error_code == 77
