"""Orders that wait for a time, a price, another order or a volume, and combos. TWS-BEHAVIOUR.md C, and the
issue's list.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from tests.conformance.scenarios.base import CLIENT_ID, check, order, place, scenario, stock
from tests.conformance.scenarios.contracts import option
from tests.conformance.scenarios.orders import ENDED, filled, status, working
from tests.conformance.stage import Stage
from tests.conformance.witness import Witness

AHEAD_S = 8
"""Market seconds; the stage's clock runs faster than the wall's."""


def at(t: Stage, seconds: float, form: str = "%Y%m%d-%H:%M:%S") -> str:
    """A UTC time ahead of the market's now."""
    return datetime.fromtimestamp(t.now_s() + seconds, UTC).strftime(form)


async def waits(c: Witness, t: Stage, symbol: str, *conditions: dict[str, Any], **fields: Any) -> int:
    """A market order with conditions that does not trade yet."""
    order_id = await place(
        c, stock(t, symbol), order("BUY", "MKT", 10, conditions=list(conditions), **fields)
    )
    await working(c, t, order_id, "PreSubmitted", "Submitted")
    check("fills before the condition", t.executions(order_id, CLIENT_ID), [])
    row = await c.wait("open_order", order_id=order_id)
    check("conditions come back", row["order"]["conditions"], [worded(asked) for asked in conditions])
    return order_id


def worded(asked: dict[str, Any]) -> list[Any]:
    """A condition as drivers say it."""
    kind = asked["kind"]
    if kind == "execution":
        return [kind, asked["secType"], asked["symbol"]]
    value = next(
        asked[name] for name in ("price", "time", "percent", "volume", "changePercent") if name in asked
    )
    return [kind, asked["isMore"], value, *([asked["conId"]] if "conId" in asked else [])]


@scenario("conditions", "price condition")
async def price(c: Witness, t: Stage) -> None:
    t.quote("SPY", 560.00, 560.02)
    t.trade("SPY", 560.01)
    t.quote("AAPL", 225.00, 225.02)
    con_id = t.security("SPY").con_id
    asked = {
        "kind": "price",
        "conId": con_id,
        "exchange": "SMART",
        "isMore": True,
        "price": 565.0,
        "triggerMethod": 0,
    }
    order_id = await waits(c, t, "AAPL", asked)
    t.quote("SPY", 565.10, 565.12)
    t.trade("SPY", 565.11)
    await filled(c, t, order_id)


@scenario("conditions", "time condition")
async def time(c: Witness, t: Stage) -> None:
    t.quote("MSFT", 420.00, 420.02)
    order_id = await waits(c, t, "MSFT", {"kind": "time", "isMore": True, "time": at(t, AHEAD_S)})
    await asyncio.sleep(0.1)
    await filled(c, t, order_id)


@scenario("conditions", "volume condition")
async def volume(c: Witness, t: Stage) -> None:
    t.quote("IBM", 215.00, 215.02)
    known = t.security("TSLA")
    wanted = t.sim.core.tapes[known.con_id].volume + 5000
    asked = {
        "kind": "volume",
        "conId": known.con_id,
        "exchange": "SMART",
        "isMore": True,
        "volume": int(wanted),
    }
    order_id = await waits(c, t, "IBM", asked)
    t.trade("TSLA", known.price, 9000)
    await filled(c, t, order_id)


@scenario("conditions", "execution condition")
async def execution(c: Witness, t: Stage) -> None:
    t.quote("QQQ", 480.00, 480.02)
    t.quote("DIS", 95.00, 95.02)
    order_id = await waits(
        c, t, "QQQ", {"kind": "execution", "secType": "STK", "exchange": "SMART", "symbol": "DIS"}
    )
    await filled(c, t, await place(c, stock(t, "DIS"), order("BUY", "MKT", 1)))
    await filled(c, t, order_id)


@scenario("conditions", "margin condition")
async def margin(c: Witness, t: Stage) -> None:
    t.quote("XOM", 115.00, 115.02)
    order_id = await waits(c, t, "XOM", {"kind": "margin", "isMore": False, "percent": 1})
    check("still waits", t.order(order_id, CLIENT_ID).status in ENDED, False)


@scenario("conditions", "percent-change condition, joined with a price")
async def percent(c: Witness, t: Stage) -> None:
    known, other = t.security("AMD"), t.security("NVDA")
    t.quote("AMD", 150.00, 150.02)
    t.trade("AMD", 150.01)
    t.quote("NVDA", 125.00, 125.02)
    t.trade("NVDA", 125.01)
    t.quote("META", 560.00, 560.02)
    order_id = await waits(
        c, t, "META",
        {"kind": "percentchange", "conId": known.con_id, "exchange": "SMART", "isMore": True,
         "changePercent": 5.0},
        {"kind": "price", "conId": other.con_id, "exchange": "SMART", "isMore": True, "price": 126.0,
         "triggerMethod": 0},
    )  # fmt: skip
    t.quote("AMD", 160.00, 160.02)
    t.trade("AMD", 160.01)
    check("one of two is not enough", t.executions(order_id, CLIENT_ID), [])
    t.quote("NVDA", 127.00, 127.02)
    t.trade("NVDA", 127.01)
    await filled(c, t, order_id)


@scenario("conditions", "good till date: the order expires")
async def good_till(c: Witness, t: Stage) -> None:
    t.quote("GOOG", 168.00, 168.02)
    asked = order("BUY", "LMT", 10, lmtPrice=150.0, tif="GTD", goodTillDate=at(t, AHEAD_S))
    order_id = await place(c, stock(t, "GOOG"), asked)
    await working(c, t, order_id, "Submitted")
    await status(c, order_id, "Cancelled")
    check("at the broker", t.order(order_id, CLIENT_ID).status, "Cancelled")


@scenario("conditions", "good after time: the order waits, then trades")
async def good_after(c: Witness, t: Stage) -> None:
    t.quote("GOOGL", 167.00, 167.02)
    asked = order("BUY", "MKT", 10, goodAfterTime=at(t, AHEAD_S))
    order_id = await place(c, stock(t, "GOOGL"), asked)
    await working(c, t, order_id, "PreSubmitted")
    check("no fill before", t.executions(order_id, CLIENT_ID), [])
    await filled(c, t, order_id)


@scenario("conditions", "a combo of two legs fills leg by leg")
async def combo(c: Witness, t: Stage) -> None:
    call = await option(c, t, "AAPL")
    con_id, share = call["conId"], t.security("AAPL")
    t.quote("AAPL", 225.00, 225.02)
    t.quote(con_id, 5.00, 5.10)
    bag = {
        "symbol": "AAPL", "secType": "BAG", "exchange": "SMART", "currency": "USD",
        "legs": [[share.con_id, 100, "BUY", "SMART"], [con_id, 1, "SELL", "SMART"]],
    }  # fmt: skip
    order_id = await place(c, bag, order("BUY", "LMT", 1, lmtPrice=22500.0))
    await status(c, order_id, "Filled")
    legs = {share.con_id, con_id}
    check(
        "fills at the broker",
        legs <= {one.executed.con_id for one in t.executions(order_id, CLIENT_ID)},
        True,
    )
    for leg in legs:
        row = await c.wait("execution", orderId=order_id, conId=leg)
        await c.wait("commission", execId=row["execId"])
    check("both legs are held", {share.con_id, con_id} <= set(t.positions()), True)
