"""Faults between TWS and IB, as a client sees them over a socket."""

from __future__ import annotations

import asyncio

import pytest
from tests.simulator.client import Connect, Start, stock
from tests.simulator.scene import (
    codes,
    error,
    executions,
    open_ids,
    place,
    ready,
    scene,
    settled,
    status_of,
    statuses,
    subscribed,
    until,
    until_closed,
)

from tws.wire.messages import (
    ContractDataEnd,
    ContractDataRequest,
    ErrorMessage,
    ExecutionDetails,
    NextValidId,
    OrderStatus,
    TickPrice,
)


async def test_1100_then_1102(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    await subscribed(client)
    sim.faults.play("connectivity-lost", lasts="", old_text=True)
    assert (await error(client, 1100)).error_msg.startswith("Connectivity between IB and")
    sim.quote("SPY", bid=101, ask=101.02)
    place(client, 1)
    client.send(ContractDataRequest(7, stock("SPY")))
    await settled(client)
    assert not [m for m in client.all(TickPrice) if m.price == 101], "market data stop"
    assert client.all(OrderStatus) == [] and client.all(ContractDataEnd) == []
    assert not sim.exchange.executions(), "the order waits in TWS"
    sim.faults.clear()
    restored = await error(client, 1102)
    assert restored.id == -1 and "data maintained. All data farms are connected: usfarm" in restored.error_msg
    await client.expect(TickPrice, lambda m: m.price == 101)
    await status_of(client, 1, "Filled")
    await client.expect(ContractDataEnd)


async def test_1101_kills_subscriptions_until_they_are_made_anew(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    await subscribed(client, 1)
    sim.faults.play("connectivity-lost", lasts="50ms", restored="lost")
    assert (await error(client, 1101)).error_msg.endswith("restored - data lost.")
    sim.quote("SPY", bid=102, ask=102.02)
    await settled(client)
    assert not [m for m in client.all(TickPrice) if m.price == 102]
    await subscribed(client, 1)  # the same id is free again
    await client.expect(TickPrice, lambda m: m.price == 102)


@pytest.mark.parametrize("fills", ["late", "never"])
async def test_fills_of_meanwhile(start: Start, connect: Connect, fills: str) -> None:
    sim, client = await scene(start, connect)
    place(client, 1, lmt=99.0)
    await status_of(client, 1, "Submitted")
    sim.faults.play("connectivity-lost", lasts="", fills=fills)
    sim.quote("SPY", bid=98, ask=98.02)
    await settled(client)
    assert client.all(ExecutionDetails) == []
    sim.faults.clear()
    await error(client, 1102)
    await settled(client)
    assert len(client.all(ExecutionDetails)) == (1 if fills == "late" else 0)
    assert statuses(client, 1)[-1] == ("Filled" if fills == "late" else "Submitted")
    assert len(await executions(client, 9)) == 1


async def test_1100_repeats_and_meets_new_sessions(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("connectivity-lost", lasts="", repeat="20ms")
    await until(lambda: asyncio.ensure_future(settled(client)) and codes(client).count(1100) > 2)
    other = await ready(connect, sim, 2)
    await error(other, 1100)


@pytest.mark.parametrize(
    ("kind", "farm", "broken", "fine"),
    [("market", "usfarm", 2103, 2104), ("hmds", "ushmds", 2105, 2106), ("secdef", "secdefil", 2157, 2158)],
)
async def test_a_farm_flaps(
    start: Start, connect: Connect, kind: str, farm: str, broken: int, fine: int
) -> None:
    sim, client = await scene(start, connect)
    await subscribed(client)
    sim.faults.play("farm-flap", kind=kind, lasts="")
    assert (await error(client, broken)).error_msg.endswith(f"connection is broken:{farm}")
    assert await error(await ready(connect, sim, 2), broken)  # who comes now is told as well
    sim.quote("SPY", bid=101, ask=101.02)
    client.send(ContractDataRequest(7, stock("SPY")))
    await settled(client)
    hidden = not [m for m in client.all(TickPrice) if m.price == 101]
    assert hidden == (kind == "market")
    assert (client.all(ContractDataEnd) == []) == (kind == "secdef")
    sim.faults.clear()
    await client.expect(TickPrice, lambda m: m.price == 101)
    await client.expect(ContractDataEnd)
    await settled(client)
    assert codes(client) == ([broken, 2119, fine] if kind == "market" else [broken, fine])


async def test_a_farm_has_its_own_instruments(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    await subscribed(client)
    sim.faults.play("farm-flap", farm="cashfarm", lasts="")
    sim.quote("SPY", bid=101, ask=101.02)
    await client.expect(TickPrice, lambda m: m.price == 101)


async def test_notices(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("farm-idle")
    sim.faults.play("farm-idle", kind="hmds", farm="ushmds")
    sim.faults.play("notice")
    sim.faults.play("notice", code=399, text="Order Message", id=5, client=2)
    await error(client, 2110)
    assert codes(client) == [2108, 2107, 2110]
    assert (await error(client, 2108)).error_msg.endswith("upon demand.usopt")


async def test_a_restart(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    place(client, 1, lmt=90.0)
    place(client, 2, lmt=89.0)
    place(client, 3, lmt=88.0, transmit=False)
    await status_of(client, 2, "Submitted")
    sim.faults.play("restart", lasts="100ms", rollback=2)
    await until_closed(client)
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await connect(sim)
    await until(lambda: sim.is_listening)
    again = await ready(connect, sim)
    assert again.all(NextValidId) == [NextValidId(2)], "of 1 to 3 the last two were given back"
    assert await open_ids(again) == [1, 2]


async def test_ids_of_one_client_go_back(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    other = await ready(connect, sim, 2)
    for one in (client, other):
        place(one, 10, lmt=90.0)
        await status_of(one, 10, "Submitted")
    sim.faults.play("ids-rolled-back", by=3, client=2)
    assert sim.exchange.order_ids() == {1: 11, 2: 8}


async def test_the_night(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("nightly-reset", outage="200ms", restart="50ms", refused="100ms")
    await until_closed(client)
    told = codes(client)
    assert told[0] == 1100 and told.count(1100) > 1
    assert {2103, 2105, 2157} < set(told[: told.index(1102)])
    await until(lambda: sim.is_listening)
    again = await ready(connect, sim)
    assert [m.error_code for m in again.all(ErrorMessage)] == [2104, 2106, 2158]
