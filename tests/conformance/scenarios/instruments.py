"""Beyond stocks: futures, options, currencies, crypto, indexes, CFDs: quotes, trades, positions, bars."""

from __future__ import annotations

from typing import Any

from tests.conformance.scenarios.base import CLIENT_ID, check, close, order, place, scenario
from tests.conformance.scenarios.contracts import BTC, CFD, ES, EUR, SPX, details, option
from tests.conformance.scenarios.live import quoted, subscribe
from tests.conformance.scenarios.orders import cancelled, filled, working
from tests.conformance.scenarios.past import bars, consistent
from tests.conformance.stage import Stage
from tests.conformance.witness import Witness

SENT = ("conId", "symbol", "secType", "currency", "localSymbol")


async def contract(c: Witness, asked: dict[str, Any]) -> dict[str, Any]:
    """The contract of a description, with its conId; the first expiry where there are several."""
    rows = sorted(await details(c, asked), key=lambda row: row["expiry"] or "")
    return {name: rows[0][name] for name in SENT} | {"exchange": asked["exchange"]}


async def trade(
    c: Witness, t: Stage, wanted: dict[str, Any], quantity: float, bid: float, ask: float
) -> None:
    """Buy at the market, compare the fill and the position, sell it again."""
    con_id = wanted["conId"]
    t.quote(con_id, bid, ask)
    order_id = await place(c, wanted, order("BUY", "MKT", quantity))
    rows = await filled(c, t, order_id)
    check("conId of the fill", {row["conId"] for row in rows}, {con_id})
    close("price", rows[0]["price"], ask)
    held = t.positions()[con_id]
    mark = c.mark()
    await c.do("positions")
    await c.wait("positions_end", since=mark)
    seen = [row for row in c.seen("position", since=mark, conId=con_id) if row["position"]]
    check("position", seen[-1]["position"], float(held.quantity))
    close("average cost", seen[-1]["cost"], held.average_cost)
    await filled(c, t, await place(c, wanted, order("SELL", "MKT", quantity)))
    c.note(cost=seen[-1]["cost"])


@scenario("instruments", "a future: price steps, trade, average cost with the multiplier")
async def future(c: Witness, t: Stage) -> None:
    wanted = await contract(c, ES)
    t.quote(wanted["conId"], 6000.00, 6000.25)
    refused = await place(c, wanted, order("BUY", "LMT", 1, lmtPrice=5900.10))
    await c.error(110, req=refused)
    await trade(c, t, wanted, 2, 6000.00, 6000.25)


@scenario("instruments", "an option: trade in contracts of a hundred")
async def an_option(c: Witness, t: Stage) -> None:
    found = await option(c, t, "AAPL")
    await trade(c, t, {name: found[name] for name in SENT} | {"exchange": "SMART"}, 3, 5.00, 5.10)


@scenario("instruments", "a currency pair: quotes of half pips, bars of midpoints, trade")
async def forex(c: Witness, t: Stage) -> None:
    wanted = await contract(c, EUR)
    t.quote(wanted["conId"], 1.08500, 1.08505, 1_000_000, 2_000_000)
    key = await subscribe(c, wanted)
    await quoted(c, key, bid=1.085, ask=1.08505)
    await c.do("cancel_market_data", req=key)
    rows = await bars(c, wanted, "1 D", "1 hour", what="MIDPOINT", rth=False)
    consistent(rows, 3600)
    c.note(rows=rows[-5:])
    order_id = await place(c, wanted, order("BUY", "LMT", 25_000, lmtPrice=1.0850))
    await working(c, t, order_id, "Submitted")
    await c.do("cancel", order_id=order_id)
    await cancelled(c, t, order_id)
    await filled(c, t, await place(c, wanted, order("BUY", "MKT", 25_000)))
    await filled(c, t, await place(c, wanted, order("SELL", "MKT", 25_000)))


@scenario("instruments", "a crypto currency: fractions of a coin", since=163)
async def crypto(c: Witness, t: Stage) -> None:
    wanted = await contract(c, BTC)
    t.quote(wanted["conId"], 95_000.00, 95_010.00, 10**9, 10**9)
    order_id = await place(c, wanted, order("BUY", "LMT", 0.25, lmtPrice=95_010.0, tif="IOC"))
    rows = await filled(c, t, order_id)
    check("size", sum(row["shares"] for row in rows), 0.25)
    known = t.positions()[wanted["conId"]]
    close("position", known.quantity, 0.25)
    await filled(c, t, await place(c, wanted, order("SELL", "LMT", 0.25, lmtPrice=95_000.0, tif="IOC")))
    check("closed", wanted["conId"] in t.positions(), False)


@scenario("instruments", "an index has quotes and cannot be traded")
async def index(c: Witness, t: Stage) -> None:
    wanted = await contract(c, SPX)
    t.trade(wanted["conId"], 6000.5)
    key = await subscribe(c, wanted)
    await quoted(c, key, last=6000.5)
    await c.do("cancel_market_data", req=key)
    order_id = await place(c, wanted, order("BUY", "MKT", 1))
    c.expected |= {200, 201, 321, 322, 387, 460}
    await c.wait("error", req=order_id)
    check("at the broker", [v for v in t.exchange.open_orders() if v.order_id == order_id], [])
    check("fills", t.executions(order_id, CLIENT_ID), [])


@scenario("instruments", "a CFD: trade")
async def cfd(c: Witness, t: Stage) -> None:
    await trade(c, t, await contract(c, CFD), 10, 6000.00, 6001.00)


@scenario("instruments", "an option chain's contract has bars")
async def option_bars(c: Witness, t: Stage) -> None:
    found = await option(c, t, "SPY")
    rows = await bars(c, {name: found[name] for name in SENT} | {"exchange": "SMART"}, "1 D", "30 mins")
    consistent(rows, 0)
    c.note(rows=rows[-5:])
