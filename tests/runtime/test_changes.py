"""Changes of working orders over a real socket: the broker has what was asked, and no field less."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.runtime.scene import Scene, at_market, records_of, until, working

from tws.desk import ModifyOrder
from tws.errors import OrderDeniedError
from tws.exchange import Habits
from tws.model.order import Role
from tws.model.records import Changed, Denied, OrderState
from tws.orders import OurOrder
from tws.runtime import Trader
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits


async def submitted(scene: Scene, trader: Trader, quantity: int = 10) -> dict[Role, OurOrder]:
    """A bracket at 99 that TWS has stated."""
    trade = await trader.submit(working(quantity))
    orders = {order.role: order for order in trade.orders}
    await until(lambda: all(order.intent_id in rows(trader) for order in orders.values()), "TWS states them")
    await until(lambda: orders[Role.ENTRY].state is OrderState.WORKING, "the entry works")
    return orders


def rows(trader: Trader):  # type: ignore[no-untyped-def]
    return trader.desk._beside.rows


def ticket(scene: Scene, order: OurOrder):  # type: ignore[no-untyped-def]
    """What the broker has of it."""
    return next(
        view.ticket for view in scene.sim.exchange.open_orders() if view.ticket.order_ref == order.intent_id
    )


async def change(trader: Trader, order: OurOrder, **wish: str) -> Denied | None:
    terms = {name: Decimal(value) for name, value in wish.items()}
    return await trader.modify(ModifyOrder(intent_id=order.intent_id, reason="test", **terms))


async def test_a_new_price_arrives_and_nothing_else_is_lost(scene: Scene) -> None:
    trader = await scene.started()
    orders = await submitted(scene, trader)
    stop, before = orders[Role.STOP], ticket(scene, orders[Role.STOP])
    assert await change(trader, stop, stop_price="95.5") is None
    await until(lambda: not stop.changing, "TWS takes the change")
    after = ticket(scene, stop)
    assert after.stop_price == Decimal("95.5") == stop.order.stop_price
    kept = (
        "side",
        "quantity",
        "tif",
        "order_ref",
        "parent_id",
        "oca_group",
        "oca_type",
        "outside_rth",
        "account",
    )
    assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
    assert len(scene.open_refs()) == 3
    assert [r.order.stop_price for r in records_of(trader) if isinstance(r, Changed)] == [Decimal("95.5")]


async def test_an_entry_that_is_moved_to_the_market_fills_under_its_bracket(scene: Scene) -> None:
    trader = await scene.started()
    orders = await submitted(scene, trader)
    assert await change(trader, orders[Role.ENTRY], limit_price="100.05") is None
    await until(lambda: orders[Role.ENTRY].state is OrderState.FILLED, "the fill")
    assert trader.position("SPY") == 10 == scene.broker_position()
    group = trader.desk.state.groups[orders[Role.ENTRY].group_id]
    await until(lambda: group.bare_since_ns is None, "the stop is proven")
    assert {orders[Role.STOP].state, orders[Role.TARGET].state} <= {
        OrderState.ACKNOWLEDGED,
        OrderState.WORKING,
    }


async def test_a_bracket_changes_its_size_whole(scene: Scene) -> None:
    trader = await scene.started()
    orders = await submitted(scene, trader)
    for size in ("6", "14"):
        assert await change(trader, orders[Role.ENTRY], quantity=size) is None
        await until(lambda: not any(order.changing for order in orders.values()), "TWS takes the changes")
        assert {ticket(scene, order).quantity for order in orders.values()} == {Decimal(size)}
    assert await change(trader, orders[Role.ENTRY], limit_price="100.05") is None
    await until(lambda: trader.position("SPY") == 14, "the fill")
    assert trader.desk.state.groups[orders[Role.ENTRY].group_id].repairs == 0


class Stubborn(Scene):
    """A TWS that refuses changes which name a parent (INS#647: 135)."""

    def __init__(self, folder) -> None:  # type: ignore[no-untyped-def]
        super().__init__(folder)
        habits = Habits(parent_in_change=False)
        self.sim = SimulatedTWS(SimulatorOptions(market=self.market(), limits=SimLimits.off(), habits=habits))


async def test_a_change_that_tws_refuses_leaves_the_order_alive(tmp_path) -> None:  # type: ignore[no-untyped-def]
    scene = Stubborn(tmp_path)
    await scene.open()
    try:
        trader = await scene.started()
        orders = await submitted(scene, trader)
        stop = orders[Role.STOP]
        assert await change(trader, stop, stop_price="95.5") is None
        await until(lambda: not stop.changing, "the refusal")
        assert stop.live and stop.order.stop_price == 96 == ticket(scene, stop).stop_price
        assert len(scene.open_refs()) == 3
        assert await change(trader, orders[Role.ENTRY], limit_price="99.1") is None
        await until(lambda: not orders[Role.ENTRY].changing, "the entry has no parent to name")
        assert ticket(scene, orders[Role.ENTRY]).limit_price == Decimal("99.1")
    finally:
        await scene.close()


async def test_an_order_changed_in_tws_is_changed_from_there(scene: Scene) -> None:
    trader = await scene.started()
    orders = await submitted(scene, trader)
    entry = orders[Role.ENTRY]
    scene.sim.faults.play("manual-change", client=1, order=entry.order_id, price=98.5)
    await until(lambda: entry.order.limit_price == Decimal("98.5"), "TWS states the human's price")
    assert await change(trader, entry, quantity="8") is None
    await until(lambda: not entry.changing, "TWS takes the change")
    assert (ticket(scene, entry).limit_price, ticket(scene, entry).quantity) == (Decimal("98.5"), 8)


async def test_a_change_that_becomes_a_second_order_is_found_and_all_is_cancelled(scene: Scene) -> None:
    """INCIDENTS.md 3. What its id no longer reaches shows in the broker's own position."""
    trader = await scene.started()
    orders = await submitted(scene, trader)
    entry = orders[Role.ENTRY]
    scene.sim.faults.play("modify-forks", client=1)
    alarms: list[str] = []
    trader.on_alert(lambda alert: alarms.append(alert.text))
    assert await change(trader, entry, limit_price="98.5") is None
    await until(lambda: len(entry.perms) == 2, "both permanent ids")
    await until(lambda: entry.cancel_wanted, "the cancel")
    await until(lambda: any("permanent ids; all are cancelled" in text for text in alarms), "the alarm")
    denied = await change(trader, entry, limit_price="98.4")
    assert denied is not None and denied.limit == "change"


async def test_the_last_gate_lets_no_intent_out_twice(scene: Scene) -> None:
    """A second permit for the same intent, as a retry of a submit would mint it: no byte of it leaves."""
    trader = await scene.started()
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    entry = next(order for order in trade.orders if order.role is Role.ENTRY)
    order_id = trader.desk.state.next_order_id
    gate, order, contract = trader.gate, entry.order, entry.contract
    gate.approve((entry.intent_id, 0), order_id, contract, order, order.quantity)
    permit = gate.mint((entry.intent_id, 0))
    assert permit is not None
    sent = trader.connection.bytes_sent
    with pytest.raises(OrderDeniedError, match=entry.intent_id):
        trader.connection.outbound.place(order_id, contract, order, permit)
    assert trader.connection.bytes_sent == sent
    assert scene.all_refs().count(entry.intent_id) == 1
