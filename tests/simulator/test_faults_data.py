"""Faults of data: streams that stop, subscriptions that end, wrong values; and the market by hand."""

from __future__ import annotations

from decimal import Decimal

from tests.simulator.client import Connect, Start, stock
from tests.simulator.scene import SPY, error, place, scene, settled, status_of, subscribed, until

from tws.wire.messages import (
    AccountDataEnd,
    AccountDataRequest,
    AccountValue,
    ErrorMessage,
    HistoricalDataEnd,
    HistoricalDataRequest,
    HistoricalDataUpdate,
    MarketDataRequest,
    Position,
    PositionEnd,
    PositionsRequest,
    RealTimeBarsRequest,
    RealTimeBarTick,
    TickByTickData,
    TickByTickRequest,
    TickPrice,
)


async def test_a_stale_stream(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect, speed=20.0)
    await subscribed(client)
    client.send(TickByTickRequest(2, stock("SPY"), "BidAsk", 0, False))
    client.send(RealTimeBarsRequest(3, stock("SPY"), 5, "MIDPOINT", False))
    await client.expect(RealTimeBarTick)
    sim.faults.play("stale-stream", symbol="SPY")
    await settled(client)
    kinds = (TickPrice, TickByTickData, RealTimeBarTick, ErrorMessage)
    before = [len(client.all(kind)) for kind in kinds]
    sim.quote("SPY", bid=90, ask=90.02)
    begun_ns = sim.now_ns()
    await until(lambda: sim.now_ns() > begun_ns + 11 * 10**9)
    place(client, 1)
    await status_of(client, 1, "Filled")  # orders go on
    assert [len(client.all(kind)) for kind in kinds] == before
    sim.faults.clear()
    await client.expect(TickPrice, lambda m: m.price == 90)


async def test_another_symbol_is_not_stale(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    await subscribed(client)
    sim.faults.play("stale-stream", symbol="MSFT")
    sim.quote("SPY", bid=90, ask=90.02)
    await client.expect(TickPrice, lambda m: m.price == 90)


async def test_a_competing_session(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    await subscribed(client, 4)
    sim.faults.play("competing-session", lasts="50ms")
    told = await error(client, 10197)
    assert (told.id, told.error_msg) == (4, "No market data during competing live session")
    sim.quote("SPY", bid=90, ask=90.02)
    await settled(client)
    assert not [m for m in client.all(TickPrice) if m.price == 90]
    await client.expect(TickPrice, lambda m: m.price == 90)


async def test_a_line_that_is_opened_beside_a_competing_session(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("competing-session", lasts="")
    client.send(MarketDataRequest(5, stock("SPY"), "", False, False))
    assert (await error(client, 10197)).id == 5
    await settled(client)
    assert not client.all(TickPrice)
    sim.faults.clear()
    await client.expect(TickPrice, lambda m: m.price == 100)


async def test_a_dialog_about_sizes_keeps_all_data_back(start: Start, connect: Connect) -> None:
    """Lines that are open and lines that are opened, until the dialog is answered: then the state is told."""
    sim, client = await scene(start, connect)
    await subscribed(client)
    sim.faults.play("size-dialog")
    sim.quote("SPY", bid=90, ask=90.02)
    client.send(MarketDataRequest(5, stock("SPY"), "", False, False))
    await settled(client)
    assert not [m for m in client.all(TickPrice) if m.price == 90 or m.req_id == 5]
    assert sim.faults.answer_dialog() == 1
    await client.expect(TickPrice, lambda m: m.price == 90 and m.req_id == 5)


async def test_live_updates_fail(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect, speed=20.0)
    client.send(HistoricalDataRequest(6, stock("SPY"), "", "1 min", "1 D", False, "MIDPOINT", 1, True))
    await client.expect(HistoricalDataEnd)
    await client.expect(HistoricalDataUpdate)
    sim.faults.play("live-updates-fail")
    assert (await error(client, 10182)).id == 6
    count, now_ns = len(client.all(HistoricalDataUpdate)), sim.now_ns()
    await until(lambda: sim.now_ns() > now_ns + 12 * 10**9)
    await settled(client)
    assert len(client.all(HistoricalDataUpdate)) == count


async def test_real_time_bars_end(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect, speed=20.0)
    client.send(RealTimeBarsRequest(3, stock("SPY"), 5, "MIDPOINT", False))
    await client.expect(RealTimeBarTick)
    sim.faults.play("real-time-bars-end")
    told = await error(client, 10225)
    assert told.id == 3 and told.error_msg.startswith("Bust event occurred")
    client.send(RealTimeBarsRequest(3, stock("SPY"), 5, "MIDPOINT", False))
    count = len(client.all(RealTimeBarTick))
    await client.expect(RealTimeBarTick, lambda m: len(client.all(RealTimeBarTick)) > count)


async def test_one_bad_value_of_equity(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("bad-equity", value="1.00")
    for _ in range(2):
        client.send(AccountDataRequest(True, "DU1234567"))
        await client.expect(AccountDataEnd)
        await settled(client)
    values = [m.value for m in client.all(AccountValue) if m.key == "NetLiquidation"]
    assert values[0] == "1.00" and values[1] != "1.00"
    await until(lambda: not sim.faults.status())


async def test_a_position_is_told_wrong(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    place(client, 1)
    await status_of(client, 1, "Filled")
    sim.faults.play("bad-position", by=5)
    client.send(PositionsRequest())
    await client.expect(PositionEnd)
    assert [m.position for m in client.all(Position)] == [Decimal(6)]
    place(client, 2)
    await client.expect(Position, lambda m: m.position == 2)


async def test_the_market_by_hand(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    await subscribed(client)
    sim.faults.play("quote", symbol="SPY", bid=80, ask=80.02)
    await client.expect(TickPrice, lambda m: (m.tick_type, m.price) == (1, 80))
    sim.faults.play("market-move", percent=10, size=3)
    moved = await client.expect(TickPrice, lambda m: (m.tick_type, m.price) == (1, 88))
    assert moved.size == 3
    await client.expect(TickPrice, lambda m: (m.tick_type, m.price) == (4, 88))
    assert sim.core.tapes[SPY].ask_size == 3
