"""The emergency stop of a trader over real sockets: its answer, its task, and a journal that fails it.

Named scenario: INCIDENTS.md 20 (a stop that cancels the very task that shuts down).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.scene import SPY, Scene, at_market, records_of, until, working
from tests.runtime.test_failure import Disk

from tws.desk import Verdict
from tws.errors import ConfigError, SafetyError, TWSError
from tws.journal import SQLiteStore, read_journal
from tws.model.contract import stock
from tws.model.order import Role
from tws.model.records import KillMoved, decode_records
from tws.model.stop import KillState, Scope, ScopeKind
from tws.runtime import Trader
from tws.safety import SafetyFile

OUT = {"reason": "odd fills", "operator": "ann"}


class Watched(SafetyFile):
    """The real file. A test looks at the moment of the latch, or breaks the disk under it."""

    broken = False
    on_latch: Callable[[], object] = staticmethod(lambda: None)

    def latch(self, *args: Any, **named: Any) -> None:
        if self.broken:
            raise SafetyError(self.path, "unwritable", "the disk is gone", "Replace it")
        self.on_latch()
        super().latch(*args, **named)


@pytest.fixture
def safety(tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path / "safety") as file:
        yield file


async def holding(scene: Scene, trader: Trader, quantity: int = 10, symbol: str = "SPY") -> None:
    await trader.quote(stock(symbol))
    trade = await trader.submit(at_market(quantity, symbol, 100.0 if symbol == "SPY" else 50.0))
    assert trade.denial is None
    assert await trade.entry_filled() == quantity


async def test_a_kill_cancels_entries_and_keeps_the_stops(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    waits = await trader.submit(working(5))
    report = await trader.kill(**OUT)
    assert report.state is KillState.LATCHED and report.verdict is Verdict.NOT_FLAT
    assert report.remainders[0].held == 10 and "kept as ordered" in report.remainders[0].reason
    assert waits.over and len(scene.open_refs()) == 2, "target and stop stay"
    denied = await trader.submit(at_market(1))
    assert denied.denial is not None and "odd fills" in denied.denial.reason


async def test_a_flatten_is_flat_by_the_brokers_books(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    await holding(scene, trader, 5, "QQQ")
    await trader.submit(working(5))
    report = await trader.kill(**OUT, flatten=True)
    assert report.flat, report.sentences()
    assert scene.broker_position() == 0 == scene.broker_position("QQQ") and scene.open_refs() == []
    moves = [record.state for record in records_of(trader) if isinstance(record, KillMoved)]
    assert moves == [KillState.HALTED, KillState.FLATTENING, KillState.LATCHED]


async def test_the_latch_is_on_disk_before_anything_moves(scene: Scene, safety: Watched) -> None:
    trader = await scene.started(safety=safety)
    await holding(scene, trader)
    seen: list[int] = []
    safety.on_latch = lambda: seen.append(len(scene.open_refs()))
    await trader.kill(**OUT, flatten=True)
    assert seen == [2], "something was cancelled before the latch was written"
    assert safety.state.kill is KillState.FLATTENING


async def test_a_latch_that_can_t_be_written_stops_nothing(scene: Scene, safety: Watched) -> None:
    safety.broken = True
    trader = await scene.started(safety=safety)
    await holding(scene, trader)
    report = await trader.kill(**OUT, flatten=True)
    assert report.flat and "latch is not on disk" in report.reason


async def test_incident_20_the_caller_s_end_does_not_end_the_stop(scene: Scene) -> None:
    """The stop is asked for by a task that the stop's own consequences cancel."""
    trader = await scene.started()
    await holding(scene, trader)
    for _ in range(3):
        await trader.submit(working(5))

    async def strategy() -> None:
        await trader.kill(**OUT, flatten=True)

    task = asyncio.create_task(strategy())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: trader.desk.state.kill.state is KillState.LATCHED, "the end of the stop")
    assert scene.open_refs() == [] and scene.broker_position() == 0


