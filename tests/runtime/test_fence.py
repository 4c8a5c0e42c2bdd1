"""The last look before the bytes: who lost the lease sends nothing, who is latched enters nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.runtime.scene import SPY, Scene, at_market, until, working

from tws.clock import NS_PER_S
from tws.errors import OrderDeniedError, SafetyError
from tws.model.order import Order, OrderType, Role, Side
from tws.model.stop import KillState, Scope, ScopeKind
from tws.runtime import Trader
from tws.safety import Process, SafetyFile, Unlock, this_process

DEAD = Process(host=this_process().host, pid=2**22 + 5, started="never")


@pytest.fixture
async def safety(scene: Scene, tmp_path: Path) -> AsyncIterator[SafetyFile]:
    with SafetyFile(tmp_path / "safety") as file:
        yield file
        for trader in scene.traders:  # they give their lease back while the file is open
            await trader.stop()


def permitted(trader: Trader, number: int = 99) -> Order:
    """An order that the gate approved a moment ago, in nobody's book: an entry, as far as the fence knows."""
    return Order(
        side=Side.BUY,
        quantity=1,
        order_type=OrderType.MARKET,
        account=trader.desk.state.account,
        order_ref=f"x-{number}",
    )


async def place(trader: Trader, number: int = 99) -> None:
    """Past the desk, with a good permit, to the last gate."""
    instrument = await trader.instrument(SPY)
    order = permitted(trader, number)
    trader.gate.approve((order.order_ref, 0), number, instrument.contract, order, order.quantity)
    permit = trader.gate.mint((order.order_ref, 0))
    assert permit is not None
    await trader.connection.outbound.place(number, instrument.contract, order, permit)


async def test_a_trader_that_wakes_after_another_took_its_lease_sends_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    """It slept with a permit in hand; meanwhile its process was taken for dead and the lease given away."""
    with SafetyFile(tmp_path / "s", me=DEAD) as asleep, SafetyFile(tmp_path / "s") as heir:
        trader = await scene.started(safety=asleep, timers=False)  # before the second in which it is told
        await trader.submit(working(5))
        await until(lambda: len(scene.open_refs()) == 3, "the bracket")
        arrived = scene.all_refs()
        heir.take_lease(client_id=1, at_ns=1)
        with pytest.raises(OrderDeniedError, match="epoch 2"):
            await place(trader)
        trade = await trader.submit(working(5, limit=98.0))
        await until(lambda: trade.over, "the end of orders that did not leave")
        await trader.cancel_all()  # under the same client id: it might meet an order of the heir's
        with pytest.raises(OrderDeniedError, match="epoch 2"):
            trader.connection.outbound.global_cancel()
        assert len(scene.open_refs()) == 3
        assert scene.all_refs() == arrived
        await trader.stop()
        assert heir.state.lease is not None, "who woke takes nothing from the heir"


async def test_a_trader_whose_lease_is_gone_leaves_its_client_id_to_the_heir(
    scene: Scene, tmp_path: Path
) -> None:
    with SafetyFile(tmp_path / "s", me=DEAD) as asleep, SafetyFile(tmp_path / "s") as heir:
        trader = await scene.started(safety=asleep)
        alarms: list[str] = []
        trader.on_alert(lambda alert: alarms.append(alert.text))
        heir.take_lease(client_id=1, at_ns=1)
        await until(lambda: trader.failure is not None, "its end")
        for word in (f"process {this_process().pid}", "epoch 2"):
            assert word in str(trader.failure)
            assert word in alarms[-1]
        assert heir.beat_ns == 1, "the heir's sign of life, and nobody else's"
        with pytest.raises(SafetyError):
            await trader.submit(working(5))
        await until(lambda: not scene.sim.sessions, "the end of its link")
        mine = await scene.started(safety=heir, journal=scene.folder / "heir.sqlite3")
        scene.sim.faults.play("cut")
        epoch = mine.desk.state.epoch
        await until(lambda: mine.desk.state.epoch > epoch and mine.desk.state.link_up, "the heir's link anew")
        assert len(scene.sim.sessions) == 1
        await mine.stop()


