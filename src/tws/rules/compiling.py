"""Conditions turned into functions, once, so that an event costs as little as it can.

A test takes the figures of the event, the answers found so far and the way to read a missing figure; it
answers True, False or None (unknown). It reads from left to right and stops once the answer is certain: a
false part decides "all", a true one "any". What is part of many rules is answered once an event.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
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
from tws.rules.index import operands
from tws.rules.reading import UNREAD, Slot, SlotTable

__all__ = ["SIGNS", "Compiler", "Numbered", "operand_slot"]

Values: TypeAlias = list[Any]
Answers: TypeAlias = list[Any]
Read: TypeAlias = Callable[[int], Any]
Test: TypeAlias = Callable[[Values, Answers, Read], bool | None]
Numbered: TypeAlias = tuple[int, Test]
"""Where the answer stands in the answers of an event, and how it is found the first time."""

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
    """Compiles the conditions of an engine. Equal parts of two rules are one test, answered once an event."""

    def __init__(self, slots: SlotTable) -> None:
        self._slots = slots
        self._known: dict[tuple[AnyCondition, str], Numbered] = {}

    def __len__(self) -> int:
        """How many answers an event can need."""
        return len(self._known)

    def compiled(self, condition: AnyCondition, rule: str) -> Numbered:
        """The number and the test of a condition, for the rule of this name."""
        own = any(isinstance(each, Field) and each.name == "since.fire" for each in operands(condition))
        key = condition, rule if own else ""
        found = self._known.get(key)
        if found is None:
            test = self._test(condition, rule)  # its parts come first, so the number is taken after them
            found = self._known[key] = len(self._known), test
        return found

    def _test(self, condition: AnyCondition, rule: str) -> Test:
        match condition:
            case AllOf(parts):
                return _all([self.compiled(part, rule) for part in parts])
            case AnyOf(parts):
                return _any([self.compiled(part, rule) for part in parts])
            case Not(part):
                return _not(*self.compiled(part, rule))
            case Compare(left, sign, right):
                return _compare(left, sign, right, self._slots, rule)
            case Cross():
                return _cross(condition, self._slots, rule)
            case Is(name, words, symbol):
                return _is(self._slots.index(Slot("field", name, symbol)), words)
            case Flag(name, symbol):
                return _is(self._slots.index(Slot("field", name, symbol)), (True,))
        raise TypeError(f"{condition!r} is no condition")


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
        return _bounded(index, sign, right.value)
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


def _bounded(index: int, sign: str, bound: float) -> Test:
    """Against a constant: the two commonest signs written out, since a call less is a third of the cost."""
    holds = SIGNS[sign]

    def at_least(values: Values, _answers: Answers, read: Read) -> bool | None:
        value = values[index]
        if value is UNREAD:
            value = read(index)
        return None if value is None else value >= bound

    def at_most(values: Values, _answers: Answers, read: Read) -> bool | None:
        value = values[index]
        if value is UNREAD:
            value = read(index)
        return None if value is None else value <= bound

    def test(values: Values, _answers: Answers, read: Read) -> bool | None:
        value = values[index]
        if value is UNREAD:
            value = read(index)
        return None if value is None else holds(value, bound)

    return at_least if sign == ">=" else at_most if sign == "<=" else test


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
