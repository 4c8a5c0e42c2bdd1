"""What follows another stops trading when nobody needs it any more, and trades again when somebody asks."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace
from tests.simulator.client import Connect, Start, stock
from tests.simulator.test_market_data import T0, by_id, joined, settled

from tws.clock import NS_PER_S
from tws.simulator.limits import Limits
from tws.wire.messages import (
    CancelMarketData,
    MarketDataRequest,
    OrderStatus,
    PlaceOrderRequest,
    RealTimeBarsRequest,
    TickPrice,
    WireOrder,
)


async def test_options_that_nobody_needs_cost_nothing(start: Start, connect: Connect) -> None:
    simulator = await start(seed=3, paused=True, start_ns=T0, limits=Limits.off())
    client = await joined(connect, simulator)
    core = simulator.core
    chain = next(chain for chain in core.universe.chains if chain.trading_class == "SPY")
    many = list(chain.ladder(chain.dates(core.universe.today)[3], core.universe.today))[:60]
    for req_id, option in enumerate(many):
        client.send(MarketDataRequest(req_id, by_id(option), snapshot=True))
    line, bars, held, rests = many[20:24]
    client.send(MarketDataRequest(100, by_id(line)), RealTimeBarsRequest(101, by_id(bars), 5, "BID", False))
    buy = WireOrder(action="BUY", total_quantity=Decimal(1), order_type="MKT", account="DU1234567")
    client.send(PlaceOrderRequest(1, by_id(held), buy))
    limit = replace(buy, order_type="LMT", lmt_price=0.01, tif="GTC")
    client.send(PlaceOrderRequest(2, by_id(rests), limit))
    await client.expect(OrderStatus, lambda m: m.order_id == 1 and m.status == "Filled")
    await settled(client)
    spy = simulator.con_id("SPY")
    assert len(core.followers[spy]) == 60
    await simulator.set_clock(T0 + 61 * NS_PER_S)
    assert {one.con_id for one in core.followers[spy]} == {one.con_id for one in (line, bars, held, rests)}
    # whoever asks again gets the price of now
    client.send(MarketDataRequest(200, by_id(many[0])))
    now = await client.expect(TickPrice, lambda m: m.req_id == 200 and m.tick_type == 1)
    tape = core.tapes[many[0].con_id]
    assert now.price == tape.grid.price(tape.bid) > 0
    assert len(core.followers[spy]) == 5
    client.send(CancelMarketData(200), CancelMarketData(100), MarketDataRequest(3, stock("SPY")))
    await settled(client)
    await simulator.set_clock(T0 + 200 * NS_PER_S)
    assert len(core.followers[spy]) == 3
