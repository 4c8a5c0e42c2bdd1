"""Orders from placing to their end, as the client sees them and as the broker keeps them. TWS-BEHAVIOUR.md
C1, C2.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.scenarios.base import CLIENT_ID, check, close, next_id, order, place, scenario, stock
from tests.conformance.stage import ACCOUNT, Stage
from tests.conformance.witness import Mismatch, Witness

ENDED = ("Filled", "Cancelled", "ApiCancelled", "Inactive")


async def status(c: Witness, order_id: int, *wanted: str, since: int = 0) -> dict[str, Any]:
    """The first status of an order that is one of these."""
    return await c.wait("status", order_id=order_id, since=since, where=lambda row: row["status"] in wanted)


async def filled(c: Witness, t: Stage, order_id: int) -> list[dict[str, Any]]:
    """It filled: status, executions and commissions agree with the broker. Returns the executions."""
    row = await status(c, order_id, "Filled")
    known = t.order(order_id, CLIENT_ID)
    check("status at the broker", known.status, "Filled")
    check("filled, remaining", (row["filled"], row["remaining"]), (float(known.filled), 0))
    close("average price", row["average"], known.average_price)
    check("permId", row["perm_id"], known.perm_id)
    truth = t.executions(order_id, CLIENT_ID)
    for report in truth:
        done = report.executed
        seen = await c.wait("execution", execId=done.exec_id)
        check("side", seen["side"], done.side)
        check("shares, price", (seen["shares"], seen["price"]), (float(done.quantity), float(done.price)))
        check("order and permId", (seen["orderId"], seen["permId"]), (order_id, known.perm_id))
        check("account", seen["acctNumber"], done.account)
        paid = await c.wait("commission", execId=done.exec_id)
        close("commission", paid["amount"], report.commission.amount)
        check("its currency", paid["currency"], report.commission.currency)
    live = [row for row in c.seen("execution", orderId=order_id) if row["req"] == -1]
    check(
        "each execution once",
        sorted(row["execId"] for row in live),
        sorted(r.executed.exec_id for r in truth),
    )
    return live


async def working(c: Witness, t: Stage, order_id: int, *wanted: str) -> Any:
    """The order lives at the client and at the broker; returns the broker's view."""
    row = await status(c, order_id, *(wanted or ("Submitted", "PreSubmitted")))
    known = t.order(order_id, CLIENT_ID)
    if known is None or known.status in ENDED:
        raise Mismatch(f"the client saw {row['status']}, the broker has {known}")
    return known


async def cancelled(c: Witness, t: Stage, order_id: int, since: int = 0) -> None:
    """Cancelled at both, and 202 said so."""
    await status(c, order_id, "Cancelled", since=since)
    await c.error(202, req=order_id)
    check("status at the broker", t.order(order_id, CLIENT_ID).status, "Cancelled")


@scenario("orders", "a market order fills: status, execution, commission")
async def market(c: Witness, t: Stage) -> None:
    t.quote("SPY", 560.00, 560.02)
    order_id = await place(c, stock(t, "SPY"), order("BUY", "MKT", 100, orderRef="conformance"))
    rows = await filled(c, t, order_id)
    close("price", rows[0]["price"], 560.02)
    check("reference", rows[0]["orderRef"], "conformance")
    c.note(shares=[row["shares"] for row in rows], prices=[row["price"] for row in rows])


@scenario("orders", "a limit order rests, is changed, is cancelled")
async def limit(c: Witness, t: Stage) -> None:
    t.quote("AAPL", 225.00, 225.02)
    asked = order("BUY", "LMT", 50, lmtPrice=220.00)
    order_id = await place(c, stock(t, "AAPL"), asked)
    await working(c, t, order_id, "Submitted")
    row = await c.wait("open_order", order_id=order_id)
    check("price and size", (row["order"]["lmtPrice"], row["order"]["totalQuantity"]), (220.0, 50))
    await c.do("place", order_id=order_id, contract=stock(t, "AAPL"), order=asked | {"lmtPrice": 221.5})
    await c.wait("open_order", order_id=order_id, where=lambda row: row["order"]["lmtPrice"] == 221.5)
    check("price at the broker", float(t.order(order_id, CLIENT_ID).ticket.limit_price), 221.5)
    mark = c.mark()
    await c.do("cancel", order_id=order_id)
    await cancelled(c, t, order_id, mark)


@scenario("orders", "a resting order fills when the market comes to it")
async def comes(c: Witness, t: Stage) -> None:
    t.quote("MSFT", 420.00, 420.02)
    order_id = await place(c, stock(t, "MSFT"), order("BUY", "LMT", 30, lmtPrice=419.50))
    await working(c, t, order_id, "Submitted")
    t.quote("MSFT", 419.40, 419.45)
    rows = await filled(c, t, order_id)
    check("not worse than its limit", rows[0]["price"] <= 419.5, True)


