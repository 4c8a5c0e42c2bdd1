"""The checkers can see: each of these broken traders is caught within 200 seeds, the whole one is not.

(That the whole one has no complaint is `test_house`.)
"""

from __future__ import annotations

import re

import pytest
from tests.world.house import judge
from tests.world.plants import PLANTS

SEEDS = range(200)
LATE = {"drop_a_fee_at_a_correction", "take_10349_for_a_cancel"}
"""Seen after many seeds alone."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LATE else []) for name in PLANTS]
)
def test_a_planted_bug_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, words, first = PLANTS[name]
    plant(monkeypatch)
    for seed in (first, *SEEDS):
        found = judge(seed).complaints
        if any(re.search(words, complaint) for complaint in found):
            return
    pytest.fail(f"{name} was not seen within {len(SEEDS)} seeds")
