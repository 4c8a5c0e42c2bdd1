"""Linked orders over a real socket: what reaches the broker, in which order, and what protects meanwhile."""

from __future__ import annotations

from decimal import Decimal

from tests.runtime.scene import Scene, at_market, records_of, until

from tws.exchange import OrderView
from tws.model.contract import stock
from tws.model.order import Bracket, Role, bracket
from tws.model.records import CancelAsked, Intended, ReversalMoved, ReversalPhase
from tws.runtime import Trader
from tws.runtime.windup import end_protected


def short(quantity: int = 10, **more: str) -> Bracket:
    return bracket(stock("SPY"), "SELL", quantity, target=97, stop=103, **more)


def working(scene: Scene) -> dict[str, OrderView]:
    return {view.ticket.order_ref: view for view in scene.sim.exchange.open_orders()}


def guarded(scene: Scene) -> Decimal:
    """Shares that stops at the broker cover."""
    stops = (view.remaining for view in working(scene).values() if view.ticket.order_type == "STP")
    return sum(stops, Decimal(0))


def story(trader: Trader) -> list[str]:
    """What was ordered and cancelled, in order: the exact sequence."""
    roles: dict[str, str] = {}
    found = []
    for record in records_of(trader):
        if isinstance(record, Intended):
            roles[record.intent_id] = f"{record.order.side} {record.role} {record.order.quantity}"
            found.append(roles[record.intent_id])
        elif isinstance(record, CancelAsked):
            found.append(f"cancel {roles[record.intent_id]}")
    return found


def phases(trader: Trader) -> list[ReversalPhase]:
    return [record.phase for record in records_of(trader) if isinstance(record, ReversalMoved)]


