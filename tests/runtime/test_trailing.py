"""Stops that the broker moves, over a real socket: with the trader killed they go on, and sell once."""

from __future__ import annotations

import asyncio
import os
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
from tests.runtime.mortal import PATIENCE_S
from tests.runtime.scene import Scene, records_of, until

from tws.clock import NS_PER_S
from tws.desk import ModifyOrder, Timing
from tws.exchange import OrderView
from tws.model.contract import stock
from tws.model.order import Bracket, Role, bracket
from tws.model.records import Alarmed, Intended, OrderState, Severity
from tws.orders import OurOrder
from tws.runtime import Trader
from tws.runtime.acting import move_stops
from tws.strategy.manage import StopMove

SPY = stock("SPY")
MORTAL = Path(__file__).with_name("mortal.py")


def at(scene: Scene, price: float) -> None:
    """The market goes there: its quote, and a trade."""
    scene.sim.quote("SPY", bid=round(price - 0.01, 2), ask=round(price + 0.01, 2))
    scene.sim.trade("SPY", price)


def stop_of(scene: Scene) -> OrderView:
    """The one stop at the broker."""
    (found,) = [
        view for view in scene.sim.exchange.open_orders() if view.ticket.order_type in ("TRAIL", "STP")
    ]
    return found


def sold(scene: Scene, side: str = "SLD") -> list[Decimal]:
    reports = (report.executed for report in scene.sim.exchange.executions())
    return [each.quantity for each in reports if each.side == side]


async def killed_holding(scene: Scene, wish: Bracket) -> None:
    """A trader in a process of its own enters, and is killed as kill -9 does once its stop is armed."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    text = msgspec.json.encode(wish).decode()
    words = (sys.executable, str(MORTAL), str(scene.journal), str(scene.port), text)
    process = await asyncio.create_subprocess_exec(*words, env=environ, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        assert line.strip() == b"filled"
        await until(lambda: len(scene.open_refs()) == 2, "stop and target are left")
        await until(lambda: stop_of(scene).status == "PreSubmitted", "the stop is armed")
    finally:
        process.kill()
        await process.communicate()
    await until(lambda: not scene.sim.sessions, "TWS hears of its death")


async def revived(scene: Scene) -> Trader:
    """Another trader on the journal of the dead one, its books and the broker's compared."""
    trader = await scene.started()
    await until(lambda: trader.position("SPY") == scene.broker_position(), "the same position")
    return trader


def orders(trader: Trader) -> dict[Role, OurOrder]:
    return {order.role: order for order in trader.desk.state.book.orders.values()}


def alarms(trader: Trader) -> list[str]:
    """But that nothing is certain before the broker's answers are read."""
    told = [r.text for r in records_of(trader) if isinstance(r, Alarmed) and r.severity is Severity.ALARM]
    return [text for text in told if "unknown outcome" not in text]


def meant(trader: Trader) -> int:
    return sum(isinstance(record, Intended) for record in records_of(trader))


async def test_a_trailing_stop_follows_and_sells_with_the_trader_dead(scene: Scene) -> None:
    await killed_holding(scene, bracket(SPY, "BUY", 10, stop=98, target=120, trail=2))
    assert (stop_of(scene).ticket.order_type, stop_of(scene).ticket.stop_price) == ("TRAIL", 2)
    at(scene, 104)
    assert stop_of(scene).trail_stop == 102
    at(scene, 103)
    assert stop_of(scene).trail_stop == 102, "it never goes back"
    at(scene, 101.9)
    assert scene.broker_position() == 0 and sold(scene) == [10]
    trader = await revived(scene)
    await until(lambda: orders(trader)[Role.STOP].state is OrderState.FILLED, "the stop's fill is booked")
    await until(lambda: not trader.desk.state.open_groups, "the trade is over")
    assert orders(trader)[Role.STOP].filled == 10 and not orders(trader)[Role.TARGET].live
    assert sold(scene) == [10] and meant(trader) == 3 and trader.flat()


