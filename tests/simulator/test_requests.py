"""Each request over a real socket: contracts, streams, history, orders, accounts, and no silence."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start, stock

from tws.clock import NS_PER_S
from tws.simulator import SimulatedTWS
from tws.simulator.market import ManualMarket, SyntheticMarket
from tws.simulator.universe import UNIVERSE
from tws.wire.framing import frame
from tws.wire.messages import (
    CancelMarketData,
    ContractData,
    ContractDataEnd,
    ContractDataRequest,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    HistoricalData,
    HistoricalDataEnd,
    HistoricalDataRequest,
    IdsRequest,
    MarketDataRequest,
    MarketDataType,
    NextValidId,
    PlaceOrderRequest,
    PnL,
    PnLRequest,
    Position,
    PositionsRequest,
    RealTimeBarsRequest,
    RealTimeBarTick,
    TickPrice,
    TickReqParams,
    TickSnapshotEnd,
    WireContract,
    WireOrder,
)

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
SPY = 756733


async def manual(start: Start, connect: Connect, **options: Any) -> tuple[SimulatedTWS, Client]:
    simulator = await start(market=ManualMarket(UNIVERSE, T0), **options)
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    return simulator, client


def order(action: str, kind: str, quantity: int = 100, **fields: Any) -> WireOrder:
    return WireOrder(action=action, order_type=kind, total_quantity=Decimal(quantity), tif="DAY", **fields)


# -- contracts ------------------------------------------------------------------------------------


async def test_contract_details(start: Start, connect: Connect) -> None:
    _, client = await manual(start, connect)
    client.send(ContractDataRequest(1, stock("SPY")), ContractDataRequest(2, WireContract(con_id=265598)))
    found = await client.expect(ContractData, lambda m: m.req_id == 1)
    assert (found.contract.con_id, found.contract.primary_exch, found.contract_details.min_tick) == (
        SPY,
        "ARCA",
        0.01,
    )
    assert "CLOSED" not in found.contract_details.liquid_hours
    assert (await client.expect(ContractData, lambda m: m.req_id == 2)).contract.symbol == "AAPL"
    await client.expect(ContractDataEnd, lambda m: m.req_id == 2)


@pytest.mark.parametrize(
    ("contract", "code"),
    [
        (stock("NOSUCH"), 200),
        (stock("SPY", con_id=999), 200),
        (WireContract(symbol="SPY", sec_type="WAR"), 200),
    ],
)
async def test_an_unknown_contract_is_200(
    start: Start, connect: Connect, contract: WireContract, code: int
) -> None:
    _, client = await manual(start, connect)
    client.send(ContractDataRequest(7, contract))
    said = await client.expect(ErrorMessage, lambda m: m.id == 7)
    assert (said.error_code, said.error_msg) == (
        code,
        "No security definition has been found for the request",
    )
    client.send(MarketDataRequest(8, contract))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 8)).error_code == code


async def test_a_description_without_an_exchange_is_ambiguous_for_data(
    start: Start, connect: Connect
) -> None:
    _, client = await manual(start, connect)
    bare = WireContract(symbol="SPY", sec_type="STK", currency="USD")
    client.send(MarketDataRequest(1, bare), MarketDataRequest(2, WireContract(con_id=SPY)))
    said = await client.expect(ErrorMessage, lambda m: m.id == 1)
    assert said.error_code == 200 and "ambiguous" in said.error_msg
    await client.expect(TickReqParams, lambda m: m.req_id == 2)


# -- streams --------------------------------------------------------------------------------------


async def test_the_order_of_a_stream_and_its_end(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    simulator.quote("SPY", bid=100.0, ask=100.02, bid_size=300)
    before = len(client.heard)
    client.send(MarketDataRequest(4, stock("SPY")))
    await client.expect(TickPrice, lambda m: m.tick_type == 2)
    first = client.heard[before:]
    assert isinstance(first[0], TickReqParams) and isinstance(first[1], MarketDataType)
    assert first[2] == TickPrice(4, 1, 100.0, Decimal(300), 1)
    client.send(MarketDataRequest(4, stock("AAPL")))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 4)).error_code == 102
    client.send(CancelMarketData(4), CancelMarketData(4))
    assert (await client.expect(ErrorMessage, lambda m: m.error_code == 300)).id == 4
    simulator.quote("SPY", bid=101.0, ask=101.02)
    client.send(CurrentTimeRequest())
    await client.expect(CurrentTime)
    assert not [m for m in client.all(TickPrice) if m.price == 101.0]


async def test_a_snapshot_ends(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    simulator.quote("SPY", bid=100.0, ask=100.02)
    client.send(MarketDataRequest(4, stock("SPY"), snapshot=True))
    await client.expect(TickSnapshotEnd, lambda m: m.req_id == 4)
    assert [m.tick_type for m in client.all(TickPrice)] == [1, 2]
    assert not simulator.core.lines.get(SPY)
    client.send(MarketDataRequest(5, stock("SPY"), generic_tick_list="233", snapshot=True))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 5)).error_code == 321


async def test_what_no_file_plays_is_not_subscribed(start: Start, connect: Connect, tmp_path: Any) -> None:
    from tws.simulator.market import write_csv

    path = write_csv(tmp_path / "SPY-x-1s.csv", UNIVERSE[0], kind="1s", start_ns=T0, seconds=30)
    simulator = await start(data=(path,), speed="max", hours="exchange")
    client = await connect(simulator)
    await client.expect(NextValidId)
    client.send(MarketDataRequest(1, stock("AAPL")))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == 354
    await simulator.over.wait()
    assert simulator.failure is None and simulator.now_ns() >= T0 + 29 * NS_PER_S


async def test_a_bad_row_ends_the_replay_with_its_reason(
    start: Start, connect: Connect, tmp_path: Any
) -> None:
    path = tmp_path / "SPY-x-1s.csv"
    path.write_text(
        "time_utc_ms,open,high,low,close,volume,bid,bid_size,ask,ask_size\n"
        f"{T0 // 10**6},,,,,,1,1,1.1,1\n{T0 // 10**6 + 1000},,,,,,1,x,1.1,1\n",
        "utf-8",
    )
    simulator = await start(data=(path,), speed="max")
    await simulator.over.wait()
    assert str(simulator.failure) == f"{path}, line 3: bid_size is 'x', not a number"


async def test_real_time_bars_close_every_five_seconds(start: Start, connect: Connect) -> None:
    market = SyntheticMarket(UNIVERSE[:1], seed=7, start_ns=T0)
    simulator = await start(market=market, speed=50.0)
    client = await connect(simulator)
    await client.expect(NextValidId)
    client.send(RealTimeBarsRequest(1, stock("SPY"), 5, "TRADES", False))
    await client.expect(RealTimeBarTick, lambda m: len(client.all(RealTimeBarTick)) >= 4)
    bars = client.all(RealTimeBarTick)
    assert [b.time - a.time for a, b in itertools.pairwise(bars)] == [5] * (len(bars) - 1)
    simulator.pause()
    rows = [r for r in simulator.core.tapes[SPY].rows(bars[1].time, bars[1].time + 5) if r.prints]
    assert (bars[1].open, bars[1].close) == (rows[0].open, rows[-1].close)
    assert (bars[1].high, bars[1].low) == (max(r.high for r in rows), min(r.low for r in rows))
    assert bars[1].volume == sum(r.volume for r in rows)


async def test_max_waits_for_its_readers_and_the_hook(start: Start, connect: Connect) -> None:
    simulator: SimulatedTWS
    seen: list[int] = []

    async def hook() -> None:
        seen.append(simulator.now_ns())

    options = {"symbols": ("SPY",), "speed": "max", "hours": "exchange", "start_ns": T0, "paused": True}
    simulator = await start(**options, end_ns=T0 + 200 * NS_PER_S, on_step=hook)
    client = await connect(simulator)
    await client.expect(NextValidId)
    client.send(MarketDataRequest(1, stock("SPY")))
    await client.expect(TickPrice)
    assert seen == []
    simulator.resume()
    await simulator.over.wait()
    assert seen == [T0, *(T0 + n * NS_PER_S - 1 for n in range(1, 201))]


async def test_a_hook_that_fails_ends_the_wait(start: Start) -> None:
    async def hook() -> None:
        raise RuntimeError("no more")

    simulator = await start(symbols=("SPY",), speed="max", on_step=hook)
    await simulator.over.wait()
    assert str(simulator.failure) == "no more"


async def test_a_seed_repeats_to_the_byte(start: Start, connect: Connect) -> None:
    runs = []
    for _ in range(2):
        options = {"symbols": ("SPY", "AAPL"), "speed": "max", "hours": "exchange", "paused": True}
        simulator = await start(**options, end_ns=T0 + 120 * NS_PER_S)
        client = await connect(simulator)
        await client.expect(NextValidId)
        client.send(
            MarketDataRequest(1, stock("SPY")), PlaceOrderRequest(1, stock("SPY"), order("BUY", "MKT")),
            MarketDataRequest(2, stock("AAPL")), PositionsRequest(), PnLRequest(3, "DU1234567"),
        )  # fmt: skip
        await client.expect(PnL)
        simulator.resume()
        await simulator.over.wait()
        client.send(IdsRequest())
        await client.expect(NextValidId, lambda m: m.order_id == 2)
        runs.append(client.heard)
    assert len(runs[0]) > 500 and client.all(Position)
    assert runs[0] == runs[1]


# -- history --------------------------------------------------------------------------------------


async def test_bars_agree_with_one_another_and_with_the_live_market(start: Start, connect: Connect) -> None:
    simulator = await start(
        symbols=("SPY",), speed="max", hours="exchange", start_ns=T0, end_ns=T0 + 600 * NS_PER_S
    )
    client = await connect(simulator)
    await client.expect(NextValidId)
    await simulator.over.wait()
    client.send(
        HistoricalDataRequest(1, stock("SPY"), "", "1 day", "6 D", True, "TRADES", 2),
        HistoricalDataRequest(2, stock("SPY"), "", "1 min", "6 D", True, "TRADES", 2),
        HistoricalDataRequest(3, stock("SPY"), "", "1 min", "600 S", True, "BID", 1),
        HistoricalDataRequest(4, stock("SPY"), "", "5 secs", "2 D", True, "TRADES", 2),
    )
    days = (await client.expect(HistoricalData, lambda m: m.req_id == 1)).historical_data_bars
    minutes = (await client.expect(HistoricalData, lambda m: m.req_id == 2)).historical_data_bars
    assert [bar.date for bar in days] == [
        "20251226",
        "20251229",
        "20251230",
        "20251231",
        "20260102",
        "20260105",
    ]
    assert len(minutes) == 5 * 390 + 10
    for index, day in enumerate(days[:5]):
        part = minutes[390 * index : 390 * (index + 1)]
        assert (day.open, day.close) == (part[0].open, part[-1].close)
        assert (day.high, day.low) == (max(b.high for b in part), min(b.low for b in part))
        assert day.volume == sum(b.volume for b in part if b.volume is not None)
    assert abs(days[-1].open - days[-2].close) < 0.05 * days[-1].open
    assert days[-2].close == simulator.core.tapes[SPY].close  # what tick 9 says
    bids = (await client.expect(HistoricalData, lambda m: m.req_id == 3)).historical_data_bars
    assert bids[0].date == "20260105 09:30:00 America/New_York" and len(bids) == 10
    fine = (await client.expect(HistoricalData, lambda m: m.req_id == 4)).historical_data_bars
    assert max(b.high for b in fine[: 390 * 12]) == days[4].high
    assert (await client.expect(HistoricalDataEnd, lambda m: m.req_id == 1)).start_date_str.endswith(
        "America/New_York"
    )


async def test_regular_hours_alone_or_all(start: Start, connect: Connect) -> None:
    before = T0 - 1800 * NS_PER_S
    options = {"symbols": ("SPY",), "speed": "max", "hours": "exchange"}
    simulator = await start(**options, start_ns=before, end_ns=T0 + 60 * NS_PER_S)
    client = await connect(simulator)
    await client.expect(NextValidId)
    await simulator.over.wait()
    for req_id, rth in ((1, True), (2, False)):
        client.send(HistoricalDataRequest(req_id, stock("SPY"), "", "1 min", "1 D", rth, "MIDPOINT", 2))
    regular = (await client.expect(HistoricalData, lambda m: m.req_id == 1)).historical_data_bars
    everything = (await client.expect(HistoricalData, lambda m: m.req_id == 2)).historical_data_bars
    assert int(regular[0].date) == T0 // NS_PER_S and len(regular) == 1
    assert int(everything[0].date) == before // NS_PER_S and len(everything) == 31


@pytest.mark.parametrize(
    ("end", "size", "duration", "what", "code"),
    [
        ("", "7 mins", "1 D", "TRADES", 321),
        ("", "1 min", "1 X", "TRADES", 321),
        ("soon", "1 min", "1 D", "TRADES", 321),
        ("", "1 min", "1 D", "SCHEDULE", 321),
        ("20200101-00:00:00", "1 min", "60 S", "TRADES", 162),
    ],
)
async def test_history_refused(
    start: Start, connect: Connect, end: str, size: str, duration: str, what: str, code: int
) -> None:
    _, client = await manual(start, connect)
    client.send(HistoricalDataRequest(1, stock("SPY"), end, size, duration, True, what))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == code


# -- no silence -----------------------------------------------------------------------------------


SILENT_IN_TWS = {2, 12, 13, 14, 23, 25, 53, 56, 57, 63, 64, 69, 70, 75, 77, 89, 90, 93, 95, 101, 103}
"""Cancels and settings that bring no answer from TWS either."""


@pytest.mark.parametrize(
    "message_id", [10, 18, 22, 24, 52, 54, 67, 79, 80, 82, 83, 84, 85, 86, 88, 100, 102, 150]
)
async def test_what_is_not_served_is_refused_not_ignored(
    start: Start, connect: Connect, message_id: int
) -> None:
    assert message_id not in SILENT_IN_TWS
    _, client = await manual(start, connect)
    before = len(client.heard)
    client.writer.write(frame(b"%d\x001\x0077\x00" % message_id + b"\0" * 20))
    await client.expect(ErrorMessage, lambda m: len(client.heard) > before and m in client.heard[before:])


async def test_every_request_of_the_wire_has_a_handler(start: Start, connect: Connect) -> None:
    simulator, _ = await manual(start, connect)
    from tws.wire.layouts import REQUESTS

    served = simulator.core.desk.served()
    missing = {layout.message.__name__ for layout in REQUESTS} - {kind.__name__ for kind in served}
    assert not missing
