"""Against the simulator itself a certification finds nothing, at every kind of wire."""

from __future__ import annotations

import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.certify.conftest import Play, Start, differing

from tws.certify.register import BEYOND
from tws.certify.scenarios import SCENARIOS
from tws.certify.threads import Span, threads_of
from tws.recording import read
from tws.simulator import SimulatedTWS

ACCOUNT = "DU7123456"


@pytest.mark.parametrize(
    "version", [pytest.param(176, marks=pytest.mark.slow), pytest.param(200, marks=pytest.mark.slow), 225]
)
async def test_nothing_differs_from_itself(start: Start, play: Play, tmp_path: Path, version: int) -> None:
    """All scenarios, against a market that moves otherwise; nothing is left, no account leaves the pack."""
    tws = await start(server_version=version, accounts=(ACCOUNT,))
    report = await play(tws, folder=tmp_path / "pack")
    assert differing(report) == {}
    assert report["verdict"] == "same"
    assert report["tws"]["server_version"] == version
    lacking = {row["name"] for row in report["scenarios"] if row["verdict"] == "not played"}
    assert lacking == {each.name for each in SCENARIOS if each.since > version}
    assert not silent(tmp_path / "pack"), "a scenario without a word would never differ"
    nothing_left(tws)
    nothing_private(report)


def silent(folder: Path) -> list[str]:
    """Scenarios in which nothing was said to any request."""
    run = json.loads((folder / "played.json").read_text("utf-8"))["runs"][0]["tws"]
    spans = msgspec.convert(run["spans"], list[Span])
    found = threads_of(read(folder / run["file"]), spans, run["con_id"])
    return [key for key, threads in found.items() if not any(thread.items for thread in threads)]


def nothing_left(tws: SimulatedTWS) -> None:
    assert not tws.exchange.open_orders()
    assert [row for row in tws.exchange.positions() if row.quantity] == []
    assert {row.executed.quantity for row in tws.exchange.executions()} == {Decimal(1)}, "one share at a time"


def nothing_private(report: dict[str, Any]) -> None:
    with zipfile.ZipFile(report["pack"]) as pack:
        names = pack.namelist()
        assert all(name.endswith((".jsonl", ".json", ".md")) for name in names)
        assert not [name for name in names if ACCOUNT.encode() in pack.read(name)]


def test_there_are_enough_of_them_and_each_names_its_row() -> None:
    assert len(SCENARIOS) >= 40
    assert {each.family for each in SCENARIOS} >= {"session", "contracts", "history", "accounts", "orders"}
    assert all(each.row and each.page for each in SCENARIOS)
    assert all(each.why for each in BEYOND)