@scenario("orders", "partial fills add up")
async def partial(c: Witness, t: Stage) -> None:
    t.quote("QQQ", 480.00, 480.02, 100, 40)
    order_id = await place(c, stock(t, "QQQ"), order("BUY", "LMT", 100, lmtPrice=480.02))
    row = await c.wait("status", order_id=order_id, filled=40)
    check("status of a part", (row["status"], row["remaining"]), ("Submitted", 60))
    t.quote("QQQ", 480.00, 480.01, 100, 200)
    rows = await filled(c, t, order_id)
    check("parts", sum(row["shares"] for row in rows), 100)


@scenario("orders", "what a client sends comes back in openOrder")
async def echo(c: Witness, t: Stage) -> None:
    t.quote("IBM", 215.00, 215.10)
    asked = order(
        "SELL", "LMT", 120, lmtPrice=230.25, tif="GTC", orderRef="echo me", outsideRth=True, hidden=False,
        displaySize=20, minQty=10, triggerMethod=2, ocaGroup="echo", ocaType=1,
    )  # fmt: skip
    order_id = await place(c, stock(t, "IBM"), asked)
    row = (await c.wait("open_order", order_id=order_id))["order"]
    for name, value in asked.items():
        check(name, row[name], value)
    check("client id", row["clientId"], CLIENT_ID)
    await working(c, t, order_id)


@scenario("orders", "a bracket: children wait, the entry fills, one side cancels the other")
async def bracket(c: Witness, t: Stage) -> None:
    t.quote("NVDA", 125.00, 125.02)
    contract = stock(t, "NVDA")
    entry = await place(c, contract, order("BUY", "LMT", 100, lmtPrice=124.00, transmit=False))
    goal = await place(
        c, contract, order("SELL", "LMT", 100, lmtPrice=130.00, parentId=entry, transmit=False)
    )
    loss = await place(c, contract, order("SELL", "STP", 100, auxPrice=120.00, parentId=entry, transmit=True))
    await working(c, t, entry, "Submitted")
    await working(c, t, loss, "PreSubmitted")
    check("the goal waits", t.order(goal, CLIENT_ID).status, "PreSubmitted")
    t.quote("NVDA", 123.90, 123.95)
    await filled(c, t, entry)
    await status(c, goal, "Submitted")
    t.quote("NVDA", 130.10, 130.12)
    await filled(c, t, goal)
    await cancelled(c, t, loss)


@scenario("orders", "one cancels all")
async def oca(c: Witness, t: Stage) -> None:
    t.quote("AMD", 150.00, 150.02)
    contract = stock(t, "AMD")
    group = {"ocaGroup": f"group {c.name}", "ocaType": 1}
    low = await place(c, contract, order("BUY", "LMT", 10, lmtPrice=149.00, **group))
    lower = await place(c, contract, order("BUY", "LMT", 10, lmtPrice=148.00, **group))
    await working(c, t, low, "Submitted")
    await working(c, t, lower, "Submitted")
    t.quote("AMD", 148.90, 148.95)
    await filled(c, t, low)
    await cancelled(c, t, lower)


@scenario("orders", "a stop waits, is triggered by a print, fills")
async def stop(c: Witness, t: Stage) -> None:
    t.quote("TSLA", 250.00, 250.05)
    t.trade("TSLA", 250.02)
    order_id = await place(c, stock(t, "TSLA"), order("SELL", "STP", 10, auxPrice=248.00))
    await working(c, t, order_id, "PreSubmitted")
    t.quote("TSLA", 247.80, 247.85)
    t.trade("TSLA", 247.82)
    await filled(c, t, order_id)


@scenario("orders", "a stop-limit rests at its limit after the trigger")
async def stop_limit(c: Witness, t: Stage) -> None:
    t.quote("META", 560.00, 560.10)
    t.trade("META", 560.05)
    order_id = await place(
        c, stock(t, "META"), order("SELL", "STP LMT", 10, auxPrice=555.00, lmtPrice=554.50)
    )
    await working(c, t, order_id, "PreSubmitted")
    t.quote("META", 553.00, 553.10)
    t.trade("META", 553.05)
    await status(c, order_id, "Submitted")
    t.quote("META", 554.60, 554.70)
    await filled(c, t, order_id)


