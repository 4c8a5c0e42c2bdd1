"""Market data that flows: quotes, generic ticks, greeks, tick by tick, depth, five-second bars.
TWS-BEHAVIOUR.md E.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from tests.conformance.scenarios.base import between, check, close, scenario, stock
from tests.conformance.scenarios.contracts import option
from tests.conformance.scenarios.link import connect
from tests.conformance.scenarios.past import HIGH, LOW, bars
from tests.conformance.stage import Stage
from tests.conformance.witness import Mismatch, Witness

QUIET_S = 0.3


async def subscribe(c: Witness, contract: dict[str, Any], ticks: str = "") -> int:
    key = c.key()
    await c.do("market_data", req=key, contract=contract, ticks=ticks, snapshot=False)
    return key


async def quoted(c: Witness, key: int, since: int = 0, **fields: Any) -> None:
    """Wait until the client was told these values."""
    for field, value in fields.items():
        await c.wait("quote", req=key, field=field, value=value, since=since)


@scenario("market data", "live quotes, prints and the day's volume")
async def live(c: Witness, t: Stage) -> None:
    t.quote("AAPL", 225.00, 225.03)
    key = await subscribe(c, stock(t, "AAPL"))
    await quoted(c, key, bid=225.0, ask=225.03)
    check("type of data", (await c.wait("data_type", req=key))["kind"], 1)
    t.quote("AAPL", 225.01, 225.04)
    await quoted(c, key, bid=225.01, ask=225.04)
    t.trade("AAPL", 225.02, 700)
    await quoted(c, key, last=225.02)
    await quoted(c, key, volume=t.sim.core.tapes[265598].volume)
    await c.do("cancel_market_data", req=key)


@scenario("market data", "sizes ride with their prices")
async def sizes(c: Witness, t: Stage) -> None:
    t.quote("AIG", 74.00, 74.03, 300, 500)
    key = await subscribe(c, stock(t, "AIG"))
    await quoted(c, key, bid=74.0, askSize=500, bidSize=300)
    t.trade("AIG", 74.02, 700)
    await quoted(c, key, lastSize=700)
    await c.do("cancel_market_data", req=key)


@scenario("market data", "tick parameters: minimum tick and exchange")
async def tick_parameters(c: Witness, t: Stage) -> None:
    t.quote("QQQ", 480.00, 480.02)
    key = await subscribe(c, stock(t, "QQQ"))
    row = await c.wait("tick_params", req=key)
    close("minimum tick", row["min_tick"], 0.01)
    c.note(bbo=row["bbo"])
    await c.do("cancel_market_data", req=key)


@scenario("market data", "a change of size alone")
async def size_alone(c: Witness, t: Stage) -> None:
    t.quote("MSFT", 420.00, 420.05, 100, 100)
    key = await subscribe(c, stock(t, "MSFT"))
    await quoted(c, key, bid=420.0)
    mark = c.mark()
    t.quote("MSFT", 420.00, 420.05, 900, 100)
    await quoted(c, key, since=mark, bidSize=900)
    await c.do("cancel_market_data", req=key)


@scenario("market data", "cancelled data stay away")
async def cancelled(c: Witness, t: Stage) -> None:
    t.quote("IBM", 215.00, 215.10)
    key = await subscribe(c, stock(t, "IBM"))
    await quoted(c, key, bid=215.0)
    await c.do("cancel_market_data", req=key)
    con_id = t.security("IBM").con_id
    await c.until(lambda: not t.sim.core.lines.get(con_id), "the line's end at the broker")
    mark = c.mark()
    t.quote("IBM", 215.02, 215.12)
    await asyncio.sleep(QUIET_S)
    check("quotes after the cancel", c.seen("quote", since=mark, req=key), [])


@scenario("market data", "generic ticks: RTVolume and shortable")
async def generic(c: Witness, t: Stage) -> None:
    t.quote("NVDA", 125.00, 125.02)
    key = await subscribe(c, stock(t, "NVDA"), "233,236")
    await quoted(c, key, bid=125.0)
    t.trade("NVDA", 125.01, 300)
    row = await c.wait("trade_volume", req=key)
    check("price and size", (row["price"], row["size"]), (125.01, 300))
    check("volume", row["total"], t.sim.core.tapes[t.security("NVDA").con_id].volume)
    seen = c.seen("quote", req=key, field="shortable") + c.seen("quote", req=key, field="shortableShares")
    if not seen and "ib_insync" not in c.name:  # ib_insync drops tick 46, and knows no other of 236
        raise Mismatch("no tick says how many shares can be shorted")
    await c.do("cancel_market_data", req=key)


@scenario("market data", "generic ticks: option volume of a stock")
async def option_volume(c: Witness, t: Stage) -> None:
    key = await subscribe(c, stock(t, "TSLA"), "100,101")
    for field in ("callVolume", "putVolume", "callOpenInterest", "putOpenInterest"):
        await c.wait("quote", req=key, field=field)
    await c.do("cancel_market_data", req=key)


@scenario("market data", "data without a subscription: 354, or delayed on request after 10167")
async def delayed(c: Witness, t: Stage) -> None:
    past = datetime.fromtimestamp(t.now_s() - 13 * 60, UTC).strftime("%Y%m%d-%H:%M:%S")
    then = await bars(c, stock(t, "GOOGL"), "600 S", "1 min", end=past, what="BID", rth=False)
    poor = Stage(unsubscribed=("STK",))
    await poor.start()
    poor.quote("GOOGL", 100.00, 100.02)  # a quarter of an hour before anybody without a subscription hears it
    try:
        await connect(c, poor, "poor", 16)
        key = c.key()
        asked = {"ticks": "", "snapshot": False}
        await c.do("market_data", session="poor", req=key, contract=stock(t, "GOOG"), **asked)
        await c.error(354, req=key, session="poor")
        await c.do("data_type", session="poor", kind=3)
        key = c.key()
        await c.do("market_data", session="poor", req=key, contract=stock(t, "GOOGL"), **asked)
        await c.error(10167, req=key, session="poor")
        row = await c.wait("data_type", req=key, session="poor", where=lambda row: row["kind"] != 1)
        check("type of data", row["kind"], 3)
        quote = await c.wait("quote", req=key, session="poor", field="bid")
        between("bid of then", quote["value"], min(row[LOW] for row in then), max(row[HIGH] for row in then))
    finally:
        await poor.stop()


@scenario("market data", "frozen data on request while the market is open: live")
async def frozen(c: Witness, t: Stage) -> None:
    t.quote("GOOGL", 167.00, 167.02)
    await c.do("data_type", kind=2)
    key = await subscribe(c, stock(t, "GOOGL"))
    try:
        await quoted(c, key, bid=167.0)
        check("type of data", (await c.wait("data_type", req=key))["kind"] in (1, 2), True)
    finally:
        await c.do("cancel_market_data", req=key)
        await c.do("data_type", kind=1)


@scenario("market data", "a snapshot ends by itself")
async def snapshot(c: Witness, t: Stage) -> None:
    t.quote("META", 560.00, 560.10)
    key = c.key()
    await c.do("market_data", req=key, contract=stock(t, "META"), ticks="", snapshot=True)
    await quoted(c, key, bid=560.0, ask=560.1)
    await c.wait("snapshot_end", req=key, patience_s=15)
    check("lines at the broker", t.sim.core.lines.get(t.security("META").con_id) or [], [])


@scenario("market data", "data of an unknown contract: 200")
async def unknown(c: Witness, t: Stage) -> None:
    nothing = {
        "conId": 999999999,
        "symbol": "NOSUCH",
        "secType": "STK",
        "exchange": "SMART",
        "currency": "USD",
    }
    key = await subscribe(c, nothing)
    await c.error(200, req=key)


@scenario("market data", "cancel of data that nobody asked for: 300")
async def cancel_unknown(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do("cancel_market_data", req=key)
    row = await c.error(300, req=key)
    check("text", row["text"], f"Can't find EId with tickerId:{key}")


@scenario("market data", "greeks of an option")
async def greeks(c: Witness, t: Stage) -> None:
    found = await option(c, t, "SPY")
    contract = {name: found[name] for name in ("conId", "symbol", "secType", "currency", "localSymbol")}
    t.quote("SPY", 559.99, 560.01)
    t.quote(found["conId"], 10.0, 10.2)
    key = await subscribe(c, contract | {"exchange": "SMART"})
    row = await c.wait("greeks", req=key, where=lambda row: row["of"] == "model" and row["delta"])
    check("delta of a call at the money", 0.3 < row["delta"] < 0.7, True)
    check("signs", (row["gamma"] > 0, row["vega"] > 0, row["theta"] < 0), (True, True, True))
    check("volatility", 0.01 < row["iv"] < 3, True)
    await c.do("cancel_market_data", req=key)


async def tick_by_tick(c: Witness, t: Stage, symbol: str, kind: str) -> int:
    key = c.key()
    await c.do("tick_by_tick", req=key, contract=stock(t, symbol), kind=kind)
    con_id = t.security(symbol).con_id
    await c.until(lambda: t.sim.core.listeners.get(con_id), "the subscription at the broker")
    return key


@scenario("market data", "tick by tick: Last")
async def last(c: Witness, t: Stage) -> None:
    key = await tick_by_tick(c, t, "AMZN", "Last")
    t.trade("AMZN", 185.01, 250)
    row = await c.wait("print", req=key, kind="Last", price=185.01)
    check("size", row["size"], 250)
    await c.do("cancel_tick_by_tick", req=key)


@scenario("market data", "tick by tick: AllLast")
async def all_last(c: Witness, t: Stage) -> None:
    key = await tick_by_tick(c, t, "AMD", "AllLast")
    t.trade("AMD", 150.02, 20)
    row = await c.wait("print", req=key, kind="AllLast", price=150.02)
    check("size", row["size"], 20)
    await c.do("cancel_tick_by_tick", req=key)


@scenario("market data", "tick by tick: BidAsk")
async def bid_ask(c: Witness, t: Stage) -> None:
    key = await tick_by_tick(c, t, "BAC", "BidAsk")
    t.quote("BAC", 40.01, 40.02, 600, 700)
    row = await c.wait("print", req=key, kind="BidAsk", bid=40.01)
    check("the other side and the sizes", (row["ask"], row["bid_size"], row["ask_size"]), (40.02, 600, 700))
    await c.do("cancel_tick_by_tick", req=key)


@scenario("market data", "tick by tick: MidPoint")
async def mid_point(c: Witness, t: Stage) -> None:
    key = await tick_by_tick(c, t, "DIS", "MidPoint")
    t.quote("DIS", 95.10, 95.20)
    await c.wait("print", req=key, kind="MidPoint", where=lambda row: abs(row["price"] - 95.15) < 1e-9)
    await c.do("cancel_tick_by_tick", req=key)


@scenario("market data", "market depth: the book's best rows")
async def depth(c: Witness, t: Stage) -> None:
    t.quote("XOM", 115.00, 115.02, 200, 300)
    key = c.key()
    await c.do("depth", req=key, contract=stock(t, "XOM", exchange="NYSE"), rows=5, smart=False)
    bid = await c.wait("depth", req=key, side=1, position=0)
    ask = await c.wait("depth", req=key, side=0, position=0)
    check("inserted", (bid["operation"], ask["operation"]), (0, 0))
    check("best prices", (bid["price"], ask["price"]), (115.0, 115.02))
    mark = c.mark()
    t.quote("XOM", 115.01, 115.03, 400, 300)
    await c.wait("depth", req=key, since=mark, side=1, where=lambda row: row["price"] == 115.01)
    await c.do("cancel_depth", req=key, smart=False)


@scenario("market data", "real-time bars of five seconds")
async def live_bars(c: Witness, t: Stage) -> None:
    t.quote("WMT", 80.00, 80.02)
    t.trade("WMT", 80.01, 1)
    key = c.key()
    await c.do("live_bars", req=key, contract=stock(t, "WMT"), what="TRADES")
    await c.wait("live_bar", req=key)  # so the subscription stands, and a bar has just begun
    for price in (80.01, 80.05, 80.00, 80.02):
        t.trade("WMT", price, 100)
    row = (await c.wait("live_bar", req=key, where=lambda row: row["row"][5] > 1))["row"]
    check("open, high, low, close, volume", row[1:], [80.01, 80.05, 80.00, 80.02, 400])
    check("begins on a five-second mark", row[0] % 5, 0)
    await c.do("cancel_live_bars", req=key)
