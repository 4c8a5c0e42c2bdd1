"""What a TWS refuses, and in which words. TWS-BEHAVIOUR.md A8, C3."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.conformance.scenarios.base import CLIENT_ID, check, order, place, scenario, stock
from tests.conformance.scenarios.orders import filled, status, working
from tests.conformance.stage import Stage
from tests.conformance.witness import Mismatch, Witness

ANSWER_S = 3.0


@scenario("refusals", "an order beyond the account's means: 201, then Inactive")
async def too_big(c: Witness, t: Stage) -> None:
    t.quote("SPY", 560.00, 560.02, 10**6, 10**6)
    order_id = await place(c, stock(t, "SPY"), order("BUY", "MKT", 500_000))
    row = await c.error(201, req=order_id)
    check("text", row["text"].startswith("Order rejected - reason:"), True)
    await status(c, order_id, "Inactive", "Cancelled")  # ib_* call a refused order cancelled at once
    check("fills", t.executions(order_id, CLIENT_ID), [])


@scenario("refusals", "a price off the grid: 110")
async def off_grid(c: Witness, t: Stage) -> None:
    t.quote("AAPL", 225.00, 225.02)
    order_id = await place(c, stock(t, "AAPL"), order("BUY", "LMT", 10, lmtPrice=200.001))
    row = await c.error(110, req=order_id)
    text = "The price does not conform to the minimum price variation for this contract."
    check("text", row["text"], text)
    check("orders at the broker", t.exchange.open_orders(), ())


@scenario("refusals", "a change to a price off the grid: 110, the order lives on")
async def change_off_grid(c: Witness, t: Stage) -> None:
    t.quote("MSFT", 420.00, 420.02)
    asked = order("BUY", "LMT", 10, lmtPrice=400.0)
    order_id = await place(c, stock(t, "MSFT"), asked)
    await working(c, t, order_id, "Submitted")
    await c.do("place", order_id=order_id, contract=stock(t, "MSFT"), order=asked | {"lmtPrice": 401.001})
    await c.error(110, req=order_id)
    known = t.order(order_id, CLIENT_ID)
    check("at the broker", (known.status, float(known.ticket.limit_price)), ("Submitted", 400.0))


@scenario("refusals", "cancel of an order that never was: 10147")
async def cancel_unknown(c: Witness, t: Stage) -> None:
    await c.do("cancel", order_id=77_777)
    row = await c.error(10147, req=77_777)
    check("text", row["text"], "OrderId 77777 that needs to be cancelled is not found.")


@scenario("refusals", "cancel of a filled order: 10148")
async def cancel_filled(c: Witness, t: Stage) -> None:
    t.quote("IBM", 215.00, 215.02)
    order_id = await place(c, stock(t, "IBM"), order("BUY", "MKT", 1))
    await filled(c, t, order_id)
    await c.do("cancel", order_id=order_id)
    await c.until(
        lambda: c.seen("error", req=order_id, code=10148) or c.seen("error", req=order_id, code=10147),
        "10148 or 10147 about the filled order",
    )


@scenario("refusals", "an order id below those already used: 103")
async def duplicate_id(c: Witness, t: Stage) -> None:
    t.quote("QQQ", 480.00, 480.02)
    used = await place(c, stock(t, "QQQ"), order("BUY", "LMT", 1, lmtPrice=400.0))
    await working(c, t, used, "Submitted")
    numbers = [number for number in range(used - 1, 0, -1) if t.order(number, CLIENT_ID) is None]
    free = min(numbers, key=lambda number: number in c.placed)
    await c.do("place", order_id=free, contract=stock(t, "QQQ"), order=order("BUY", "LMT", 1, lmtPrice=400.0))
    row = await c.error(103, req=free)
    check("text", row["text"], "Duplicate order id")
    check("no such order at the broker", t.order(free, CLIENT_ID), None)


@scenario("refusals", "an order for an unknown contract: 200")
async def unknown_contract(c: Witness, t: Stage) -> None:
    nothing = {"symbol": "NOSUCH", "secType": "STK", "exchange": "SMART", "currency": "USD"}
    order_id = await place(c, nothing, order("BUY", "MKT", 1))
    await c.error(200, req=order_id)


REQUESTS: tuple[tuple[str, bool, list[Any]], ...] = (
    ("reqNewsProviders", False, []),
    ("reqNewsArticle", True, ["BRFG", "BRFG$04507322", []]),
    ("reqHistoricalNews", True, [756733, "BRFG", "", "", 5, []]),
    (
        "reqFundamentalData",
        True,
        [{"conId": 265598, "symbol": "AAPL", "secType": "STK"}, "ReportSnapshot", []],
    ),
    ("reqScannerParameters", False, []),
    ("reqScannerSubscription", True, ["scanner", [], []]),
    ("reqMktDepthExchanges", False, []),
    ("reqSmartComponents", True, ["9c0001"]),
    ("reqFamilyCodes", False, []),
    ("reqUserInfo", True, []),
    ("reqSoftDollarTiers", True, []),
    ("requestFA", False, [1]),
    ("queryDisplayGroups", True, []),
    ("reqWshMetaData", True, []),
)
"""Requests beyond trading: name, whether it takes a request id, arguments. None may meet silence."""


@scenario("refusals", "requests without a subscription are answered, never met by silence")
async def never_silent(c: Witness, t: Stage) -> None:
    c.expected |= {162, 165, 321, 322, 430, 503, 10172, 10276, 10358}
    silent, answers = [], {}
    for method, numbered, arguments in REQUESTS:
        mark = c.mark()
        req = c.key() if numbered else None
        await c.do("call", req=req, method=method, arguments=arguments)
        answer = await first(c, mark)
        if answer is None:
            silent.append(method)
        else:
            answers[method] = answer
    if silent:
        raise Mismatch(f"silence about {', '.join(silent)}; answered: {answers}")


async def first(c: Witness, mark: int) -> str | None:
    """What came first after the mark: an answer, an error, or that the client has no such call."""
    for _ in range(int(ANSWER_S / 0.05)):
        for event in ("answer", "error", "unsupported"):
            rows = c.seen(event, since=mark)
            if rows:
                for row in rows:
                    if row["event"] == "unsupported":
                        row["event"] = "not offered"  # this one request, not the scenario
                return str(rows[0].get("code") or rows[0].get("kind") or event)
        await asyncio.sleep(0.05)
    return None
