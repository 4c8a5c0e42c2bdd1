"""Brackets through a trader: fills, denials, waits, cancels, flatten."""

from __future__ import annotations

import asyncio
import gc
from decimal import Decimal

import pytest
from tests.runtime.scene import BOUND_S, SPY, Scene, at_market, records_of, until, working

from tws import Limits
from tws.errors import NoContractError, RequestTimeoutError
from tws.model.contract import stock
from tws.model.order import Role, bracket
from tws.model.records import Denied, Moved, OrderState
from tws.orders.table import OrderEvent


async def test_a_bracket_fills_and_its_target_ends_it(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(at_market(10))
    assert await trade.entry_filled() == 10
    roles = {order.role: order for order in trade.orders}
    assert roles[Role.STOP].live and roles[Role.TARGET].live
    scene.sim.quote("SPY", bid=104.0, ask=104.02)
    await trade.closed(timeout_s=BOUND_S)
    assert trader.flat() and scene.broker_position() == 0
    assert not trade.stopped_out
    assert [fill.price for fill in trade.fills(roles[Role.TARGET].intent_id)] == [104]


async def test_a_denial_is_a_value_and_no_byte_leaves(scene: Scene) -> None:
    trader = await scene.started(limits=Limits(max_order_quantity=5, stale_quote_s=3600))
    await trader.instrument(SPY)
    sent = trader.connection.bytes_sent
    trade = await trader.submit(at_market(6))
    assert trade.denial is not None and trade.denial.limit == "max_order_quantity"
    assert trade.orders == [] and trade.over and trade.intent_id == "" and trade.average_price is None
    assert trader.connection.bytes_sent == sent
    assert scene.all_refs() == []
    assert [r.limit for r in records_of(trader) if isinstance(r, Denied)] == ["max_order_quantity"]


async def test_a_stale_quote_denies(scene: Scene) -> None:
    trader = await scene.started(limits=Limits(stale_quote_s=0.000001))
    trade = await trader.submit(at_market())
    assert trade.denial is not None and "quote" in trade.denial.limit


async def test_an_unknown_symbol_is_tws_s_own_error(scene: Scene) -> None:
    trader = await scene.started()
    with pytest.raises(NoContractError) as wrong:
        await trader.submit(bracket(stock("NOSUCH"), "BUY", 1, target=2, stop=1))
    assert wrong.value.code == 200


async def test_waiting_for_a_fill_that_does_not_come(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(working(10))
    with pytest.raises(RequestTimeoutError, match="still works"):
        await trade.entry_filled(timeout_s=0.05)
    assert len(scene.open_refs()) == 3, "a wait that ends must cancel nothing"
    await trader.cancel_all()
    assert await trade.entry_filled() == 0
    assert trade.over


async def test_flatten_one_symbol_leaves_the_other(scene: Scene) -> None:
    trader = await scene.started()
    spy = await trader.submit(at_market(10))
    await trader.quote(stock("QQQ"))
    qqq = await trader.submit(at_market(5, "QQQ", 50.0))
    assert qqq.denial is None, "judged by an older quote than its maker saw"
    await spy.entry_filled()
    await qqq.entry_filled()
    assert await trader.flatten("SPY")
    assert trader.position("SPY") == 0 and trader.position("QQQ") == 5
    assert trader.flat("SPY") and not trader.flat("QQQ") and not trader.flat()
    assert len(scene.open_refs()) == 2
    assert await trader.flatten()
    assert scene.broker_position() == 0 == scene.broker_position("QQQ") and scene.open_refs() == []


async def test_flatten_says_no_when_the_market_is_silent(scene: Scene) -> None:
    trader = await scene.started()
    await (await trader.submit(at_market(10))).entry_filled()
    scene.sim.faults.hold_next_order()
    assert await trader.flatten(timeout_s=0.3) is False
    scene.sim.faults.release()
    await until(trader.flat, "flat once the broker speaks")


async def test_what_left_and_what_did_not_is_remembered_order_by_order(scene: Scene) -> None:
    trader = await scene.started()
    outbound = trader.connection.outbound
    outbound.hold()
    leaves = await trader.submit(working(10))
    outbound.release()
    outbound.hold()
    stays = await trader.submit(working(5))
    await trader.cancel_all()
    outbound.release()
    await until(lambda: stays.over and leaves.over, "the end of both")
    moves = [record for record in records_of(trader) if isinstance(record, Moved)]
    written = [move.intent_id for move in moves if move.event == OrderEvent.WRITE]
    assert written == [order.intent_id for order in leaves.orders]
    assert [order.state for order in stays.orders] == [OrderState.WITHDRAWN] * 3
    assert scene.all_refs() == sorted(written), "a withdrawn order left"


async def test_each_trade_hears_of_its_own_orders_alone(scene: Scene) -> None:
    trader = await scene.started()
    waits = await trader.submit(working(10))
    fills = await trader.submit(at_market(4))
    await fills.entry_filled()
    assert fills.filled == 4 and waits.filled == 0
    assert waits.average_price is None and fills.average_price == Decimal("100.01")


async def test_a_trade_that_nobody_holds_is_forgotten(scene: Scene) -> None:
    trader = await scene.started()
    held = trader._life.trades._held
    for _ in range(5):
        await (await trader.submit(at_market(1))).entry_filled()
    gc.collect()
    assert len(held) <= 1, "a year of trades must not stay in memory"


async def test_alarms_reach_every_listener_whatever_one_does(scene: Scene) -> None:
    trader = await scene.started()
    heard: list[str] = []

    def broken(alert: object) -> None:
        raise ValueError("a listener's own bug")

    trader.on_alert(broken)
    trader.on_alert(lambda alert: heard.append(alert.subject))
    scene.sim.faults.cut()
    await until(lambda: any("link" in subject for subject in heard), "the alarm of the lost link")
    assert trader.failure is None
    await until(trader.connection.is_connected, "the link")


async def test_many_at_once(scene: Scene) -> None:
    trader = await scene.started(
        limits=Limits(max_orders_per_side=None, stale_quote_s=3600, duplicate_window_s=None, max_entries=None,
                      max_messages_per_s=None)
    )
    # Nine, since TWS takes no more than twenty working exits a side.
    trades = await asyncio.gather(*(trader.submit(at_market(1)) for _ in range(9)))
    assert all(trade.denial is None for trade in trades)
    assert await asyncio.gather(*(trade.entry_filled() for trade in trades)) == [1] * 9
    assert trader.position("SPY") == 9 == scene.broker_position()
    assert len({trade.intent_id for trade in trades}) == 9
    await trader.quote(SPY)
