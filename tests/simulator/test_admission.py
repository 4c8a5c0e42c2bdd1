"""Who comes in, under which id, and what read-only mode refuses; over real sockets."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.simulator.client import Connect, Start, stock
from tests.simulator.test_session import quiet, until, until_closed

from tws.cli.sim_options import parse_clock
from tws.errors import ConfigError
from tws.simulator import SimulatorOptions
from tws.wire.messages import (
    AllOpenOrdersRequest,
    AutoOpenOrdersRequest,
    CancelOrderRequest,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    ExecutionDetails,
    GlobalCancelRequest,
    HistoricalDataRequest,
    MarketDataRequest,
    NextValidId,
    OpenOrdersRequest,
    PlaceOrderRequest,
    WireOrder,
)

T0 = 1_767_623_400_000_000_000
ORDER = WireOrder(action="BUY", total_quantity=Decimal(1), order_type="LMT", lmt_price=1.0, tif="DAY")


async def test_an_address_that_is_not_trusted_is_closed_at_once(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), trusted=("192.0.2.1",))
    stranger = await connect(simulator, 1)
    assert await stranger.reader.read() == b""
    trusted = await start(market=quiet(), trusted=("127.0.0.1",))
    await (await connect(trusted, 1)).expect(NextValidId)


@pytest.mark.parametrize("accept", [True, False])
async def test_the_dialog_keeps_a_socket_silent_until_it_is_answered(
    start: Start, connect: Connect, accept: bool
) -> None:
    simulator = await start(market=quiet(), trusted=(), localhost_only=False)
    client = await connect(simulator, 1)
    await until(lambda: simulator.core.admission.waiting and simulator.bytes_received)
    assert simulator.bytes_sent == 0
    assert simulator.answer_dialog(accept) == 1
    if accept:
        await client.expect(NextValidId)
    else:
        assert await client.reader.read() == b""
    assert simulator.answer_dialog(accept) == 0


async def test_the_api_switched_off_refuses_dials(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), api_enabled=False)
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await connect(simulator)
    simulator.listen(True)
    await until(lambda: simulator.is_listening)
    await (await connect(simulator)).expect(NextValidId)


async def test_silence_before_start_api(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    client = await connect(simulator, handshake=False)
    client.writer.write(b"API\0\0\0\0\x09v157..200")
    await until(lambda: simulator.bytes_sent)
    sent = simulator.bytes_sent
    other = await connect(simulator, 2)
    await other.expect(NextValidId)
    session = simulator.sessions[0]
    assert session.client_id is None and session.out.bytes_sent == sent


async def test_a_bare_probe_harms_nobody(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    good = await connect(simulator, 1)
    await good.expect(NextValidId)
    for n in range(40):
        probe = await connect(simulator, n, handshake=False)
        probe.writer.close()
    await until(lambda: len(simulator.sessions) == 1)
    good.send(CurrentTimeRequest())
    await good.expect(CurrentTime)


async def test_garbage_may_be_met_with_silence(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), garbage="silence")
    curl = await connect(simulator, handshake=False)
    curl.writer.write(b"GET / HTTP/1.1\r\n\r\n")
    good = await connect(simulator, 2)
    await good.expect(NextValidId)
    assert len(simulator.sessions) == 2
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(curl.reader.read(), 0.05)


async def test_an_old_client_that_says_a_plain_number(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet())
    old = await connect(simulator, handshake=False)
    old.writer.write(b"63\0")
    assert await old.reader.read() == b""


async def test_the_id_of_a_dead_session_stays_in_use(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), zombie_s=3600.0)
    first = await connect(simulator, 3)
    await first.expect(NextValidId)
    simulator.sessions[0].cut()
    await until(lambda: not simulator.sessions)
    second = await connect(simulator, 3)
    assert (await second.expect(ErrorMessage)).error_code == 326
    await until_closed(second)
    simulator.core.admission.release(3)
    third = await connect(simulator, 3)
    await third.expect(NextValidId)
    third.writer.close()  # a farewell: free at once
    await until(lambda: not simulator.sessions)
    await (await connect(simulator, 3)).expect(NextValidId)


@pytest.mark.parametrize(("idless", "mark"), [(-1, "."), (2**31 - 1, ":")])
async def test_read_only_refuses_all_that_writes_or_asks_for_open_orders(
    start: Start, connect: Connect, idless: int, mark: str
) -> None:
    simulator = await start(market=quiet(), read_only=True, read_only_id=idless, read_only_mark=mark)
    client = await connect(simulator, 0)
    await client.expect(NextValidId)
    client.send(
        PlaceOrderRequest(11, stock("SPY"), ORDER),
        CancelOrderRequest(12),
        GlobalCancelRequest(),
        OpenOrdersRequest(),
        AllOpenOrdersRequest(),
        AutoOpenOrdersRequest(True),
        CurrentTimeRequest(),
    )
    await client.expect(CurrentTime)
    told = [m for m in client.all(ErrorMessage) if m.error_code == 321]
    assert [m.id for m in told] == [11, 12, idless, idless, idless, idless]
    cause = "The API interface is currently in Read-Only mode."
    wanted = f"Error validating request{mark}-'bX' : cause - {cause}"
    assert {m.error_msg for m in told} == {wanted}
    assert not simulator.exchange.open_orders()


async def test_a_gateway_connects_to_its_farms_on_demand(start: Start, connect: Connect) -> None:
    simulator = await start(symbols=("SPY",), start_ns=T0, gateway=True)
    first, other = await connect(simulator, 1), await connect(simulator, 2)
    await first.expect(ErrorMessage, lambda m: m.error_code == 2158)
    await other.expect(ErrorMessage, lambda m: m.error_code == 2158)
    assert [m.error_code for m in first.all(ErrorMessage)] == [2108, 2107, 2158]
    first.send(MarketDataRequest(1, stock("SPY")))
    await other.expect(ErrorMessage, lambda m: m.error_code == 2104)
    assert [m.error_code for m in other.all(ErrorMessage)][3:] == [2119, 2104]
    first.send(HistoricalDataRequest(2, stock("SPY"), "", "1 day", "5 D", True, "TRADES", 1, False))
    await other.expect(ErrorMessage, lambda m: m.error_code == 2106)
    third = await connect(simulator, 3)
    await third.expect(ErrorMessage, lambda m: m.error_code == 2158)
    assert [m.error_code for m in third.all(ErrorMessage)] == [2104, 2106, 2158]


@pytest.mark.parametrize(
    ("zone", "names", "text"),
    [
        ("America/New_York", False, "20260105 09:30:00 EST"),
        ("Europe/London", True, "20260105 14:30:00 Greenwich Mean Time"),
        ("Europe/Berlin", False, "20260105 15:30:00 CET"),
    ],
)
async def test_the_handshake_speaks_the_zone_of_the_login(
    start: Start, zone: str, names: bool, text: str
) -> None:
    simulator = await start(market=quiet(), paused=True, zone=zone, zone_names=names)
    assert simulator.core.connection_time() == text


async def test_executions_are_dated_in_the_zone_of_the_login(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), paused=True, zone="Europe/Berlin")
    client = await connect(simulator)
    await client.expect(NextValidId)
    simulator.quote("SPY", bid=99.99, ask=100.01)
    client.send(PlaceOrderRequest(1, stock("SPY"), replace(ORDER, order_type="MKT", lmt_price=None)))
    told = await client.expect(ExecutionDetails)
    assert told.execution.time == "20260105 15:30:00 Europe/Berlin"


async def test_the_clock_can_be_set_forward(start: Start, connect: Connect) -> None:
    simulator = await start(symbols=("SPY",), start_ns=T0, paused=True)
    client = await connect(simulator)
    await client.expect(NextValidId)
    await simulator.set_clock(T0 + 3600 * 10**9)
    client.send(CurrentTimeRequest())
    assert (await client.expect(CurrentTime)).current_time == T0 // 10**9 + 3600
    with pytest.raises(ValueError, match="back"):
        await simulator.set_clock(T0)


def test_a_clock_by_its_text() -> None:
    assert parse_clock("2026-01-05 09:30:00 America/New_York", "Asia/Tokyo") == T0
    assert parse_clock("2026-01-05 23:30:00", "Asia/Tokyo") == T0
    for text in ("tomorrow", "2026-01-05 09:30:00 Mars/Base", ""):
        with pytest.raises(ConfigError):
            parse_clock(text, "Asia/Tokyo")


@pytest.mark.parametrize(
    "options", [{"zone": "Mars/Base"}, {"zombie_s": -1.0}, {"read_only_id": 5}]
)
def test_settings_that_cannot_be(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        SimulatorOptions(**options).check()  # type: ignore[arg-type]
