"""Whatever a client says: nothing crashes, no other session notices, and it is answered or closed."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.simulator.client import Connect, Start, stock
from tests.simulator.hostile import (
    BUSY,
    Arena,
    Client,
    Program,
    mutate,
    sample,
)
from tests.simulator.test_session import quiet, until_closed

from tws.simulator.limits import Limits
from tws.simulator.misread import request_id
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.layouts import REQUESTS
from tws.wire.messages import (
    AccountSummaryRequest,
    AllOpenOrdersRequest,
    CancelPnL,
    CompletedOrdersRequest,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    GlobalCancelRequest,
    MarketDataRequest,
    NextValidId,
    PlaceOrderRequest,
)


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    made = Arena()
    yield made
    made.close()


@given(data=st.binary(min_size=8, max_size=400))
@example(b"")
@settings(max_examples=300, deadline=None)
def test_a_hostile_client_harms_nobody(arena: Arena, data: bytes) -> None:
    arena.attack(data)


@pytest.mark.parametrize("version", [157, 176, 200, 203, 213, 225])
def test_every_request_with_something_wrong(arena: Arena, version: int) -> None:
    """Each request of the wire at each family of versions, eight ways to be wrong."""
    attacker = Client(arena.tws, 3, version)
    attacker.start()
    for layout in REQUESTS:
        if version < layout.since:
            continue
        payload = codec.encode(sample(layout.message), version)
        for seed in range(8):
            program = Program(bytes((seed * 31 + place * 17 + layout.id) % 256 for place in range(100)))
            attacker.say(frame(mutate(program, payload, version) or b"\0"))
            assert attacker.is_answered() or attacker.wire.closed, layout.message
            if attacker.wire.closed:  # the message id itself was lost
                attacker = Client(arena.tws, 3, version)
                attacker.start()
    arena.pass_time(1.0)
    assert all(witness.is_answered() for witness in arena.witnesses)
    assert not arena.failures.found
    attacker.wire.close()


def test_the_fuzzer_sees_a_handler_that_fails() -> None:
    arena = Arena()
    desk = arena.tws.core.desk

    def broken(*_: object) -> None:
        raise KeyError("planted")

    desk._table.update(dict.fromkeys(desk._table, broken))
    try:
        with pytest.raises((KeyError, AssertionError)):
            for seed in range(50):
                arena.attack(bytes((seed * 7 + place * 13) % 256 for place in range(300)))
    finally:
        arena.close()


@pytest.mark.parametrize("version", [157, 200, 203, 213, 225])
def test_the_id_of_a_request_is_found_without_reading_it(version: int) -> None:
    for layout in REQUESTS:
        if version < layout.since:
            continue
        message = sample(layout.message)
        wanted = getattr(message, "req_id", None) or getattr(message, "order_id", None) or -1
        assert request_id(codec.encode(message, version), version) == wanted, layout.message


# -- what the fuzzer found ----------------------------------------------------------------------------


def test_an_order_id_beyond_32_bits_is_unreadable_and_leaves_the_client_id_usable(arena: Arena) -> None:
    """At protobuf versions the client's next session could not be told its nextValidId."""
    order = next(layout.message for layout in BUSY if layout.message is PlaceOrderRequest)
    fields = codec.encode(sample(order), 200).split(b"\0")
    client = Client(arena.tws, 4, 200)
    client.start()
    for order_id in (b"2147483648", b"2147483647", b"99999999999999999999"):
        fields[1] = order_id
        client.say(frame(b"\0".join(fields)))
    assert client.is_answered()
    client.wire.close()
    again = Client(arena.tws, 4, 225)
    again.start()
    assert again.is_answered()
    again.wire.close()


def test_two_subscriptions_of_one_id(arena: Arena) -> None:
    """The end of one took away what the other had said: market time stopped."""
    client = Client(arena.tws, 5, 200)
    client.start()
    client.ask(AccountSummaryRequest(5, "All", "NetLiquidation"))
    client.ask(CancelPnL(5))
    arena.pass_time(200.0)
    assert client.is_answered()
    client.wire.close()


