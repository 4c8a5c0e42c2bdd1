"""Accounts, portfolio, positions, profit and loss, after a trade by the client. TWS-BEHAVIOUR.md D."""

from __future__ import annotations

from typing import Any

from tests.conformance.scenarios.base import CLIENT_ID, check, close, order, place, scenario, stock
from tests.conformance.stage import ACCOUNT, ACCOUNTS, Stage
from tests.conformance.witness import Mismatch, Witness

TAGS = "NetLiquidation,TotalCashValue,BuyingPower,GrossPositionValue,AvailableFunds,InitMarginReq"
CENT = 0.011


async def hold(c: Witness, t: Stage, symbol: str, quantity: int) -> int:
    """Make sure that the client's account holds this many; returns the conId."""
    con_id = t.security(symbol).con_id
    held = t.positions().get(con_id)
    if held is None or held.quantity != quantity:
        missing = quantity - int(held.quantity if held else 0)
        order_id = await place(
            c, stock(t, symbol), order("BUY" if missing > 0 else "SELL", "MKT", abs(missing))
        )
        await c.until(lambda: len(t.executions(order_id, CLIENT_ID)) > 0, "an execution at the broker")
        await c.wait("commission")
    return con_id


def nearly(t: Stage, rows: list[dict[str, Any]], key: str) -> None:
    """The newest row of this key agrees with the broker to the cent."""
    values = [row["value"] for row in rows if row["key"] == key and row["currency"] in ("USD", "BASE", None)]
    if not values:
        raise Mismatch(f"no {key} among {sorted({row['key'] for row in rows})}")
    close(key, values[-1], t.value(key), within=CENT)


@scenario("account", "account updates: values, portfolio, end")
async def updates(c: Witness, t: Stage) -> None:
    con_id = await hold(c, t, "SPY", 100)
    await c.do("values", account=ACCOUNT)
    await c.wait("values_end", account=ACCOUNT)
    rows = c.seen("value", account=ACCOUNT)
    for key in ("NetLiquidation", "TotalCashValue", "AvailableFunds", "BuyingPower", "GrossPositionValue"):
        nearly(t, rows, key)
    row = await c.wait("portfolio", conId=con_id, position=100)
    known = t.positions()[con_id]
    close("average cost", row["cost"], known.average_cost)
    close("market price", row["price"], known.market_price, within=0.01)
    close("unrealised", row["unrealized"], known.unrealized_pnl, within=CENT)


@scenario("account", "the portfolio follows a fill")
async def follows(c: Witness, t: Stage) -> None:
    await c.do("values", account=ACCOUNT)
    await c.wait("values_end", account=ACCOUNT)
    con_id = await hold(c, t, "BAC", 200)
    await c.wait("portfolio", conId=con_id, position=200)
    mark = c.mark()
    await hold(c, t, "BAC", 0)
    await c.wait("portfolio", conId=con_id, position=0, since=mark)


@scenario("account", "account updates of several accounts at once")
async def multi(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do("multi_values", req=key, account=ACCOUNTS[1])
    await c.wait("multi_values_end", req=key)
    rows = c.seen("multi_value", req=key, account=ACCOUNTS[1])
    values = {row["key"]: row["value"] for row in rows if row["currency"] in ("USD", "BASE")}
    close("NetLiquidation", values["NetLiquidation"], t.value("NetLiquidation", ACCOUNTS[1]), within=CENT)


@scenario("account", "account summary of all accounts")
async def summary(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do("summary", req=key, tags=TAGS)
    await c.wait("summary_end", req=key)
    rows = c.seen("summary", req=key)
    for account in ACCOUNTS:
        for tag in TAGS.split(","):
            row = next((row for row in rows if (row["account"], row["tag"]) == (account, tag)), None)
            if row is None:
                raise Mismatch(f"no {tag} of {account}; saw {c.recent()}")
            close(f"{tag} of {account}", row["value"], t.value(tag, account), within=CENT)
    await c.do("cancel_summary", req=key)


@scenario("account", "positions, and the end of them")
async def positions(c: Witness, t: Stage) -> None:
    con_id = await hold(c, t, "SPY", 100)
    await c.do("positions")
    await c.wait("positions_end")
    rows = {row["conId"]: row for row in c.seen("position", account=ACCOUNT) if row["position"]}
    known = t.positions()
    check("held", sorted(rows), sorted(known))
    for con_id, row in rows.items():
        check("quantity", row["position"], float(known[con_id].quantity))
        close("average cost", row["cost"], known[con_id].average_cost)


@scenario("account", "a position that closes is told as 0")
async def closes(c: Witness, t: Stage) -> None:
    await c.do("positions")
    await c.wait("positions_end")
    con_id = await hold(c, t, "DIS", 10)
    await c.wait("position", conId=con_id, position=10)
    await hold(c, t, "DIS", 0)
    await c.wait("position", conId=con_id, position=0)


@scenario("account", "positions of one account by request id")
async def multi_positions(c: Witness, t: Stage) -> None:
    con_id = await hold(c, t, "SPY", 100)
    key = c.key()
    await c.do("multi_positions", req=key, account=ACCOUNT)
    await c.wait("multi_positions_end", req=key)
    check("quantity", [row["position"] for row in c.seen("multi_position", req=key, conId=con_id)], [100])


@scenario("account", "profit and loss of the account")
async def pnl(c: Witness, t: Stage) -> None:
    con_id = await hold(c, t, "SPY", 100)
    key = c.key()
    await c.do("pnl", req=key, account=ACCOUNT)
    await c.wait("pnl", req=key)
    mark = c.mark()
    price = t.security("SPY").price
    t.quote("SPY", price + 1.00, price + 1.02)
    t.trade("SPY", price + 1.01)
    known = sum(float(row.unrealized_pnl) for row in t.positions().values())
    await c.wait("pnl", req=key, since=mark, where=lambda row: abs(row["unrealized"] - known) < CENT)
    check("has a daily figure", c.seen("pnl", req=key)[-1]["daily"] is not None, True)
    await c.do("cancel_pnl", req=key)
    check("still held", con_id in t.positions(), True)


@scenario("account", "profit and loss of one position")
async def pnl_single(c: Witness, t: Stage) -> None:
    con_id = await hold(c, t, "SPY", 100)
    key = c.key()
    await c.do("pnl_single", req=key, account=ACCOUNT, conId=con_id)
    known = t.positions()[con_id]
    row = await c.wait("pnl_single", req=key, position=100)
    close("unrealised", row["unrealized"], known.unrealized_pnl, within=CENT)
    close("value", row["value"], known.market_value, within=CENT)
    await c.do("cancel_pnl_single", req=key)
