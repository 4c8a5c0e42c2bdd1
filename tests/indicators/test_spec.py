"""Indicators asked for in words: what is understood, and what is said of the rest. Nothing is evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.errors import ConfigError
from tws.indicators import KINDS, Spec, build, describe, parse_spec


@pytest.mark.parametrize(
    ("text", "spec", "written"),
    [
        ("ema(20)", Spec("ema", (20,)), "ema(20)"),
        (" EMA ( 20 ) ", Spec("ema", (20,)), "ema(20)"),
        ("ema", Spec("ema", (20,)), "ema(20)"),
        ("ema()", Spec("ema", (20,)), "ema(20)"),
        ("vwap", Spec("vwap", ()), "vwap"),
        ("macd(5)", Spec("macd", (5, 26, 9), "line"), "macd(5, 26, 9)"),
        ("macd(5, 10, 3).signal", Spec("macd", (5, 10, 3), "signal"), "macd(5, 10, 3)"),
        ("bollinger(20, 2.50).upper", Spec("bollinger", (20, 2.5), "upper"), "bollinger(20, 2.5)"),
        ("bollinger", Spec("bollinger", (20, 2), "middle"), "bollinger(20, 2)"),
    ],
)
def test_what_is_understood(text: str, spec: Spec, written: str) -> None:
    assert parse_spec(text) == spec
    assert spec.text == written
    assert parse_spec(written).text == written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("emma(20)", "Did you mean ema?"),
        ("ema(0)", "from 1 to 10000"),
        ("ema(10001)", "from 1 to 10000"),
        ("ema(2.5)", "whole number"),
        ("ema(1e3)", "whole number"),
        ("ema(-5)", "from 1 to 10000"),
        ("ema(nan)", "whole number"),
        ("bollinger(20, inf)", "'inf', not a number"),
        ("ema(20, 3)", "at most 1"),
        ("ema(20,)", "at most 1"),
        ("ema(period=20)", "whole number"),
        ("macd(26, 12)", "shorter"),
        ("macd.sgnal", "Did you mean signal?"),
        ("ema(20).upper", "without the point"),
        ("adx(1)", "from 2"),
        ("ema(20", "name(number"),
        ("ema(20))", "name(number"),
        ("ema(sma(20))", "name(number"),
        ("__import__('os')", "name(number"),
        ("", "name(number"),
        ("ema(20)" + " " * 200, "name(number"),
    ],
)
def test_what_is_said_of_the_rest(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_spec(text, "rules.entry")
    assert words in str(caught.value)
    assert caught.value.field == "rules.entry" and caught.value.value == text and caught.value.cure


almost = st.from_regex(r"[a-z]{2,6}\([0-9a-z., +-]{0,12}\)(\.[a-z]{1,5})?", fullmatch=True)


@given(st.text(max_size=60) | almost)
def test_any_text_is_a_spec_or_a_config_error(text: str) -> None:
    try:
        spec = parse_spec(text)
    except ConfigError:
        return
    assert spec.name in KINDS
    again = parse_spec(spec.text + (f".{spec.output}" if spec.output else ""))
    assert again == spec


def test_all_that_is_described_can_be_built_and_is_in_the_docs(checkout: Path) -> None:
    page = (checkout / "docs" / "design" / "indicators.md").read_text(encoding="utf-8")
    found = describe()
    assert {each["name"] for each in found} == set(KINDS)
    for each in found:
        spec = parse_spec(each["default"])
        assert (build(spec).warm_up, build(spec).settled) == (each["warm_up"], each["settled"])
        row = next((line for line in page.splitlines() if line.startswith(f"| `{each['default']}`")), "")
        cells = [cell.strip() for cell in row.split("|")]
        assert len(cells) == 8, f"docs/design/indicators.md has no row for {each['default']}"
        assert cells[2] == (", ".join(f"`{name}`" for name in each["outputs"]) or "one number")
        assert cells[5] == str(each["warm_up"]), each["default"]