def test_an_absurd_number_in_an_order_does_not_spoil_the_answers_of_others(arena: Arena) -> None:
    """One text client's manual order indicator of 63 bits: no protobuf client could be told of the order."""
    arena.failures.found.clear()  # what another test planted
    client, witness = Client(arena.tws, 6, 200), arena.witnesses[1]
    client.start()
    order = replace(sample(PlaceOrderRequest), order_id=6000)
    wanted = replace(order.order, order_type="MKT", lmt_price=None, manual_order_indicator=4711)
    order = replace(order, order=wanted)
    payload = codec.encode(order, 200)
    assert payload.count(b"\x004711\0") == 1
    client.say(frame(payload.replace(b"\x004711\0", b"\x009223372036854775807\0")))
    arena.pass_time(1.0)
    client.ask(GlobalCancelRequest())
    for question in (CompletedOrdersRequest(False), AllOpenOrdersRequest()):
        witness.ask(question)
        assert witness.is_answered()
    assert not arena.failures.found
    client.wire.close()


# -- over sockets -------------------------------------------------------------------------------------


async def test_a_handler_that_fails_is_answered_with_322(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    bad, good = await connect(simulator, 1), await connect(simulator, 2)
    await bad.expect(NextValidId)
    await good.expect(NextValidId)

    def broken(*_: object) -> None:
        raise RuntimeError("planted")

    simulator.core.desk._table[MarketDataRequest] = broken
    bad.send(MarketDataRequest(77, stock("SPY")), CurrentTimeRequest())
    said = await bad.expect(ErrorMessage, lambda m: m.error_code == 322)
    assert said.id == 77 and "MarketDataRequest" in said.error_msg
    await bad.expect(CurrentTime)
    good.send(CurrentTimeRequest())
    await good.expect(CurrentTime)


async def test_an_unreadable_request_is_answered_under_its_id(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    client = await connect(simulator)
    await client.expect(NextValidId)
    version = client.session.server_version
    whole = codec.encode(MarketDataRequest(77, stock("SPY")), version)
    broken = whole[:-2] + b"\xff\xff\xff" if version > 200 else whole.replace(b"SPY\0STK", b"SPY\0STK\0x")
    client.writer.write(frame(broken))
    client.send(CurrentTimeRequest())
    await client.expect(CurrentTime)
    assert [m.id for m in client.all(ErrorMessage) if m.error_code in (320, 321)] == [77]


async def test_byte_by_byte(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    client = await connect(simulator, handshake=False)
    version = 200
    hello = client.session.start()
    for at in range(len(hello)):
        client.writer.write(hello[at : at + 1])
        await asyncio.sleep(0)
    await client.expect(NextValidId)
    version = client.session.server_version
    data = frame(codec.encode(CurrentTimeRequest(), version))
    for at in range(len(data)):
        client.writer.write(data[at : at + 1])
        await client.writer.drain()
    await client.expect(CurrentTime)


async def test_a_frame_too_long_for_a_request_ends_the_session(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    bad, good = await connect(simulator, 1), await connect(simulator, 2)
    await bad.expect(NextValidId)
    await good.expect(NextValidId)
    bad.writer.write(struct.pack(">I", 2**24 + 1) + b"x" * 1000)
    await until_closed(bad)
    good.send(CurrentTimeRequest())
    await good.expect(CurrentTime)


async def test_who_never_finishes_a_frame_harms_nobody(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    half, good = await connect(simulator, 1), await connect(simulator, 2)
    await half.expect(NextValidId)
    await good.expect(NextValidId)
    half.writer.write(struct.pack(">I", 1000) + b"9" * 500)
    good.send(CurrentTimeRequest())
    await good.expect(CurrentTime)
    assert len(simulator.sessions) == 2


async def test_who_asks_and_never_reads_is_cut_off_alone(
    start: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tws.simulator.outbox.HARD_LIMIT", 2**20)
    monkeypatch.setattr("tws.simulator.outbox.HIGH_WATER", 2**12)
    simulator = await start(market=quiet(), server_version=200, limits=Limits.off())
    deaf, good = await connect(simulator, 1), await connect(simulator, 2)
    await deaf.expect(NextValidId)
    await good.expect(NextValidId)
    deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
    session = simulator.core.by_client[1]
    async with asyncio.timeout(240):
        while session in simulator.sessions:
            deaf.send(*[MarketDataRequest(n, stock("NO-SUCH")) for n in range(2000)])
            await asyncio.sleep(0)
    good.send(CurrentTimeRequest())
    await good.expect(CurrentTime)
    assert simulator.sessions == (simulator.core.by_client[2],)
