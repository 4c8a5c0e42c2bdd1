"""Options exercised by their holder, or refused. docs/design/simulator.md; TWS-BEHAVIOUR.md F4 21."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.conformance.scenarios.base import check, close, next_id, scenario
from tests.conformance.scenarios.contracts import option
from tests.conformance.scenarios.instruments import SENT
from tests.conformance.stage import ACCOUNT, Stage
from tests.conformance.witness import Witness

EXERCISE, LAPSE = 1, 2


async def held(c: Witness, t: Stage, symbol: str, beyond: float) -> dict[str, Any]:
    """Two calls that the account has, so far in the money; the market stands where that says."""
    found = await option(c, t, symbol)
    price = found["strike"] + beyond
    t.quote(symbol, price, price + 0.02)
    t.trade(symbol, price)
    con_id = found["conId"]
    t.sim.core.listed(t.security(con_id))
    t.sim.core.tell(t.exchange.corporate.transfer(ACCOUNT, con_id, Decimal(2), Decimal(2), t.sim.now_ns()))
    t.sim.core.flush()
    return {name: found[name] for name in SENT} | {"exchange": "SMART", "strike": found["strike"]}


async def tell(c: Witness, contract: dict[str, Any], action: int, quantity: int) -> int:
    """Say what is to be done; TWS shows it as an order of this id."""
    number = await next_id(c)
    sent = {name: value for name, value in contract.items() if name != "strike"}
    await c.do(
        "exercise", req=number, contract=sent, action=action, quantity=quantity, account=ACCOUNT, override=0
    )
    return number


@scenario("exercises", "a call in the money is exercised: shares at the strike")
async def exercised(c: Witness, t: Stage) -> None:
    shares = t.security("QQQ").con_id
    before = t.positions().get(shares)
    contract = await held(c, t, "QQQ", 20.0)
    await c.do("positions")
    await c.wait("positions_end")
    mark = c.mark()
    await tell(c, contract, EXERCISE, 1)
    row = await c.wait("position", since=mark, conId=shares, where=lambda row: row["position"])
    known = t.positions()[shares]
    check("shares", row["position"], float(known.quantity))
    check("a hundred more", known.quantity - (before.quantity if before else 0), 100)
    if before is None:
        close("cost", known.average_cost, contract["strike"])
    check("what is left of the calls", t.positions()[contract["conId"]].quantity, 1)


@scenario("exercises", "a call out of the money is not: 322")
async def out_of_the_money(c: Witness, t: Stage) -> None:
    contract = await held(c, t, "IBM", -20.0)
    number = await tell(c, contract, EXERCISE, 1)
    row = await c.error(322, req=number)
    check("says why", "not in-the-money" in row["text"], True)
    check("both calls are there", t.positions()[contract["conId"]].quantity, 2)


@scenario("exercises", "more than is held: 201")
async def too_many(c: Witness, t: Stage) -> None:
    contract = await held(c, t, "NVDA", 20.0)
    number = await tell(c, contract, EXERCISE, 5)
    await c.error(201, req=number)
    check("both calls are there", t.positions()[contract["conId"]].quantity, 2)
