"""Conditions and actions as text, which `tws.rules.parser` and `verbs` read back into equal values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tws.model.sizing import Allocation, Shares, Sizing
from tws.rules.actions import (
    Alert,
    AnyAction,
    BreakEven,
    CancelEntries,
    DisableRule,
    Distance,
    DoubleDown,
    EnableRule,
    Enter,
    Exit,
    Ignore,
    MoveStop,
    Reverse,
    ScaleIn,
    SetCooldown,
    Trail,
)
from tws.rules.conditions import (
    AllOf,
    AnyCondition,
    AnyOf,
    AnyOperand,
    Change,
    Compare,
    Cross,
    Field,
    Flag,
    Indicator,
    Is,
    Not,
    Number,
    unit_of,
)
from tws.rules.fields import FIELDS, SHORT, Unit
from tws.rules.rule import Rule

__all__ = ["action_text", "condition_text", "figure_text", "rule_table", "rule_text", "rules_toml"]

RESERVED = frozenset(
    {"and", "or", "not", "in", "of", "crosses", "above", "below", "between", "time", "change"}
)
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def condition_text(condition: AnyCondition) -> str:
    """A condition as one line."""
    match condition:
        case AllOf(parts):
            return " and ".join(_inner(each) for each in parts)
        case AnyOf(parts):
            return " or ".join(_inner(each) for each in parts)
        case Not(Is(name, (only,), symbol)):
            return f"{name}{_of(symbol)} != {_word(only)}"
        case Not(Is(name, words, symbol)):
            return f"{name}{_of(symbol)} not in ({', '.join(map(_word, words))})"
        case Not(Compare(left, "==", right)):
            return f"{operand_text(left, unit_of(left))} != {operand_text(right, unit_of(left))}"
        case Not(part):
            return f"not {_inner(part)}"
        case Compare(left, sign, right):
            unit = unit_of(left)
            return f"{operand_text(left, unit)} {sign} {operand_text(right, unit)}"
        case Cross(left, right, above):
            passes = "crosses above" if above else "crosses below"
            return f"{operand_text(left, Unit.NONE)} {passes} {operand_text(right, Unit.NONE)}"
        case Is(name, (only,), symbol):
            return f"{name}{_of(symbol)} == {_word(only)}"
        case Is(name, words, symbol):
            return f"{name}{_of(symbol)} in ({', '.join(map(_word, words))})"
        case Flag(name, symbol):
            return name + _of(symbol)


def _inner(part: AnyCondition) -> str:
    """A part of another condition; joins in parentheses, needed or not, since few know what binds closer."""
    return f"({condition_text(part)})" if isinstance(part, (AllOf, AnyOf)) else condition_text(part)


def operand_text(operand: AnyOperand, unit: Unit) -> str:
    """An operand; a constant in the unit of what it is compared with."""
    match operand:
        case Number(value):
            return figure_text(value, unit)
        case Field(name, symbol) | Indicator(name, symbol):
            return name + _of(symbol)
        case Change(bars, symbol):
            return f"change({bars}){_of(symbol)}"


def figure_text(value: float, unit: Unit) -> str:
    """A figure in its unit: 0.5, 90s, 09:45."""
    if unit is Unit.CLOCK and value == int(value) and 0 <= value < 86_400:
        hour, rest = divmod(int(value), 3600)
        minute, second = divmod(rest, 60)
        return f"{hour:02d}:{minute:02d}" + (f":{second:02d}" if second else "")
    plain = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return plain + ("s" if unit is Unit.SECONDS else "")


def action_text(action: AnyAction) -> str:
    """An action as one line."""
    match action:
        case Enter(side, size, stop, target, limit):
            return f"enter {side}{_plan(size, stop, target)}{' limit' if limit else ''}"
        case Reverse(size, stop, target):
            return f"reverse{_plan(size, stop, target)}"
        case ScaleIn(size):
            return f"scale in{_plan(size, None, None)}"
        case Exit():
            return "exit"
        case DoubleDown(way):
            return f"double down at {_plain(way)}%"
        case MoveStop(distance, of):
            return f"move stop {_distance(distance)} from {of}"
        case Trail(distance):
            return f"trail {_distance(distance)}"
        case BreakEven(beyond):
            return "break even" + ("" if beyond is None else f" plus {_distance(beyond)}")
        case CancelEntries():
            return "cancel entries"
        case Ignore():
            return "ignore"
        case SetCooldown(seconds):
            return f"cooldown {_plain(seconds)}s"
        case EnableRule(rule):
            return f'enable "{rule}"'
        case DisableRule(rule):
            return f'disable "{rule}"'
        case Alert(text):
            return f'alert "{text}"'


def rule_table(rule: Rule) -> dict[str, Any]:
    """A rule as the table `[[rules]]` of a configuration file; what holds by default is left out."""
    table: dict[str, Any] = {
        "name": rule.name,
        "when": condition_text(rule.when),
        "then": [action_text(each) for each in rule.then],
    }
    if rule.priority:
        table["priority"] = rule.priority
    if rule.cooldown_s:
        table["cooldown_s"] = rule.cooldown_s
    if rule.per_day is not None:
        table["per_day"] = rule.per_day
    if not rule.enabled:
        table["enabled"] = False
    return table


def rule_text(rule: Rule) -> str:
    """All of a rule as one line: equal rules have equal texts, and no others have."""
    return json.dumps(rule_table(rule), ensure_ascii=False)


def rules_toml(rules: Iterable[Rule]) -> str:
    """Rules as the text of a configuration file."""
    return "\n".join(f"[[rules]]\n{_toml(rule_table(rule))}" for rule in rules)


def _toml(table: dict[str, Any]) -> str:
    """JSON's texts, numbers, arrays of texts and truths are TOML's too."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())


def _plan(size: Sizing | None, stop: Distance | None, target: Distance | None) -> str:
    parts = [
        "" if size is None else f" {_size(size)}",
        "" if stop is None else f" stop {_distance(stop)}",
        "" if target is None else f" target {_distance(target)}",
    ]
    return "".join(parts)


def _size(size: Sizing) -> str:
    if isinstance(size, Shares):
        return f"shares {_decimal(size.count)}"
    if isinstance(size, Allocation):
        return f"cash {_decimal(size.cash)}"
    return f"risk {_decimal(size.fraction.scaleb(2))}%"


def _distance(distance: Distance) -> str:
    return f"{_plain(distance.amount)}{' atr' if distance.unit == 'atr' else '%'}"


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _plain(value: float) -> str:
    return figure_text(value, Unit.NONE)


def _of(symbol: str) -> str:
    return f" of {_word(symbol)}" if symbol else ""


def _word(text: str) -> str:
    bare = _BARE.fullmatch(text) and text not in RESERVED and text not in FIELDS and text not in SHORT
    return text if bare else f'"{text}"'
