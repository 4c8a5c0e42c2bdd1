"""Order types and attributes that the market works on: followers, snaps, shown parts, all or nothing.

The broker's own fills and the openOrder that comes back are the truth. docs/design/order-types.md;
TWS-BEHAVIOUR.md C, F5.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.scenarios.base import CLIENT_ID, check, close, order, place, scenario, stock
from tests.conformance.scenarios.orders import cancelled, filled, working
from tests.conformance.stage import Stage
from tests.conformance.witness import Witness


async def told(c: Witness, order_id: int, **fields: Any) -> None:
    """openOrder states the order with these fields, as the client sent them."""
    row = (await c.wait("open_order", order_id=order_id))["order"]
    for name, value in fields.items():
        check(name, row[name], value)


async def rests(c: Witness, t: Stage, symbol: str, fields: dict[str, Any]) -> int:
    """Place, wait until it works and hold what comes back against what was sent."""
    order_id = await place(c, stock(t, symbol), fields)
    await working(c, t, order_id)
    await told(c, order_id, orderType=fields["orderType"], totalQuantity=fields["totalQuantity"])
    return order_id


@scenario("order types", "relative: an offset beyond its own side, and it follows")
async def relative(c: Witness, t: Stage) -> None:
    t.quote("AAPL", 225.00, 225.20)
    asked = order("BUY", "REL", 10, auxPrice=0.05, lmtPrice=226.0)
    order_id = await rests(c, t, "AAPL", asked)
    t.quote("AAPL", 225.10, 225.30)
    t.quote("AAPL", 225.00, 225.14)
    rows = await filled(c, t, order_id)
    check("within where it stood", rows[0]["price"] <= 225.15, True)


@scenario("order types", "pegged to the middle: it follows, and does not reach the other side")
async def midpoint(c: Witness, t: Stage) -> None:
    t.quote("MSFT", 420.00, 420.20)
    order_id = await rests(c, t, "MSFT", order("BUY", "PEG MID", 10, lmtPrice=421.0, auxPrice=0.0))
    t.quote("MSFT", 420.00, 420.10)
    check("fills", t.executions(order_id, CLIENT_ID), [])
    await c.do("cancel", order_id=order_id)
    await cancelled(c, t, order_id)


@scenario("order types", "pegged to the market: the other side, less its offset")
async def to_market(c: Witness, t: Stage) -> None:
    t.quote("QQQ", 480.00, 480.20)
    order_id = await rests(c, t, "QQQ", order("BUY", "PEG MKT", 10, auxPrice=0.10))
    await c.do("cancel", order_id=order_id)
    await cancelled(c, t, order_id)


@scenario("order types", "midprice with a cap")
async def midprice(c: Witness, t: Stage) -> None:
    t.quote("IBM", 215.00, 215.40)
    order_id = await rests(c, t, "IBM", order("BUY", "MIDPRICE", 10, lmtPrice=215.10))
    await told(c, order_id, lmtPrice=215.1)
    await c.do("cancel", order_id=order_id)
    await cancelled(c, t, order_id)


@scenario("order types", "snapped to the market: taken once, it stays")
async def snap(c: Witness, t: Stage) -> None:
    t.quote("DIS", 95.00, 95.20)
    order_id = await rests(c, t, "DIS", order("BUY", "SNAP MKT", 10, auxPrice=0.10))
    t.quote("DIS", 95.50, 95.70)
    known = t.order(order_id, CLIENT_ID)
    check("still working", known.status in ("Submitted", "PreSubmitted"), True)
    await c.do("cancel", order_id=order_id)
    await cancelled(c, t, order_id)


@scenario("order types", "market to limit: the rest stands at the price that it took")
async def market_to_limit(c: Witness, t: Stage) -> None:
    t.quote("XOM", 115.00, 115.02, 500, 30)
    order_id = await place(c, stock(t, "XOM"), order("BUY", "MTL", 50))
    row = await c.wait("status", order_id=order_id, filled=30)
    check("rest", row["remaining"], 20)
    t.quote("XOM", 115.00, 115.05, 500, 500)
    t.quote("XOM", 115.00, 115.02, 500, 500)
    rows = await filled(c, t, order_id)
    check("prices", {row["price"] for row in rows}, {115.02})


@scenario("order types", "limit if touched")
async def limit_if_touched(c: Witness, t: Stage) -> None:
    t.quote("WMT", 80.00, 80.02)
    t.trade("WMT", 80.01)
    order_id = await place(c, stock(t, "WMT"), order("BUY", "LIT", 10, auxPrice=79.50, lmtPrice=79.52))
    await working(c, t, order_id, "PreSubmitted")
    await told(c, order_id, orderType="LIT", auxPrice=79.5, lmtPrice=79.52)
    t.quote("WMT", 79.48, 79.50)
    t.trade("WMT", 79.50)
    await filled(c, t, order_id)


@scenario("order types", "a trailing stop with a limit")
async def trail_limit(c: Witness, t: Stage) -> None:
    t.quote("BAC", 40.00, 40.02)
    t.trade("BAC", 40.01)
    asked = order("SELL", "TRAIL LIMIT", 10, auxPrice=0.50, trailStopPrice=39.5, lmtPriceOffset=0.05)
    order_id = await place(c, stock(t, "BAC"), asked)
    await working(c, t, order_id, "PreSubmitted")
    await told(c, order_id, orderType="TRAIL LIMIT", auxPrice=0.5)
    await c.do("cancel", order_id=order_id)
    await cancelled(c, t, order_id)


@scenario("order types", "an iceberg: the shown part is kept, all of it fills")
async def iceberg(c: Witness, t: Stage) -> None:
    t.quote("NVDA", 125.00, 125.04)
    order_id = await rests(c, t, "NVDA", order("BUY", "LMT", 100, lmtPrice=124.90, displaySize=20))
    await told(c, order_id, displaySize=20)
    t.quote("NVDA", 124.80, 124.85, 500, 500)
    rows = await filled(c, t, order_id)
    check("shares", sum(row["shares"] for row in rows), 100)


@scenario("order types", "discretion: it trades beyond its limit and shows it not")
async def discretion(c: Witness, t: Stage) -> None:
    t.quote("AMD", 150.00, 150.20)
    asked = order("BUY", "LMT", 10, lmtPrice=150.05, discretionaryAmt=0.10)
    order_id = await rests(c, t, "AMD", asked)
    await told(c, order_id, discretionaryAmt=0.1, lmtPrice=150.05)
    t.quote("AMD", 150.00, 150.12)
    rows = await filled(c, t, order_id)
    close("price", rows[0]["price"], 150.12)


@scenario("order types", "all or none waits for enough")
async def all_or_none(c: Witness, t: Stage) -> None:
    t.quote("META", 560.00, 560.10, 500, 10)
    order_id = await place(c, stock(t, "META"), order("BUY", "LMT", 50, lmtPrice=560.10, allOrNone=True))
    await working(c, t, order_id)
    check("nothing yet", t.executions(order_id, CLIENT_ID), [])
    t.quote("META", 560.00, 560.10, 500, 500)
    rows = await filled(c, t, order_id)
    check("in one", [row["shares"] for row in rows], [50])


@scenario("order types", "an unknown type is refused: 387")
async def unknown(c: Witness, t: Stage) -> None:
    t.quote("SPY", 560.00, 560.02)
    order_id = await place(c, stock(t, "SPY"), order("BUY", "GUESS", 10))
    await c.error(387, req=order_id)
    check("at the broker", [v for v in t.exchange.open_orders() if v.order_id == order_id], [])
