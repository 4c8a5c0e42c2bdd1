"""The eight-ticker configuration over recorded days; and that whoever judges the run can see."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.automation.days import ADDING, DAYS, Outcome, Stretch, play
from tests.automation.judging import Played, judge

from tws.model.records import Booked
from tws.model.signalrecords import SignalJudged
from tws.runtime.closing import DayClose

pytestmark = [
    pytest.mark.data,
    pytest.mark.timeout(900),  # half a minute each on an idle machine: the days are read anew each time
]

REFUSALS = {
    "age", "cooldown", "duplicate", "future", "in position", "neutral", "schema", "session", "threshold",
}  # fmt: skip
TROUBLE = {"HTML instead of JSON", "cut short", "rate limited", "schema drift"}


def short(data: Path, folder: Path, seed: int = 7, slow_wire: bool = False) -> Outcome:
    """The last minutes of the last day."""
    return play(data, folder, Stretch(days=DAYS[2:], last_minutes=15, seed=seed, slow_wire=slow_wire))


@pytest.fixture(scope="module")
def evening(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Played once for all who only look at it."""
    return short(data_folder, tmp_path_factory.mktemp("evening"))


def test_three_days_to_their_closes(data_folder: Path, tmp_path: Path) -> None:
    """The last twenty minutes of each; `make days` plays them whole."""
    outcome = play(data_folder, tmp_path, Stretch(last_minutes=20, skips=True))
    assert outcome.complaints == []
    report, counts = outcome.report, outcome.counts
    assert counts["entries"] > 100 and counts["reversals"] > 30, counts
    assert report.refused.keys() >= REFUSALS, report.refused
    assert report.fates["trouble"].keys() >= TROUBLE, report.fates["trouble"]


def test_with_additions(data_folder: Path, tmp_path: Path) -> None:
    """Scaled in and doubled down, one level of stop and target each; the limits deny what is too much."""
    outcome = play(data_folder, tmp_path, Stretch(days=DAYS[1:2], last_minutes=30, changes=ADDING))
    assert outcome.complaints == []
    assert outcome.counts["additions"] > 10, outcome.counts
    assert "max_gross_notional" in outcome.report.denied


def test_the_same_seed_gives_the_same_run(data_folder: Path, tmp_path: Path, evening: Outcome) -> None:
    """Real sockets, real threads, whatever else the machine does: a busy one's kernel may take its time."""
    again = short(data_folder, tmp_path, slow_wire=True)
    assert evening.complaints == again.complaints == []
    assert evening.fingerprint == again.fingerprint


def test_a_day_that_is_not_closed_shows(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def idle(self: DayClose, now_ns: int) -> None:
        """Look away."""

    monkeypatch.setattr(DayClose, "look", idle)
    complaints = short(data_folder, tmp_path, seed=8).complaints
    assert any(" held" in each for each in complaints), "at the close, by the broker's books"


def without(played: Played, kind: type) -> Played:
    """The journal lacks the first record of a kind."""
    first = next(each for each in played.records if isinstance(each, kind))
    return played._replace(records=[each for each in played.records if each is not first])


def unguarded(played: Played) -> Played:
    return played._replace(watch=_changed(played, "longest_s", 5.1))


def held_at_a_close(played: Played) -> Played:
    return played._replace(watch=_changed(played, "at_close", {"2013-10-09 20:00": ["10 SLV held"]}))


def a_cent(played: Played) -> Played:
    report = replace(played.report, realized=played.report.realized + Decimal("0.01"))
    return played._replace(report=report)


def a_signal(played: Played) -> Played:
    """One more came over the wire than the book has."""
    ticker, answer = played.heard[-1]
    prediction = answer["data"]["prediction"] | {"id": "one-more", "ticker": ticker, "confidence": 0.6}
    more = {"data": {"ticker": ticker, "prediction": prediction}}
    return played._replace(heard=[*played.heard, (ticker, more)])


def _changed(played: Played, name: str, value: object) -> object:
    watch = type(played.watch).__new__(type(played.watch))
    watch.__dict__.update(played.watch.__dict__ | {name: value})
    return watch


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (a_signal, "lost Counter({"),
        (lambda played: without(played, SignalJudged), "the journal has"),
        (lambda played: without(played, Booked), "executions"),
        (unguarded, "without a stop"),
        (held_at_a_close, "10 SLV held"),
        (a_cent, "the report has earned"),
    ],
)
def test_what_does_not_hold_is_seen(
    evening: Outcome, plant: Callable[[Played], Played], says: str
) -> None:
    assert judge(evening.played) == []
    complaints = judge(plant(evening.played))
    assert any(says in each for each in complaints), complaints
