"""Limits as values: scopes, hard bounds, what is nonsense, text and back, the section of a file."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.risk.proposals import WHERE, entry

from tws.config import load_settings
from tws.config.limits import OverrideSection, RiskSection
from tws.errors import ConfigError
from tws.risk import CONTROLS, FIELDS, Gate, LimitError, Limits
from tws.risk.fields import Shape
from tws.risk.limits import SCOPES

SPY_TIGHT = {"SPY": {"max_order_quantity": 10}}


def load(tmp_path: Path, text: str) -> Limits:
    file = tmp_path / "tws.toml"
    file.write_text(text, encoding="utf-8")
    return Limits.from_section(load_settings(file).risk.chosen())


@pytest.mark.parametrize(
    ("limits", "bound"),
    [
        (Limits(max_order_quantity=99), 99),
        (Limits(max_order_quantity=99, symbols=SPY_TIGHT), 10),
        (Limits(max_order_quantity=99, symbols={"AAPL": {"max_order_quantity": 10}}), 99),
        (Limits(max_order_quantity=None, symbols=SPY_TIGHT), 10),
        (Limits(max_order_quantity=99, symbols=SPY_TIGHT, strategies={"m": {"max_order_quantity": 5}}), 5),
        (Limits(max_order_quantity=99, symbols=SPY_TIGHT, accounts={"DU1": {"max_order_quantity": 7}}), 7),
        (Limits(max_order_quantity=99, symbols=SPY_TIGHT, accounts={"DU2": {"max_order_quantity": 7}}), 10),
    ],
)
def test_the_tightest_scope_that_applies_holds(limits: Limits, bound: int) -> None:
    gate = Gate(limits)
    for quantity, denied in ((bound, False), (bound + 1, True)):
        denial = gate.judge(entry(quantity, strategy="m"), WHERE)
        assert (denial is not None) is denied, denial
        if denial is not None:
            assert (denial.limit, denial.bound) == ("max_order_quantity", str(bound))


def test_lists_of_several_scopes_hold_together() -> None:
    limits = Limits(
        allow=("A", "B", "C"),
        deny=("X",),
        accounts={"DU1": {"allow": ("A", "B"), "deny": ("Y",)}},
        strategies={"m": {"allow": ("B", "C"), "deny": ("Z",)}},
    )
    narrowed = limits.narrowed("DU1", "A", "m")
    assert narrowed.allow == ("B",)
    assert set(narrowed.deny) == {"X", "Y", "Z"}
    assert limits.narrowed("DU2", "A", "") == Limits(allow=("A", "B", "C"), deny=("X",))


@pytest.mark.parametrize(
    ("general", "override"),
    [
        ({"max_position": 100}, {"max_position": 101}),
        ({"max_position": 100}, {"max_position": None}),
        ({"stale_quote_s": 5}, {"stale_quote_s": 6}),
        ({"entry_window_s": 60}, {"entry_window_s": 59}),
        ({"duplicate_window_s": 1.0}, {"duplicate_window_s": None}),
        ({"short_sales": False}, {"short_sales": True}),
        ({"short_sales": False}, {"short_sales": None}),
        ({"short_sales": None}, {"short_sales": True}),
        ({"day_trades": True}, {"day_trades": False}),
    ],
)
def test_an_override_is_never_looser(general: dict[str, Any], override: dict[str, Any]) -> None:
    (name,) = override
    with pytest.raises(LimitError, match=rf"symbols\.SPY\.{name} is .*looser"):
        Limits(**general, symbols={"SPY": override})
    Limits(**general, symbols={"SPY": general})


def test_allow_may_only_shrink() -> None:
    with pytest.raises(LimitError, match=r"accounts\.DU1\.allow"):
        Limits(allow=("A",), accounts={"DU1": {"allow": ("A", "B")}})


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("symbols", "max_gross_notional"),
        ("symbols", "max_messages_per_s"),
        ("accounts", "max_messages_per_s"),
        ("symbols", "max_daily_loss"),
        ("strategies", "buying_power"),
        ("symbols", "allow"),
        ("symbols", "loss_day_zone"),
        ("symbols", "nonsense"),
    ],
)
def test_an_override_out_of_place_names_those_that_are_known(scope: str, name: str) -> None:
    with pytest.raises(LimitError, match=rf"{scope}\.X\.{name}.*known here: max_order_quantity"):
        Limits(**{scope: {"X": {name: 1}}})


AMOUNTS = [name for name, kind in FIELDS.items() if kind.shape is Shape.AMOUNT]
SECONDS = [name for name, kind in FIELDS.items() if kind.shape in (Shape.SECONDS, Shape.SECONDS_OR_OFF)]
FLAGS = [name for name, kind in FIELDS.items() if kind.shape in (Shape.FLAG, Shape.FLAG_OR_NONE)]


@pytest.mark.parametrize("name", [*AMOUNTS, *SECONDS])
@pytest.mark.parametrize("bad", [-1, "x", math.nan, math.inf, True, Decimal("NaN"), [], 10**16])
def test_a_bound_is_a_finite_number_within_its_hard_bound(name: str, bad: Any) -> None:
    with pytest.raises(LimitError) as caught:
        Limits(**{name: bad})
    assert caught.value.name == name


@pytest.mark.parametrize("name", [*AMOUNTS, *SECONDS])
def test_the_hard_bound_itself_is_allowed_and_no_more(name: str) -> None:
    highest = FIELDS[name].highest
    others = {"max_messages_per_s": None} if name == "message_reserve" else {}
    assert getattr(Limits(**{name: highest}, **others), name) == highest
    with pytest.raises(LimitError, match="beyond"):
        Limits(**{name: highest + 1}, **others)


@pytest.mark.parametrize("name", SECONDS)
def test_no_seconds_are_none(name: str) -> None:
    with pytest.raises(LimitError, match="seconds"):
        Limits(**{name: 0})


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("bad", [1, "true", Decimal(1)])
def test_a_permission_is_true_or_false(name: str, bad: Any) -> None:
    with pytest.raises(LimitError, match="true or false"):
        Limits(**{name: bad})


@pytest.mark.parametrize("name", ["stale_quote_s", "deny", "buying_power", "session_hours", "entry_window_s"])
def test_what_can_not_be_switched_off(name: str) -> None:
    with pytest.raises(LimitError, match="can't be switched off"):
        Limits(**{name: None})


@pytest.mark.parametrize("bad", ["SPY", [1], ["", "SPY"]])
def test_a_list_of_symbols_is_one(bad: Any) -> None:
    with pytest.raises(LimitError, match="list of symbols"):
        Limits(allow=bad)


def test_a_reserve_that_leaves_nothing_and_a_zone_that_is_none() -> None:
    Limits(max_messages_per_s=10, message_reserve=9)
    with pytest.raises(LimitError, match="no entry could ever leave"):
        Limits(max_messages_per_s=10, message_reserve=10)
    with pytest.raises(LimitError, match="time zone"):
        Limits(loss_day_zone="Mars/Olympus")


# -- text and back


VALUES = {
    Shape.AMOUNT: st.none() | st.decimals(0, 1, places=3) | st.integers(0, 1),
    Shape.SECONDS: st.floats(0.001, 86_400),
    Shape.SECONDS_OR_OFF: st.none() | st.floats(0.001, 86_400),
    Shape.FLAG: st.booleans(),
    Shape.FLAG_OR_NONE: st.none() | st.booleans(),
    Shape.SYMBOLS_OR_OFF: st.none() | st.just(("SPY", "BRK.B")),
    Shape.SYMBOLS: st.lists(st.sampled_from(["SPY", "BRK B", "BRK.B", "A-B"]), unique=True).map(tuple),
}


@given(
    st.fixed_dictionaries({}, optional={name: VALUES[kind.shape] for name, kind in FIELDS.items()}),
    st.sampled_from(["SPY", "BRK.B", "BRK B", "x.y.z"]),
)
def test_what_is_written_is_read_again(values: dict[str, Any], key: str) -> None:
    values.pop("message_reserve", None)
    values.pop("max_messages_per_s", None)
    overrides = {
        scope: {key: {name: value for name, value in values.items() if scope in FIELDS[name].scopes}}
        for scope in SCOPES
    }
    overrides = {scope: {key: kept} for scope, each in overrides.items() if (kept := each[key])}
    limits = Limits(**values, **overrides)
    assert Limits.from_plain(limits.to_plain()) == limits


def test_changes_by_path() -> None:
    limits = Limits(symbols={"BRK.B": {"max_position": 5}})
    changed = limits.changed(
        {
            "max_position": "7",
            "symbols.BRK.B.max_position": "4",
            "max_drawdown": "off",
            "deny": "GME,AMC",
            "short_sales": "false",
            "accounts.DU1.max_daily_loss": "1",
        }
    )
    assert (changed.max_position, changed.max_drawdown, changed.deny) == (7, None, ("GME", "AMC"))
    assert changed.symbols == {"BRK.B": {"max_position": Decimal(4)}}
    assert changed.accounts == {"DU1": {"max_daily_loss": Decimal(1)}}
    back = changed.changed(
        {
            "symbols.BRK.B.max_position": "default",
            "accounts.DU1.max_daily_loss": "default",
            "max_position": "default",
            "max_drawdown": "default",
            "deny": "default",
            "short_sales": "default",
        }
    )
    assert back == Limits()


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("max_positon", "1", "no such limit"),
        ("symbols.SPY.max_gross_notional", "1", "no such limit"),
        ("symbols..max_position", "1", "no such limit"),
        ("planets.SPY.max_position", "1", "no such limit"),
        ("max_position", "many", "not a number"),
        ("max_position", "NaN", "finite number"),
        ("max_position", "-1", "not negative"),
        ("stale_quote_s", "off", "not seconds"),
        ("day_trades", "yes", "true or false"),
        ("symbols.SPY.max_position", "999999", "looser"),
        ("max_orders_per_side", "21", "IB refuses more"),
        ("loss_day_zone", "Mars/Olympus", "time zone"),
    ],
)
def test_a_change_that_is_nonsense_names_the_path(path: str, text: str, said: str) -> None:
    with pytest.raises(LimitError, match=said) as caught:
        Limits().changed({path: text})
    assert caught.value.name == path


# -- the section of a file


def test_the_section_knows_every_limit() -> None:
    assert set(OverrideSection.model_fields) == set(FIELDS)
    assert set(RiskSection.model_fields) == {*FIELDS, "loss_day_zone", *SCOPES}
    own = {"delayed_quotes"}  # of the section [paper]
    assert set(Limits.__struct_fields__) == {*FIELDS, "loss_day_zone", *SCOPES, *own}
    assert {each.name for each in CONTROLS if each.bound is not None} <= set(FIELDS)


def test_a_whole_section(tmp_path: Path) -> None:
    limits = load(
        tmp_path,
        """
        [risk]
        max_order_quantity = 250
        max_order_notional = 0.1
        max_drawdown = "off"
        duplicate_window_s = "off"
        allow = ["SPY", "BRK B"]
        short_sales = true
        loss_day_zone = "Europe/Berlin"
        [risk.symbols."BRK B"]
        max_position = 5
        [risk.strategies.momentum]
        max_entries = 3
        short_sales = false
        [risk.accounts.DU1234567]
        max_daily_loss = 100.5
        """,
    )
    assert limits == Limits(
        max_order_quantity=250,
        max_order_notional=Decimal("0.1"),
        max_drawdown=None,
        duplicate_window_s=None,
        allow=("SPY", "BRK B"),
        short_sales=True,
        loss_day_zone="Europe/Berlin",
        symbols={"BRK B": {"max_position": 5}},
        strategies={"momentum": {"max_entries": 3, "short_sales": False}},
        accounts={"DU1234567": {"max_daily_loss": Decimal("100.5")}},
    )


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("[risk]\nmax_positon = 1", "risk.max_positon", "Did you mean max_position"),
        ("[risc]\nmax_position = 1", "risc", "Did you mean risk"),
        ("[risk.symbols.SPY]\nmax_positon = 1", "risk.symbols.SPY.max_positon", "Did you mean max_position"),
        ("[risk]\nmax_position = -1", "risk.max_position", "greater than or equal to 0"),
        ("[risk]\nmax_position = nan", "risk.max_position", "finite"),
        ("[risk]\nmax_position = inf", "risk.max_position", "finite"),
        ("[risk]\nmax_position = '5'", "risk.max_position", "'off'"),
        ("[risk]\nmax_position = true", "risk.max_position", "'off'"),
        ("[risk]\nday_trades = 1", "risk.day_trades", "bool"),
        ("[risk]\nstale_quote_s = 'off'", "risk.stale_quote_s", "number"),
        ("[risk]\nmax_orders_per_side = 21", "risk.max_orders_per_side", "IB refuses more"),
        ("[risk]\nprice_collar = 1.5", "risk.price_collar", "twice the market"),
        ("[risk]\nloss_day_zone = 'Mars/Olympus'", "risk.loss_day_zone", "time zone"),
        ("[risk.symbols.SPY]\nmax_position = 10001", "risk.symbols.SPY.max_position", "looser"),
        ("[risk.symbols.SPY]\nmax_daily_loss = 1", "risk.symbols.SPY.max_daily_loss", "known here"),
        ("[risk.symbols.spy]\nmax_position = 1", "risk.symbols.spy", "pattern"),
        ("[risk.symbols]\nSPY = 3", "risk.symbols.SPY", "OverrideSection"),
        ("[risk]\nmax_messages_per_s = 10", "risk.message_reserve", "no entry could ever leave"),
    ],
)
def test_errors_name_field_and_cure(tmp_path: Path, text: str, field: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        load(tmp_path, text)
    assert caught.value.field == field


def test_a_section_goes_upon_other_limits_than_the_defaults() -> None:
    base = Limits(max_position=3, max_drawdown=4)
    assert Limits.from_section({"max_position": Decimal(2)}, base) == Limits(max_position=2, max_drawdown=4)
