"""A TWS in trouble, and humans at it: the simulator's faults as clients see them. TWS-BEHAVIOUR.md A4, A6."""

from __future__ import annotations

import asyncio

from tests.conformance.scenarios.base import CLIENT_ID, check, order, place, scenario, stock
from tests.conformance.scenarios.link import connect
from tests.conformance.scenarios.live import quoted, subscribe
from tests.conformance.scenarios.orders import cancelled, filled, status, working
from tests.conformance.stage import Stage
from tests.conformance.witness import Witness


@scenario("mishaps", "connectivity lost and restored: 1100, then 1102, data flow again")
async def offline(c: Witness, t: Stage) -> None:
    t.quote("SPY", 560.00, 560.02)
    key = await subscribe(c, stock(t, "SPY"))
    await quoted(c, key, bid=560.0)
    t.sim.faults.play("connectivity-lost", lasts="4s")
    row = await c.error(1100, req=-1)
    check("text", row["text"], "Connectivity between IBKR and Trader Workstation has been lost.")
    await c.error(1102, req=-1)
    t.quote("SPY", 561.00, 561.02)
    await quoted(c, key, bid=561.0)
    await c.do("cancel_market_data", req=key)


@scenario("mishaps", "a fill while the connection was lost is told after it")
async def fills_meanwhile(c: Witness, t: Stage) -> None:
    t.quote("AAPL", 225.00, 225.02)
    order_id = await place(c, stock(t, "AAPL"), order("BUY", "LMT", 5, lmtPrice=224.0))
    await working(c, t, order_id, "Submitted")
    t.sim.faults.play("connectivity-lost", lasts="4s")
    c.expected.add(322)  # ib_insync asks for another account summary at each 1102; beyond two it is refused
    await c.error(1100)
    t.quote("AAPL", 223.90, 223.92)
    await c.until(lambda: t.executions(order_id, CLIENT_ID), "the execution at the broker")
    check("told meanwhile", c.seen("execution", orderId=order_id), [])
    await c.error(1102)
    await filled(c, t, order_id)


@scenario("mishaps", "a market data farm breaks and comes back: 2103, 2104")
async def farm(c: Witness, t: Stage) -> None:
    t.sim.faults.play("farm-flap", lasts="3s")
    row = await c.error(2103)
    check("text", row["text"], "Market data farm connection is broken:usfarm")
    await c.error(2104)


@scenario("mishaps", "a competing session takes the data: 10197 on the line")
async def competing(c: Witness, t: Stage) -> None:
    t.quote("QQQ", 480.00, 480.02)
    key = await subscribe(c, stock(t, "QQQ"))
    await quoted(c, key, bid=480.0)
    t.sim.faults.play("competing-session", lasts="2s")
    await c.error(10197, req=key)
    t.sim.faults.clear()
    await c.do("cancel_market_data", req=key)


@scenario("mishaps", "a preset changes the time in force: 10349, the order lives")
async def preset(c: Witness, t: Stage) -> None:
    t.quote("IBM", 215.00, 215.02)
    t.sim.faults.play("preset-change")
    order_id = await place(c, stock(t, "IBM"), order("BUY", "LMT", 5, lmtPrice=200.0, tif="GTC"))
    await c.error(10349, req=order_id)
    check("time in force at the broker", t.order(order_id, CLIENT_ID).ticket.tif, "DAY")
    await working(c, t, order_id, "Submitted")
    check("called dead", c.seen("status", order_id=order_id, status="Cancelled"), [])
    mark = c.mark()
    await c.do("cancel", order_id=order_id)
    await cancelled(c, t, order_id, mark)


@scenario("mishaps", "a fill after the cancel was confirmed")
async def late_fill(c: Witness, t: Stage) -> None:
    t.quote("DIS", 95.00, 95.02)
    order_id = await place(c, stock(t, "DIS"), order("BUY", "LMT", 5, lmtPrice=90.0))
    await working(c, t, order_id, "Submitted")
    t.sim.faults.play("fill-after-cancel")
    await c.do("cancel", order_id=order_id)
    await status(c, order_id, "Cancelled")
    await c.error(202, req=order_id)
    row = await c.wait("execution", orderId=order_id)
    truth = t.executions(order_id, CLIENT_ID)
    check("execution", row["execId"], truth[0].executed.exec_id)
    check("shares", row["shares"], 5)


@scenario("mishaps", "a human cancels the order in TWS")
async def manual_cancel(c: Witness, t: Stage) -> None:
    t.quote("XOM", 115.00, 115.02)
    order_id = await place(c, stock(t, "XOM"), order("BUY", "LMT", 5, lmtPrice=100.0))
    await working(c, t, order_id, "Submitted")
    t.sim.faults.play("manual-cancel", client=CLIENT_ID, order=order_id)
    await cancelled(c, t, order_id)


@scenario("mishaps", "client 0 hears of orders that a human placed")
async def manual_order(c: Witness, t: Stage) -> None:
    t.quote("WMT", 80.00, 80.02)
    await connect(c, t, "zero", 0)
    await c.do("auto_bind", session="zero", bind=True)
    await asyncio.sleep(0.2)
    mark = c.mark()
    t.sim.faults.play("manual-order", symbol="WMT", quantity=7, price=70.0)
    wanted = t.security("WMT").con_id
    row = await c.wait(
        "open_order", session="zero", since=mark, where=lambda row: row["contract"]["conId"] == wanted
    )
    check("size and price", (row["order"]["totalQuantity"], row["order"]["lmtPrice"]), (7, 70))
    living = [view for view in t.exchange.open_orders() if view.con_id == wanted]
    check("permId", row["order"]["permId"], living[0].perm_id)
    check("the main session heard of it", c.seen("open_order", since=mark), [])


@scenario("mishaps", "a human trades: the position is told")
async def manual_trade(c: Witness, t: Stage) -> None:
    t.quote("BAC", 40.00, 40.02)
    con_id = t.security("BAC").con_id
    await c.do("positions")
    await c.wait("positions_end")
    mark = c.mark()
    t.sim.faults.play("manual-order", symbol="BAC", quantity=9)
    await c.wait("position", conId=con_id, since=mark, where=lambda row: row["position"])
    held = t.positions()[con_id].quantity
    check("position", c.seen("position", conId=con_id, since=mark)[-1]["position"], float(held))


@scenario("mishaps", "the socket is cut: the client notices, comes again, finds its order")
async def cut(c: Witness, t: Stage) -> None:
    t.quote("GOOG", 168.00, 168.02)
    await connect(c, t, "cut", 24)
    order_id = await place(c, stock(t, "GOOG"), order("BUY", "LMT", 4, lmtPrice=150.0), session="cut")
    await c.until(lambda: t.order(order_id, 24), "the order at the broker")
    t.sim.faults.play("cut", client=24)
    await c.wait("closed", session="cut")
    await c.until(lambda: 24 not in t.sim.core.by_client, "the session's end at the broker")
    await connect(c, t, "again", 24)
    mark = c.mark()
    await c.do("open_orders", session="again")
    await c.wait("open_orders_end", session="again", since=mark)
    rows = c.seen("open_order", session="again")
    check("orders", {row["order_id"] for row in rows}, {order_id})
