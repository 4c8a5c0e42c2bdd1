"""What a human at TWS and the broker's back office do, as clients see it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.client import Client, Connect, Start
from tests.simulator.scene import SPY, error, place, ready, scene, settled, status_of

from tws.errors import ConfigError
from tws.exchange import OrderTicket
from tws.model.order import Side
from tws.simulator import ToldSettings
from tws.simulator.universe import Wanted
from tws.wire.messages import (
    AccountDataEnd,
    AccountDataRequest,
    AccountValue,
    ConfigRequest,
    ErrorMessage,
    ExecutionDetails,
    ExerciseOptionsRequest,
    OpenOrder,
    Position,
    PositionEnd,
    PositionsRequest,
    WireContract,
)


async def positions(client: Client) -> dict[str, Decimal]:
    """By symbol, as asked for now."""
    before = len(client.heard)
    client.send(PositionsRequest())
    await client.expect(PositionEnd)
    await settled(client)
    return {m.contract.symbol: m.position for m in client.heard[before:] if isinstance(m, Position)}


async def test_an_order_of_a_human(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    human = await ready(connect, sim, 0)
    sim.faults.play("manual-order", side="SELL", quantity=3)
    done = await human.expect(ExecutionDetails)
    assert (done.execution.order_id, done.execution.shares, done.execution.side) == (2147483647, 3, "SLD")
    sim.faults.play("manual-order", price=90)
    await human.expect(OpenOrder, lambda m: m.order.lmt_price == 90)
    await settled(client)
    assert client.all(ExecutionDetails) == client.all(OpenOrder) == [], "it concerns client 0 alone"
    with pytest.raises(ConfigError, match="DU1234567"):
        sim.faults.play("manual-order", account="DU7")


async def test_a_human_changes_and_cancels(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("manual-cancel")
    place(client, 1, lmt=90.0, quantity=5)
    await status_of(client, 1, "Submitted")
    sim.faults.play("manual-change", price=91.5, quantity=7)
    changed = await client.expect(OpenOrder, lambda m: m.order.lmt_price == 91.5)
    assert changed.order.total_quantity == 7
    sim.faults.play("manual-cancel", client=2)
    assert len(sim.exchange.open_orders()) == 1
    sim.faults.play("manual-cancel", client=1, order=1)
    await status_of(client, 1, "Cancelled")
    await error(client, 202)


async def test_a_split(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    place(client, 1, quantity=10)
    await status_of(client, 1, "Filled")
    place(client, 2, lmt=90.0)
    await status_of(client, 2, "Submitted")
    sim.faults.play("split", ratio=4)
    await status_of(client, 2, "Cancelled")
    assert await positions(client) == {"SPY": 40}
    assert len(client.all(ExecutionDetails)) == 1
    assert sim.core.tapes[SPY].bid == 2500


async def test_a_transfer_and_a_deposit(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    client.send(AccountDataRequest(True, "DU1234567"))
    await client.expect(AccountDataEnd)
    cash = next(m.value for m in client.all(AccountValue) if m.key == "TotalCashValue")
    sim.faults.play("transfer", shares=-20)
    assert await positions(client) == {"SPY": -20}
    sim.faults.play("deposit", amount=500)
    await client.expect(
        AccountValue, lambda m: m.key == "TotalCashValue" and float(m.value) == float(cash) + 500
    )
    assert client.all(ExecutionDetails) == []


async def test_an_assignment(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    found = sim.core.universe.find(Wanted(symbol="SPY", sec_type="OPT", right="C"))
    option = min(found, key=lambda one: abs((one.strike or 0) - 100))
    sim.core.listed(option)
    sim.quote(option.con_id, bid=5, ask=5.05)
    ticket = OrderTicket(
        client_id=0,
        order_id=0,
        account="DU1234567",
        con_id=option.con_id,
        side=Side.SELL,
        quantity=Decimal(2),
        order_type="MKT",
    )
    sim.core.tell(sim.exchange.by_hand.place(ticket, sim.now_ns()))
    sim.faults.play("assignment", contracts=1)
    client.send(PositionsRequest())
    await client.expect(PositionEnd)
    held = {m.contract.sec_type: (m.position, m.avg_cost) for m in client.all(Position)}
    assert held["OPT"][0] == -1 and held["STK"] == (-100, option.strike)


async def test_a_human_makes_the_api_read_only(start: Start, connect: Connect) -> None:
    """Under a program's feet: what lives goes on, what it sends is refused, and later taken again."""
    sim, client = await scene(start, connect)
    place(client, 1, lmt=90.0)
    await status_of(client, 1, "Submitted")
    sim.faults.play("read-only")
    place(client, 2, lmt=90.0)
    assert (await error(client, 321)).id == 2
    client.send(ConfigRequest(3))
    assert (await client.expect(ErrorMessage, lambda e: e.id == 3)).error_code == 321
    assert len(sim.exchange.open_orders()) == 1
    sim.faults.clear()
    place(client, 2, lmt=90.0)
    await status_of(client, 2, "Submitted")


async def test_the_server_rejects_what_waits_for_the_clearing(start: Start, connect: Connect) -> None:
    settings = ToldSettings(exercise="editable")
    sim, client = await scene(start, connect, settings=settings)
    option = sim.core.universe.find(Wanted(symbol="SPY", sec_type="OPT", right="C"))[0]
    sim.core.listed(option)
    give = sim.exchange.corporate.transfer
    sim.core.tell(give("DU1234567", option.con_id, Decimal(1), Decimal(2), sim.now_ns()))
    client.send(ExerciseOptionsRequest(7, WireContract(con_id=option.con_id), 1, 1, override=True))
    await status_of(client, 7, "PreSubmitted")
    sim.faults.play("exercise-rejected")
    await status_of(client, 7, "Cancelled")
    assert [one.error_code for one in client.all(ErrorMessage) if one.id == 7][-2:] == [322, 202]
    assert (await positions(client))["SPY"] == 1
