"""An adviser's login: groups read and replaced, an order for a group. docs/design/simulator.md;
TWS-BEHAVIOUR.md F4 18, 19.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.conformance.scenarios.base import check, place, scenario, stock
from tests.conformance.scenarios.link import connect
from tests.conformance.stage import Stage
from tests.conformance.witness import Witness

ACCOUNTS = ("DF1000001", "DU1000002", "DU1000003")
GROUPS = 1
GROUP = (
    '<?xml version="1.0" encoding="UTF-8"?><ListOfGroups><Group><name>both</name>'
    '<ListOfAccts varName="list"><String>DU1000002</String><String>DU1000003</String></ListOfAccts>'
    "<defaultMethod>Equal</defaultMethod></Group></ListOfGroups>"
)


@asynccontextmanager
async def advisor(c: Witness, client_id: int) -> AsyncIterator[Stage]:
    """A TWS whose login is an adviser's, and a session `fa` on it."""
    stage = Stage(accounts=ACCOUNTS, advisor=True)
    await stage.start()
    try:
        await connect(c, stage, "fa", client_id)
        yield stage
        await c.do("disconnect", session="fa")
    finally:
        await stage.stop()


async def groups(c: Witness) -> str:
    """The groups as TWS keeps them."""
    mark = c.mark()
    await c.do("call", session="fa", req=None, method="requestFA", arguments=[GROUPS])
    row = await c.wait(
        "answer", session="fa", since=mark, where=lambda row: "ListOfGroups" in str(row["rows"])
    )
    return str(row["rows"])


async def replace(c: Witness) -> None:
    """Let there be the group of both clients. Not every library tells the word that it is kept."""
    await c.do("call", session="fa", req=c.key(), method="replaceFA", arguments=[GROUPS, GROUP])


@scenario("advisers", "groups are replaced and read again")
async def replaced(c: Witness, t: Stage) -> None:
    async with advisor(c, 41):
        check("before", "both" in await groups(c), False)
        await replace(c)
        text = await groups(c)
        check("after", ("both" in text, "DU1000003" in text), (True, True))


@scenario("advisers", "an order for a group is shared out when it is filled")
async def shared_out(c: Witness, t: Stage) -> None:
    async with advisor(c, 42) as stage:
        await replace(c)
        await groups(c)
        stage.quote("SPY", 560.00, 560.02)
        asked = {"action": "BUY", "orderType": "MKT", "totalQuantity": 10, "tif": "DAY", "faGroup": "both"}
        order_id = await place(c, stock(stage, "SPY"), asked, session="fa")
        await c.wait("status", session="fa", order_id=order_id, status="Filled")
        con_id = stage.security("SPY").con_id
        mark = c.mark()
        await c.do("positions", session="fa")
        await c.wait("positions_end", session="fa", since=mark)
        for account in ACCOUNTS[1:]:
            known = stage.positions(account)[con_id].quantity
            check(f"broker's shares of {account}", known, 5)
            rows = c.seen("position", session="fa", account=account, conId=con_id)
            check(f"shares of {account}", rows[-1]["position"], 5)


@scenario("advisers", "somebody who is no adviser has no groups: 321")
async def no_adviser(c: Witness, t: Stage) -> None:
    await c.do("call", req=None, method="requestFA", arguments=[GROUPS])
    await c.error(321)