async def test_a_short_trails_by_percent_and_is_bought_back(scene: Scene) -> None:
    await killed_holding(scene, bracket(SPY, "SELL", 10, stop=102, target=80, trail_percent=2))
    at(scene, 95)
    assert stop_of(scene).trail_stop == Decimal("96.9")
    trader = await revived(scene)
    group = next(iter(trader.desk.state.groups.values()))
    await until(lambda: group.stop_price == Decimal("96.9"), "TWS states where it stands")
    at(scene, 97)
    await until(lambda: trader.flat(), "bought back")
    assert sold(scene, "BOT") == [10] and alarms(trader) == [] and meant(trader) == 3


async def test_who_comes_back_knows_where_the_stop_stands_and_may_draw_it_closer(scene: Scene) -> None:
    await killed_holding(scene, bracket(SPY, "BUY", 10, stop=98, target=120, trail=2))
    at(scene, 104)
    trader = await revived(scene)
    group = next(iter(trader.desk.state.groups.values()))
    await until(lambda: group.stop_price == 102, "TWS states where it stands")
    stop = orders(trader)[Role.STOP]
    wish = ModifyOrder(intent_id=stop.intent_id, trail=Decimal(1), reason="closer")
    assert await trader.modify(wish) is None
    await until(lambda: not stop.changing, "TWS takes the change")
    at(scene, 104.5)
    view = stop_of(scene)
    assert (view.ticket.order_type, view.ticket.stop_price, view.trail_stop) == ("TRAIL", 1, Decimal("103.5"))
    assert view.ticket.parent_id and view.remaining == 10
    at(scene, 103.4)
    await until(lambda: trader.flat(), "sold")
    assert sold(scene) == [10] and alarms(trader) == [] and meant(trader) == 3


async def test_break_even_comes_with_the_trader_dead(scene: Scene) -> None:
    wish = bracket(SPY, "BUY", 10, stop=97, target=110, break_even=3, break_even_offset=0.05)
    await killed_holding(scene, wish)
    at(scene, 103)
    assert stop_of(scene).ticket.stop_price == 97, "not there yet: the entry was reckoned at 100.01"
    at(scene, 103.01)
    assert stop_of(scene).ticket.stop_price == Decimal("100.06")
    trader = await revived(scene)
    group = next(iter(trader.desk.state.groups.values()))
    await until(lambda: group.stop_price == Decimal("100.06"), "TWS states the adjusted stop")
    assert group.trigger_price is None and orders(trader)[Role.STOP].order.stop_price == Decimal("100.06")
    at(scene, 100.05)
    await until(lambda: trader.flat(), "sold at break-even")
    assert sold(scene) == [10] and alarms(trader) == [] and meant(trader) == 3


