"""What a question takes: each public call looks at its arguments before anything else.

A user's program is not always type-checked, and the official encoder writes whatever it is given: in text
"nan" for a number, in protobuf an error of that library's. So `looked_at` holds a method's arguments, with
the fields of our values in them, to their annotations: TypeError for another type, ValueError for a number
that is none (NaN, infinity) or beyond TWS's 32 bits, for a word that is not among those meant, and for text
with a NUL, which would end its field. Nothing has been sent then, and no id taken. What only TWS can judge is
left to it. The numbers of numpy are numbers; a text is no list of texts. Annotations are read when a method
is called first.
"""

from __future__ import annotations

import collections.abc
import math
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from enum import Enum
from functools import cache, wraps
from numbers import Integral, Real
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import Struct
from msgspec.structs import fields

__all__ = ["CALLS", "looked_at"]

F = TypeVar("F", bound=Callable[..., Any])

CALLS = ("request_", "stream_", "download_", "replace_", "exercise_", "lapse_", "update_", "set_server_",
         "wait_order", "place_order", "cancel_order", "bind_", "raise_")
"""How the names of calls begin that take a user's values to TWS, or to what is sent there."""
_SMALL = 2**31 - 1
_SHOWN = 60
"""Letters of a wrong value in its error: enough to find it again."""


class Rule(NamedTuple):
    """`takes`: whether a value is of the kind that is meant; `inside` raises for what is wrong within."""

    meant: str
    takes: Callable[[Any], bool]
    inside: Callable[[Any, str], None] | None = None

    def check(self, value: Any, name: str) -> None:
        """Raises TypeError, ValueError."""
        if not self.takes(value):
            raise TypeError(f"{name} is {_shown(value)}: {self.meant} is meant")
        if self.inside is not None:
            self.inside(value, name)


def looked_at(method: F) -> F:
    """The same method, which takes only what its annotations say."""
    rules: dict[str, Rule] = {}
    names = method.__code__.co_varnames[1 : method.__code__.co_argcount]

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not rules:
            rules.update(_rules_of(method))
        for name, value in zip(names, args, strict=False):  # too many or unknown ones: Python says so
            rules[name].check(value, name)
        for name, value in kwargs.items():
            if name in rules:
                rules[name].check(value, name)
        return method(self, *args, **kwargs)

    return call  # type: ignore[return-value]  # its signature is the method's


def _rules_of(method: Callable[..., Any]) -> dict[str, Rule]:
    # Without what it returns: those names may be there for the type checker alone.
    told = {name: kind for name, kind in method.__annotations__.items() if name != "return"}
    kinds = get_type_hints(SimpleNamespace(__annotations__=told), method.__globals__)
    return {name: _rule(kind) for name, kind in kinds.items()}


@cache
def _rule(kind: Any) -> Rule:
    """The rule of an annotation; one that we can't read takes anything."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _any_of([_rule(part) for part in parts])
    if origin is Literal:
        return _one_of(parts, ", ".join(map(repr, parts)))
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(origin, type):
        return _container(origin, parts)
    if not isinstance(kind, type) or kind is object or getattr(kind, "_is_protocol", False):
        return Rule("anything", lambda value: True)
    if issubclass(kind, Enum):
        return _one_of(tuple(member.value for member in kind), kind.__name__)
    inside = _fields if issubclass(kind, Struct) else None
    return Rule(kind.__name__, lambda value: isinstance(value, kind), inside)


def _one_of(words: tuple[Any, ...], meant: str) -> Rule:
    """A member of an enumeration is its value, too (`IntEnum`, `StrEnum`)."""
    kinds = {type(word) for word in words}

    def inside(value: Any, name: str) -> None:
        if value not in words:
            raise ValueError(f"{name} is {_shown(value)}: one of {meant} is meant")

    def takes(value: Any) -> bool:
        return any(isinstance(value, kind) for kind in kinds) and not isinstance(value, bool)

    return Rule(f"one of {meant}", takes, inside)


def _any_of(rules: list[Rule]) -> Rule:
    def inside(value: Any, name: str) -> None:
        fits = next(rule for rule in rules if rule.takes(value))
        fits.check(value, name)

    meant = " or ".join(rule.meant for rule in rules)
    return Rule(meant, lambda value: any(rule.takes(value) for rule in rules), inside)


def _container(origin: type, parts: tuple[Any, ...]) -> Rule:
    if origin is collections.abc.Callable:  # type: ignore[comparison-overlap]
        return Rule("a function", callable)
    if issubclass(origin, Mapping) or not parts:
        return Rule(origin.__name__, lambda value: isinstance(value, origin))
    items = [_rule(part) for part in parts if part is not Ellipsis]
    paired = origin is tuple and Ellipsis not in parts

    def takes(value: Any) -> bool:
        fits = isinstance(value, origin) and not isinstance(value, str | bytes)
        return fits and (not paired or len(value) == len(items))

    def inside(value: Any, name: str) -> None:
        for place, one in enumerate(value if isinstance(value, Collection) else ()):  # an iterator ends once
            items[place if paired else 0].check(one, f"{name}[{place}]")

    return Rule(f"{origin.__name__} of {', '.join(item.meant for item in items)}", takes, inside)


def _fields(value: Struct, name: str) -> None:
    for field, rule, usual in _field_rules(type(value)):
        found = getattr(value, field)
        if type(found) not in usual or (type(found) is int and abs(found) > _SMALL):
            rule.check(found, f"{name}.{field}")


@cache
def _field_rules(kind: type[Struct]) -> tuple[tuple[str, Rule, frozenset[type]], ...]:
    """Each field with its rule, and the types that need no look."""
    return tuple(
        (one.name, _rule(one.type), frozenset({bool, int, NoneType} & {one.type, *get_args(one.type)}))
        for one in fields(kind)
    )


def _text(value: str, name: str) -> None:
    if "\0" in value:
        raise ValueError(f"{name} is {_shown(value)}: a NUL would end it")


def _narrow(value: int, name: str) -> None:
    if not -(2**31) <= value < 2**31:
        raise ValueError(f"{name} is {value}: TWS counts in 32 bits")


def _finite(value: Any, name: str) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}: a finite number is meant")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_PLAIN: dict[Any, Rule] = {
    Any: Rule("anything", lambda value: True),
    NoneType: Rule("None", lambda value: value is None),
    str: Rule("str", lambda value: isinstance(value, str), _text),
    int: Rule("int", lambda value: isinstance(value, Integral) and not isinstance(value, bool), _narrow),
    bool: Rule("bool", lambda value: isinstance(value, Integral) and value in (0, 1)),
    float: Rule("a number", _is_number, _finite),
    Decimal: Rule("Decimal", lambda value: isinstance(value, Decimal), _finite),
}