async def test_a_latch_of_another_process_keeps_entries_back_and_lets_exits_pass(
    scene: Scene, safety: SafetyFile
) -> None:
    trader = await scene.started(safety=safety)
    trade = await trader.submit(at_market(10))
    await trade.entry_filled()
    arrived = scene.all_refs()
    with SafetyFile(safety.path) as other:
        other.latch(KillState.HALTED, at_ns=1, reason="odd fills", operator="ann")
    with pytest.raises(OrderDeniedError, match="odd fills"):
        await place(trader)
    denied = await trader.submit(working(5))
    await until(lambda: denied.over, "the end of an entry that did not leave")
    assert scene.all_refs() == arrived
    assert await trader.flatten(), "the close is an exit: no safety device traps a position"
    assert scene.broker_position() == 0


async def test_a_narrow_latch_keeps_its_symbol_alone(scene: Scene, safety: SafetyFile) -> None:
    trader = await scene.started(safety=safety)
    scope = Scope(kind=ScopeKind.SYMBOL, name="QQQ")
    safety.latch(KillState.HALTED, at_ns=1, reason="QQQ is odd", operator="ann", scope=scope)
    trade = await trader.submit(working(5))
    await until(lambda: len(scene.open_refs()) == 3, "the bracket")
    assert not trade.over


async def test_the_children_of_an_entry_that_did_not_leave_stay_too(scene: Scene, safety: SafetyFile) -> None:
    """Latched between the approval and the bytes: neither parent nor children."""
    trader = await scene.started(safety=safety)
    trader.connection.outbound.hold()
    trade = await trader.submit(working(5))
    safety.latch(KillState.LATCHED, at_ns=1, reason="now", operator="ann")
    trader.connection.outbound.release()
    await until(lambda: trade.over, "the end of all three")
    assert scene.all_refs() == []
    assert {order.role for order in trade.orders} == {Role.ENTRY, Role.STOP, Role.TARGET}


async def test_a_second_trader_of_this_process_is_refused_before_it_dials(
    scene: Scene, safety: SafetyFile
) -> None:
    await scene.started(safety=safety)
    with SafetyFile(safety.path) as file:
        other = scene.trader(safety=file, journal=scene.folder / "other.sqlite3", client_id=2)
        with pytest.raises(SafetyError, match=f"process {this_process().pid}"):
            await other.start()
    assert len(scene.sim.sessions) == 1


async def test_the_lease_names_the_account_and_goes_with_the_trader(scene: Scene, safety: SafetyFile) -> None:
    trader = await scene.started(safety=safety)
    lease = safety.state.lease
    assert lease is not None and lease.account == trader.desk.state.account
    await until(lambda: safety.beat_ns > 0, "a sign of life")
    await trader.stop()
    assert safety.state.lease is None and safety.epoch == 1


async def test_the_file_torn_under_a_trader_stops_it(scene: Scene, safety: SafetyFile) -> None:
    trader = await scene.started(safety=safety)
    for slot in (4096, 4096 + 128 * 1024):
        safety._map[slot : slot + 8] = b"\xff" * 8
    with pytest.raises(OrderDeniedError, match="can't be read"):
        await place(trader)
    assert scene.all_refs() == []


async def test_an_unlock_lets_entries_leave_until_it_is_over(scene: Scene, safety: SafetyFile) -> None:
    """The fence alone: what the desk's own gate says of live accounts is its own test."""
    trader = await scene.started(safety=safety)
    fence = trader._life._fence
    assert fence is not None
    now_ns = trader.clock.now_ns()
    assert fence._live("U7654321") is not None
    safety.unlock(Unlock(account="U7654321", until_ns=now_ns + 3600 * NS_PER_S, operator="ann", at_ns=now_ns))
    assert fence._live("U7654321") is None
    assert fence._live("U1111111") is not None
    safety.unlock(Unlock(account="U7654321", until_ns=now_ns - 1, operator="ann", at_ns=now_ns - 2))
    assert fence._live("U7654321") is not None
    assert fence.was_unlocked("U7654321"), "its exits still pass the live lock"
