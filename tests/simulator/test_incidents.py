"""The incidents of INCIDENTS.md that a TWS causes: each is a named scenario, and this is what a client sees.

The number in a test's name is the row. Market time runs ten times faster than the wall's here.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from tests.simulator.client import Client, Connect, Start
from tests.simulator.scene import (
    SPY,
    cancel,
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
    until,
    until_closed,
    words,
)

from tws.simulator import SimulatedTWS
from tws.simulator.faults import scenarios
from tws.wire.messages import (
    ErrorMessage,
    ExecutionDetails,
    NextValidId,
    OpenOrder,
    OrderStatus,
    Position,
    PositionEnd,
    PositionsRequest,
)

OF_THE_WORLD = {15, 16, 17, 20, 21}
"""Databases, event buses, kill switches and bad ticks of equity: no TWS makes them."""


async def played(start: Start, connect: Connect, number: int) -> tuple[SimulatedTWS, Client]:
    sim, client = await scene(start, connect, speed=10.0)
    sim.faults.load(f"incident-{number:02d}")
    return sim, client


async def back(sim: SimulatedTWS, connect: Connect) -> Client:
    """The same client on the next session."""
    await until(lambda: sim.is_listening and not sim.core.by_client)
    return await ready(connect, sim)


def test_each_row_that_a_tws_causes_has_its_scenario() -> None:
    wanted = {f"incident-{row:02d}" for row in range(1, 20) if row not in OF_THE_WORLD}
    assert {name for name in scenarios() if name.startswith("incident-")} == wanted
    for name in wanted:
        assert any(f"incident_{name[-2:]}" in test for test in globals()), f"{name} is not tried"


async def test_incident_01_ids_are_given_again(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 1)
    place(client, 1, lmt=90.0)
    place(client, 2, lmt=89.0)
    await status_of(client, 2, "Submitted")
    await until_closed(client)
    again = await back(sim, connect)
    assert again.all(NextValidId) == [NextValidId(1)], "both ids are offered again"
    assert await open_ids(again) == [1], "the second order is lost, the first one works"
    place(again, 1, lmt=95.0)  # a client that believes nextValidId changes the old order instead
    await again.expect(OpenOrder, lambda m: m.order.lmt_price == 95.0)
    assert len(sim.exchange.open_orders()) == 1


async def test_incident_02_a_filled_orders_id_is_given_again(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 2)
    place(client, 1, order_ref="first")
    first = await client.expect(ExecutionDetails)
    await until_closed(client)
    again = await back(sim, connect)
    assert again.all(NextValidId) == [NextValidId(1)]
    place(again, 1, lmt=90.0, order_ref="second")
    second = await status_of(again, 1, "Submitted")
    (told,) = await executions(again, 7)
    assert told.execution.order_id == 1 == second.order_id, "by order id the fill is the new order's"
    assert told.execution.perm_id == first.execution.perm_id != second.perm_id
    assert told.execution.order_ref == "first"


async def test_incident_03_a_modify_becomes_two_orders(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 3)
    place(client, 1, "BUY", lmt=90.0)
    await status_of(client, 1, "Submitted")
    await error(client, 1100)
    place(client, 1, "BUY", lmt=91.0)
    await settled(client)
    assert [m.order.lmt_price for m in client.all(OpenOrder)][-1] == 90.0, "nothing is acknowledged meanwhile"
    await error(client, 1102)
    await client.expect(OpenOrder, lambda m: m.order.lmt_price == 91.0)
    assert len({m.order.perm_id for m in client.all(OpenOrder)}) == 2
    cancel(client, 1)
    await status_of(client, 1, "Cancelled")
    assert len(sim.exchange.open_orders()) == 1
    sim.quote("SPY", bid=88, ask=88.02)  # six hours later
    late = await client.expect(ExecutionDetails)
    assert late.execution.order_id == 1
    assert [row.quantity for row in sim.exchange.positions()] == [1]


async def test_incident_04_fills_after_1100_are_never_told(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 4)
    place(client, 1, lmt=99.0)
    await error(client, 1100)
    sim.quote("SPY", bid=98, ask=98.02)
    await error(client, 1102)
    await settled(client)
    assert client.all(ExecutionDetails) == [] and statuses(client, 1)[-1] == "Submitted"
    assert [m.execution.order_id for m in await executions(client, 3)] == [1]
    assert await open_ids(client) == []


async def test_incident_05_orders_of_the_session_before(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 5)
    place(client, 1, lmt=90.0)
    await status_of(client, 1, "Submitted")
    await until_closed(client)
    again = await back(sim, connect)
    (known,) = again.all(OpenOrder)  # with the start burst
    assert (known.order_id, known.order.client_id) == (1, 1)
    cancel(again, 1)
    await status_of(again, 1, "Cancelled")


async def test_incident_06_cut_before_the_acknowledgement(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 6)
    place(client, 1, lmt=90.0)
    await until_closed(client)
    assert client.all(OrderStatus) == []
    again = await back(sim, connect)
    assert again.all(NextValidId) == [NextValidId(2)]
    assert [m.order_id for m in again.all(OpenOrder)] == [1], "it works, though nobody said so"


async def test_incident_07_a_fill_is_told_twice(start: Start, connect: Connect) -> None:
    _, client = await played(start, connect, 7)
    place(client, 1)
    corrected = await client.expect(ExecutionDetails, lambda m: m.execution.exec_id.endswith(".02"))
    ids = [m.execution.exec_id for m in client.all(ExecutionDetails)]
    assert ids[0] == ids[1] and ids[2][:-2] == ids[0][:-2]
    client.send(PositionsRequest())
    await client.expect(PositionEnd)
    assert [m.position for m in client.all(Position)] == [Decimal(3)], "one was bought"
    client.send(PositionsRequest())
    await settled(client)
    assert client.all(Position)[-1].position == 1
    assert [m.execution.exec_id for m in await executions(client, 2)] == [corrected.execution.exec_id]


async def test_incident_08_the_stop_of_a_partly_filled_parent(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 8)
    place(client, 1, lmt=100.02, quantity=100, transmit=False)
    place(client, 2, "SELL", quantity=100, order_type="STP", aux_price=98.0, parent_id=1)
    part = await client.expect(OrderStatus, lambda m: (m.order_id, m.filled) == (1, 10))
    assert (part.status, part.remaining) == ("Submitted", 90)
    await until(lambda: sim.core.tapes[SPY].last and sim.core.tapes[SPY].last < 98)
    await settled(client)
    held = sum(row.quantity for row in sim.exchange.positions())
    said = sum(
        m.execution.shares * (1 if m.execution.side == "BOT" else -1) for m in client.all(ExecutionDetails)
    )
    assert held == said >= 0, "whatever the stop does: it never sells what was not bought"


@pytest.mark.parametrize("accept", [True, False])
async def test_incident_09_no_callback_at_all(start: Start, connect: Connect, accept: bool) -> None:
    sim, client = await played(start, connect, 9)
    place(client, 1)
    await settled(client)
    assert words(client) == [] and codes(client) == []
    assert await open_ids(client) == []
    sim.answer_dialog(accept)
    if accept:
        await status_of(client, 1, "Filled")
    else:
        await client.expect(OrderStatus, lambda m: "Cancelled" in m.status)


async def test_incident_10_a_notice_ends_no_order(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 10)
    for order_id in range(1, 16):
        place(client, order_id, tif="GTC")
    await status_of(client, 15, "Filled")
    await settled(client)
    noticed = [m.id for m in client.all(ErrorMessage) if m.error_code == 10349]
    assert noticed == list(range(1, 16))
    assert len(sim.exchange.executions()) == 15


async def test_incident_11_errors_that_are_final(start: Start, connect: Connect) -> None:
    _, client = await played(start, connect, 11)
    for order_id in (1, 2, 3):
        place(client, order_id, lmt=90.0)
    await status_of(client, 3, "Submitted")
    cancel(client, 3)
    last = await error(client, 10147)
    assert last.error_msg == "OrderId 3 that needs to be cancelled is not found."
    assert [(m.id, m.error_code) for m in client.all(ErrorMessage)][3:] == [(1, 200), (2, 460), (3, 10147)]
    assert statuses(client, 1) == statuses(client, 2) == []
    assert await open_ids(client) == [3]


async def test_incident_12_gone_for_days(start: Start, connect: Connect) -> None:
    sim, first = await played(start, connect, 12)
    await settled(first)
    client = await ready(connect, sim, 2)
    await until_closed(client)
    await until_closed(first)
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await connect(sim)
    await sim.set_clock(sim.now_ns() + 50 * 3600 * 10**9)
    assert not sim.is_listening
    await sim.set_clock(sim.now_ns() + 11 * 3600 * 10**9)
    await back(sim, connect)


async def test_incident_13_the_execution_comes_first(start: Start, connect: Connect) -> None:
    _, client = await played(start, connect, 13)
    place(client, 1)
    await status_of(client, 1, "Filled")
    assert words(client)[:3] == ["11", "5", "3"]


async def test_incident_14_half_a_bracket(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 14)
    place(client, 1, lmt=90.0, transmit=False)
    place(client, 2, "SELL", lmt=120.0, parent_id=1, transmit=False)
    place(client, 3, "SELL", order_type="STP", aux_price=80.0, parent_id=1)
    await settled(client)
    assert words(client) == [] and codes(client) == []
    assert await open_ids(client) == []
    sim.quote("SPY", bid=85, ask=85.02)
    await settled(client)
    assert not sim.exchange.executions(), "it is held in TWS"
    cancel(client, 1)
    await client.expect(OrderStatus, lambda m: m.order_id == 1 and "Cancelled" in m.status)


async def test_incident_18_a_leg_stays_and_triggers(start: Start, connect: Connect) -> None:
    _, client = await played(start, connect, 18)
    for order_id in (1, 2):
        place(client, order_id, "SELL", order_type="STP", aux_price=97.0 + order_id / 10)
        await status_of(client, order_id, "PreSubmitted")
    cancel(client, 1)  # lost
    cancel(client, 2)
    await status_of(client, 2, "Cancelled")
    await status_of(client, 1, "Filled")
    assert codes(client) == [202]


async def test_incident_19_two_exits_fill(start: Start, connect: Connect) -> None:
    sim, client = await played(start, connect, 19)
    place(client, 1, "BUY", quantity=10)
    await status_of(client, 1, "Filled")
    place(client, 2, "SELL", quantity=10, lmt=101.0)
    await status_of(client, 2, "Submitted")
    cancel(client, 2)
    await status_of(client, 2, "Cancelled")
    place(client, 3, "SELL", quantity=10)
    await status_of(client, 3, "Filled")
    late = await client.expect(ExecutionDetails, lambda m: m.execution.order_id == 2)
    assert late.execution.shares == 10
    await asyncio.sleep(0)
    assert [row.quantity for row in sim.exchange.positions()] == [-10]
