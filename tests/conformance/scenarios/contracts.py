"""Contract details of every type, searches, chains, rules, and what is wrong or ambiguous.
TWS-BEHAVIOUR.md E, A8.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.scenarios.base import check, close, scenario, stock
from tests.conformance.stage import Stage
from tests.conformance.witness import Mismatch, Witness

SPX = {"symbol": "SPX", "secType": "IND", "exchange": "CBOE", "currency": "USD"}
ES = {"symbol": "ES", "secType": "FUT", "exchange": "CME", "currency": "USD"}
EUR = {"symbol": "EUR", "secType": "CASH", "exchange": "IDEALPRO", "currency": "USD"}
BTC = {"symbol": "BTC", "secType": "CRYPTO", "exchange": "PAXOS", "currency": "USD"}
CFD = {"symbol": "IBUS500", "secType": "CFD", "exchange": "SMART", "currency": "USD"}


async def details(c: Witness, contract: dict[str, Any]) -> list[dict[str, Any]]:
    """All contracts of a description."""
    key = c.key()
    await c.do("details", req=key, contract=contract)
    await c.wait("details_end", req=key)
    return c.seen("details", req=key)


def compare(row: dict[str, Any], known: Any) -> None:
    """A row of details against the broker's own book."""
    for name, value in (
        ("conId", known.con_id),
        ("symbol", known.symbol),
        ("secType", known.sec_type),
        ("currency", known.currency),
        ("localSymbol", known.local_symbol),
        ("tradingClass", known.trading_class),
        ("longName", known.long_name),
        ("minTick", known.min_tick),
        ("validExchanges", ",".join(known.exchanges)),
        ("marketRuleIds", ",".join(map(str, known.market_rules))),
        ("expiry", known.last_trade_date or None),
        ("multiplier", float(known.multiplier) if known.multiplier else None),
        ("strike", known.strike),
        ("right", known.right or None),
        ("underConId", known.under_con_id),
    ):
        check(name, row[name] or (0 if name == "underConId" else None), value)
    check("states its hours", bool(row["hours"]), True)


async def one(c: Witness, t: Stage, contract: dict[str, Any]) -> dict[str, Any]:
    """The details of a description that fits a single contract."""
    rows = await details(c, contract)
    check("number of contracts", len(rows), 1)
    compare(rows[0], t.security(rows[0]["conId"]))
    c.note(**{name: value for name, value in rows[0].items() if name not in ("event", "session", "req")})
    return rows[0]


