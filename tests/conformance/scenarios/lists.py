"""What is looked up beyond stocks, futures and options: bonds, metals, funds, warrants, options on futures;
and the lists that a TWS keeps. docs/design/universe.md; TWS-BEHAVIOUR.md F6.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.scenarios.base import check, close, scenario, stock
from tests.conformance.scenarios.contracts import ES, details
from tests.conformance.scenarios.contracts import one as single
from tests.conformance.stage import ACCOUNTS, Stage
from tests.conformance.witness import Mismatch, Witness

METAL = {"symbol": "XAUUSD", "secType": "CMDTY", "exchange": "SMART", "currency": "USD"}
FUND = {"symbol": "VINIX", "secType": "FUND", "exchange": "FUNDSERV", "currency": "USD"}
WARRANT = {
    "symbol": "SAP", "secType": "WAR", "exchange": "FWB", "currency": "EUR", "right": "C", "strike": 220.0,
    "lastTradeDateOrContractMonth": "20271217",
}  # fmt: skip


async def listed(c: Witness, method: str, *arguments: Any, numbered: bool = True) -> list[Any]:
    """The rows of an answer that comes at once."""
    mark = c.mark()
    await c.do("call", req=c.key() if numbered else None, method=method, arguments=list(arguments))
    row = await c.wait("answer", since=mark)
    return list(row["rows"])


@scenario("contracts", "details of a metal")
async def of_metal(c: Witness, t: Stage) -> None:
    await single(c, t, METAL)


@scenario("contracts", "details of a fund")
async def of_fund(c: Witness, t: Stage) -> None:
    rows = await details(c, FUND)
    check("funds", [(row["symbol"], row["secType"]) for row in rows], [("VINIX", "FUND")])
    c.note(con_id=rows[0]["conId"], name=rows[0]["longName"])


@scenario("contracts", "details of a warrant")
async def of_warrant(c: Witness, t: Stage) -> None:
    rows = await details(c, WARRANT)
    check(
        "warrants",
        [(row["localSymbol"], row["right"], row["strike"]) for row in rows],
        [("SD4X7Q", "C", 220)],
    )


@scenario("contracts", "details of a bond by its ISIN")
async def of_bond(c: Witness, t: Stage) -> None:
    rows = await details(
        c, {"secType": "BOND", "secIdType": "ISIN", "secId": "US037833BX70", "exchange": "SMART"}
    )
    known = next(one for one in t.universe.known if one.sec_type == "BOND" and one.symbol == "AAPL")
    check("bonds", [row["conId"] for row in rows], [known.con_id])
    close("coupon", rows[0]["coupon"], known.bond.coupon)
    check("maturity", rows[0]["maturity"], known.bond.maturity)


@scenario("contracts", "details of the options on a future")
async def of_future_options(c: Witness, t: Stage) -> None:
    future = sorted(await details(c, ES), key=lambda row: row["expiry"])[0]
    key = c.key()
    await c.do("chain", req=key, symbol="ES", exchange="CME", secType="FUT", conId=future["conId"])
    await c.wait("chain_end", req=key)
    chains = c.seen("chain", req=key)
    if not chains:
        raise Mismatch("no chain of ES")
    strike = sorted(chains[0]["strikes"])[len(chains[0]["strikes"]) // 2]
    asked = {
        "symbol": "ES", "secType": "FOP", "exchange": "CME", "currency": "USD", "right": "P",
        "strike": strike, "lastTradeDateOrContractMonth": chains[0]["expirations"][0],
        "tradingClass": chains[0]["tradingClass"],
    }  # fmt: skip
    rows = await details(c, asked)
    check(
        "type, right, strike", [(r["secType"], r["right"], r["strike"]) for r in rows], [("FOP", "P", strike)]
    )
    check("multiplier", rows[0]["multiplier"], 50)
    c.note(option=rows[0]["conId"])


@scenario("lists", "exchanges with depth")
async def depth_exchanges(c: Witness, t: Stage) -> None:
    rows = await listed(c, "reqMktDepthExchanges", numbered=False)
    check("NYSE has a book of stocks", ["NYSE", "STK"] in rows, True)
    c.note(rows=sorted(rows))


@scenario("lists", "exchanges behind SMART")
async def components(c: Witness, t: Stage) -> None:
    rows = await listed(c, "reqSmartComponents", "9c0001")
    check("each bit once", len({row[0] for row in rows}), len(rows))
    check("NYSE is there", "NYSE" in {row[1] for row in rows}, True)
    c.note(rows=sorted(rows))


@scenario("lists", "family codes of the accounts")
async def families(c: Witness, t: Stage) -> None:
    rows = await listed(c, "reqFamilyCodes", numbered=False)
    check("accounts", sorted(row[0] for row in rows), sorted(ACCOUNTS))


@scenario("lists", "soft-dollar tiers: none")
async def tiers(c: Witness, t: Stage) -> None:
    check("tiers", await listed(c, "reqSoftDollarTiers"), [])


@scenario("lists", "volume by price")
async def histogram(c: Witness, t: Stage) -> None:
    mark = c.mark()
    await c.do("histogram", req=c.key(), contract=stock(t, "AAPL"), rth=True, days=3)
    rows = (await c.wait("answer", since=mark, kind="histogramData"))["rows"]
    check("sorted by price", [row[0] for row in rows], sorted(row[0] for row in rows))
    check("volume", all(row[1] > 0 for row in rows) and bool(rows), True)
    c.note(rows=rows[:10])


@scenario("lists", "user info: the white branding")
async def user_info(c: Witness, t: Stage) -> None:
    await listed(c, "reqUserInfo")
