"""Rules as text: what is written reads back as the same value; what is wrong is named, with its place."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rules.values import actions, conditions, rules

from tws.config import RuleSection, load_settings
from tws.errors import ConfigError
from tws.model.sizing import Allocation, RiskFraction
from tws.rules import (
    AnyAction,
    AnyCondition,
    BreakEven,
    DoubleDown,
    Enter,
    Ignore,
    MoveStop,
    Rule,
    SetCooldown,
    action_text,
    atr,
    between,
    change,
    condition_text,
    flag,
    indicator,
    number,
    parse_actions,
    parse_condition,
    parse_rule,
    parse_rules,
    percent,
    rule_table,
    rules_toml,
    word,
)
from tws.rules.fields import FIELDS, SHORT
from tws.rules.tokens import TokenError
from tws.rules.verbs import VERBS


@given(conditions)
def test_a_condition_reads_back_as_itself(condition: AnyCondition) -> None:
    assert parse_condition(condition_text(condition)) == condition


@given(actions)
def test_actions_read_back_as_themselves(drawn: tuple[AnyAction, ...]) -> None:
    assert parse_actions(" + ".join(map(action_text, drawn))) == drawn


@given(rules)
def test_a_rule_reads_back_as_itself(rule: Rule) -> None:
    assert parse_rule(rule_table(rule)) == rule


@given(rules)
def test_a_rule_is_a_plain_value(rule: Rule) -> None:
    assert msgspec.json.decode(msgspec.json.encode(rule), type=Rule) == rule


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(rules)
def test_a_rule_reads_back_from_a_configuration_file(tmp_path: Path, rule: Rule) -> None:
    # A switch of a rule that is not there is refused: the file has those too.
    others = sorted({each.rule for each in rule.then if hasattr(each, "rule")} - {rule.name})
    file = tmp_path / "tws.toml"
    switched = [Rule(name=name, when=word("event", "timer"), then=(Ignore(),)) for name in others]
    file.write_text(rules_toml([rule, *switched]), encoding="utf-8")
    sections = load_settings(file).rules
    assert parse_rules(each.chosen() for each in sections)[0] == rule


PYTHON = [
    ("confidence >= 0.5 and ema(20) crosses above ema(50)",
     (number("confidence") >= 0.5) & indicator("ema(20)").crosses_above(indicator("ema(50)"))),
    ("wish in (buy, SHORT) and not position.side == flat",
     word("wish", "BUY", "SHORT") & ~word("position.side", "flat")),
    ("model != \"gpt 9\" or symbol not in (SPY, \"BRK B\")",
     ~word("model", "gpt 9") | ~word("symbol", "SPY", "BRK B")),
    ("time between 09:45 and 15:30", between("09:45", "15:30")),
    ("time between 22:00 and 02:00:30", (number("time") >= 79_200) | (number("time") < 7230)),
    ("session.open and session.before_close <= 1m",
     flag("session.open") & (number("session.before_close") <= 60)),
    ("2 < rsi(14)", indicator("rsi(14)") > 2),
    ("price of SPY > vwap of SPY", number("price", "SPY") > indicator("vwap()", "SPY")),
    ("change(5) <= -0.3% # the last minute\n and bar.volume > 1_000",
     (change(5) <= -0.3) & (number("bar.volume") > 1000)),
    ("since.entry >= 3m or since.fire > since.entry",
     (number("since.entry") >= 180) | (number("since.fire") > number("since.entry"))),
    ("macd.signal crosses below 0", indicator("macd(12, 26, 9).signal").crosses_below(0)),
    ("event == bar and (position.bars >= 3 or weekday == fri) and cooldown == 0s",
     word("event", "bar")
     & ((number("position.bars") >= 3) | word("weekday", "fri"))
     & number("cooldown").equals(0)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), PYTHON, ids=[text for text, _ in PYTHON])
def test_text_and_python_give_equal_values(text: str, value: AnyCondition) -> None:
    assert parse_condition(text) == value


def test_actions_in_both_forms() -> None:
    text = "enter signal cash 10_000 stop 6 atr target 3 atr limit + cooldown 3m"
    python = Enter("signal", Allocation(Decimal(10_000)), atr(6), atr(3), True) + SetCooldown(180)
    assert parse_actions(text) == python
    assert parse_actions("enter long risk 0.5% stop 2%")[0] == Enter(
        "long", RiskFraction(Decimal("0.005")), percent(2)
    )
    assert parse_actions("double down + move stop 1% from entry") == DoubleDown() + MoveStop(
        percent(1), "entry"
    )
    assert parse_actions("break even plus 0.1 atr") == (BreakEven(atr(0.1)),)


def test_tables_and_text_give_equal_values() -> None:
    table = {
        "all": [
            "confidence >= 0.5",
            {"any": ["rsi(14) < 40", {"not": "session.open"}]},
            {"all": ["price > 1"]},
        ]
    }
    rule = parse_rule({"name": "r", "when": table, "then": ["exit", "cooldown 3m"]})
    assert rule.when == parse_condition(
        "confidence >= 0.5 and (rsi(14) < 40 or not session.open) and price > 1"
    )
    assert rule.then == parse_actions("exit + cooldown 180s")


WRONG = [
    ("confidnce >= 0.5", 1, 1, "unknown name 'confidnce'", "Did you mean confidence?"),
    ("confidence >= 0.5 and ema(20) cross above 5", 1, 31, "a comparison is missing", "crosses"),
    ("confidence = 0.5", 1, 12, "'=' means nothing here", "Write =="),
    ("confidence >= 0.5 & price > 1", 1, 19, "'&' means nothing here", "Write and"),
    ("price > 1\n and\n  sesion.open", 3, 3, "unknown name 'sesion.open'", "Did you mean session.open?"),
    ("session.before_close <= 60", 1, 25, "a number, not a duration", "90s or 3m"),
    ("time >= 9.5", 1, 9, "a number, not a time", "09:45"),
    ("time between 9:5 and 10:00", 1, 1, "no time such as 09:45", ""),
    ("time between 9 and 10:00", 1, 14, "a time is missing", ""),
    ("time >= 25:00", 1, 9, "no time of the day", ""),
    ("price > 3m", 1, 9, "a duration, not a number", "0.5"),
    ("price > 3x", 1, 9, "'3x' is no figure", "Units are"),
    ("wish == HOLD", 1, 1, "never 'HOLD'", ""),
    ("wish > 3", 1, 6, "signal.wish is compared with '>'", "WORD"),
    ("(price > 1", 1, 11, "')' is missing, here stands nothing more", ""),
    ("price > 1 price", 1, 11, "'price' is too much here", "and, or"),
    ("price > 'a'", 1, 9, '"\'" means nothing here', "double quotes"),
    ('model == "a', 1, 10, "'\"' means nothing here", "Close the quotes"),
    ("1 > 2", 1, 1, "two constants", ""),
    ("price crosses above 1", 1, 1, "can cross", ""),
    ("emaa(20) > 1", 1, 1, "no indicator is called emaa", "Did you mean ema?"),
    ("price > ema(2.5)", 1, 9, "not a whole number", "Give period"),
    ("macd.sinal > 1", 1, 1, "no output sinal", "Did you mean signal?"),
    ("emaa > 1", 1, 1, "unknown name 'emaa'", "Did you mean ema?"),
    ("change(1.5) > 0", 1, 1, "number of bars", "change(5)"),
    ("__import__('os').system('x') > 0", 1, 12, "means nothing here", ""),
    ("", 1, 1, "here stands nothing more", ""),
    ("not " * 60 + "session.open", 1, 205, "within one another", "several rules"),
]


@pytest.mark.parametrize(
    ("text", "line", "column", "reason", "cure"), WRONG, ids=[each[0][:40] for each in WRONG]
)
def test_an_error_names_place_and_cure(text: str, line: int, column: int, reason: str, cure: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_condition(text, "rules.entry.when")
    error = caught.value
    assert error.field == "rules.entry.when"
    assert error.reason.startswith(f"line {line}, column {column}: "), error
    assert reason in error.reason
    assert cure in error.cure


SIGNS = """
    and or not ( ) , . in of crosses above below >= < == != between time 09:45 25:99 1 -2.5 3m 2% 1e999 9x "
    # ' \\ ü = +
    ema ema(20) macd.signal change(5) SPY BUY long shares cash risk stop target atr at plus from entry
