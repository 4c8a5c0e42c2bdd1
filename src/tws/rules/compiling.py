"""Conditions turned into functions, once, so that an event costs as little as it can.

A test takes the figures of the event, the answers found so far and the way to read a missing figure; it
answers True, False or None (unknown). It reads from left to right and stops once the answer is certain: a
false part decides "all", a true one "any". What is part of many rules is answered once an event.
"""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

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
)
from tws.rules.index import leaves, operands
from tws.rules.reading import UNREAD, Slot, SlotTable
from tws.rules.rule import Rule

__all__ = ["SIGNS", "Compiler", "Numbered", "operand_slot"]

Values: TypeAlias = list[Any]
Answers: TypeAlias = list[Any]
Read: TypeAlias = Callable[[int], Any]
Test: TypeAlias = Callable[[Values, Answers, Read], bool | None]
Numbered: TypeAlias = tuple[int, Test]
"""Where the answer stands in the answers of an event, and how it is found the first time."""

TOGETHER = 64
"""Comparisons answered at once: writing so many answers costs about as much as five tests."""

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}


def operand_slot(operand: Field | Indicator | Change, rule: str, back: int = 0) -> Slot:
    """The slot of an operand. Only `since.fire` differs from rule to rule."""
    if isinstance(operand, Indicator):
        return Slot("indicator", operand.spec, operand.symbol, back)
    if isinstance(operand, Change):
        return Slot("change", f"change({operand.bars})", operand.symbol, operand.bars)
    return Slot("field", operand.name, operand.symbol, back, rule if operand.name == "since.fire" else "")


class Compiler:
    """Compiles the conditions of an engine's rules. Equal parts of two rules are one test, answered once an
    event, and all comparisons of one figure with constants that lie near each other are answered together.
    """

    def __init__(self, slots: SlotTable, rules: Iterable[Rule]) -> None:
        self._slots = slots
        self._known: dict[tuple[AnyCondition, str], Numbered] = {}
        ordered = list(rules)
        self._rank(ordered)
        self.tests = [self._compiled(rule.when, rule.name) for rule in ordered]
        """For each rule where its answer stands, and its test."""

    def __len__(self) -> int:
        """How many answers an event can need."""
        return len(self._known)

    def _rank(self, rules: list[Rule]) -> None:
        """Number the comparisons with constants, by figure and size: neighbours are answered together."""
        groups: dict[tuple[int, str], dict[float, tuple[AnyCondition, str]]] = {}
        for rule in rules:
            for leaf in leaves(rule.when):
                if isinstance(leaf, Compare) and isinstance(leaf.right, Number) and leaf.sign != "==":
                    assert not isinstance(leaf.left, Number), "Compare turns a constant to the right"
                    index = self._slots.index(operand_slot(leaf.left, rule.name))
                    groups.setdefault((index, leaf.sign), {})[leaf.right.value] = _key(leaf, rule.name)
        for (index, sign), group in groups.items():
            ascending = sorted(group)
            for begin in range(0, len(ascending), TOGETHER):
                figures, first = ascending[begin : begin + TOGETHER], len(self._known)
                tests = _ranked(index, sign, figures, first)
                for place, (figure, test) in enumerate(zip(figures, tests, strict=True)):
                    self._known[group[figure]] = first + place, test

    def _compiled(self, condition: AnyCondition, rule: str) -> Numbered:
        """The number and the test of a condition, for the rule of this name."""
        key = _key(condition, rule)
        found = self._known.get(key)
        if found is None:
            test = self._test(condition, rule)  # its parts come first, so the number is taken after them
            found = self._known[key] = len(self._known), test
        return found

    def _test(self, condition: AnyCondition, rule: str) -> Test:
        match condition:
            case AllOf(parts):
                return _all([self._compiled(part, rule) for part in parts])
            case AnyOf(parts):
                return _any([self._compiled(part, rule) for part in parts])
            case Not(part):
                return _not(*self._compiled(part, rule))
            case Compare(left, sign, right):
                return _compare(left, sign, right, self._slots, rule)
            case Cross():
                return _cross(condition, self._slots, rule)
            case Is(name, words, symbol):
                return _is(self._slots.index(Slot("field", name, symbol)), words)
            case Flag(name, symbol):
                return _is(self._slots.index(Slot("field", name, symbol)), (True,))
        raise TypeError(f"{condition!r} is no condition")


