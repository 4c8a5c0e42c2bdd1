"""Sessions: versions, ids, time, who may come in. TWS-BEHAVIOUR.md A."""

from __future__ import annotations

from typing import Any

from tests.conformance.scenarios.base import CLIENT_ID, check, close, order, place, scenario, stock
from tests.conformance.stage import SPEED, Stage
from tests.conformance.witness import Witness


def burst(c: Witness, event: str) -> dict[str, Any]:
    """What the main session saw when it started."""
    return next(row for row in c.burst if row["event"] == event)


async def connect(c: Witness, t: Stage, session: str, client_id: int, **more: Any) -> dict[str, Any]:
    """A further session of the same client library, up to its first order id."""
    mark = c.mark()
    await c.do("connect", session=session, host="127.0.0.1", port=t.port, client_id=client_id, **more)
    return await c.wait("ready", session=session, since=mark)


@scenario("session", "handshake: the version is the lower of both maxima")
async def handshake(c: Witness, t: Stage) -> None:
    ready = burst(c, "ready")
    check("server version", ready["version"], min(c.version, t.sim.options.server_version))


@scenario("session", "accounts of the login")
async def accounts(c: Witness, t: Stage) -> None:
    check("accounts", burst(c, "accounts")["accounts"], list(t.exchange.accounts()))


@scenario("session", "next valid id")
async def next_valid_id(c: Witness, t: Stage) -> None:
    await c.do("next_id")
    row = await c.wait("next_id")
    check("next id", row["order_id"], t.exchange.next_order_id(CLIENT_ID))


@scenario("session", "current time")
async def current_time(c: Witness, t: Stage) -> None:
    await c.do("time")
    row = await c.wait("time")
    close("time", row["epoch"], t.now_s(), within=2 * SPEED)


@scenario("session", "farm notices 2104, 2106, 2158 after the start")
async def farms(c: Witness, t: Stage) -> None:
    codes = {row["code"] for row in c.burst if row["event"] == "error"}
    check("notices", {2104, 2106, 2158} <= codes, True)


@scenario("session", "a client id in use: 326, then the socket closes")
async def duplicate_client_id(c: Witness, t: Stage) -> None:
    await c.do("connect", session="twin", host="127.0.0.1", port=t.port, client_id=CLIENT_ID)
    await c.error(326, session="twin")
    await c.wait("closed", session="twin")


@scenario("session", "a client id is free again after its session")
async def client_id_again(c: Witness, t: Stage) -> None:
    await connect(c, t, "first", 14)
    await c.do("disconnect", session="first")
    await c.until(lambda: 14 not in t.sim.core.by_client, "the session's end at the broker")
    await connect(c, t, "second", 14)
    await c.do("disconnect", session="second")


@scenario("session", "read-only API: 321 for an order")
async def read_only(c: Witness, t: Stage) -> None:
    strict = Stage(read_only=True)
    await strict.start()
    try:
        await connect(c, strict, "strict", 15, readonly=True)
        order_id = await place(c, stock(t, "SPY"), order("BUY", "MKT", 1), session="strict")
        row = await c.error(321, session="strict", req=order_id)
        check("reason", "Read-Only" in row["text"], True)
        check("orders at the broker", strict.exchange.open_orders(), ())
        await c.do("disconnect", session="strict")
    finally:
        await strict.stop()
