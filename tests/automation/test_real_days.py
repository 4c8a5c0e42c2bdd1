"""The eight-ticker configuration over recorded days; and that whoever judges the run can see."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.automation.days import ADDING, DAYS, Outcome, Stretch, play

pytestmark = pytest.mark.data

REFUSALS = {
    "age", "cooldown", "duplicate", "future", "in position", "neutral", "schema", "session", "threshold",
}  # fmt: skip
TROUBLE = {"HTML instead of JSON", "cut short", "rate limited", "schema drift"}


def test_three_days_to_their_closes(data_folder: Path, tmp_path: Path) -> None:
    """The last forty minutes of each; `make days` plays them whole."""
    outcome = play(data_folder, tmp_path, Stretch(last_minutes=40, sleeps=True))
    assert outcome.complaints == []
    report = outcome.report
    assert report.traded > 100 and outcome.counts["reversals"] > 30, outcome.counts
    assert report.refused.keys() >= REFUSALS, report.refused
    assert report.fates["trouble"].keys() >= TROUBLE, report.fates["trouble"]


def test_with_additions(data_folder: Path, tmp_path: Path) -> None:
    """Scaled in and doubled down, one level of stop and target each; the limits deny what is too much."""
    outcome = play(data_folder, tmp_path, Stretch(days=DAYS[1:2], last_minutes=40, changes=ADDING))
    assert outcome.complaints == []
    assert outcome.counts["additions"] > 10, outcome.counts
    assert "max_symbol_notional" in outcome.report.denied


def short(data: Path, folder: Path, **more: object) -> Outcome:
    """The last minutes of a day."""
    folder.mkdir()
    return play(data, folder, Stretch(days=DAYS[2:], last_minutes=12, **more))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_run(data_folder: Path, tmp_path: Path) -> None:
    first, again, other = (
        short(data_folder, tmp_path / name, seed=seed) for name, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    assert first.complaints == again.complaints == other.complaints == []
    assert first.fingerprint == again.fingerprint != other.fingerprint
