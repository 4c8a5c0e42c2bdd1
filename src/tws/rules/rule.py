"""A rule: a condition, actions, and what holds the rule itself back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import force_setattr

from tws.rules.actions import AnyAction, DisableRule, EnableRule, joined
from tws.rules.conditions import AllOf, AnyCondition, AnyOf, Not
from tws.rules.fields import nearest

__all__ = ["Rule", "check_name", "check_rules"]

MAX_RULES = 100_000
"""Rules of one engine: ten times the number that its speed is measured with (bench/rules.py)."""
MAX_PARTS = 500
"""Parts of one condition: with more it is a table, not a rule that a human can check."""
MAX_DEPTH = 50
"""Conditions within one another; each costs frames of the interpreter's stack, of which it has a thousand."""
MAX_COOLDOWN_S = 7 * 86_400.0
"""A pause past a week is a rule that should be disabled."""
MAX_PER_DAY = 100_000
"""More executions than that a day are no bound: a rule that fires each second of a session reaches 23,400."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`when` it holds, `then` is wished. Counts and pauses are kept per symbol.

    The rule of the higher `priority` goes first; among equals the one that stands first. `cooldown_s` is the
    rule's own pause after it fired, in seconds, `per_day` how often it may fire in a trading day (None:
    as often as it holds). `enabled` is how it begins; at run time `Engine.enable` and `disable` say so.
    """

    name: str
    when: AnyCondition
    then: tuple[AnyAction, ...]
    priority: int = 0
    cooldown_s: float = 0.0
    per_day: int | None = None
    enabled: bool = True

    def __post_init__(self) -> None:
        check_name(self.name)
        _check_size(self.name, self.when)
        force_setattr(self, "then", joined(self.then))
        if not -1_000_000 <= self.priority <= 1_000_000:
            raise ValueError(f"rule {self.name}: a priority of {self.priority}; must be within a million")
        if not 0 <= self.cooldown_s <= MAX_COOLDOWN_S:
            raise ValueError(
                f"rule {self.name}: a cooldown of {self.cooldown_s} s; must be 0 to {MAX_COOLDOWN_S:.0f}"
            )
        force_setattr(self, "cooldown_s", float(self.cooldown_s) + 0.0)
        if self.per_day is not None and not 1 <= self.per_day <= MAX_PER_DAY:
            raise ValueError(f"rule {self.name}: {self.per_day} executions a day; must be 1 to {MAX_PER_DAY}")

    @property
    def trades(self) -> bool:
        """Whether it touches a position or its orders."""
        return any(each.trades for each in self.then)


def _check_size(name: str, condition: AnyCondition) -> None:
    """Raises ValueError for more parts, or deeper ones, than a rule may have."""
    waiting, parts = [(condition, 1)], 0
    while waiting:
        each, depth = waiting.pop()
        parts += 1
        if depth > MAX_DEPTH or parts > MAX_PARTS:
            bounds = f"more than {MAX_PARTS} parts, or {MAX_DEPTH} within one another"
            raise ValueError(f"rule {name}: {bounds}; make several of it")
        if isinstance(each, (AllOf, AnyOf)):
            waiting += [(part, depth + 1) for part in each.parts]
        elif isinstance(each, Not):
            waiting.append((each.part, depth + 1))


def check_name(name: str) -> None:
    """Raises ValueError for what can't name a rule."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can't name a rule: letters, digits, _ . - and at most 100 of them")


def check_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """All rules of an engine. Raises ValueError: a name twice, a switch of a rule that is not there."""
    known: dict[str, Rule] = {}
    for rule in rules:
        if rule.name in known:
            raise ValueError(f"two rules are named {rule.name}")
        known[rule.name] = rule
    if len(known) > MAX_RULES:
        raise ValueError(f"{len(known)} rules; at most {MAX_RULES}")
    for rule in known.values():
        for action in rule.then:
            if isinstance(action, (EnableRule, DisableRule)) and action.rule not in known:
                raise ValueError(f"rule {rule.name} switches {action.rule!r}. {nearest(action.rule, known)}")
    return tuple(known.values())