@scenario("orders", "a trailing stop follows the market up and fills on the way down")
async def trailing(c: Witness, t: Stage) -> None:
    t.quote("GOOG", 168.00, 168.02)
    t.trade("GOOG", 168.01)
    order_id = await place(c, stock(t, "GOOG"), order("SELL", "TRAIL", 10, auxPrice=1.00))
    await working(c, t, order_id, "PreSubmitted")
    t.quote("GOOG", 172.00, 172.02)
    t.trade("GOOG", 172.01)
    t.quote("GOOG", 171.40, 171.42)
    t.trade("GOOG", 171.41)
    check("still waits", t.order(order_id, CLIENT_ID).status, "PreSubmitted")
    t.quote("GOOG", 170.80, 170.82)
    t.trade("GOOG", 170.81)
    rows = await filled(c, t, order_id)
    close("near the trailed stop", rows[0]["price"], 170.80, within=0.3)


@scenario("orders", "market if touched")
async def touched(c: Witness, t: Stage) -> None:
    t.quote("AMZN", 185.00, 185.02)
    t.trade("AMZN", 185.01)
    order_id = await place(c, stock(t, "AMZN"), order("BUY", "MIT", 10, auxPrice=183.00))
    await working(c, t, order_id, "PreSubmitted", "Submitted")
    t.quote("AMZN", 182.90, 182.95)
    t.trade("AMZN", 182.92)
    await filled(c, t, order_id)


@scenario("orders", "fill or kill: nothing, then everything")
async def fok(c: Witness, t: Stage) -> None:
    t.quote("XOM", 115.00, 115.02, 100, 50)
    killed = await place(c, stock(t, "XOM"), order("BUY", "LMT", 100, lmtPrice=115.02, tif="FOK"))
    await status(c, killed, "Cancelled")
    check("fills of the killed", t.executions(killed, CLIENT_ID), [])
    t.quote("XOM", 115.00, 115.02, 100, 500)
    await filled(c, t, await place(c, stock(t, "XOM"), order("BUY", "LMT", 100, lmtPrice=115.02, tif="FOK")))


@scenario("orders", "immediate or cancel: a part, the rest is cancelled")
async def ioc(c: Witness, t: Stage) -> None:
    t.quote("WMT", 80.00, 80.02, 100, 60)
    order_id = await place(c, stock(t, "WMT"), order("BUY", "LMT", 100, lmtPrice=80.02, tif="IOC"))
    row = await status(c, order_id, "Cancelled")
    done = t.executions(order_id, CLIENT_ID)
    check("filled at the broker", sum(report.executed.quantity for report in done), 60)
    await c.wait("execution", execId=done[0].executed.exec_id, shares=60)
    check("remaining", row["remaining"], float(t.order(order_id, CLIENT_ID).remaining))


@scenario("orders", "what-if: margin and commission, no order")
async def what_if(c: Witness, t: Stage) -> None:
    t.quote("DIS", 95.00, 95.02)
    order_id = await next_id(c)
    await c.do("what_if", order_id=order_id, contract=stock(t, "DIS"), order=order("BUY", "MKT", 100))
    row = await c.wait("what_if", where=lambda row: row["state"]["initMarginChange"])
    state = row["state"]
    check("margin grows", state["initMarginChange"] > 0, True)
    close(
        "after = before + change",
        state["initMarginAfter"],
        state["initMarginBefore"] + state["initMarginChange"],
        0.02,
    )
    close("before", state["initMarginBefore"], t.value("InitMarginReq"), within=0.02)
    check("commission", state["commission"] > 0, True)
    check("orders at the broker", t.exchange.open_orders(), ())
    c.note(change=state["initMarginChange"], commission=state["commission"])


@scenario("orders", "global cancel")
async def global_cancel(c: Witness, t: Stage) -> None:
    t.quote("BAC", 40.00, 40.02)
    first = await place(c, stock(t, "BAC"), order("BUY", "LMT", 10, lmtPrice=35.00))
    second = await place(c, stock(t, "BAC"), order("BUY", "LMT", 10, lmtPrice=36.00))
    await working(c, t, first, "Submitted")
    await working(c, t, second, "Submitted")
    await c.do("global_cancel")
    await cancelled(c, t, first)
    await cancelled(c, t, second)
    check("open orders at the broker", t.exchange.open_orders(), ())


@scenario("orders", "an order for the second account")
async def second_account(c: Witness, t: Stage) -> None:
    other = t.exchange.accounts()[1]
    t.quote("AIG", 74.00, 74.02)
    order_id = await place(c, stock(t, "AIG"), order("BUY", "MKT", 5, account=other))
    rows = await filled(c, t, order_id)
    check("account of the fill", rows[0]["acctNumber"], other)
    check("not in the first", t.security("AIG").con_id in t.positions(ACCOUNT), False)