async def test_incident_20_a_trader_that_is_stopped_meanwhile_answers_first(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    for _ in range(3):
        await trader.submit(working(5))
    killing = asyncio.create_task(trader.kill(**OUT, flatten=True))
    await asyncio.sleep(0)
    await trader.stop()
    assert (await killing).flat
    assert scene.open_refs() == [] and scene.broker_position() == 0


async def test_a_silent_broker_gets_a_first_answer_in_time_and_flat_later(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    heard: list[str] = []
    trader.on_alert(lambda alert: heard.append(alert.text))
    scene.sim.faults.hold_next_order()
    report = await trader.kill(**OUT, flatten=True, answer_s=1.0)
    assert report.verdict is Verdict.NOT_FLAT and not report.settled
    assert report.remainders[0].held == 10 and report.remainders[0].by_hand
    assert any("NOT FLAT" in text for text in heard)
    scene.sim.faults.release()
    await until(lambda: trader.desk.state.kill.state is KillState.LATCHED, "flat once the broker speaks")
    assert scene.broker_position() == 0


async def test_a_halted_symbol_is_told_and_its_stop_stays(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    await holding(scene, trader, 5, "QQQ")
    scene.sim.halt("SPY")
    await until(lambda: trader.desk.quotes[scene.sim.con_id("SPY")].halted == 1, "the halt")
    report = await trader.kill(**OUT, flatten=True)
    assert report.verdict is Verdict.HALTED_NOT_FLAT
    assert [each.symbol for each in report.remainders] == ["SPY"]
    assert scene.broker_position("QQQ") == 0 and len(scene.open_refs()) == 2
    scene.sim.halt("SPY", 0)
    await until(lambda: trader.desk.state.kill.state is KillState.LATCHED, "flat once it trades again")
    assert scene.broker_position() == 0 and scene.open_refs() == []


async def test_one_symbol_is_stopped_and_the_other_trades_on(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    await holding(scene, trader, 5, "QQQ")
    spy = Scope(kind=ScopeKind.SYMBOL, name="SPY")
    report = await trader.kill(**OUT, flatten=True, scope=spy)
    assert report.flat and scene.broker_position() == 0 and scene.broker_position("QQQ") == 5
    denied = await trader.submit(at_market(1))
    assert denied.denial is not None
    await holding(scene, trader, 1, "QQQ")


async def test_the_account_s_scope_takes_manual_orders_too(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    scene.sim.faults.play("manual-order", symbol="QQQ", quantity=7, price=40.0)
    account = trader.desk.state.account
    with pytest.raises(ConfigError, match="account"):
        await trader.kill(**OUT, scope=Scope(kind=ScopeKind.ACCOUNT, name="DU0000000"))
    assert len(scene.open_refs()) == 3
    await trader.kill(**OUT, flatten=True, scope=Scope(kind=ScopeKind.ACCOUNT, name=account))
    assert scene.open_refs() == [] and scene.broker_position() == 0


async def test_a_manual_order_and_holding_are_left(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    scene.sim.faults.play("manual-order", symbol="QQQ", quantity=7, price=40.0)
    report = await trader.kill(**OUT, flatten=True)
    assert report.flat and len(scene.open_refs()) == 1


async def test_a_reset_by_name_frees_the_desk_and_the_latch(scene: Scene, safety: Watched) -> None:
    trader = await scene.started(safety=safety)
    await trader.kill(**OUT)
    denied = await trader.reset(operator=" ", reason="seen")
    assert denied is not None and denied.limit == "reset" and safety.latched
    assert await trader.reset(operator="ann", reason="seen") is None
    assert not safety.latched
    assert (await trader.submit(at_market(1))).denial is None


async def test_a_stop_is_found_again_after_a_restart(scene: Scene) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    await trader.kill(**OUT)
    await trader.stop()
    again = await scene.started()
    assert again.desk.state.kill.state is KillState.LATCHED
    assert (await again.submit(at_market(1))).denial is not None


# -- a journal that fails


@pytest.mark.parametrize("how", ["full", "hangs"])
async def test_a_kill_when_the_journal_fails_closes_on_emergency_records(
    scene: Scene, safety: Watched, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tws.runtime.kill.PATIENCE_S", 0.5)
    monkeypatch.setattr("tws.runtime.life.END_S", 0.5)
    disk = Disk(scene.journal)
    trader = await scene.started(store=disk, safety=safety)
    await holding(scene, trader)
    waits = await trader.submit(working(5))
    setattr(disk, how, True)
    report = await trader.kill(**OUT, flatten=True)
    assert report.flat, report.sentences()
    assert "emergency engine" in report.reason
    assert scene.broker_position() == 0 and scene.open_refs() == []
    assert waits.over
    with pytest.raises(TWSError):
        await trader.submit(at_market(1))
    await trader.stop()
    assert safety.emergency_read(), "what left must be remembered somewhere"

    SQLiteStore(scene.journal).close()  # an orderly file again
    again = await scene.started(safety=safety)
    assert safety.emergency_read() == [], "merged"
    state = again.desk.state
    assert state.kill.state is KillState.LATCHED and again.flat()
    assert sorted(state.book.orders) == scene.all_refs()
    records = list(decode_records(read_journal(scene.journal)))
    assert len([r for r in records if isinstance(r, KillMoved) and r.ordered]) == 1, "merged once"


async def test_a_disk_that_fills_up_in_the_middle_of_a_flatten(scene: Scene, safety: Watched) -> None:
    disk = Disk(scene.journal)
    trader = await scene.started(store=disk, safety=safety)
    await holding(scene, trader)
    scene.sim.faults.hold_next_order()
    killing = asyncio.create_task(trader.kill(**OUT, flatten=True))
    await until(lambda: any(o.role is Role.CLOSE for o in trader.desk.state.book.living()), "the close")
    disk.full = True
    scene.sim.faults.release()
    report = await killing
    assert report.flat, report.sentences()
    assert scene.broker_position() == 0 and scene.open_refs() == []


@pytest.mark.slow
async def test_without_a_memory_nothing_is_closed_and_no_stop_is_cancelled(scene: Scene) -> None:
    disk = Disk(scene.journal)
    trader = await scene.started(store=disk)
    await holding(scene, trader)
    waits = await trader.submit(working(5))
    disk.full = True
    report = await trader.kill(**OUT, flatten=True)
    assert report.verdict is Verdict.NOT_FLAT and "the stops stay" in report.reason
    assert scene.broker_position() == 10 and len(scene.open_refs()) == 2
    entry = next(order for order in waits.orders if order.role is Role.ENTRY)
    assert entry.intent_id not in scene.open_refs()


async def test_a_trader_that_failed_before_is_stopped_all_the_same(scene: Scene, safety: Watched) -> None:
    disk = Disk(scene.journal)
    trader = await scene.started(store=disk, safety=safety)
    await holding(scene, trader)
    disk.full = True
    with pytest.raises(TWSError):
        await trader.submit(at_market(1))
    scene.sim.quote("SPY", bid=104.0, ask=104.02)  # the target fills while nobody listens
    await until(lambda: scene.broker_position() == 0, "the target")
    report = await trader.kill(**OUT, flatten=True)
    assert report.flat, report.sentences()
    assert scene.broker_position() == 0


async def test_a_desk_with_a_bug_is_stopped_by_hand(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    trader = await scene.started()
    await holding(scene, trader)
    await trader.submit(working(5))

    def step(event: object, now_ns: int) -> list[object]:
        raise KeyError("a bug")

    monkeypatch.setattr(trader.desk, "step", step)
    report = await trader.kill(**OUT, flatten=True)
    assert report.verdict is Verdict.NOT_FLAT and "one by one" in report.reason
    await until(lambda: len(scene.open_refs()) == 2, "the end of the entry; stop and target stay")


async def test_a_trader_that_does_not_run_says_so(scene: Scene) -> None:
    with pytest.raises(TWSError, match="does not run"):
        await scene.trader().kill(**OUT)
    trader = await scene.started()
    await trader.quote(SPY)
    await trader.stop()
    with pytest.raises(TWSError, match="does not run"):
        await trader.kill(**OUT)
