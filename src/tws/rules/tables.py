"""Rules from plain tables, as a configuration file gives them (`tws.config.rules` has checked their types).

`when` is a text, or a table `all = [...]`, `any = [...]`, `not = ...` of texts and such tables; `then` is a
text or an array of texts. Whatever is wrong raises ConfigError: `rules.NAME.when.all[2]`, line, column, cure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tws.errors import ConfigError
from tws.rules.actions import AnyAction, joined
from tws.rules.conditions import AllOf, AnyCondition, AnyOf, Not
from tws.rules.fields import nearest
from tws.rules.parser import parse_condition
from tws.rules.rule import MAX_DEPTH, Rule, check_rules
from tws.rules.verbs import parse_actions

__all__ = ["parse_rule", "parse_rules"]

_JOINS = ("all", "any", "not")
_NAMES = ("name", "when", "then", "priority", "cooldown_s", "per_day", "enabled")


def parse_rules(tables: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of a file, in their order. Raises ConfigError."""
    rules = [parse_rule(table, number) for number, table in enumerate(tables, start=1)]
    try:
        return check_rules(rules)
    except ValueError as wrong:
        reason, _, cure = str(wrong).partition(". ")
        raise ConfigError(
            "rules", None, reason, cure or "Name each rule once, and switch only rules that are there"
        ) from None


def parse_rule(table: Mapping[str, Any], number: int = 1) -> Rule:
    """One rule; `number` stands for its name where it has none. Raises ConfigError."""
    name = table.get("name")
    place = f"rules.{name if isinstance(name, str) else number}"
    for key in table:
        if key not in _NAMES:
            raise ConfigError(f"{place}.{key}", table[key], "no such setting", nearest(key, _NAMES))
    for key in ("name", "when", "then"):
        if key not in table:
            raise ConfigError(f"{place}.{key}", None, "is missing", f"Give the rule its {key}")
    when = _condition(table["when"], f"{place}.when", 0)
    then = _actions(table["then"], f"{place}.then")
    more = {key: table[key] for key in _NAMES[3:] if table.get(key) is not None}
    try:
        return Rule(name=table["name"], when=when, then=then, **more)
    except (ValueError, TypeError) as wrong:
        raise ConfigError(place, name, str(wrong), "See docs/design/rules.md") from None


def _condition(value: Any, place: str, depth: int) -> AnyCondition:
    if isinstance(value, str):
        return parse_condition(value, place)
    if depth > MAX_DEPTH:
        raise ConfigError(
            place, "...", f"more than {MAX_DEPTH} tables within one another", "Make several rules of it"
        )
    if not isinstance(value, Mapping) or len(value) != 1:
        keys = list(value) if isinstance(value, Mapping) else value
        raise ConfigError(
            place, keys, "neither a text nor one of all, any, not", 'Write such as {all = ["...", "..."]}'
        )
    ((join, inner),) = value.items()
    here = f"{place}.{join}"
    if join not in _JOINS:
        raise ConfigError(here, "...", "no way to join conditions", nearest(join, _JOINS))
    if join == "not":
        return Not(_condition(inner, here, depth + 1))
    if not isinstance(inner, (list, tuple)) or not inner:
        raise ConfigError(here, inner, "no array of conditions", f'Write such as {join} = ["...", "..."]')
    parts = tuple(
        _condition(each, f"{here}[{index}]", depth + 1) for index, each in enumerate(inner, start=1)
    )
    if len(parts) == 1:
        return parts[0]
    return AllOf(parts) if join == "all" else AnyOf(parts)


def _actions(value: Any, place: str) -> tuple[AnyAction, ...]:
    if isinstance(value, str):
        return parse_actions(value, place)
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(each, str) for each in value):
        raise ConfigError(
            place, value, "neither a text nor an array of texts", 'Write such as ["exit", "cooldown 3m"]'
        )
    parts = [parse_actions(each, f"{place}[{index}]") for index, each in enumerate(value, start=1)]
    try:
        return joined(*parts)
    except ValueError as wrong:
        raise ConfigError(place, value, str(wrong), "See docs/design/rules.md") from None