async def test_an_opposite_wish_reverses_behind_the_stop(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    stop = next(order for order in trade.orders if order.role is Role.STOP)
    await until(lambda: stop.intent_id in working(scene), "the stop works")
    assert await trader.reverse(short(10)) is None
    await until(lambda: scene.broker_position() == -10, "reversed")
    await until(lambda: not trader.desk.state.reversals, "told")
    assert story(trader) == [
        "BUY entry 10", "SELL target 10", "SELL stop 10",
        "cancel SELL target 10", "SELL close 10",
        "SELL entry 10", "BUY target 10", "BUY stop 10",
    ]  # fmt: skip
    close = next(r for r in records_of(trader) if isinstance(r, Intended) and r.role is Role.CLOSE)
    group = next(
        done.order.oca_group
        for done in scene.sim.exchange.completed_orders()
        if done.order.ticket.order_ref == stop.intent_id
    )
    assert close.order.oca_group == group != ""
    assert phases(trader) == [ReversalPhase.CANCELLING, ReversalPhase.CLOSING, ReversalPhase.FLAT]
    await until(lambda: len(working(scene)) == 2, "the new pair works")
    await until(lambda: trader.position("SPY") == -10, "our book follows")
    assert trader.desk.state.groups[trade.group_id].bare_times <= 1, "the stop protected all the while"


async def test_a_reversal_while_the_stop_is_filling_sells_no_share_twice(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    await until(lambda: len(working(scene)) == 2, "stop and target work")
    scene.sim.quote("SPY", bid=96.5, ask=96.52, bid_size=4)
    scene.sim.trade("SPY", 96.5)
    await until(lambda: trader.position("SPY") == 6, "the stop took a part")
    assert await trader.reverse(bracket(stock("SPY"), "SELL", 10, target=94, stop=100)) is None
    await until(lambda: "SELL close 6" in story(trader), "the rest is closed beside the stop")
    scene.sim.quote("SPY", bid=96.5, ask=96.52, bid_size=1000)
    await until(lambda: scene.broker_position() == -10, "reversed")
    await until(lambda: not trader.desk.state.reversals, "at its end")
    sold = sum(r.executed.quantity for r in scene.sim.exchange.executions() if r.executed.side == "SLD")
    assert sold == 20, "ten that were held, ten of the new entry"
    assert not [text for text in story(trader) if "BUY close" in text], "nothing had to be given back"


async def test_a_stop_that_fills_first_reverses_as_well(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    await until(lambda: len(working(scene)) == 2, "stop and target work")
    scene.sim.quote("SPY", bid=0, ask=96.52)  # nobody bids: the close waits beside the stop
    assert await trader.reverse(bracket(stock("SPY"), "SELL", 10, target=94, stop=100)) is None
    await until(lambda: "SELL close 10" in story(trader), "closing")
    scene.sim.trade("SPY", 96.5)  # the stop is triggered too, and stands first in no queue
    scene.sim.quote("SPY", bid=96.5, ask=96.52)
    await until(lambda: not trader.desk.state.reversals, "at its end")
    await until(lambda: trader.position("SPY") == scene.broker_position(), "told")
    sold = sum(r.executed.quantity for r in scene.sim.exchange.executions() if r.executed.side == "SLD")
    assert sold == 10 - scene.broker_position(), "what was held went once; the new entry is the gate's affair"
    assert scene.broker_position() in (0, -10)


async def test_a_reversal_enters_no_more_once_entries_are_cancelled(scene: Scene) -> None:
    """As at the end of a run. Found by seed 15 of the automation: it entered ten seconds after that end."""
    trader = await scene.started()
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    await until(lambda: len(working(scene)) == 2, "stop and target work")
    scene.sim.quote("SPY", bid=0, ask=96.52)  # nobody bids: the close waits beside the stop
    assert await trader.reverse(bracket(stock("SPY"), "SELL", 10, target=94, stop=100)) is None
    await until(lambda: "SELL close 10" in story(trader), "closing")
    assert await end_protected(trader, "the run ends", 10.0)
    assert phases(trader)[-1] is ReversalPhase.DROPPED
    scene.sim.quote("SPY", bid=96.5, ask=96.52)
    await until(lambda: trader.flat() and scene.broker_position() == 0, "what was held is closed")
    assert "SELL entry 10" not in story(trader)


async def test_nothing_to_reverse_is_a_denial(scene: Scene) -> None:
    trader = await scene.started()
    denied = await trader.reverse(short())
    assert denied is not None and denied.limit == "reversal"
    assert scene.all_refs() == []


async def test_doubling_down_fills_and_the_stop_takes_all(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    more = bracket(stock("SPY"), "BUY", 10, limit=98.5, target=103, stop=97)
    added = await trader.submit(more, joins=trade.group_id)
    assert added.denial is None
    scene.sim.quote("SPY", bid=98.4, ask=98.45)
    await until(lambda: scene.broker_position() == 20, "both are filled")
    await until(lambda: guarded(scene) == 20, "both have their stops")
    scene.sim.quote("SPY", bid=96.9, ask=96.95)
    scene.sim.trade("SPY", 96.9)
    await until(lambda: scene.broker_position() == 0 and not working(scene), "stopped out, all of it")
    await until(lambda: trade.stopped_out and added.stopped_out, "told")


async def test_what_was_to_be_added_goes_with_the_trade(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    added = await trader.submit(
        bracket(stock("SPY"), "BUY", 10, limit=98.5, target=103, stop=97), joins=trade.group_id
    )
    await until(lambda: len(working(scene)) == 5, "all work")
    scene.sim.quote("SPY", bid=103.1, ask=103.12)
    await until(lambda: scene.broker_position() == 0 and not working(scene), "the target closed the trade")
    await until(lambda: added.over, "told")
    assert added.filled == 0
    assert trader.flat()


async def test_only_a_trade_that_holds_can_be_joined(scene: Scene) -> None:
    trader = await scene.started()
    denied = await trader.submit(at_market(10), joins="nobody")
    assert denied.denial is not None and denied.denial.limit == "joins"
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    other = await trader.submit(short(10), joins=trade.group_id)
    assert other.denial is not None and "BUY of SPY" in other.denial.reason
