"""What the broker answers about orders: open, completed, executions; whose they are. TWS-BEHAVIOUR.md A4,
C4.
"""

from __future__ import annotations

from tests.conformance.scenarios.base import CLIENT_ID, check, close, order, place, scenario, stock
from tests.conformance.scenarios.link import connect
from tests.conformance.scenarios.orders import cancelled, filled, working
from tests.conformance.stage import Stage
from tests.conformance.witness import Witness


@scenario("books", "open orders of this client, once")
async def open_orders(c: Witness, t: Stage) -> None:
    t.quote("AAPL", 225.00, 225.02)
    order_id = await place(c, stock(t, "AAPL"), order("BUY", "LMT", 7, lmtPrice=200.0, orderRef="mine"))
    await working(c, t, order_id, "Submitted")
    mark = c.mark()
    await c.do("open_orders")
    await c.wait("open_orders_end", since=mark)
    rows = c.seen("open_order", since=mark)
    check("orders", [row["order_id"] for row in rows], [order_id])
    check("reference", rows[0]["order"]["orderRef"], "mine")
    check("permId", rows[0]["order"]["permId"], t.order(order_id, CLIENT_ID).perm_id)


@scenario("books", "all open orders, with the ids of their clients")
async def all_open_orders(c: Witness, t: Stage) -> None:
    t.quote("MSFT", 420.00, 420.02)
    await connect(c, t, "neighbour", 21)
    mine = await place(c, stock(t, "MSFT"), order("BUY", "LMT", 7, lmtPrice=400.0))
    theirs = await place(c, stock(t, "MSFT"), order("BUY", "LMT", 8, lmtPrice=401.0), session="neighbour")
    await working(c, t, mine, "Submitted")
    await c.until(lambda: t.order(theirs, 21), "the neighbour's order at the broker")
    mark = c.mark()
    await c.do("all_open_orders")
    await c.wait("open_orders_end", since=mark)
    rows = c.seen("open_order", since=mark)
    seen = sorted((row["order"]["clientId"], row["order"]["totalQuantity"]) for row in rows)
    check("orders by client", seen, [(CLIENT_ID, 7), (21, 8)])


@scenario("books", "another client's order cannot be cancelled: 10147")
async def not_mine(c: Witness, t: Stage) -> None:
    t.quote("IBM", 215.00, 215.02)
    await connect(c, t, "owner", 22)
    order_id = 90_000
    await c.do(
        "place",
        session="owner",
        order_id=order_id,
        contract=stock(t, "IBM"),
        order=order("BUY", "LMT", 3, lmtPrice=200.0),
    )
    await c.until(lambda: t.order(order_id, 22), "the order at the broker")
    await c.do("cancel", order_id=order_id)
    await c.error(10147, req=order_id)
    check("the order lives", t.order(order_id, 22).status, "Submitted")


@scenario("books", "auto-bind from a client other than 0: 327")
async def auto_bind(c: Witness, t: Stage) -> None:
    await c.do("auto_bind", bind=True)
    row = await c.error(327)
    check("text", row["text"].startswith("Only API connections with clientId set to 0"), True)


@scenario("books", "completed orders: filled and cancelled")
async def completed(c: Witness, t: Stage) -> None:
    t.quote("QQQ", 480.00, 480.02)
    bought = await place(c, stock(t, "QQQ"), order("BUY", "MKT", 4, orderRef="done"))
    await filled(c, t, bought)
    gone = await place(c, stock(t, "QQQ"), order("BUY", "LMT", 4, lmtPrice=400.0, orderRef="gone"))
    await working(c, t, gone, "Submitted")
    await c.do("cancel", order_id=gone)
    await cancelled(c, t, gone)
    perm_ids = {t.order(bought, CLIENT_ID).perm_id: "Filled", t.order(gone, CLIENT_ID).perm_id: "Cancelled"}
    mark = c.mark()
    await c.do("completed", api_only=False)
    await c.wait("completed_end", since=mark)
    rows = {row["order"]["permId"]: row["state"] for row in c.seen("completed", since=mark)}
    check("all that the broker completed", len(rows), len(t.exchange.completed_orders()))
    check("status", {perm_id: rows[perm_id]["status"] for perm_id in perm_ids}, perm_ids)
    for perm_id, text in zip(perm_ids, ("Filled Size: 4", "Cancelled by Trader"), strict=True):
        said = rows[perm_id]["completedStatus"]
        if said is not None:  # ib_* keep no such text
            check("completed status", said, text)


@scenario("books", "executions on request, with commissions")
async def executions(c: Witness, t: Stage) -> None:
    t.quote("AMZN", 185.00, 185.02)
    order_id = await place(c, stock(t, "AMZN"), order("BUY", "MKT", 6))
    await filled(c, t, order_id)
    key = c.key()
    await c.do("executions", req=key, filter={})
    await c.wait("executions_end", req=key)
    seen = {row["execId"]: row for row in c.seen("execution", req=key)}
    truth = {report.executed.exec_id: report for report in t.exchange.executions()}
    check("executions", sorted(seen), sorted(truth))
    for exec_id, report in truth.items():
        if report.executed.con_id not in t.sim.core.tapes:
            continue  # the whole of a combo: its legs are charged
        row = await c.wait("commission", execId=exec_id)
        close("commission", row["amount"], report.commission.amount)
        check("price", seen[exec_id]["price"], float(report.executed.price))


@scenario("books", "executions filtered by symbol, side and client")
async def filtered(c: Witness, t: Stage) -> None:
    t.quote("BAC", 40.00, 40.02)
    await filled(c, t, await place(c, stock(t, "BAC"), order("BUY", "MKT", 3)))
    await filled(c, t, await place(c, stock(t, "BAC"), order("SELL", "MKT", 3)))
    key = c.key()
    await c.do("executions", req=key, filter={"symbol": "BAC", "side": "SELL", "clientId": CLIENT_ID})
    await c.wait("executions_end", req=key)
    con_id = t.security("BAC").con_id
    truth = [
        report.executed.exec_id for report in t.exchange.executions()
        if report.executed.con_id == con_id and report.executed.side == "SLD"
    ]  # fmt: skip
    check("executions", sorted(row["execId"] for row in c.seen("execution", req=key)), sorted(truth))


@scenario("books", "orders outlive their session: told again after it")
async def outlive(c: Witness, t: Stage) -> None:
    t.quote("DIS", 95.00, 95.02)
    await connect(c, t, "before", 23)
    order_id = await place(c, stock(t, "DIS"), order("BUY", "LMT", 9, lmtPrice=90.0), session="before")
    await c.until(lambda: t.order(order_id, 23), "the order at the broker")
    await c.do("disconnect", session="before")
    await c.until(lambda: 23 not in t.sim.core.by_client, "the session's end at the broker")
    check("the order lives", t.order(order_id, 23).status, "Submitted")
    await connect(c, t, "after", 23)
    mark = c.mark()
    await c.do("open_orders", session="after")
    await c.wait("open_orders_end", session="after", since=mark)
    rows = c.seen("open_order", session="after", since=mark)
    check("orders", {row["order_id"] for row in rows}, {order_id})
    check("next id", t.exchange.next_order_id(23) > order_id, True)
