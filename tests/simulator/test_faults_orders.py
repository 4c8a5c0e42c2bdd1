"""Faults of orders and of what is said about them, as a client sees them."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from tests.simulator.client import Connect, Start, stock
from tests.simulator.scene import (
    cancel,
    codes,
    error,
    executions,
    open_ids,
    place,
    scene,
    settled,
    status_of,
    statuses,
    until,
    words,
)

from tws.errors import ConfigError
from tws.wire.messages import (
    CommissionAndFeesReport,
    ContractDataEnd,
    ContractDataRequest,
    ErrorMessage,
    ExecutionDetails,
    OpenOrder,
    OrderStatus,
    Position,
    PositionEnd,
    PositionsRequest,
)


async def test_nothing_is_said_until_it_is_released(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("silent-order", count=2)
    for order_id in (1, 2, 3):
        place(client, order_id)
    await status_of(client, 3, "Filled")
    assert {m.order_id for m in client.all(OrderStatus)} == {3}
    assert len(client.all(ExecutionDetails)) == len(client.all(CommissionAndFeesReport)) == 1
    assert sim.faults.release() == 1
    await status_of(client, 2, "Filled")
    await settled(client)
    assert len(client.all(CommissionAndFeesReport)) == 3


async def test_lost_requests(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("swallow", request="ContractDataRequest")
    client.send(ContractDataRequest(1, stock("SPY")), ContractDataRequest(2, stock("SPY")))
    await settled(client)
    assert [m.req_id for m in client.all(ContractDataEnd)] == [2]
    with pytest.raises(ConfigError, match="PlaceOrderRequest"):
        sim.faults.play("swallow", request="PlaceOder")


async def test_an_error_in_place_of_an_answer(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("answer-error", request="ContractDataRequest", code=162, text="no {id}")
    client.send(ContractDataRequest(5, stock("SPY")))
    told = await error(client, 162)
    assert (told.id, told.error_msg) == (5, "no 5")
    client.send(ContractDataRequest(6, stock("SPY")))
    await client.expect(ContractDataEnd)


async def test_orders_are_rejected_for_a_while(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("refuse-orders", symbol="SPY", reason="Closed for lunch")
    place(client, 1)
    await status_of(client, 1, "Inactive")
    assert (await error(client, 201)).error_msg == "Order rejected - reason:Closed for lunch"
    sim.faults.clear()
    place(client, 2)
    await status_of(client, 2, "Filled")


async def test_a_preset_changes_an_order(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("preset-change")
    place(client, 1, lmt=99.0, tif="GTC")
    await status_of(client, 1, "Submitted")
    place(client, 2, lmt=99.0, tif="GTC")
    await status_of(client, 2, "Submitted")
    assert [(m.id, m.error_msg) for m in client.all(ErrorMessage) if m.error_code == 10349] == [
        (1, "Order TIF was set to DAY based on order preset.")
    ]
    tifs = {m.order_id: m.order.tif for m in client.all(OpenOrder)}
    assert tifs == {1: "DAY", 2: "GTC"}
    assert await open_ids(client) == [1, 2]


@pytest.mark.parametrize("accept", [True, False])
async def test_a_dialog_holds_an_order(start: Start, connect: Connect, accept: bool) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("popup")
    place(client, 1)
    place(client, 2)
    await status_of(client, 2, "Filled")
    assert statuses(client, 1) == [] and len(sim.exchange.executions()) == 1
    assert sim.answer_dialog(accept) == 1
    if accept:
        await status_of(client, 1, "Filled")
    else:
        await client.expect(OrderStatus, lambda m: m.order_id == 1 and "Cancelled" in m.status)
        assert len(sim.exchange.executions()) == 1


def bracket(client: object, lmt: float = 90.0) -> None:
    place(client, 1, lmt=lmt, quantity=100, transmit=False)  # type: ignore[arg-type]
    place(client, 2, "SELL", lmt=120.0, quantity=100, transmit=False, parent_id=1)  # type: ignore[arg-type]
    stop = {"order_type": "STP", "aux_price": 98.0}
    place(client, 3, "SELL", quantity=100, transmit=True, parent_id=1, **stop)  # type: ignore[arg-type]


@pytest.mark.parametrize(("lost", "open_orders"), [("last", []), ("first", [1, 3])])
async def test_half_a_bracket(start: Start, connect: Connect, lost: str, open_orders: list[int]) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("half-bracket", lost=lost)
    bracket(client)
    await settled(client)
    assert await open_ids(client) == open_orders
    assert not sim.faults.status()


async def test_a_change_becomes_a_second_order(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    place(client, 1, lmt=90.0)
    first = await status_of(client, 1, "Submitted")
    sim.faults.play("modify-forks")
    place(client, 1, lmt=91.0)
    await settled(client)
    living = sim.exchange.open_orders()
    assert len(living) == 2 and len({one.perm_id for one in living}) == 2
    cancel(client, 1)
    await status_of(client, 1, "Cancelled")
    await error(client, 202)
    (left,) = sim.exchange.open_orders()
    assert left.perm_id == first.perm_id


async def test_an_order_vanishes(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    place(client, 1, lmt=90.0)
    await status_of(client, 1, "Submitted")
    sim.faults.play("order-vanishes")
    assert await open_ids(client) == []
    cancel(client, 1)
    assert (await error(client, 10147)).id == 1


async def test_a_fill_after_the_cancel(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("fill-after-cancel", after="20ms")
    place(client, 1, lmt=99.0, quantity=3)
    await status_of(client, 1, "Submitted")
    cancel(client, 1)
    await status_of(client, 1, "Cancelled")
    assert client.all(ExecutionDetails) == []
    late = await client.expect(ExecutionDetails)
    assert late.execution.order_id == 1 and late.execution.shares == 3
    await until(lambda: not sim.faults.status())


async def test_an_execution_is_annulled_or_corrected(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    place(client, 1)
    done = await client.expect(ExecutionDetails)
    sim.faults.play("execution-correction", by=0.5)
    new = await client.expect(ExecutionDetails, lambda m: m.execution.exec_id.endswith(".02"))
    assert new.execution.price == done.execution.price + 0.5
    assert [m.execution.exec_id for m in await executions(client, 5)] == [new.execution.exec_id]
    sim.faults.play("execution-bust")
    assert await executions(client, 6) == []
    client.send(PositionsRequest())
    await client.expect(PositionEnd)
    assert {m.position for m in client.all(Position)} <= {Decimal(0)}
    sim.faults.play("execution-bust")  # nothing is left: nothing happens


# -- what is said ---------------------------------------------------------------------------------


async def test_a_status_is_missing(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("missing-status", status="Filled", count=2)
    place(client, 1)
    await client.expect(CommissionAndFeesReport)
    await settled(client)
    assert statuses(client, 1) == ["PreSubmitted"]
    assert len(client.all(ExecutionDetails)) == 1


async def test_a_status_comes_twice(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("duplicate-status", copies=3, status="Submitted")
    place(client, 1, lmt=99.0)
    await settled(client)
    assert [m.status for m in client.all(OrderStatus)].count("Submitted") == 3


async def test_an_execution_comes_twice(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("duplicate-execution")
    place(client, 1)
    await client.expect(CommissionAndFeesReport)
    ids = [m.execution.exec_id for m in client.all(ExecutionDetails)]
    assert len(ids) == 2 and len(set(ids)) == 1
    assert len(sim.exchange.executions()) == 1


async def test_a_status_comes_late(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("late-status", status="Submitted", delay="30ms")
    place(client, 1, lmt=99.0)
    await settled(client)
    sim.quote("SPY", bid=98, ask=98.02)
    await status_of(client, 1, "Filled")
    await status_of(client, 1, "Submitted")
    assert statuses(client, 1)[-1] == "Submitted", "the old news came last"


async def test_an_execution_comes_late(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("late-execution", delay="30ms")
    place(client, 1)
    await status_of(client, 1, "Filled")
    assert client.all(ExecutionDetails) == []
    await client.expect(ExecutionDetails)


async def test_a_commission_comes_late_or_never(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("late-commission", delay="")
    place(client, 1)
    await status_of(client, 1, "Filled")
    await settled(client)
    assert client.all(CommissionAndFeesReport) == []
    await executions(client, 4)
    assert len(client.all(CommissionAndFeesReport)) == 1
    await until(lambda: not sim.faults.status())
    sim.faults.play("late-commission", delay="20ms")
    place(client, 2)
    await status_of(client, 2, "Filled")
    await client.expect(CommissionAndFeesReport, lambda m: m is client.all(CommissionAndFeesReport)[-1])


async def test_the_execution_is_the_first_word(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("execution-first")
    place(client, 1)
    await client.expect(CommissionAndFeesReport)
    assert words(client)[:3] == ["11", "5", "3"]
    place(client, 2)
    await status_of(client, 2, "Filled")
    await settled(client)
    assert words(client)[7:8] != ["11"]
    await until(lambda: not sim.faults.status())


async def test_the_first_word_of_a_resting_order_is_its_execution(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("execution-first")
    place(client, 1, lmt=99.0)
    await settled(client)
    assert words(client) == []
    sim.quote("SPY", bid=98, ask=98.02)
    await status_of(client, 1, "Filled")
    assert words(client)[0] == "11"


async def test_what_waits_is_told_when_the_fault_is_cleared(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("execution-first")
    place(client, 1, lmt=99.0)
    await settled(client)
    sim.faults.clear()
    await status_of(client, 1, "Submitted")
    await asyncio.sleep(0)
    assert codes(client) == []
