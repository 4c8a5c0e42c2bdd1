"""What changes between two sets of limits, and what of it lets more pass."""

from __future__ import annotations

from typing import Any

import pytest

from tws.risk import Limits
from tws.risk.changes import changes


@pytest.mark.parametrize(
    ("name", "tight", "loose"),
    [
        ("max_position", 100, 500),
        ("max_drawdown", 100, None),
        ("stale_quote_s", 2.0, 5.0),
        ("entry_window_s", 120.0, 60.0),
        ("message_reserve", 20, 10),
        ("buying_power", True, False),
        ("short_sales", False, True),
        ("allow", ("SPY",), ("SPY", "QQQ")),
        ("allow", ("SPY",), None),
        ("deny", ("SPY", "QQQ"), ("SPY",)),
    ],
)
def test_one_way_tightens_and_the_other_loosens(name: str, tight: Any, loose: Any) -> None:
    one, other = Limits(**{name: tight}), Limits(**{name: loose})
    [narrowing], [widening] = changes(other, one), changes(one, other)
    assert (narrowing.name, narrowing.loosens, widening.loosens) == (name, False, True)
    assert (narrowing.old, narrowing.new) == (widening.new, widening.old)
    assert changes(one, one) == ()


def test_an_override_is_held_against_the_bound_for_everything() -> None:
    plain = Limits(max_position=500)
    narrow = Limits(max_position=500, symbols={"BRK.B": {"max_position": 100}})
    [made] = changes(plain, narrow)
    assert (made.name, made.old, made.new, made.loosens) == ("symbols.BRK.B.max_position", "", "100", False)
    [gone] = changes(narrow, plain)
    assert (gone.new, gone.loosens, str(gone)) == ("", True, "symbols.BRK.B.max_position from 100 to none")
    replaced = changes(narrow, Limits(max_position=50))
    assert [each.loosens for each in replaced] == [False, False], "50 for all is less than 100 for one"


def test_a_zone_has_no_order() -> None:
    [moved] = changes(Limits(), Limits(loss_day_zone="Europe/Berlin"))
    assert moved.loosens
