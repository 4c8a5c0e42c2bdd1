"""Every cause in the table is played and the doctor must name it; a cause without a case fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doctor import cases_dial, cases_machine, cases_session
from tests.doctor.cases import CASES, Case
from tests.doctor.scene import keys, warned

from tws.monitor.doctor.causes import CAUSES

PLAYED_IN = (cases_machine, cases_dial, cases_session)
"""Importing them has entered their cases."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.key}-{case.play.__name__}")
async def test_it_is_named(case: Case, tmp_path: Path) -> None:
    report = await case.play(tmp_path)
    found = set(keys(report))
    if CAUSES[case.key].warns:
        assert case.key in warned(report)
        assert not found
    else:
        assert found == {case.key} | case.also
        assert not report.healthy


def test_every_cause_has_its_case() -> None:
    assert {case.key for case in CASES} == set(CAUSES)


@pytest.mark.parametrize("key", sorted(key for key, cause in CAUSES.items() if "File > " in cause.cure))
def test_a_path_in_the_menus_is_told_for_both_programs(key: str) -> None:
    assert "TWS: File > Global Configuration > " in CAUSES[key].cure
    assert "(IB Gateway: Configure > Settings > " in CAUSES[key].cure
