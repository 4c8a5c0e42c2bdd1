"""Tick by tick, market depth and real-time bars over a real socket, in text and protobuf."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start, stock

from tws.clock import NS_PER_S
from tws.simulator import SimulatedTWS
from tws.simulator.limits import Limits
from tws.simulator.market import ManualMarket, MarketUpdate
from tws.simulator.requests.depth import ASK, BID, DELETE, INSERT, UPDATE, book, operations
from tws.simulator.tape import Tape
from tws.simulator.universe import UNIVERSE
from tws.wire.messages import (
    CancelMarketDepth,
    CancelTickByTick,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    HistoricalTicksBidAsk,
    HistoricalTicksLast,
    MarketDataRequest,
    MarketDepth,
    MarketDepthL2,
    MarketDepthRequest,
    RealTimeBarsRequest,
    RealTimeBarTick,
    TickByTickData,
    TickByTickRequest,
    WireContract,
)

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
VERSIONS = (157, 176, 200, 225)
SPY = 756733
FREE = Limits.off()
DIRECT = WireContract(symbol="SPY", sec_type="STK", exchange="ARCA", currency="USD")


async def manual(
    start: Start, connect: Connect, version: int = 225, **options: Any
) -> tuple[SimulatedTWS, Client]:
    options.setdefault("limits", FREE)
    simulator = await start(market=ManualMarket(UNIVERSE, T0), **options)
    client = await connect(simulator, version=version)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    return simulator, client


async def settled(client: Client) -> None:
    """Everything sent so far was answered."""
    before = len(client.all(CurrentTime))
    client.send(CurrentTimeRequest())
    await client.expect(CurrentTime, lambda _: len(client.all(CurrentTime)) > before)


# -- tick by tick ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
async def test_four_kinds(start: Start, connect: Connect, version: int) -> None:
    simulator, client = await manual(start, connect, version, paused=True)
    for req_id, kind in enumerate(("Last", "AllLast", "BidAsk", "MidPoint"), start=1):
        client.send(TickByTickRequest(req_id, stock("SPY"), kind))
    await settled(client)
    simulator.trade("SPY", 100.0, 10)
    simulator.quote("SPY", bid=99.9, ask=100.05, bid_size=300, ask_size=400)
    simulator.quote("SPY", bid=99.9, ask=100.05, bid_size=300, ask_size=400)  # nothing new
    simulator.quote("SPY", bid=99.9, ask=100.05, bid_size=200, ask_size=400)  # a size alone
    simulator.trade("SPY", 100.005, 70)
    await settled(client)
    now_s, heard = T0 // NS_PER_S, client.all(TickByTickData)
    prints = [m for m in heard if m.req_id == 1]
    assert [(m.tick_type, m.time, m.price, m.size, m.attr_mask) for m in prints] == [
        (1, now_s, 100.0, Decimal(10), 0),
        (1, now_s, 100.005, Decimal(70), 2),  # off the grid: not reported
    ]
    assert [m.price for m in heard if m.req_id == 2] == [100.0, 100.005]
    assert all(m.exchange and m.exchange != "SMART" for m in prints)
    quotes = [m for m in heard if m.req_id == 3]
    assert [(m.bid_price, m.ask_price, m.bid_size, m.ask_size) for m in quotes] == [
        (99.9, 100.05, Decimal(300), Decimal(400)),
        (99.9, 100.05, Decimal(200), Decimal(400)),
    ]
    assert [m.attr_mask for m in quotes] == [3, 3]  # beyond the day's low and high
    assert [(m.tick_type, m.mid_point) for m in heard if m.req_id == 4] == [(4, 99.975)]


async def test_sizes_may_be_ignored_and_a_cancel_ends(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    client.send(TickByTickRequest(1, stock("SPY"), "BidAsk", 0, True))
    await settled(client)
    for size in (100, 200):
        simulator.quote("SPY", bid=99.9, ask=100.05, bid_size=size)
    await settled(client)
    assert len(client.all(TickByTickData)) == 1
    client.send(CancelTickByTick(1), CancelTickByTick(1))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == 300
    simulator.quote("SPY", bid=99.8, ask=100.05)
    await settled(client)
    assert len(client.all(TickByTickData)) == 1 and not simulator.core.listeners


@pytest.mark.parametrize("version", [176, 225])
async def test_the_past_comes_first(start: Start, connect: Connect, version: int) -> None:
    simulator, client = await manual(start, connect, version, paused=True)
    for second in range(1, 6):
        simulator._driver.advance(T0 + second * NS_PER_S)
        simulator.quote("SPY", bid=99.9 + second / 100, ask=100.05 + second / 100)
        simulator.trade("SPY", 100.0 + second / 100, 10)
    client.send(
        TickByTickRequest(1, stock("SPY"), "Last", 3), TickByTickRequest(2, stock("SPY"), "BidAsk", 2)
    )
    past = await client.expect(HistoricalTicksLast, lambda m: m.req_id == 1)
    assert [tick.price for tick in past.historical_ticks_last] == [100.03, 100.04, 100.05] and past.is_done
    assert (
        len((await client.expect(HistoricalTicksBidAsk, lambda m: m.req_id == 2)).historical_ticks_bid_ask)
        == 2
    )
    simulator.trade("SPY", 101.0, 10)
    await settled(client)
    assert client.heard.index(past) < client.heard.index(client.all(TickByTickData)[0])


@pytest.mark.parametrize(
    ("kind", "contract", "code"),
    [
        ("Mid", stock("SPY"), 321),
        ("Last", stock("NOSUCH"), 200),
        ("Last", stock("AAPL"), 10189),
        ("BidAsk", WireContract(symbol="SPX", sec_type="IND", exchange="CBOE", currency="USD"), 10189),
    ],
)
async def test_ticks_refused(
    start: Start, connect: Connect, kind: str, contract: WireContract, code: int
) -> None:
    _, client = await manual(start, connect, unsubscribed=("AAPL",))
    client.send(TickByTickRequest(1, contract, kind))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == code


async def test_no_more_than_five(start: Start, connect: Connect) -> None:
    _, client = await manual(start, connect, limits=Limits())
    for req_id, symbol in enumerate(("SPY", "AAPL", "MSFT", "IBM", "QQQ", "IWM")):
        client.send(TickByTickRequest(req_id, stock(symbol), "Last"))
    await settled(client)
    assert [(m.id, m.error_code) for m in client.all(ErrorMessage) if m.id >= 0] == [(5, 10190)]


# -- depth ----------------------------------------------------------------------------------------


class Book:
    """A client's book, which takes no operation that does not fit."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.sides: list[list[tuple[float, Decimal | None, str]]] = [[], []]

    def take(self, message: MarketDepth | MarketDepthL2) -> None:
        levels, at = self.sides[message.side], message.position
        level = (message.price, message.size, getattr(message, "market_maker", ""))
        if message.operation == INSERT:
            assert at <= len(levels)
            levels.insert(at, level)
        elif message.operation == UPDATE:
            assert at < len(levels)
            levels[at] = level
        else:
            assert message.operation == DELETE and at < len(levels)
            levels.pop(at)
        assert len(levels) <= self.rows

    def check(self) -> None:
        asks, bids = self.sides
        assert [level[0] for level in asks] == sorted(level[0] for level in asks)
        assert [level[0] for level in bids] == sorted((level[0] for level in bids), reverse=True)
        assert not asks or not bids or bids[0][0] < asks[0][0]


