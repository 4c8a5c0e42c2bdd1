"""Sessions: the start burst, client ids, garbage, slow readers, faults; over real sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from decimal import Decimal

import pytest
from tests.simulator.client import Connect, Start, stock
from tests.simulator.scene import until, until_closed

from tws.errors import ConfigError
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire.framing import frame
from tws.wire.messages import (
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    ManagedAccounts,
    MarketDataRequest,
    NextValidId,
    OrderStatus,
    PlaceOrderRequest,
    TickPrice,
    WireOrder,
)

T0 = 1_767_623_400_000_000_000


def quiet(start_ns: int = T0) -> ManualMarket:
    return ManualMarket(UNIVERSE, start_ns)


async def test_the_start_burst(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), accounts=("DU1", "DU2"))
    client = await connect(simulator, 5)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    assert client.heard[:2] == [ManagedAccounts("DU1,DU2"), NextValidId(1)]
    assert [m.error_code for m in client.all(ErrorMessage)] == [2104, 2106, 2158]
    assert client.session.server_version == 225


async def test_market_time_is_what_the_session_says(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), paused=True)
    client = await connect(simulator)
    await client.expect(NextValidId)
    client.send(CurrentTimeRequest())
    assert (await client.expect(CurrentTime)).current_time == T0 // 10**9


async def test_a_client_id_in_use_is_326_and_the_end(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    first = await connect(simulator, 3)
    await first.expect(NextValidId)
    second = await connect(simulator, 3)
    refused = await second.expect(ErrorMessage)
    assert (refused.id, refused.error_code) == (-1, 326)
    await until_closed(second)
    assert second.all(NextValidId) == []
    first.send(CurrentTimeRequest())
    await first.expect(CurrentTime)
    first.writer.close()
    await until(lambda: not simulator.sessions)
    third = await connect(simulator, 3)
    await third.expect(NextValidId)


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP"),
        (b"\x16\x03\x01\x02\x00", "TLS"),
        (b"API\0" + struct.pack(">I", 2**31) + b"v157..200", "2147483648 bytes"),
        (b"API\0" + struct.pack(">I", 9) + b"v100..101", "100 to 101"),
        (bytes(range(200, 256)), "does not speak"),
    ],
)
async def test_garbage_ends_that_session_alone(
    start: Start, connect: Connect, garbage: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    simulator = await start(market=quiet())
    good = await connect(simulator, 1)
    await good.expect(NextValidId)
    bad = await connect(simulator, 2, handshake=False)
    bad.writer.write(garbage)
    assert await bad.reader.read() == b""
    assert [line for line in caplog.messages if line.startswith("session closed") and reason in line]
    good.send(CurrentTimeRequest())
    await good.expect(CurrentTime)
    assert len(simulator.sessions) == 1


@pytest.mark.parametrize("garbage", [struct.pack(">I", 2**30), b"\0\0\0\x05hello", b"\0\0\0\x06hello\0"])
async def test_garbage_after_the_start(start: Start, connect: Connect, garbage: bytes) -> None:
    simulator = await start(market=quiet(), server_version=200)
    client = await connect(simulator)
    await client.expect(NextValidId)
    client.writer.write(garbage)
    await until_closed(client)
    assert not simulator.sessions


async def test_an_unreadable_request_is_answered_not_punished(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), server_version=200)
    client = await connect(simulator)
    await client.expect(NextValidId)
    client.writer.write(frame(b"1\x0011\x00x\0y\0z\0\0\0\0"))
    assert (await client.expect(ErrorMessage, lambda m: m.error_code == 320)).id == -1
    client.send(CurrentTimeRequest())
    await client.expect(CurrentTime)


async def test_too_many_clients(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), max_clients=1)
    first = await connect(simulator, 1)
    await first.expect(NextValidId)
    second = await connect(simulator, 2, handshake=False)
    assert await second.reader.read() == b""


async def test_a_slow_reader_gets_merged_data_and_every_word_about_orders(
    start: Start, connect: Connect
) -> None:
    simulator = await start(market=quiet(), paused=True)
    other = await connect(simulator, 2)
    await other.expect(NextValidId)
    slow = await connect(simulator, 1)
    await slow.expect(NextValidId)
    slow.send(MarketDataRequest(1, stock("SPY")))
    other.send(MarketDataRequest(1, stock("SPY")))
    await until(lambda: len(simulator.core.lines.get(756733, ())) == 2)
    session = simulator.core.by_client[1]
    small = (socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    session.out._transport.get_extra_info("socket").setsockopt(*small)  # type: ignore[union-attr]
    slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
    count = 0
    while not session.out.merged:  # nobody reads: the buffers fill, then data merges
        count += 1
        simulator.quote("SPY", bid=100 + count % 400 / 100, ask=105.0, bid_size=100 * count)
        if count % 500 == 0:
            await asyncio.sleep(0)
        assert count < 2_000_000
    for order_id in range(1, 16):
        order = WireOrder(action="BUY", total_quantity=Decimal(1), order_type="LMT", lmt_price=1.0, tif="DAY")
        slow.send(PlaceOrderRequest(order_id, stock("SPY"), order))
    await until(lambda: len(simulator.exchange.open_orders(1)) == 15)
    simulator.quote("SPY", bid=103.33, ask=105.0, bid_size=7)
    await other.expect(TickPrice, lambda m: m.price == 103.33)  # the other client never waited
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
    await slow.expect(TickPrice, lambda m: (m.price, m.size) == (103.33, 7))
    told = {m.order_id for m in slow.all(OrderStatus) if m.status == "Submitted"}
    assert told == set(range(1, 16))
    assert len([m for m in slow.all(TickPrice) if m.tick_type == 1]) <= count  # of count + 1 quotes


async def test_faults(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    client = await connect(simulator)
    await client.expect(NextValidId)
    simulator.faults.mute = True
    client.send(CurrentTimeRequest())
    received = simulator.bytes_received
    await until(lambda: simulator.bytes_received > received)
    assert client.all(CurrentTime) == []
    simulator.faults.mute = False
    await client.expect(CurrentTime)
    simulator.faults.cut()
    with pytest.raises((ConnectionError, AssertionError)):
        await client.expect(CurrentTime, lambda m: False)
    assert not simulator.core.by_client or await until(lambda: not simulator.core.by_client) is None


async def test_refused_dials_and_silent_sockets(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    simulator.faults.refuse = True
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await connect(simulator)
    simulator.faults.refuse = False
    await until(lambda: simulator.is_listening)
    simulator.faults.silent_accept = True
    client = await connect(simulator)
    await until(lambda: simulator.bytes_received)
    assert client.heard == [] and simulator.bytes_sent == 0


async def test_a_held_order_is_taken_and_not_spoken_of(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    client = await connect(simulator)
    await client.expect(NextValidId)
    simulator.quote("SPY", bid=100, ask=100.02)
    simulator.faults.hold_next_order()
    order = WireOrder(action="BUY", total_quantity=Decimal(1), order_type="MKT", tif="DAY")
    client.send(PlaceOrderRequest(1, stock("SPY"), order), CurrentTimeRequest())
    await client.expect(CurrentTime)
    assert client.all(OrderStatus) == []
    assert [row.quantity for row in simulator.exchange.positions()] == [1]
    simulator.faults.release()
    await client.expect(OrderStatus, lambda m: m.status == "Filled")


async def test_loopback_only_unless_told() -> None:
    with pytest.raises(ConfigError, match="any-host"):
        SimulatedTWS(SimulatorOptions(host="0.0.0.0"))
    SimulatedTWS(SimulatorOptions(host="0.0.0.0", any_host=True))


async def test_stop_is_safe_twice_and_frees_the_port(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    client = await connect(simulator)
    await client.expect(NextValidId)
    port = simulator.address[1]  # type: ignore[attr-defined]
    await simulator.stop()
    await simulator.stop()
    await until_closed(client)
    again = await start(market=quiet(), port=port)
    assert again.address[1] == port  # type: ignore[attr-defined]