async def test_a_part_of_an_entry_trails_too(scene: Scene) -> None:
    trader = await scene.started(timing=Timing(partial_ns=NS_PER_S // 5, bare_ns=NS_PER_S // 5))
    scene.sim.quote("SPY", bid=99.99, ask=100.01, ask_size=4)
    trade = await trader.submit(bracket(SPY, "BUY", 10, limit=100.01, stop=98, target=120, trail=2))
    await until(lambda: trade.filled == 4, "a part")
    await until(lambda: scene.broker_position() == 4 and len(scene.open_refs()) == 2, "a pair for the part")
    await until(lambda: stop_of(scene).remaining == 4, "its stop")
    view = stop_of(scene)
    assert (view.ticket.order_type, view.ticket.stop_price, view.ticket.parent_id) == ("TRAIL", 2, 0)
    at(scene, 105)
    assert stop_of(scene).trail_stop == 103
    at(scene, 102.9)
    await until(lambda: trader.flat(), "sold")
    assert sold(scene) == [4] and scene.open_refs() == []


async def test_a_stop_that_a_human_cancelled_comes_back_where_it_stood(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(bracket(SPY, "BUY", 10, stop=98, target=120, trail=2))
    await trade.entry_filled()
    await until(lambda: stop_of(scene).status == "PreSubmitted", "the stop is armed")
    at(scene, 104)
    at(scene, 103)
    gone = orders(trader)[Role.STOP]
    scene.sim.faults.play("manual-cancel", client=1, order=gone.order_id)
    await until(lambda: meant(trader) == 5 and len(scene.open_refs()) == 2, "a new pair")
    view = stop_of(scene)
    assert view.ticket.order_ref != gone.intent_id
    assert (view.ticket.order_type, view.ticket.stop_price, view.trail_stop) == ("TRAIL", 2, 102)
    at(scene, 101.9)
    await until(lambda: trader.flat(), "sold")
    assert sold(scene) == [10]


async def test_a_stop_that_a_human_cancelled_while_the_trader_was_dead(scene: Scene) -> None:
    await killed_holding(scene, bracket(SPY, "BUY", 10, stop=98, target=120, trail=2))
    at(scene, 104)
    scene.sim.faults.play("manual-cancel", client=1, order=stop_of(scene).ticket.order_id)
    trader = await scene.started(timing=Timing(bare_ns=NS_PER_S // 5))
    await until(lambda: meant(trader) == 5 and len(scene.open_refs()) == 2, "a new pair")
    view = stop_of(scene)
    assert (view.ticket.order_type, view.ticket.stop_price, view.trail_stop) == ("TRAIL", 2, 102)
    at(scene, 101.9)
    await until(lambda: trader.flat(), "sold")
    assert sold(scene) == [10]


async def test_the_stop_of_a_held_trade_begins_to_trail_where_it_stands(scene: Scene) -> None:
    """Under its own id, and the broker alone goes on with it."""
    trader = await scene.started()
    trade = await trader.submit(bracket(SPY, "BUY", 10, stop=97, target=120, break_even=3))
    await trade.entry_filled()
    await until(lambda: stop_of(scene).status == "PreSubmitted", "the stop is armed")
    stop, before = orders(trader)[Role.STOP], stop_of(scene)
    await until(lambda: stop.intent_id in trader.desk._beside.rows, "TWS has stated it")
    assert await move_stops(trader, [stop.intent_id], StopMove(trail=Decimal(2))) == ""
    await until(lambda: not stop.changing, "TWS takes the change")
    view = stop_of(scene)
    assert (view.ticket.order_type, view.ticket.stop_price, view.trail_stop) == ("TRAIL", 2, 97)
    assert (view.perm_id, view.ticket.parent_id) == (before.perm_id, before.ticket.parent_id)
    assert view.ticket.trigger_price is None, "what trails is not adjusted too"
    group = next(iter(trader.desk.state.groups.values()))
    assert (group.trail, group.trigger_price) == (2, None)
    await trader.stop()
    at(scene, 104)
    at(scene, 101.9)
    assert scene.broker_position() == 0 and sold(scene) == [10]


async def test_what_trails_by_an_amount_may_trail_by_percent(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(bracket(SPY, "BUY", 10, stop=97, target=120, trail=3))
    await trade.entry_filled()
    await until(lambda: stop_of(scene).status == "PreSubmitted", "the stop is armed")
    stop = orders(trader)[Role.STOP]
    await until(lambda: stop.intent_id in trader.desk._beside.rows, "TWS has stated it")
    assert await move_stops(trader, [stop.intent_id], StopMove(trail_percent=Decimal(1))) == ""
    await until(lambda: not stop.changing, "TWS takes the change")
    at(scene, 110)
    assert (stop_of(scene).ticket.trailing_percent, stop_of(scene).trail_stop) == (1, Decimal("108.90"))
    entry = orders(trader)[Role.TARGET]
    assert "denied by change" in await move_stops(trader, [entry.intent_id], StopMove(trail=Decimal(1)))


async def test_a_change_never_moves_a_trailing_stop_back(scene: Scene) -> None:
    """TWS did not tell that it stands at 102 by now, and the market has come back since."""
    trader = await scene.started()
    trade = await trader.submit(bracket(SPY, "BUY", 10, stop=98, target=120, trail=2))
    await trade.entry_filled()
    await until(lambda: stop_of(scene).status == "PreSubmitted", "the stop is armed")
    stop = orders(trader)[Role.STOP]
    await until(lambda: stop.intent_id in trader.desk._beside.rows, "TWS has stated it")
    at(scene, 104)
    at(scene, 102.5)
    assert stop.order.stop_price == 98, "nobody has told"
    wish = ModifyOrder(intent_id=stop.intent_id, trail=Decimal("1.9"), reason="closer")
    assert await trader.modify(wish) is None
    await until(lambda: not stop.changing, "TWS takes the change")
    assert (stop_of(scene).ticket.stop_price, stop_of(scene).trail_stop) == (Decimal("1.9"), 102)
