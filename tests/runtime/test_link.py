"""The link goes and comes back: what happened meanwhile is learnt, nothing is sent twice."""

from __future__ import annotations

import pytest
from tests.runtime.scene import SPY, Scene, at_market, until, working

from tws.clock import NS_PER_S
from tws.desk import Timing
from tws.errors import NotSentError
from tws.model.records import OrderState
from tws.runtime import Trader


def settled(trader: Trader) -> bool:
    """Linked, reconciled, and nothing of unknown outcome."""
    state = trader.desk.state
    known = all(order.state is not OrderState.UNKNOWN for order in state.book.living())
    return state.link_up and state.reconciled_epoch == state.epoch and known


async def test_a_fill_while_the_link_was_down(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(working(10, limit=99.0))
    sim = scene.sim
    await until(lambda: len(scene.open_refs()) == 3, "the bracket's arrival")
    sim.faults.refuse = True
    sim.faults.cut()
    await until(lambda: not trader.desk.state.link_up, "the news of the lost link")
    assert all(order.state is OrderState.UNKNOWN for order in trade.orders), "a lost link is no rejection"
    sim.quote("SPY", bid=98.98, ask=99.0)
    assert scene.broker_position() == 10
    assert trader.position("SPY") == 0
    sim.faults.refuse = False
    assert await trade.entry_filled() == 10
    await until(lambda: settled(trader), "the reconciliation")
    assert trader.position("SPY") == 10 == scene.broker_position()
    assert sorted(o.intent_id for o in trade.orders if o.live) == scene.open_refs()
    assert len(scene.all_refs()) == 3, "an order was sent twice"
    await trader.quote(SPY)
    assert await trader.flatten()


async def test_an_order_whose_bytes_were_lost_is_never_sent_again(scene: Scene) -> None:
    """Handed to the socket, and reset before TWS read it: unknown, asked about, proven absent."""
    trader = await scene.started(timing=Timing(absence_ns=NS_PER_S // 5))
    trade = await trader.submit(working(10))
    scene.sim.faults.cut()  # with no turn of the loop between: the simulator has read nothing
    await until(lambda: not trader.desk.state.link_up, "the news of the lost link")
    assert all(order.state is OrderState.UNKNOWN for order in trade.orders)
    await until(lambda: all(o.state is OrderState.ABSENT for o in trade.orders), "the proof of absence")
    assert scene.all_refs() == []
    assert await trade.entry_filled() == 0


async def test_dials_go_on_until_tws_is_back(scene: Scene) -> None:
    trader = await scene.started()
    dials = 0
    redial = trader.connection._engine.redial

    async def counted() -> None:
        nonlocal dials
        dials += 1
        await redial()

    trader.connection._engine.redial = counted  # type: ignore[method-assign]
    scene.sim.faults.refuse = True
    scene.sim.faults.cut()
    await until(lambda: dials >= 2, "a second dial")
    denied = (await trader.submit(at_market())).denial
    assert denied is not None and denied.limit == "entries_blocked", "an entry without a link"
    scene.sim.faults.refuse = False
    await until(lambda: settled(trader), "the link")
    assert trader.failure is None


async def test_a_second_cut_during_the_way_back(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(working(10))
    await until(lambda: len(scene.open_refs()) == 3, "the bracket's arrival")
    for _ in range(3):
        scene.sim.faults.cut()
        await until(lambda: not trader.connection.is_connected(), "the cut")
        await until(trader.connection.is_connected, "the link")
    await until(lambda: settled(trader), "the reconciliation")
    assert sorted(order.intent_id for order in trade.orders) == scene.open_refs() == scene.all_refs()


async def test_streams_are_renewed(scene: Scene) -> None:
    """The commonest complaint (INCIDENTS.md, pain 1): after a reconnect the data stays silent."""
    trader = await scene.started()
    seen: list[float] = []
    trader.watchlist.tap(scene.sim.con_id("SPY"), lambda field, price, size: seen.append(price))
    stream = await trader.stream(SPY)
    scene.sim.faults.cut()
    await until(lambda: stream.gap is not None, "the gap")
    await until(lambda: scene.sim.core.lines.get(scene.sim.con_id("SPY")), "the new subscription")
    scene.sim.quote("SPY", bid=101.0, ask=101.02)
    await until(lambda: 101.02 in seen, "a tick on the new link")
    quote = await trader.quote(SPY)
    assert quote.ask == 101.02
    assert not stream.closed and [gap.end_ns is not None for gap in stream.gaps] == [True]
    await until(lambda: trader.desk.quotes[quote.con_id].ask == 101.02, "the desk's own view")


async def test_streams_that_tws_says_it_lost_are_renewed(scene: Scene) -> None:
    """1101: the socket never broke, and yet no tick will come."""
    trader = await scene.started()
    stream = await trader.stream(SPY)
    scene.sim.faults.play("connectivity-lost", lasts="500ms", restored="lost")
    await until(lambda: stream.gap is not None, "the gap")
    await until(lambda: settled(trader), "the reconciliation")
    await until(lambda: scene.sim.core.lines.get(scene.sim.con_id("SPY")), "the new subscription")
    assert len(scene.sim.core.lines[scene.sim.con_id("SPY")]) == 1, "the old line was left open"
    scene.sim.quote("SPY", bid=102.0, ask=102.02)
    await until(lambda: stream.quote.ask == 102.02, "a tick")
    assert not stream.closed


async def test_a_stream_that_its_reader_closed_stays_closed(scene: Scene) -> None:
    trader = await scene.started()
    (await trader.stream(SPY)).close()
    scene.sim.faults.cut()
    await until(lambda: not trader.connection.is_connected(), "the cut")
    await until(lambda: settled(trader), "the link")
    assert not scene.sim.core.lines.get(scene.sim.con_id("SPY"))


async def test_without_reconnect_a_lost_link_stays_lost(scene: Scene) -> None:
    trader = await scene.started(reconnect=False)
    scene.sim.faults.cut()
    await until(lambda: not trader.desk.state.link_up, "the news")
    with pytest.raises(NotSentError):
        await trader.submit(at_market())
    assert not trader.connection.is_connected() and trader.failure is None
