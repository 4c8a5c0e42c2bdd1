"""Which rules an event can fire at all, found from their conditions, so that the others cost nothing.

An event is of a sort (its kind; for a signal its wish) and of a symbol. Before any figure is known these
decide `event`, `symbol`, `signal.wish`, and leave the fields of other kinds unknown; everything else might
come out either way. A rule whose condition can't become true that way is left out. Whether a condition can
hold or fail is worked out part by part, so it errs only towards looking at a rule in vain.

Quotes come far more often than all else, so they are for the rules that are about them: those that look at a
quote (a price, a spread, a profit), or at `event`. What other rules look at is no different after a quote
than before it, but for the time, which is what `timer` is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import and_, or_

from tws.model.signal import Wish
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
)
from tws.rules.events import Event, SignalCame
from tws.rules.fields import FIELDS, Source

__all__ = [
    "OTHER",
    "SORTS",
    "Index",
    "about_quotes",
    "can_hold",
    "event_symbols",
    "leaves",
    "operands",
    "sort_of",
]

OTHER = ""
"""Stands for every symbol that a rule does not name."""

SORTS = (*(f"signal {wish.value}" for wish in Wish), "fill", "bar", "quote", "timer")
_EVERY = (1 << len(SORTS)) - 1
_SIGNALS = sum(1 << place for place, sort in enumerate(SORTS) if sort.startswith("signal "))
_FILLS = 1 << SORTS.index("fill")
_QUOTES = 1 << SORTS.index("quote")


def sort_of(event: Event) -> str:
    """The sort of an event."""
    return f"signal {event.signal.wish.value}" if isinstance(event, SignalCame) else event.kind


def can_hold(condition: AnyCondition, symbol: str) -> int:
    """The sorts of event of this symbol on which the condition can become true, as bits of `SORTS`."""
    return _outcomes(condition, symbol)[0]


def _outcomes(condition: AnyCondition, symbol: str) -> tuple[int, int]:
    """The sorts on which a condition can become true, and those on which it can become false."""
    match condition:
        case Not(part):
            return _outcomes(part, symbol)[::-1]
        case AllOf(parts) | AnyOf(parts):
            found = [_outcomes(part, symbol) for part in parts]
            all_hold, any_holds = (
                reduce(and_, (each[0] for each in found)),
                reduce(or_, (each[0] for each in found)),
            )
            all_fail, any_fails = (
                reduce(and_, (each[1] for each in found)),
                reduce(or_, (each[1] for each in found)),
            )
            return (all_hold, any_fails) if isinstance(condition, AllOf) else (any_holds, all_fail)
        case Is("event", words):
            return _split([sort.partition(" ")[0] in words for sort in SORTS])
        case Is("symbol", words):
            return (_EVERY, 0) if symbol in words else (0, _EVERY)
        case Is("signal.wish", words):
            hold, fail = _split([sort[7:] in words for sort in SORTS])
            return hold & _SIGNALS, fail & _SIGNALS
        case Is(name):
            return _known(name), _known(name)
        case Compare(left, _, right):
            known = [_known(each.name) for each in (left, right) if isinstance(each, Field)]
            mask = reduce(and_, known, _EVERY)
            return mask, mask
    return _EVERY, _EVERY


def _split(answers: list[bool]) -> tuple[int, int]:
    hold = sum(1 << place for place, answer in enumerate(answers) if answer)
    return hold, _EVERY ^ hold


def _known(name: str) -> int:
    """The sorts of event that have such a field at all."""
    group = name.partition(".")[0]
    return _SIGNALS if group == "signal" else _FILLS if group == "fill" else _EVERY


def leaves(condition: AnyCondition) -> Iterator[Compare | Cross | Is | Flag]:
    """The leaves of a condition, from left to right."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield condition


def operands(condition: AnyCondition) -> Iterator[Field | Indicator | Change]:
    """The operands of a condition that are no constants."""
    for leaf in leaves(condition):
        if isinstance(leaf, (Compare, Cross)):
            sides: tuple[AnyOperand, AnyOperand] = (leaf.left, leaf.right)
            for each in sides:
                if isinstance(each, (Field, Indicator, Change)):
                    yield each


def about_quotes(condition: AnyCondition) -> bool:
    """Whether a condition looks at a quote, of whatever symbol, or says itself which events it means."""
    named = [leaf.name for leaf in leaves(condition) if isinstance(leaf, Is | Flag)]
    named += [each.name for each in operands(condition) if isinstance(each, Field)]
    return any(
        name == "event" or Source.QUOTE in (FIELDS[name].source, *FIELDS[name].also) for name in named
    )


class Index:
    """For each sort and symbol the rules, by number, that can fire; numbers ascend."""

    def __init__(self, conditions: list[AnyCondition]) -> None:
        self._named: dict[tuple[str, str], list[int]] = {}
        self._general: dict[str, list[int]] = {sort: [] for sort in SORTS}
        self._names: list[frozenset[str]] = []
        self.symbols: set[str] = set()
        """All symbols that some rule names as the event's."""
        for number, condition in enumerate(conditions):
            named = event_symbols(condition)
            heard = _EVERY if about_quotes(condition) else _EVERY ^ _QUOTES
            self._names.append(frozenset(named))
            self.symbols.update(named)
            for sort in _sorts(can_hold(condition, OTHER) & heard):
                self._general[sort].append(number)
            for symbol in named:
                for sort in _sorts(can_hold(condition, symbol) & heard):
                    self._named.setdefault((sort, symbol), []).append(number)

    def find(self, sort: str, symbol: str) -> list[int]:
        """The rules for an event of this sort and symbol."""
        general = [number for number in self._general[sort] if symbol not in self._names[number]]
        return sorted(general + self._named.get((sort, symbol), []))


def _sorts(mask: int) -> tuple[str, ...]:
    return tuple(sort for place, sort in enumerate(SORTS) if mask >> place & 1)


def event_symbols(condition: AnyCondition) -> dict[str, None]:
    """The symbols that the condition compares the event's with, in their order."""
    return dict.fromkeys(
        each
        for leaf in leaves(condition)
        if isinstance(leaf, Is) and leaf.name == "symbol"
        for each in leaf.words
    )
