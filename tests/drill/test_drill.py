"""The drill: every moment passes, and a stop that is broken makes it fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from tws.cli.app import app
from tws.desk import Kill
from tws.desk import flatten as desk_flatten
from tws.drill import MOMENTS, run_drill
from tws.errors import ConfigError
from tws.model.order import Order
from tws.runtime.fence import Fence
from tws.runtime.kill import Killer
from tws.safety import SafetyFile

TEN = (
    "mid-bracket",
    "mid-partial-fill",
    "during-1100",
    "trader-frozen",
    "disk-full",
    "market-closed",
    "halted-symbol",
    "manual-holdings",
    "journal-locked",
    "second-waking",
)


def test_the_ten_moments_of_the_issue_are_there() -> None:
    assert tuple(MOMENTS) == TEN


@pytest.mark.parametrize("name", TEN)
async def test_a_moment_passes(name: str) -> None:
    report = await run_drill([name])
    (played,) = report.moments
    assert played.passed, played.complaints
    assert played.answers and played.about
    assert not report.complete and not report.passed, "one moment is no drill"


async def test_it_sees_a_latch_that_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def latch(self: Killer, command: Kill) -> None:
        """Nothing."""

    monkeypatch.setattr(Killer, "_latch", latch)
    (played,) = (await run_drill(["mid-partial-fill"])).moments
    assert "no latch is on disk" in played.complaints


async def test_it_sees_a_trader_that_acts_after_its_lease_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SafetyFile, "fenced", "")
    monkeypatch.setattr(Fence, "judge", lambda self, call: None)
    (played,) = (await run_drill(["second-waking"])).moments
    for complaint in ("the trader that woke sent an order", "the trader that woke trades on"):
        assert complaint in played.complaints


@pytest.mark.slow
async def test_it_sees_stops_that_are_cancelled_in_a_shut_market(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_flatten, "shut", lambda turn, contract: "")
    (played,) = (await run_drill(["market-closed"])).moments
    assert any("stops for 0 SPY" in complaint for complaint in played.complaints), played.complaints


async def test_it_sees_a_close_of_what_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate refuses more than is ours, so the flatten does not get flat; and the drill says so."""
    place = desk_flatten.place_exit

    def all_of_it(turn: Any, group: Any, instrument: Any, role: Any, order: Order) -> Any:
        return place(turn, group, instrument, role, replace(order, quantity=order.quantity + 300))

    monkeypatch.setattr(desk_flatten, "place_exit", all_of_it)
    (played,) = (await run_drill(["manual-holdings"])).moments
    assert not played.passed


async def test_a_moment_that_breaks_off_has_failed_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(folder: Path) -> None:
        raise KeyError("a bug")

    monkeypatch.setitem(MOMENTS, "mid-bracket", broken)
    report = await run_drill(["mid-bracket"])
    assert report.moments[0].complaints == ("KeyError: 'a bug'",)


async def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="mid-bracket"):
        await run_drill(["mid-nothing"])


def test_the_command_says_pass_or_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["drill", "kill", "mid-partial-fill", "--state", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0 and done.stdout.startswith("pass  mid-partial-fill"), done.output
    assert not (tmp_path / "drill.json").exists(), "a part of the drill is no evidence"
    monkeypatch.setattr(Killer, "_latch", lambda self, command: None)
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["passed"] is False and said["moments"][0]["complaints"] == ["no latch is on disk"]