"""
PIECES = st.sampled_from([*FIELDS, *SHORT, *VERBS, *SIGNS.split(), '"a b"', "\n", "\0"])
SPOKEN = st.lists(PIECES, max_size=12).map(" ".join) | st.text(max_size=30)


@settings(max_examples=600)
@given(SPOKEN)
def test_whatever_is_written_is_read_or_refused_at_its_place(text: str) -> None:
    for parse in (parse_condition, parse_actions):
        try:
            value: Any = parse(text)
        except TokenError as error:
            assert 1 <= error.line <= text.count("\n") + 1
            assert 1 <= error.column <= len(text) + 1
            assert error.cure
        else:
            again = condition_text(value) if parse is parse_condition else " + ".join(map(action_text, value))
            assert parse(again) == value


@pytest.mark.parametrize(
    ("text", "reason", "cure"),
    [
        ("entr long", "column 1: 'entr' is no action", "Did you mean enter?"),
        ("enter up", "no side to enter", ""),
        ("exit + reverse", "exclude each other", ""),
        ("exit + exit", "stands twice", ""),
        ("enter long shares -5", "above zero", ""),
        ("enter long risk 100%", "below 1", ""),
        ("enter long stop 2", "'atr' is missing", ""),
        ("enter long stop 200%", "below 100", ""),
        ("enter long shares 5e400", "no figure", ""),
        ("enter long shares 5e40", "at most", ""),
        ("double down at 120%", "between entry", ""),
        ("cooldown 180", "a duration is missing", ""),
        ("cooldown 9d", "must be 0 to", ""),
        ("move stop 1 atr from there", "neither entry nor price", ""),
        ('enable "a b"', "can't name a rule", ""),
        ("exit cooldown 3m", "too much here", "Join with +"),
        ("ignore + exit", "no other action", ""),
    ],
)
def test_a_wrong_action_is_named(text: str, reason: str, cure: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_actions(text)
    assert reason in caught.value.reason
    assert cure in caught.value.cure


TABLE: dict[str, Any] = {"name": "a", "when": "event == bar", "then": "exit"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"when": {"al": ["price > 1"]}}, "Did you mean all"),
        ({"when": {"all": []}}, "no array"),
        ({"when": {"all": ["price > 1"], "any": ["price > 1"]}}, "neither a text"),
        (
            {"when": {"all": ["price > 1", "prise > 1"]}},
            r"rules\.a\.when\.all\[2\].*column 1.*Did you mean price",
        ),
        ({"then": ["exit", "ext"]}, r"rules\.a\.then\[2\].*Did you mean exit"),
        ({"priorty": 3}, "Did you mean priority"),
        ({"per_day": 0}, "executions a day"),
        ({"cooldown_s": -1}, "cooldown of -1"),
        ({"name": "a b"}, "can't name a rule"),
        ({"then": 'enable "b"'}, "switches 'b'"),
    ],
)
def test_a_wrong_table_is_named(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_rules([TABLE | changed])


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two rules are named a"):
        parse_rules([TABLE, TABLE])


def test_the_section_has_the_names_of_a_rule() -> None:
    assert set(RuleSection.model_fields) == set(Rule.__struct_fields__)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("priority = 1.5", "rules.0.priority"),
        ("perday = 1", "Did you mean per_day"),
        ('when = ""', "rules.0.when"),
        ("then = 5", "Write an action"),
    ],
)
def test_a_file_is_checked_by_name_and_type(tmp_path: Path, line: str, says: str) -> None:
    given = {key: f"{key} = {json.dumps(value)}" for key, value in TABLE.items()}
    given[line.partition(" ")[0]] = line
    file = tmp_path / "tws.toml"
    file.write_text("\n".join(["[[rules]]", *given.values()]), encoding="utf-8")
    with pytest.raises(ConfigError, match=says.replace(".", r"\.")):
        load_settings(file)