@scenario("contracts", "details of a stock by symbol")
async def of_stock(c: Witness, t: Stage) -> None:
    row = await one(c, t, {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD"})
    check("conId", row["conId"], 265598)


@scenario("contracts", "details of an ETF by conId alone")
async def of_etf(c: Witness, t: Stage) -> None:
    row = await one(c, t, {"conId": 756733, "exchange": "SMART"})
    check("symbol", (row["symbol"], row["stockType"]), ("SPY", "ETF"))


@scenario("contracts", "details of an index")
async def of_index(c: Witness, t: Stage) -> None:
    await one(c, t, SPX)


@scenario("contracts", "details of futures: every expiry of a symbol")
async def of_futures(c: Witness, t: Stage) -> None:
    rows = await details(c, ES)
    if len(rows) < 4:
        raise Mismatch(f"expected the quarters of at least a year, saw {[row['expiry'] for row in rows]}")
    for row in rows:
        compare(row, t.security(row["conId"]))
    c.note(futures=sorted((row["conId"], row["expiry"], row["localSymbol"]) for row in rows))
    check("multiplier", rows[0]["multiplier"], 50)


@scenario("contracts", "details of one option of a chain")
async def of_option(c: Witness, t: Stage) -> None:
    row = await option(c, t, "SPY")
    known = t.security(row["conId"])
    compare(row, known)
    check("underlying", row["underConId"], 756733)
    again = await details(c, {"conId": row["conId"], "exchange": "SMART"})
    check("by conId alone", [one["localSymbol"] for one in again], [row["localSymbol"]])
    c.note(option=row["localSymbol"], con_id=row["conId"])


@scenario("contracts", "details of a currency pair")
async def of_forex(c: Witness, t: Stage) -> None:
    await one(c, t, EUR)


@scenario("contracts", "details of a crypto currency")
async def of_crypto(c: Witness, t: Stage) -> None:
    await one(c, t, BTC)


@scenario("contracts", "details of a CFD")
async def of_cfd(c: Witness, t: Stage) -> None:
    await one(c, t, CFD)


@scenario("contracts", "an unknown symbol: 200")
async def unknown(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do("details", req=key, contract={"symbol": "NOSUCH", "secType": "STK", "exchange": "SMART"})
    row = await c.error(200, req=key)
    check("text", row["text"], "No security definition has been found for the request")


async def bars(c: Witness, key: int, contract: dict[str, Any]) -> None:
    """A request for data, which wants one contract."""
    asked = {"end": "", "duration": "1 D", "size": "1 hour", "what": "TRADES"}
    await c.do("history", req=key, contract=contract, rth=True, format=2, keep=False, **asked)


@scenario("contracts", "an ambiguous contract in a data request: 200")
async def ambiguous(c: Witness, t: Stage) -> None:
    key = c.key()
    await bars(c, key, {"symbol": "AAPL", "secType": "STK"})
    row = await c.error(200, req=key)
    check("text", row["text"], "The contract description specified for AAPL is ambiguous.")


@scenario("contracts", "a future without its expiry in a data request: 321")
async def no_expiry(c: Witness, t: Stage) -> None:
    key = c.key()
    await bars(c, key, ES)
    row = await c.error(321, req=key)
    check("says what is missing", "expiry" in row["text"], True)


@scenario("contracts", "matching symbols")
async def symbols(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do("symbols", req=key, pattern="AAPL")
    row = await c.wait("symbols", req=key)
    check("first row", row["rows"][0], [265598, "AAPL", "STK", "USD"])
    check("at most 16", len(row["rows"]) <= 16, True)
    c.note(rows=row["rows"])


async def chain(c: Witness, t: Stage, symbol: str) -> list[dict[str, Any]]:
    """The option chain of a stock, a row for each exchange and class."""
    key = c.key()
    con_id = t.security(symbol).con_id
    await c.do("chain", req=key, symbol=symbol, exchange="", secType="STK", conId=con_id)
    await c.wait("chain_end", req=key)
    return c.seen("chain", req=key)


async def option(c: Witness, t: Stage, symbol: str) -> dict[str, Any]:
    """The details of the call nearest to the money that expires second."""
    rows = await chain(c, t, symbol)
    if not rows:
        raise Mismatch(f"no option chain of {symbol}")
    row = next((row for row in rows if row["exchange"] == "SMART"), rows[0])
    price = t.security(symbol).price
    strike = min(row["strikes"], key=lambda strike: abs(strike - price))
    asked = {
        "symbol": symbol, "secType": "OPT", "exchange": "SMART", "currency": "USD", "right": "C",
        "strike": strike,
        "lastTradeDateOrContractMonth": row["expirations"][1], "tradingClass": row["tradingClass"],
    }  # fmt: skip
    found = await details(c, asked)
    check("number of options", len(found), 1)
    check("strike and right", (found[0]["strike"], found[0]["right"]), (strike, "C"))
    return found[0]


@scenario("contracts", "option parameters of a stock")
async def option_parameters(c: Witness, t: Stage) -> None:
    rows = await chain(c, t, "AAPL")
    check("has a chain at SMART", any(row["exchange"] == "SMART" for row in rows), True)
    for row in rows:
        check("underlying", row["conId"], 265598)
        check("multiplier", row["multiplier"], 100)
        check("sorted expiries", row["expirations"], sorted(row["expirations"]))
        check("strikes around the price", min(row["strikes"]) < 225 < max(row["strikes"]), True)
    c.note(chain=sorted((row["exchange"], row["expirations"], row["strikes"]) for row in rows))


@scenario("contracts", "market rule 26")
async def market_rule(c: Witness, t: Stage) -> None:
    await c.do("rule", rule=26)
    row = await c.wait("rule", rule=26)
    check("rows", row["rows"], [[0, 0.01]])


@scenario("contracts", "trading hours of a stock name the day and the zone")
async def hours(c: Witness, t: Stage) -> None:
    row = (await details(c, stock(t, "MSFT")))[0]
    check("zone", row["timeZoneId"] in ("US/Eastern", "America/New_York"), True)
    check("begins with today", row["hours"].startswith("20260105:"), True)
    close("min tick", row["minTick"], 0.01)