@pytest.mark.parametrize("smart", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_clients_book_is_right_at_all_times(
    start: Start, connect: Connect, version: int, smart: bool
) -> None:
    simulator, client = await manual(start, connect, version)
    simulator.quote("SPY", bid=100.0, ask=100.02, bid_size=300, ask_size=500)
    client.send(MarketDepthRequest(1, stock("SPY") if smart else DIRECT, 5, smart))
    chance, held, kind = random.Random(5), Book(5), MarketDepthL2 if smart else MarketDepth
    seen = 0
    bid = 10_000
    for turn in range(60):
        await settled(client)
        messages = client.all(kind)
        for message in messages[seen:]:
            held.take(message)
        seen = len(messages)
        held.check()
        tape = simulator.core.tapes[SPY]
        for side, best, size in ((BID, tape.bid, tape.bid_size), (ASK, tape.ask, tape.ask_size)):
            levels = held.sides[side]
            assert len(levels) == (5 if size else 0)
            top = [level for level in levels if level[0] == tape.grid.price(best)]
            assert sum(level[1] or 0 for level in top) == size
            assert not smart or not size or len(top) == 2
        bid += chance.choice((-7, -1, -1, 0, 0, 1, 1, 4))
        empty = turn % 13 == 12
        simulator.quote(
            "SPY", bid=0 if empty else bid / 100, ask=(bid + chance.choice((1, 2, 5))) / 100,
            bid_size=chance.randrange(2, 900), ask_size=chance.randrange(2, 900),
        )  # fmt: skip
    assert seen > 200
    if smart:
        assert {m.is_smart_depth for m in client.all(MarketDepthL2)} == {True}


async def test_an_exchange_with_market_makers_says_who_quotes(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    simulator.quote("AAPL", bid=100.0, ask=100.02)
    client.send(
        MarketDepthRequest(
            1, WireContract(symbol="AAPL", sec_type="STK", exchange="ISLAND", currency="USD"), 3
        )
    )
    said = await client.expect(MarketDepthL2)
    assert said.market_maker and not said.is_smart_depth and not client.all(MarketDepth)


async def test_a_new_day_resets_the_book(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    simulator.quote("SPY", bid=100.0, ask=100.02)
    client.send(MarketDepthRequest(1, DIRECT, 3))
    await settled(client)
    assert len(client.all(MarketDepth)) == 6
    simulator.core.new_day(simulator.now_ns())
    simulator.core.flush()
    reset = await client.expect(ErrorMessage, lambda m: m.error_code == 317)
    await settled(client)
    after = client.heard[client.heard.index(reset) :]
    assert reset.id == 1 and [m.operation for m in after if isinstance(m, MarketDepth)] == [INSERT] * 6
    client.send(CancelMarketDepth(1), CancelMarketDepth(1))
    assert (await client.expect(ErrorMessage, lambda m: m.error_code == 310)).id == 1
    assert not simulator.core.listeners


@pytest.mark.parametrize(
    ("contract", "rows", "smart", "code"),
    [
        (stock("SPY"), 5, False, 10092),
        (WireContract(symbol="SPX", sec_type="IND", exchange="CBOE", currency="USD"), 5, False, 10092),
        (stock("SPY"), 0, True, 321),
        (stock("NOSUCH"), 5, True, 200),
        (stock("AAPL"), 5, True, 354),
    ],
)
async def test_depth_refused(
    start: Start, connect: Connect, contract: WireContract, rows: int, smart: bool, code: int
) -> None:
    _, client = await manual(start, connect, unsubscribed=("AAPL",))
    client.send(MarketDepthRequest(1, contract, rows, smart))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == code


async def test_no_more_than_three_depths(start: Start, connect: Connect) -> None:
    _, client = await manual(start, connect, limits=Limits())
    for req_id, symbol in enumerate(("SPY", "AAPL", "MSFT", "IBM")):
        client.send(MarketDepthRequest(req_id, stock(symbol), 5, True))
    await settled(client)
    assert [(m.id, m.error_code) for m in client.all(ErrorMessage) if m.id >= 0] == [(3, 309)]


def test_a_better_price_is_one_insert_and_one_delete() -> None:
    security, tape = UNIVERSE[0], Tape(SPY, None)
    tape.apply(MarketUpdate(T0, SPY, 10_000, 100, 10_001, 100))
    before = list(book(security, tape, BID, 5, False))
    tape.apply(MarketUpdate(T0, SPY, 10_001, 100, 10_002, 100))
    better = operations(before, list(book(security, tape, BID, 5, False)))
    assert [(op, at) for op, at, _ in better[:2]] == [(DELETE, 4), (INSERT, 0)]
    assert all(op == UPDATE for op, _, _ in better[2:])


# -- real-time bars -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
async def test_bars_of_every_kind(start: Start, connect: Connect, version: int) -> None:
    simulator, client = await manual(start, connect, version, paused=True)
    kinds = ("TRADES", "MIDPOINT", "BID", "ASK")
    for req_id, what in enumerate(kinds):
        client.send(RealTimeBarsRequest(req_id, stock("SPY"), 5, what, False))
    await settled(client)
    for second, (bid, price, size) in enumerate(((100.0, 100.1, 10), (101.0, 101.2, 30), (99.0, 99.3, 10))):
        simulator._driver.advance(T0 + (second + 1) * NS_PER_S)
        simulator.quote("SPY", bid=bid, ask=bid + 0.5)
        simulator.trade("SPY", price, size)
    simulator._driver.advance(T0 + 5 * NS_PER_S)
    simulator._driver.advance(T0 + 10 * NS_PER_S)
    await settled(client)
    first, second_s = T0 // NS_PER_S, T0 // NS_PER_S + 5
    bars = {(bar.req_id, bar.time): bar for bar in client.all(RealTimeBarTick)}
    assert set(bars) == {(req_id, begin) for req_id in range(4) for begin in (first, second_s)}
    traded = bars[0, first]
    assert (traded.open, traded.high, traded.low, traded.close) == (100.1, 101.2, 99.3, 99.3)
    assert (traded.volume, traded.count) == (Decimal(50), 3)
    assert float(traded.wap or 0) == pytest.approx((1001 + 3036 + 993) / 50)
    quiet = bars[0, second_s]
    assert (quiet.open, quiet.close, quiet.volume, quiet.count) == (99.3, 99.3, Decimal(0), 0)
    for req_id, shift in ((1, 0.25), (2, 0.0), (3, 0.5)):
        bar = bars[req_id, first]
        assert (bar.open, bar.high, bar.low, bar.close) == (100 + shift, 101 + shift, 99 + shift, 99 + shift)
        assert bars[req_id, second_s].close == 99 + shift


async def test_regular_hours_alone(start: Start, connect: Connect) -> None:
    early = T0 - 60 * NS_PER_S
    simulator = await start(market=ManualMarket(UNIVERSE, early), hours="exchange", paused=True, limits=FREE)
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    simulator.quote("SPY", bid=100.0, ask=100.5)
    for req_id, rth in ((1, True), (2, False)):
        client.send(RealTimeBarsRequest(req_id, stock("SPY"), 5, "BID", rth))
    await settled(client)
    for second in range(5, 75, 5):
        simulator._driver.advance(early + second * NS_PER_S)
    await settled(client)
    begins = {n: [bar.time for bar in client.all(RealTimeBarTick) if bar.req_id == n] for n in (1, 2)}
    assert begins[1][0] == T0 // NS_PER_S and begins[2][0] == early // NS_PER_S


@pytest.mark.parametrize(
    ("symbol", "what", "code"), [("SPY", "BID_ASK", 321), ("AAPL", "TRADES", 420), ("NOSUCH", "TRADES", 200)]
)
async def test_bars_refused(start: Start, connect: Connect, symbol: str, what: str, code: int) -> None:
    _, client = await manual(start, connect, unsubscribed=("AAPL",))
    client.send(RealTimeBarsRequest(1, stock(symbol), 5, what, False))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == code


async def test_bars_count_as_lines(start: Start, connect: Connect) -> None:
    _, client = await manual(start, connect, limits=Limits(lines=2))
    client.send(
        RealTimeBarsRequest(1, stock("SPY"), 5, "TRADES", False),
        MarketDataRequest(2, stock("SPY")),
        MarketDataRequest(3, stock("AAPL")),
        RealTimeBarsRequest(4, stock("AAPL"), 5, "TRADES", False),
    )
    await settled(client)
    assert [(m.id, m.error_code) for m in client.all(ErrorMessage) if m.id >= 0] == [(3, 101), (4, 101)]
