"""Market data that flow. TWS-BEHAVIOUR.md E, A8."""

from __future__ import annotations

from functools import partial

from tws.certify.register import scenario
from tws.certify.scenarios.contracts import NOWHERE, option_of
from tws.certify.scene import Scene
from tws.model.contract import Contract, stock
from tws.wire import messages as m

case = scenario("market data", "simulator-market.md")
BID, ASK, LAST, RT_VOLUME, MODEL = 1, 2, 4, 48, 13


@case("a line: its parameters, its kind, bid, ask and last", "E order after reqMktData", market=True)
async def line(s: Scene) -> None:
    number = s.send("reqMktData", s.stock, "", False, False, [])
    await quoted(s, number)
    s.call("cancelMktData", number)


@case("a snapshot, which ends by itself", "E snapshot", market=True)
async def snapshot(s: Scene) -> None:
    await s.ask(m.TickSnapshotEnd, "reqMktData", s.stock, "", True, False, [])


@case("generic ticks: the volume in real time", "E RTVolume", market=True)
async def generic(s: Scene) -> None:
    number = s.send("reqMktData", s.stock, "233", False, False, [])
    await s.fed(number, m.TickString, lambda one: one.tick_type == RT_VOLUME)
    await quoted(s, number)
    s.call("cancelMktData", number)


@case("data of an unknown contract: 200", "A8 200")
async def unknown(s: Scene) -> None:
    await s.ask(m.TickSnapshotEnd, "reqMktData", NOWHERE, "", False, False, [])


@case("cancel of data that nobody asked for: 300", "A8 300")
async def cancel_unknown(s: Scene) -> None:
    await s.error(s.send("cancelMktData"), 300)


@case("the same ticker id twice: 102", "A8 102", market=True)
async def twice(s: Scene) -> None:
    number = s.send("reqMktData", s.stock, "", False, False, [])
    await quoted(s, number)
    s.call("reqMktData", number, s.stock, "", False, False, [])
    await s.error(number, 102)
    s.call("cancelMktData", number)


@case("tick by tick: trades", "E tick-by-tick", market=True)
async def last(s: Scene) -> None:
    await tick_by_tick(s, s.stock, "Last")


@case("tick by tick: all trades", "E tick-by-tick", market=True)
async def all_last(s: Scene) -> None:
    await tick_by_tick(s, stock("AAPL"), "AllLast")


@case("tick by tick: bid and ask", "E tick-by-tick", market=True)
async def bid_ask(s: Scene) -> None:
    await tick_by_tick(s, stock("MSFT"), "BidAsk")


@case("tick by tick: midpoints", "E tick-by-tick", market=True)
async def midpoint(s: Scene) -> None:
    await tick_by_tick(s, stock("NVDA"), "MidPoint")


@case("a book of orders", "E depth", market=True)
async def depth(s: Scene) -> None:
    number = s.send("reqMktDepth", s.stock, 5, True, [])
    await s.fed(number, m.MarketDepthL2, lambda one: one.side == 0)
    await s.fed(number, m.MarketDepthL2, lambda one: one.side == 1)
    s.call("cancelMktDepth", number, True)


@case("bars of five seconds", "F6 50", market=True)
async def live_bars(s: Scene) -> None:
    number = s.send("reqRealTimeBars", s.stock, 5, "MIDPOINT", False, [])
    await s.fed(number, m.RealTimeBarTick)
    s.call("cancelRealTimeBars", number)


@case("the greeks of an option", "E greeks", market=True)
async def greeks(s: Scene) -> None:
    number = s.send("reqMktData", await option_of(s), "", False, False, [])
    await s.fed(number, m.TickOptionComputation, lambda one: one.tick_type == MODEL)
    s.call("cancelMktData", number)


@case("the volatility that a price implies", "F4 54", market=True)
async def implied(s: Scene) -> None:
    number = s.send("calculateImpliedVolatility", await option_of(s), 5.0, 100.0, [])
    await s.fed(number, m.TickOptionComputation)
    s.call("cancelCalculateImpliedVolatility", number)


@case("the price that a volatility implies", "F4 55", market=True)
async def priced(s: Scene) -> None:
    number = s.send("calculateOptionPrice", await option_of(s), 0.3, 100.0, [])
    await s.fed(number, m.TickOptionComputation)
    s.call("cancelCalculateOptionPrice", number)


async def quoted(s: Scene, number: int) -> None:
    """Wait for bid, ask and last."""
    for tick in (BID, ASK, LAST):
        await s.fed(number, m.TickPrice, partial(_is, tick))


def _is(tick: int, message: m.TickPrice) -> bool:
    return message.tick_type == tick


async def tick_by_tick(s: Scene, contract: Contract, kind: str) -> None:
    """Another share for each kind: TWS takes one such request for an instrument in 15 seconds (B)."""
    number = s.send("reqTickByTickData", contract, kind, 0, False)
    await s.fed(number, m.TickByTickData)
    s.call("cancelTickByTickData", number)
