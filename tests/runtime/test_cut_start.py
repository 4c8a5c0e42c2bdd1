"""A wish to end that comes while the trader starts: it waits for no answer, and the stops stay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.runtime.scene import BOUND_S, MarketClock, Scene, at_market, until, working

from tws.config import load_settings
from tws.runtime.parts import TraderParts
from tws.runtime.plan import plan_run
from tws.runtime.run import Run
from tws.safety import SafetyFile


def run_of(scene: Scene, tmp_path: Path, at_end: str = "protected") -> Run:
    """`tws run` on the journal of the scene."""
    (tmp_path / "signals.jsonl").touch()
    path = tmp_path / "trader.toml"
    path.write_text(
        f"""
        [connection]
        port = {scene.port}
        client_id = 1
        connection_timeout = 300
        request_timeout = 300
        [risk]
        stale_quote_s = 3600
        [signals]
        file = "signals.jsonl"
        symbols = ["SPY"]
        shares = 10
        stop_fraction = 0.02
        target_fraction = 0.03
        [run]
        at_end = "{at_end}"
        """,
        encoding="utf-8",
    )
    plan = plan_run(load_settings(path), path, tmp_path / "state", scene.journal)
    return Run(plan, parts=TraderParts(clock=MarketClock(scene.sim)))


async def traded(scene: Scene) -> None:
    """An earlier run: ten shares behind their stop, and an entry that works."""
    trader = await scene.started()
    await (await trader.submit(at_market(10))).entry_filled()
    await trader.submit(working(5))
    await until(lambda: len(scene.open_refs()) == 5, "a position with its exits, and a bracket")
    await trader.stop()


def asked(scene: Scene) -> Callable[[], object]:
    return lambda: scene.sim.sessions


STAGES = {
    "dialling": ("accept-dialog", {}),
    "session": ("silent-start", {}),
    "reconciling": ("swallow", {"request": "PositionsRequest", "count": 10**6}),
}


@pytest.mark.parametrize("stage", STAGES)
async def test_an_end_during_the_start_waits_for_no_answer(scene: Scene, tmp_path: Path, stage: str) -> None:
    """The start itself would wait for five minutes."""
    await traded(scene)
    fault, fields = STAGES[stage]
    scene.sim.faults.play(fault, **fields)
    run = run_of(scene, tmp_path)
    going = asyncio.create_task(run.go())
    reached = (lambda: run.trader.turning) if stage == "reconciling" else asked(scene)
    await until(lambda: run.plan.place.safety.exists() and hasattr(run, "trader") and reached(), stage)
    run.end("a signal")
    report = await asyncio.wait_for(going, BOUND_S)
    assert not report.good and "cut short" in report.differs
    assert report.ended == "a signal"
    assert any(each.startswith("SPY: 10 held") for each in report.left), report.left
    stops = [view.ticket for view in scene.sim.exchange.open_orders() if view.ticket.order_type == "STP"]
    assert any(each.quantity == 10 for each in stops), "what is held keeps its stop"
    if stage == "reconciling":
        assert len(scene.open_refs()) == 2, "on a link the entry is cancelled: stop and target are left"
    scene.sim.faults.clear()
    with SafetyFile(run.plan.place.safety) as safety:
        assert safety.state.lease is None
    assert not run.plan.place.sessions.exists(), "no session that could speak for live trading"
    again = await scene.started()  # journal, client id and link are free
    assert again.position("SPY") == 10


async def test_a_start_that_is_cut_short_never_flattens(scene: Scene, tmp_path: Path) -> None:
    """A close waits for all that the broker has to tell; the end would come before it, with the stop gone."""
    await traded(scene)
    scene.sim.faults.play("swallow", request="CompletedOrdersRequest", count=10**6)
    run = run_of(scene, tmp_path, "flatten")
    going = asyncio.create_task(run.go())
    await until(lambda: hasattr(run, "trader") and run.trader.turning, "the link")
    run.end("a signal")
    report = await going
    assert report.at_end == "protected" and not report.unprotected
    assert scene.broker_position() == 10
    assert sorted(view.ticket.order_type for view in scene.sim.exchange.open_orders()) == ["LMT", "STP"]


async def test_an_end_before_the_first_step_dials_nothing(scene: Scene, tmp_path: Path) -> None:
    run = run_of(scene, tmp_path)
    run.end("a signal")
    report = await run.go()
    assert "cut short" in report.differs and report.left == []
    assert not scene.sim.sessions
