"""Why a rule did or did not fire: a tree of what was asked, with each figure and its bound, told in
sentences.

The tree is made when somebody asks, from the figures that the event's evaluation has left behind, so it costs
nothing before. A part that was never looked at, because the parts before it had decided, says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from math import isinf
from typing import Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.rules.compiling import SIGNS, operand_slot
from tws.rules.conditions import (
    AllOf,
    AnyCondition,
    AnyOf,
    AnyOperand,
    Compare,
    Cross,
    Flag,
    Is,
    Not,
    Number,
    unit_of,
)
from tws.rules.fields import FIELDS, Unit
from tws.rules.reading import UNREAD, Reading, Slot, SlotTable
from tws.rules.render import condition_text, figure_text

__all__ = ["Answer", "Node", "Trace", "traced"]


class Answer(StrEnum):
    """What a part of a condition came to."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"
    FAILED = "failed"


class Node(Struct, frozen=True):
    """A part of a condition: its text, its answer, for a leaf the figures, for a join its parts."""

    text: str
    answer: Answer
    figures: str = ""
    parts: tuple[Node, ...] = ()

    def lines(self, depth: int = 1) -> list[str]:
        """The tree as sentences, each part two blanks deeper."""
        told = f": {self.figures}" if self.figures else ""
        here = f"{'  ' * depth}{self.answer}: {self.text}{told}"
        return [here, *(line for part in self.parts for line in part.lines(depth + 1))]


class Trace(Struct, frozen=True, kw_only=True):
    """One rule on one event: what came of it, and the tree of its condition (None: it was not evaluated)."""

    rule: str
    symbol: str
    event: str
    at_ns: int
    outcome: str
    tree: Node | None = None

    def explain(self) -> str:
        """The trace as sentences."""
        at = datetime.fromtimestamp(self.at_ns // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        head = f"{self.rule} {self.outcome}, on a {self.event} of {self.symbol} at {at}."
        return "\n".join([head, *(self.tree.lines() if self.tree else ())])


class _Walker:
    """Builds the tree from what was read."""

    def __init__(self, reading: Reading, slots: SlotTable, rule: str) -> None:
        self._reading = reading
        self._slots = slots
        self._rule = rule

    def node(self, condition: AnyCondition) -> Node:
        match condition:
            case AllOf(parts):
                return self._join("all of these", parts, Answer.FALSE, Answer.TRUE)
            case AnyOf(parts):
                return self._join("any of these", parts, Answer.TRUE, Answer.FALSE)
            case Not(part):
                inner = self.node(part)
                turned = {Answer.TRUE: Answer.FALSE, Answer.FALSE: Answer.TRUE}
                return Node("not", turned.get(inner.answer, inner.answer), parts=(inner,))
            case Compare(left, sign, right):
                return self._leaf(condition, [(left, 0), (right, 0)], lambda one, two: SIGNS[sign](one, two))
            case Cross(left, right, above):
                series = [(left, 0), (right, 0), (left, 1), (right, 1)]
                return self._leaf(condition, series, _crossed if above else _crossed_below)
            case Is(name, words, symbol):
                return self._word(condition, Slot("field", name, symbol), words)
            case Flag(name, symbol):
                return self._word(condition, Slot("field", name, symbol), (True,))

    def _join(self, text: str, parts: tuple[AnyCondition, ...], decides: Answer, else_: Answer) -> Node:
        nodes = tuple(self.node(part) for part in parts)
        answers = [each.answer for each in nodes]
        # In the order of the evaluation: what decided or failed first is what it came to.
        first = next((each for each in answers if each in (decides, Answer.FAILED)), None)
        if first is None:
            first = next((each for each in (Answer.NOT_ASKED, Answer.UNKNOWN) if each in answers), else_)
        return Node(text, first, parts=nodes)

    def _leaf(
        self, condition: AnyCondition, asked: list[tuple[AnyOperand, int]], holds: Callable[..., bool]
    ) -> Node:
        values: list[Any] = []
        told: list[str] = []
        answer: Answer | None = None
        for operand, back in asked:
            if isinstance(operand, Number):
                values.append(operand.value)
                continue
            slot = operand_slot(operand, self._rule, back)
            value, state, words = self._figure(slot, unit_of(operand))
            values.append(value)
            told.append(words)
            answer = _worse(answer, state)
        if answer is None:
            answer = Answer.TRUE if holds(*values) else Answer.FALSE
        return Node(condition_text(condition), answer, _sentence(answer, told))

    def _word(self, condition: AnyCondition, slot: Slot, words: tuple[Any, ...]) -> Node:
        value, state, told = self._figure(slot, Unit.NONE)
        answer = state or (Answer.TRUE if value in words else Answer.FALSE)
        return Node(condition_text(condition), answer, _sentence(answer, [told]))

    def _figure(self, slot: Slot, unit: Unit) -> tuple[Any, Answer | None, str]:
        index = self._slots.find(slot)
        name = f"{slot}{' one bar before' if slot.back and slot.what != 'change' else ''}"
        if index is None:
            return None, Answer.NOT_ASKED, name
        if index in self._reading.faults:
            return None, Answer.FAILED, f"{name}: {self._reading.faults[index]}"
        value = self._reading.values[index]
        if value is UNREAD:
            return None, Answer.NOT_ASKED, f"{name} was not asked for"
        if value is None:
            return None, Answer.UNKNOWN, f"{name} is not known ({_why_unknown(slot)})"
        return value, None, f"{name} is {_told(value, unit)}"


def traced(condition: AnyCondition, reading: Reading, slots: SlotTable, rule: str) -> Node:
    """The tree of a condition over the figures of an event."""
    return _Walker(reading, slots, rule).node(condition)


def _crossed(left: float, right: float, left_before: float, right_before: float) -> bool:
    return left > right and left_before <= right_before


def _crossed_below(left: float, right: float, left_before: float, right_before: float) -> bool:
    return left < right and left_before >= right_before


def _worse(one: Answer | None, two: Answer | None) -> Answer | None:
    """Of two states that keep a leaf from an answer, the one that is told."""
    order = (Answer.FAILED, Answer.NOT_ASKED, Answer.UNKNOWN)
    return next((each for each in order if each in (one, two)), None)


def _sentence(answer: Answer, told: list[str]) -> str:
    return "" if answer is Answer.NOT_ASKED else ", ".join(dict.fromkeys(told))


def _told(value: Any, unit: Unit) -> str:
    if isinstance(value, bool):
        return "so" if value else "not so"
    if isinstance(value, str):
        return value
    if isinf(value):
        return "never"
    spare = f" {unit}" if unit in (Unit.PERCENT, Unit.ATR, Unit.SHARES, Unit.BARS) else ""
    return figure_text(value, unit) + spare


def _why_unknown(slot: Slot) -> str:
    if slot.what == "field":
        return FIELDS[slot.name].unknown
    return "it warms up" if slot.what == "indicator" else f"fewer than {slot.back + 1} bars"
