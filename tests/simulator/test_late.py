"""Delayed lines say what was a quarter of an hour ago; a combination is quoted by its legs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start, stock
from tests.simulator.test_market_data import T0, by_id, joined, manual, option_of, settled

from tws.clock import NS_PER_S
from tws.simulator import SimulatedTWS
from tws.simulator.limits import Limits
from tws.simulator.requests.late import DELAY_S
from tws.simulator.tape import Row
from tws.wire.messages import (
    CancelMarketData,
    ErrorMessage,
    MarketDataRequest,
    MarketDataType,
    MarketDataTypeRequest,
    TickOptionComputation,
    TickPrice,
    TickSize,
    TickSnapshotEnd,
    WireComboLeg,
    WireContract,
)

LATE_BID, LATE_HIGH, LATE_LOW, LATE_CLOSE, LATE_VOLUME = 66, 72, 73, 75, 74


async def poor(
    start: Start, connect: Connect, *entries: str, at: int = T0, **options: Any
) -> tuple[SimulatedTWS, Client]:
    simulator = await start(
        seed=3, paused=True, start_ns=at, unsubscribed=entries, limits=Limits.off(), updates_per_s=4,
        **options,
    )  # fmt: skip
    client = await joined(connect, simulator)
    client.send(MarketDataTypeRequest(3))
    return simulator, client


def rows(simulator: SimulatedTWS, symbol: str, first_s: int, end_s: int, size_s: int = 1) -> list[Row]:
    history = simulator.core.desk.history
    return list(history.rows(simulator.security(symbol), first_s, end_s, size_s))


def last(client: Client, kind: int) -> float:
    return next(m.price for m in reversed(client.all(TickPrice)) if m.tick_type == kind)


@pytest.mark.parametrize("symbol", ["SPY", "EUR.USD"])
async def test_a_delayed_line_is_a_quarter_of_an_hour_behind(
    start: Start, connect: Connect, symbol: str
) -> None:
    simulator, client = await poor(start, connect, "SPY", "EUR")
    client.send(MarketDataRequest(1, by_id(simulator.security(symbol))))
    for minutes in (1, 20):  # what was invented before the start, then what the market said since
        await simulator.set_clock(T0 + minutes * 60 * NS_PER_S)
        await settled(client)
        then = simulator.now_ns() // NS_PER_S - DELAY_S
        known = rows(simulator, symbol, then - 120, then + 1)
        assert last(client, LATE_BID) == known[-1].bid
    live = simulator.core.tapes[simulator.security(symbol).con_id]
    assert last(client, LATE_BID) != live.grid.price(live.bid)
    assert not [m for m in client.all(TickPrice) if m.tick_type < LATE_BID]


async def test_the_days_figures_are_those_of_then(start: Start, connect: Connect) -> None:
    simulator, client = await poor(start, connect, "SPY")
    client.send(MarketDataRequest(1, stock("SPY")))
    for minutes in (1, 25):
        await simulator.set_clock(T0 + minutes * 60 * NS_PER_S)
        for price in (900.0, 100.0, 560.0):  # in one second: its last print is neither high nor low
            simulator.trade("SPY", price)
        await settled(client)
        then, midnight = simulator.now_ns() // NS_PER_S - DELAY_S, T0 // NS_PER_S - 34_200
        printed = [row for row in rows(simulator, "SPY", midnight, then + 1, 60) if row.prints]
        if minutes == 1:  # a minute that has not ended is whole in a row of the past
            last_s = then // 60 * 60
            printed = [row for row in printed if row.time_s < last_s]
            printed += [row for row in rows(simulator, "SPY", last_s, then + 1) if row.prints]
        assert last(client, LATE_HIGH) == max(row.high for row in printed)
        assert last(client, LATE_LOW) == min(row.low for row in printed)
        volume = next(m.size for m in reversed(client.all(TickSize)) if m.tick_type == LATE_VOLUME)
        assert volume == sum(row.volume for row in printed)


async def test_before_the_opening_the_last_close_is_all_there_is(start: Start, connect: Connect) -> None:
    simulator, client = await poor(start, connect, "SPY", at=T0 + 60 * NS_PER_S, hours="exchange")
    client.send(MarketDataRequest(1, stock("SPY")))
    await settled(client)
    kinds = {m.tick_type for m in client.all(TickPrice)}
    assert LATE_CLOSE in kinds and not kinds & {LATE_HIGH, LATE_LOW}
    assert last(client, LATE_CLOSE) == simulator.core.tapes[simulator.con_id("SPY")].close


async def test_delayed_greeks_use_the_underlying_of_then(start: Start, connect: Connect) -> None:
    simulator, client = await poor(start, connect, "OPT")
    client.send(MarketDataRequest(1, by_id(option_of(simulator))))
    await simulator.set_clock(T0 + 20 * 60 * NS_PER_S)
    await settled(client)
    then = simulator.now_ns() // NS_PER_S - DELAY_S
    spot = rows(simulator, "SPY", then - 60, then + 1)[-1]
    said = [m for m in client.all(TickOptionComputation) if m.tick_type == 83]
    assert len(said) > 10
    assert said[-1].und_price == pytest.approx((spot.bid + spot.ask) / 2)


async def test_what_ends_is_forgotten(start: Start, connect: Connect) -> None:
    simulator, client = await poor(start, connect, "OPT", "SPY")
    late = simulator.core.desk.streams.market_data._late
    client.send(MarketDataRequest(1, by_id(option_of(simulator))), MarketDataRequest(2, stock("SPY")))
    client.send(MarketDataRequest(3, stock("SPY"), snapshot=True))
    await client.expect(TickSnapshotEnd)
    assert len(late._feeds) == 2
    client.send(CancelMarketData(2))
    await settled(client)
    assert len(late._feeds) == 2  # the option stands on it
    client.send(CancelMarketData(1))
    await settled(client)
    assert not late._feeds and not simulator.core.listeners and not simulator.core.lines


def spread(simulator: SimulatedTWS, *legs: tuple[str, int, str]) -> WireContract:
    wired = [
        WireComboLeg(con_id=simulator.con_id(symbol), ratio=ratio, action=action, exchange="SMART")
        for symbol, ratio, action in legs
    ]
    return WireContract(
        symbol="SPY,QQQ", sec_type="BAG", exchange="SMART", currency="USD", combo_legs=tuple(wired)
    )


async def test_a_combination_is_quoted_by_its_legs(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    simulator.quote("SPY", bid=500.0, ask=500.04, bid_size=300, ask_size=200)
    pair = spread(simulator, ("SPY", 1, "BUY"), ("QQQ", 2, "SELL"))
    client.send(MarketDataRequest(1, pair))
    await settled(client)
    assert not client.all(TickPrice)  # no leg may be missing
    simulator.quote("QQQ", bid=400.0, ask=400.02, bid_size=700, ask_size=100)
    await settled(client)
    told = {m.tick_type: (m.price, int(m.size)) for m in client.all(TickPrice)}
    assert told == {1: (pytest.approx(-300.04), 50), 2: (pytest.approx(-299.96), 200)}
    simulator.quote("SPY", bid=500.02, ask=500.04, bid_size=300, ask_size=200)
    await settled(client)
    assert last(client, 1) == pytest.approx(-300.02)
    client.send(CancelMarketData(1))
    await settled(client)
    assert not simulator.core.listeners and [m.market_data_type for m in client.all(MarketDataType)] == [1]


async def test_a_combination_that_is_none_is_refused(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect, unsubscribed=("QQQ",))
    one = spread(simulator, ("SPY", 1, "BUY"))
    client.send(MarketDataRequest(1, one))
    client.send(MarketDataRequest(2, spread(simulator, ("SPY", 1, "BUY"), ("QQQ", 1, "SELL"))))
    await settled(client)
    errors = {m.id: m.error_code for m in client.all(ErrorMessage) if m.id > 0}
    assert errors == {1: 200, 2: 354}
    assert not simulator.core.listeners
