"""Market data lines over a real socket: every type of instrument, both encodings, permissions, snapshots,
generic ticks, greeks.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start, stock

from tws.clock import NS_PER_S
from tws.errors import ConfigError
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE, Security
from tws.wire.messages import (
    CancelMarketData,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    MarketDataRequest,
    MarketDataType,
    MarketDataTypeRequest,
    OrderStatus,
    PlaceOrderRequest,
    TickGeneric,
    TickOptionComputation,
    TickPrice,
    TickReqParams,
    TickSize,
    TickSnapshotEnd,
    TickString,
    WireContract,
    WireOrder,
)

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
VERSIONS = (157, 176, 200, 205, 225)
SPY = 756733
FREE = Limits.off()


async def manual(
    start: Start, connect: Connect, version: int = 225, **options: Any
) -> tuple[SimulatedTWS, Client]:
    simulator = await start(market=ManualMarket(UNIVERSE, T0), limits=FREE, **options)
    return simulator, await joined(connect, simulator, version)


async def joined(connect: Connect, simulator: SimulatedTWS, version: int = 225) -> Client:
    client = await connect(simulator, version=version)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    return client


async def settled(client: Client) -> None:
    """Everything sent so far was answered."""
    before = len(client.all(CurrentTime))
    client.send(CurrentTimeRequest())
    await client.expect(CurrentTime, lambda _: len(client.all(CurrentTime)) > before)


def by_id(security: Security) -> WireContract:
    return WireContract(con_id=security.con_id, exchange=security.exchange)


def option_of(simulator: SimulatedTWS, right: str = "C") -> Security:
    """A SPY option near the money with some weeks to live."""
    universe = simulator.core.universe
    chain = next(chain for chain in universe.chains if chain.trading_class == "SPY")
    expiry = chain.dates(universe.today)[5]
    return chain.make(expiry, 560.0, right, universe.today)


# -- the stream -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_stream_at_every_version(start: Start, connect: Connect, version: int) -> None:
    simulator, client = await manual(start, connect, version)
    simulator.quote("SPY", bid=100.0, ask=100.02, bid_size=300)
    simulator.trade("SPY", 100.01, 40)
    before = len(client.heard)
    client.send(MarketDataRequest(4, stock("SPY"), generic_tick_list="233"))
    await settled(client)
    finest = (Decimal("0.01"), Decimal(1)) if version >= 206 else ()  # protobuf alone says it
    parameters = TickReqParams(4, 0.01, "9c0001", 3, *finest)
    assert client.heard[before : before + 2] == [parameters, MarketDataType(4, 1)]
    first = [(type(m).__name__, m.tick_type) for m in client.heard[before + 2 : -1]]
    assert first == [
        ("TickString", 45), ("TickPrice", 1), ("TickPrice", 2), ("TickPrice", 4), ("TickSize", 8),
        ("TickPrice", 6), ("TickPrice", 7), ("TickPrice", 14), ("TickGeneric", 49),
    ]  # fmt: skip
    assert TickPrice(4, 1, 100.0, Decimal(300), 1) in client.heard
    simulator.trade("SPY", 100.02, 60)
    volume = await client.expect(TickString, lambda m: m.tick_type == 48)
    price, size, time_ms, total, vwap, single = volume.value.split(";")
    assert (price, size, total, single) == ("100.02", "60", "100", "true")
    assert T0 // 10**6 <= int(time_ms) <= simulator.now_ns() // 10**6
    assert float(vwap) == pytest.approx((100.01 * 40 + 100.02 * 60) / 100)
    assert TickSize(4, 8, Decimal(100)) in client.heard


@pytest.mark.parametrize("name", ["EUR.USD", "BTC", "SPX", "ESZ6", "AAPL", "VOD"])
async def test_every_type_speaks_on_its_own_grid(start: Start, connect: Connect, name: str) -> None:
    simulator = await start(seed=3, speed=20.0, limits=FREE, updates_per_s=4)
    client = await joined(connect, simulator)
    security = simulator.security(name)
    client.send(MarketDataRequest(1, by_id(security)))
    said = await client.expect(TickReqParams)
    assert said.min_tick == security.min_tick
    tape, kinds = simulator.core.tapes[security.con_id], (1, 2)
    if security.sec_type == "IND":
        kinds = (4,)
    await client.expect(
        TickPrice, lambda m: len([p for p in client.all(TickPrice) if p.tick_type in kinds]) > 9
    )
    prices = [p for p in client.all(TickPrice) if p.tick_type in kinds]
    assert all(tape.grid.is_on(p.price) and abs(p.price / security.price - 1) < 0.2 for p in prices)
    assert len({p.price for p in prices}) > 2
    heard = {m.tick_type for m in client.heard if isinstance(m, TickPrice | TickSize)}
    if security.sec_type == "IND":
        assert not heard & {0, 1, 2, 3, 8}
    elif security.sec_type == "CASH":
        assert not heard & {4, 8}
    else:
        sizes = [p.size for p in prices]
        assert all(size is not None and size % security.lot == 0 for size in sizes)


async def test_what_is_followed_late_has_a_past_and_repeats(start: Start) -> None:
    said = []
    for _ in range(2):
        options = {"speed": "max", "start_ns": T0, "end_ns": T0 + 1200 * NS_PER_S}
        simulator = await start(**options, paused=True)
        simulator._driver.advance(T0 + 600 * NS_PER_S)
        security = simulator.security("EUR.USD")
        tape = simulator.core.listed(security)
        rows = list(tape.rows(T0 // NS_PER_S, T0 // NS_PER_S + 600))
        assert 9 <= len(rows) <= 11 and tape.bid_size and simulator.core.listed(security) is tape
        assert abs(rows[-1].bid / tape.grid.price(tape.bid) - 1) < 0.01
        simulator._driver.advance(T0 + 660 * NS_PER_S)
        said.append((rows, tape.bid, tape.ask))
    assert said[0] == said[1]


async def test_further_futures_follow_the_first(start: Start) -> None:
    simulator = await start(market=ManualMarket(UNIVERSE, T0))
    root = next(root for root in simulator.core.universe.roots if root.trading_class == "ES")
    near, far = (simulator.core.universe.contract(root, index) for index in (0, 1))
    for security in (near, far):
        simulator.core.listed(security)
    simulator.quote(near.con_id, bid=near.price, ask=near.price + 0.25, bid_size=10, ask_size=10)
    tape = simulator.core.tapes[far.con_id]
    before = tape.bid
    assert abs(tape.grid.price(before) - far.price) < 2 and tape.ask > tape.bid
    simulator.quote(near.con_id, bid=near.price + 10, ask=near.price + 10.25)
    assert 36 <= tape.bid - before <= 44


async def test_a_coin_needs_version_163(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect, 157)
    client.send(MarketDataRequest(1, by_id(simulator.security("BTC"))))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == 10285


async def test_an_equal_quote_brings_back_what_a_fill_took(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    simulator.quote("SPY", bid=100.0, ask=100.02, ask_size=100)
    bought = WireOrder(
        action="BUY", order_type="LMT", lmt_price=100.02, total_quantity=Decimal(250), tif="DAY"
    )
    client.send(PlaceOrderRequest(1, stock("SPY"), bought))
    for filled in (100, 200, 250):
        await client.expect(OrderStatus, lambda m, filled=filled: m.filled == filled)
        simulator.trade("SPY", 100.02, 10)  # a print is no new quote
        simulator.quote("SPY", bid=100.0, ask=100.02, ask_size=100)


# -- permissions and kinds of data ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "delayed", "wanted", "code", "text", "kind"),
    [
        ("SPY", True, 1, 354, "not subscribed.Delayed market data is available.SPY ARCA/TOP/ALL", None),
        ("SPY", False, 1, 354, "Requested market data is not subscribed.", None),
        ("SPY", True, 3, 10167, "Displaying delayed market data.", 3),
        ("SPY", True, 4, 10167, "Displaying delayed market data.", 3),
        ("SPY", False, 3, 10168, "Delayed market data is not enabled.", None),
        ("STK", True, 2, 354, "Requested market data is not subscribed.", None),
        ("SPY=10089", True, 1, 10089, "requires additional subscription for API", None),
        ("SPY=10090", True, 1, 10090, "Part of requested market data is not subscribed", 1),
        ("AAPL", True, 3, None, "", 1),
        ("AAPL", True, 2, None, "", 1),
        ("OPT", True, 1, None, "", 1),
    ],
)
async def test_who_is_not_subscribed(
    start: Start, connect: Connect, entry: str, delayed: bool, wanted: int, code: int | None, text: str,
    kind: int | None,
) -> None:  # fmt: skip
    simulator, client = await manual(start, connect, unsubscribed=(entry,), delayed_data=delayed)
    simulator.quote("SPY", bid=100.0, ask=100.02)
    client.send(MarketDataTypeRequest(wanted), MarketDataRequest(4, stock("SPY")))
    await settled(client)
    errors = [m for m in client.all(ErrorMessage) if m.id == 4]
    assert [m.error_code for m in errors] == ([] if code is None else [code])
    assert not errors or text in errors[0].error_msg
    assert [m.market_data_type for m in client.all(MarketDataType)] == ([] if kind is None else [kind])
    simulator.quote("SPY", bid=101.0, ask=101.02)
    await settled(client)
    heard = {m.tick_type for m in client.all(TickPrice)}
    assert heard == {3: {66, 67}, 1: {1, 2}, None: set()}[kind] if code != 10090 else not heard


async def test_options_of_unsubscribed_data_are_checked() -> None:
    for entry in ("", "SPY=", "SPY=1", "=354"):
        with pytest.raises(ConfigError, match="unsubscribed"):
            SimulatorOptions(unsubscribed=(entry,)).check()


async def test_a_closed_market_is_empty_unless_frozen(start: Start, connect: Connect) -> None:
    night = T0 + 14 * 3600 * NS_PER_S
    simulator = await start(market=ManualMarket(UNIVERSE, night), hours="exchange", limits=FREE)
    client = await joined(connect, simulator)
    simulator.quote("SPY", bid=100.0, ask=100.02)
    client.send(
        MarketDataRequest(1, stock("SPY")), MarketDataTypeRequest(2), MarketDataRequest(2, stock("SPY"))
    )
    await settled(client)
    assert [m.market_data_type for m in client.all(MarketDataType)] == [1, 2]
    assert [m.price for m in client.all(TickPrice) if m.req_id == 1] == [-1.0, -1.0]
    assert [m.price for m in client.all(TickPrice) if m.req_id == 2] == [100.0, 100.02]


async def test_an_impossible_type_is_refused(start: Start, connect: Connect) -> None:
    _, client = await manual(start, connect)
    client.send(MarketDataTypeRequest(5))
    assert (await client.expect(ErrorMessage, lambda m: m.error_code == 321)).error_msg.endswith("5")


# -- snapshots ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [176, 225])
async def test_a_snapshot_waits_for_its_quote(start: Start, connect: Connect, version: int) -> None:
    simulator, client = await manual(start, connect, version)
    client.send(MarketDataRequest(4, stock("SPY"), snapshot=True))
    await settled(client)
    assert not client.all(TickSnapshotEnd)
    simulator.quote("SPY", bid=100.0, ask=0.0)
    await settled(client)
    assert not client.all(TickSnapshotEnd)
    simulator.quote("SPY", bid=100.0, ask=100.02)
    await client.expect(TickSnapshotEnd)
    assert [m.tick_type for m in client.all(TickPrice)] == [1, 2]
    simulator.quote("SPY", bid=101.0, ask=101.02)
    await settled(client)
    assert len(client.all(TickPrice)) == 2 and SPY not in simulator.core.lines
    client.send(CancelMarketData(4))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 4)).error_code == 300


async def test_a_snapshot_of_a_silent_market_ends_after_eleven_seconds(
    start: Start, connect: Connect
) -> None:
    simulator, client = await manual(start, connect, paused=True)
    client.send(MarketDataRequest(4, stock("SPY"), snapshot=True))
    await settled(client)
    simulator._driver.advance(T0 + 10 * NS_PER_S)
    await settled(client)
    assert not client.all(TickSnapshotEnd)
    simulator._driver.advance(T0 + 12 * NS_PER_S)
    assert (await client.expect(TickSnapshotEnd)).req_id == 4
    assert not simulator.core.listeners


async def test_snapshots_take_no_generic_ticks(start: Start, connect: Connect) -> None:
    _, client = await manual(start, connect)
    client.send(MarketDataRequest(4, stock("SPY"), "233", True))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 4)).error_code == 321


# -- generic ticks --------------------------------------------------------------------------------

GENERIC = {
    "100": {29, 30}, "101": {27, 28}, "104": {23}, "105": {87}, "106": {24}, "221": {37}, "232": {37},
    "165": {15, 16, 17, 18, 19, 20, 21}, "225": {34, 35, 36, 61}, "236": {46, 89}, "256": set(),
    "258": {47}, "292:BZ": set(), "293": {54}, "294": {55}, "295": {56}, "318": {57}, "411": {58},
    "456": {59}, "595": {63, 64, 65}, "787": {105, 106, 107, 108, 109, 110},
}  # fmt: skip
PRICES, SIZES, GENERICS, STRINGS = (15, 16, 17, 18, 19, 20, 35, 37, 57), (21, 29, 89), (23, 46, 54), (47, 59)


@pytest.mark.parametrize("version", [157, 200, 225])
async def test_generic_ticks(start: Start, connect: Connect, version: int) -> None:
    simulator, client = await manual(start, connect, version)
    simulator.quote("SPY", bid=100.0, ask=100.02)
    simulator.trade("SPY", 100.01, 40)
    for req_id, asked in enumerate(GENERIC):
        client.send(MarketDataRequest(req_id, stock("SPY"), f"mdoff,{asked}"))
    await settled(client)
    kinds = (TickPrice, TickSize, TickGeneric, TickString)
    for req_id, (asked, wanted) in enumerate(GENERIC.items()):
        said = [m for m in client.heard if isinstance(m, kinds) and m.req_id == req_id]
        assert {m.tick_type for m in said} == wanted, asked
        for message in said:
            for kind, members in zip(kinds, (PRICES, SIZES, GENERICS, STRINGS), strict=True):
                assert message.tick_type not in members or isinstance(message, kind)
    stats = {m.tick_type: m.price for m in client.all(TickPrice) if 15 <= m.tick_type <= 20}
    assert stats[19] < stats[17] < stats[15] < 100.01 < stats[16] < stats[18] < stats[20]
    before = len(client.heard)
    simulator.trade("SPY", 100.02, 60)
    await settled(client)
    running = {(m.req_id, m.tick_type) for m in client.heard[before:] if isinstance(m, kinds)}
    ids = list(GENERIC)
    assert running == {
        (ids.index(asked), kind)
        for asked, kind in (("221", 37), ("232", 37), ("293", 54), ("294", 55), ("295", 56), ("318", 57))
    }


async def test_open_interest_of_a_single_option_is_on_its_own_side(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    simulator.quote("SPY", bid=560.0, ask=560.02)
    chain = next(one for one in simulator.core.universe.chains if one.under.symbol == "SPY")
    expiry = f"{chain.dates(simulator.core.universe.today)[-1]:%Y%m%d}"
    put = WireContract(
        symbol="SPY", sec_type="OPT", exchange="SMART", currency="USD", right="P", strike=560.0,
        last_trade_date_or_contract_month=expiry,
    )  # fmt: skip
    client.send(MarketDataRequest(1, put, "mdoff,100,101,106"))
    await settled(client)
    sizes = {m.tick_type: m.size for m in client.all(TickSize) if m.tick_type in (27, 28, 29, 30)}
    assert sizes[27] == sizes[29] == 0
    assert sizes[28] and sizes[30]


async def test_the_next_dividend_is_still_to_come(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    for req_id, symbol in enumerate(("SPY", "AAPL", "MSFT", "KO", "JPM")):
        client.send(MarketDataRequest(req_id, stock(symbol), generic_tick_list="456"))
    await settled(client)
    told = [m.value.split(",")[2] for m in client.all(TickString) if m.tick_type == 59]
    assert any(told)
    assert all(not day or day >= "20260105" for day in told)
    await simulator.set_clock(T0 + 300 * 86_400 * NS_PER_S)
    client.send(MarketDataRequest(9, stock("SPY"), generic_tick_list="456"))
    await settled(client)
    assert [m.value.split(",")[2] for m in client.all(TickString) if m.req_id == 9] == ["20261220"]


async def test_an_unknown_generic_tick_is_refused_with_the_legal_ones(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    client.send(MarketDataRequest(1, stock("SPY"), "233,999"), MarketDataRequest(2, stock("SPY"), "588"))
    said = await client.expect(ErrorMessage, lambda m: m.id == 1)
    assert said.error_code == 321 and "Incorrect generic tick list of 233,999." in said.error_msg
    assert "(STK) are: 100(Option Volume),101(" in said.error_msg
    assert (await client.expect(ErrorMessage, lambda m: m.id == 2)).error_code == 321
    assert SPY not in simulator.core.lines


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [157, 200, 225])
async def test_an_option_follows_its_underlying_and_has_greeks(
    start: Start, connect: Connect, version: int
) -> None:
    simulator, client = await manual(start, connect, version)
    simulator.quote("SPY", bid=559.99, ask=560.01)
    for req_id, right in ((1, "C"), (2, "P")):
        client.send(MarketDataRequest(req_id, by_id(option_of(simulator, right))))
    await settled(client)
    bids = {m.req_id: m.price for m in client.all(TickPrice) if m.tick_type == 1}
    assert 0 < bids[1] < 60 and 0 < bids[2] < 60
    model = {m.req_id: m for m in client.all(TickOptionComputation) if m.tick_type == 13}
    assert 0 < model[1].delta < 1 and -1 < model[2].delta < 0
    for said in model.values():
        assert said.und_price == 560.0 and said.implied_vol == pytest.approx(0.15, rel=0.2)
        assert said.gamma > 0 and said.vega > 0 and said.theta < 0
        assert abs(said.opt_price - bids[said.req_id]) < 0.05 * said.opt_price + 0.02
    quoted = {m.tick_type: m for m in client.all(TickOptionComputation) if m.req_id == 1}
    assert quoted[10].implied_vol < quoted[13].implied_vol < quoted[11].implied_vol
    assert quoted[10].opt_price == pytest.approx(bids[1])
    before = len(client.heard)
    simulator.quote("SPY", bid=564.99, ask=565.01)
    await settled(client)
    later = client.heard[before:]
    calls = [m for m in later if isinstance(m, TickPrice) and (m.req_id, m.tick_type) == (1, 1)]
    puts = [m for m in later if isinstance(m, TickPrice) and (m.req_id, m.tick_type) == (2, 1)]
    assert calls[-1].price > bids[1] and puts[-1].price < bids[2]
    assert {m.tick_type for m in later if isinstance(m, TickOptionComputation)} >= {10, 11, 13}


async def test_greeks_are_not_computed_without_an_underlying(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    option = option_of(simulator)
    client.send(MarketDataRequest(1, by_id(option)))
    said = await client.expect(TickOptionComputation, lambda m: m.tick_type == 13)
    assert (said.implied_vol, said.delta, said.opt_price) == (None, None, None)
    client.send(CancelMarketData(1))
    await settled(client)
    before = len(client.heard)
    simulator.quote("SPY", bid=559.99, ask=560.01)
    await settled(client)
    assert not [m for m in client.heard[before:] if isinstance(m, TickOptionComputation | TickPrice)]
    assert not simulator.core.lines and not simulator.core.listeners


async def test_delayed_greeks_carry_delayed_ids(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect, unsubscribed=("OPT",))
    simulator.quote("SPY", bid=559.99, ask=560.01)
    client.send(MarketDataTypeRequest(3), MarketDataRequest(1, by_id(option_of(simulator))))
    await settled(client)
    assert {m.tick_type for m in client.all(TickOptionComputation)} >= {80, 81, 83}
    assert not [m for m in client.all(TickOptionComputation) if m.tick_type < 80]
