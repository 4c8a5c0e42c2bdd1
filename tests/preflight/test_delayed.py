"""`[paper] allow_delayed`: what a run without a data subscription does with it, and without."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.doctor.scene import simulated
from tests.preflight.scene import plan_of, written
from tests.runtime.scene import until

from tws.config import load_settings
from tws.errors import ConfigError
from tws.runtime.parts import TraderParts
from tws.runtime.plan import plan_run
from tws.runtime.run import Run
from tws.runtime.trader import Trader

ALLOWED = "[paper]\nallow_delayed = true"


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_run_without_a_subscription(tmp_path: Path, allowed: bool) -> None:
    """Both runs hear the same signal once the stream has said what kind of data it has."""
    async with simulated(unsubscribed=("SPY",)) as (simulator, port):
        path = written(tmp_path, port, more=ALLOWED if allowed else "")
        run = Run(plan_of(path), parts=TraderParts())
        fates: list[Trader] = []

        def ready(trader: Trader) -> None:
            row = {"id": "s-1", "symbol": "SPY", "wish": "BUY", "time": datetime.now(UTC).isoformat()}
            (tmp_path / "signals.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
            fates.append(trader)

        going = asyncio.ensure_future(run.go(None, ready))
        await until(lambda: fates or going.done(), "a start")
        if allowed:
            await until(lambda: simulator.exchange.positions(), "a position")
        else:
            await asyncio.sleep(1.0)  # several looks at the file; that it was heard is asserted below
        run.end("seen", "flatten")
        report = await going
        assert (report.signals, report.traded) == (1, int(allowed)), report
        assert not report.failure and report.flat


async def test_a_live_account_that_tws_names_is_refused_before_any_entry(tmp_path: Path) -> None:
    async with simulated(accounts=("U7654321",)) as (simulator, port):
        run = Run(plan_of(written(tmp_path, port, more=ALLOWED)))
        with pytest.raises(ConfigError, match="live"):
            await run.go(1.0)
        assert not simulator.exchange.open_orders()


def test_live_is_refused_by_the_plan(tmp_path: Path) -> None:
    path = written(tmp_path, 7496, more=ALLOWED)
    text = path.read_text(encoding="utf-8")
    live = 'port = 7496\ntrading_mode = "live"\naccount_id = "U7654321"'
    path.write_text(text.replace("port = 7496", live), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        plan_run(load_settings(path), path, tmp_path)
    assert caught.value.field == "paper.allow_delayed"