def _key(condition: AnyCondition, rule: str) -> tuple[AnyCondition, str]:
    """What makes two parts of rules the same test: only `since.fire` means something else in each rule."""
    own = any(isinstance(each, Field) and each.name == "since.fire" for each in operands(condition))
    return condition, rule if own else ""


def _all(parts: list[Numbered]) -> Test:
    def test(values: Values, answers: Answers, read: Read) -> bool | None:
        answer: bool | None = True
        for number, part in parts:
            found = answers[number]
            if found is UNREAD:
                found = answers[number] = part(values, answers, read)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return test


def _any(parts: list[Numbered]) -> Test:
    def test(values: Values, answers: Answers, read: Read) -> bool | None:
        answer: bool | None = False
        for number, part in parts:
            found = answers[number]
            if found is UNREAD:
                found = answers[number] = part(values, answers, read)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return test


def _not(number: int, part: Test) -> Test:
    def test(values: Values, answers: Answers, read: Read) -> bool | None:
        found = answers[number]
        if found is UNREAD:
            found = answers[number] = part(values, answers, read)
        return None if found is None else not found

    return test


def _is(index: int, words: tuple[Any, ...]) -> Test:
    only = words[0] if len(words) == 1 else None
    among = frozenset(words)

    def test_one(values: Values, _answers: Answers, read: Read) -> bool | None:
        value = values[index]
        if value is UNREAD:
            value = read(index)
        return None if value is None else value == only

    def test(values: Values, _answers: Answers, read: Read) -> bool | None:
        value = values[index]
        if value is UNREAD:
            value = read(index)
        return None if value is None else value in among

    return test if only is None else test_one


def _compare(left: AnyOperand, sign: str, right: AnyOperand, slots: SlotTable, rule: str) -> Test:
    assert not isinstance(left, Number), "Compare turns a constant to the right"
    index = slots.index(operand_slot(left, rule))
    if isinstance(right, Number):
        return _equal(index, right.value)  # all other comparisons with a constant were ranked
    other = slots.index(operand_slot(right, rule))
    holds = SIGNS[sign]

    def test(values: Values, _answers: Answers, read: Read) -> bool | None:
        one, two = values[index], values[other]
        if one is UNREAD:
            one = read(index)
        if two is UNREAD:
            two = values[other] if other == index else read(other)
        return None if one is None or two is None else holds(one, two)

    return test


def _equal(index: int, figure: float) -> Test:
    def test(values: Values, _answers: Answers, read: Read) -> bool | None:
        value = values[index]
        if value is UNREAD:
            value = read(index)
        return None if value is None else value == figure

    return test


def _rank(figures: list[float], sign: str, value: float) -> list[bool]:
    """How a value compares with ascending figures: all answers by one search."""
    found = (bisect_right if sign in (">=", "<") else bisect_left)(figures, value)
    below, rest = sign in (">=", ">"), len(figures) - found
    return [below] * found + [not below] * rest


def _ranked(index: int, sign: str, figures: list[float], first: int) -> list[Test]:
    """The tests of one value against ascending figures; whichever is asked first answers them all."""
    end = first + len(figures)

    def tests(number: int) -> Test:
        def test(values: Values, answers: Answers, read: Read) -> bool | None:
            value = values[index]
            if value is UNREAD:
                value = read(index)
            answers[first:end] = [None] * (end - first) if value is None else _rank(figures, sign, value)
            answer: bool | None = answers[number]
            return answer

        return test

    return [tests(number) for number in range(first, end)]


def _cross(condition: Cross, slots: SlotTable, rule: str) -> Test:
    left, right = (_series(each, slots, rule) for each in (condition.left, condition.right))
    now, before = (operator.gt, operator.le) if condition.above else (operator.lt, operator.ge)

    def test(values: Values, _answers: Answers, read: Read) -> bool | None:
        figures = [
            each if index is None else read(index) if values[index] is UNREAD else values[index]
            for index, each in (left[0], right[0], left[1], right[1])
        ]
        if None in figures:
            return None
        return bool(now(figures[0], figures[1]) and before(figures[2], figures[3]))

    return test


def _series(operand: AnyOperand, slots: SlotTable, rule: str) -> list[tuple[int | None, float]]:
    """Where the figure of the last bar and of the one before it stand, or the constant twice."""
    if isinstance(operand, Number):
        return [(None, operand.value)] * 2
    return [(slots.index(operand_slot(operand, rule, back)), 0.0) for back in (0, 1)]
