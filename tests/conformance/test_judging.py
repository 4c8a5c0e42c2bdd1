"""The runner's own judgement, without a client: what fails, what is a deviation, what the page says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conformance import run
from tests.conformance.clients import Client
from tests.conformance.deviations import DEVIATIONS
from tests.conformance.run import Outcome, Run
from tests.conformance.scenarios import SCENARIOS, Scenario
from tests.conformance.table import render
from tests.conformance.witness import Lost, Mismatch, NotOffered, Witness

CLIENTS = [Client(name, ("none.py",), (), 200) for name in ("one", "two", "three")]
SCENARIO = Scenario("orders", "it fills", None)  # type: ignore[arg-type]


def runs(*outcomes: Outcome) -> list[Run]:
    return [
        Run(client, 200, {SCENARIO.name: outcome}, 0, 0)
        for client, outcome in zip(CLIENTS, outcomes, strict=True)
    ]


def noted(**notes: Any) -> Outcome:
    return Outcome("passed", "", notes)


def test_who_saw_something_else_than_most_has_failed() -> None:
    judged = run.compare(runs(noted(price=1), noted(price=1), noted(price=2)))
    verdicts = [one.outcomes[SCENARIO.name].verdict for one in judged]
    assert verdicts == ["passed", "passed", "failed"]
    assert "saw 2" in judged[2].outcomes[SCENARIO.name].text


def test_who_noted_nothing_is_compared_with_nobody() -> None:
    judged = run.compare(runs(noted(price=1), Outcome("lacks"), noted()))
    assert [one.outcomes[SCENARIO.name].verdict for one in judged] == ["passed", "lacks", "passed"]


def test_a_listed_deviation_must_still_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEVIATIONS, ("one", SCENARIO.name), "its own bug")
    assert run.settle(CLIENTS[0], SCENARIO, Outcome("failed", "x")) == Outcome("deviates", "its own bug")
    assert run.settle(CLIENTS[0], SCENARIO, Outcome("passed")).verdict == "failed"
    assert run.settle(CLIENTS[1], SCENARIO, Outcome("failed", "x")).verdict == "failed"


def test_listed_deviations_name_scenarios_that_exist() -> None:
    names = {scenario.name for scenario in SCENARIOS}
    assert {scenario for _, scenario in DEVIATIONS} <= names


def test_scenarios_have_names_of_their_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names)) >= 40


def test_the_page_numbers_each_deviation_once() -> None:
    page = render(runs(Outcome("passed"), Outcome("deviates", "a bug"), Outcome("lacks")), [SCENARIO])
    assert "| it fills | ✓ | 1 | – |" in page
    assert "1. two: a bug" in page


async def witness(tmp_path: Path, program: str) -> Witness:
    made = Witness("w", (sys.executable, "-c", program), tmp_path / "log")
    await made.start()
    made.begin()
    return made


@pytest.mark.parametrize(
    ("said", "raised"),
    [
        ('{"session": "main", "event": "failed", "op": "place", "text": "boom"}', Mismatch),
        ('{"session": "main", "event": "unsupported", "op": "place", "text": "none"}', NotOffered),
        ("no JSON at all", Lost),
    ],
)
async def test_a_client_that_fails_ends_the_waiting(tmp_path: Path, said: str, raised: type) -> None:
    made = await witness(tmp_path, f"print({said!r}, flush=True)")
    with pytest.raises(raised):
        await made.wait("status")
    await made.stop()


async def test_what_was_seen_before_the_scenario_does_not_count(tmp_path: Path) -> None:
    line = '{"session": "main", "event": "status", "order_id": 1}'
    made = await witness(tmp_path, f"print({line!r}, flush=True); input()")
    assert (await made.wait("status", order_id=1))["order_id"] == 1
    made.begin()
    with pytest.raises(Mismatch):
        await made.wait("status", patience_s=0.05)
    await made.stop()
