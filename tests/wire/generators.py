"""Makes messages of any kind at random from their layouts, and says which of their attributes a version
carries.

Both walk the layout by themselves, independently of the compiler: that is what makes the round trip bite.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import FieldInfo
from msgspec.structs import fields as uncached_fields

from tws.wire import kinds
from tws.wire.layout import (
    Absent,
    Const,
    Field,
    Flagged,
    Given,
    Group,
    Infinite,
    Item,
    Layout,
    OneOf,
    Positive,
    Repeat,
    Sub,
    When,
)
from tws.wire.messages import TickByTickData

Draws = dict[str, st.SearchStrategy[Any]]

VERSIONS = tuple(range(157, 203))
"""Every version of the text, whether a layout of ours changes there or not: a gate may be wrong."""

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
FLOAT = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) < 1e300)
INT = st.integers(-(2**62), 2**62).filter(lambda n: n != kinds.INT_MAX)
DECIMAL = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=8
).map(lambda d: d.normalize())
OPTION = st.text(st.characters(exclude_characters="\0;=", exclude_categories=("Cs",)), max_size=8)
PAIRS = st.lists(st.tuples(OPTION, OPTION), max_size=3).map(tuple)

BY_KIND: dict[str, st.SearchStrategy[Any]] = {
    kinds.STR.name: TEXT,
    kinds.TEXT.name: TEXT,
    kinds.BOOL.name: st.booleans(),
    kinds.OPT_BOOL.name: st.none() | st.booleans(),
    kinds.AND_OR.name: st.booleans(),
    kinds.TRUE_FALSE.name: st.booleans(),
    kinds.INT.name: INT,
    kinds.INT0.name: INT,
    kinds.INT0_EMPTY.name: INT,
    kinds.OPT_INT.name: st.none() | INT,
    kinds.OPT_INT_EMPTY.name: st.none() | INT,
    kinds.OPT_LONG.name: st.none() | INT,
    kinds.FLOAT.name: FLOAT,
    kinds.FLOAT0.name: FLOAT,
    kinds.OPT_FLOAT.name: st.none() | FLOAT | st.just(float("inf")),
    kinds.OPT_FLOAT_EMPTY.name: st.none() | FLOAT | st.just(float("inf")),
    kinds.PERCENT.name: st.none() | st.integers(0, 100).map(float),
    kinds.STRIKE.name: st.none() | FLOAT.filter(bool),
    kinds.STRIKE_EMPTY.name: st.none() | FLOAT.filter(bool),
    kinds.DECIMAL.name: DECIMAL,
    kinds.OPT_DECIMAL.name: st.none() | DECIMAL.filter(lambda d: d != kinds.INT_MAX),
    kinds.OPT_DECIMAL_EMPTY.name: st.none() | DECIMAL.filter(lambda d: d != kinds.INT_MAX),
    kinds.OPTIONS.name: PAIRS,
    kinds.VOLATILITY.name: st.none() | FLOAT.map(abs),
    kinds.GREEK1.name: st.none() | FLOAT.filter(lambda x: x != -1),
    kinds.GREEK2.name: st.none() | FLOAT.filter(lambda x: x != -2),
}

CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "order.order_type": st.sampled_from(
        ["LMT", "PEG BENCH", "PEGBENCH", "PEG BEST", "PEGBEST", "PEG MID", "PEGMID"]
    ),
    "contract.sec_type": st.sampled_from(["STK", "BAG", "FUND"]),
    "contract.exchange": st.sampled_from(["SMART", "IBKRATS"]),
    "type": st.sampled_from([1, 3, 4, 5, 6, 7]),
}
"""Attributes on which others depend: drawn so that each branch is taken often."""


def messages(layout: Layout, special: Draws | None = None) -> st.SearchStrategy[Any]:
    """Any message of this layout, with every attribute that some version carries.

    `special` replaces how attributes (by path) or kinds (by name) are drawn.
    """
    own = {"tick_type": st.integers(0, 4)} if layout.message is TickByTickData else {}
    draws = {**BY_KIND, **CHOICES, **own, **(special or {})}
    return _structs(layout.message, layout.items, draws)


def _structs(struct: type[Struct], items: tuple[Item, ...], draws: Draws) -> st.SearchStrategy[Any]:
    drawn = dict(_draws(items, draws))
    return st.fixed_dictionaries(drawn).map(lambda values: _assemble(struct, "", values))


def _draws(items: tuple[Item, ...], draws: Draws) -> Iterator[tuple[str, st.SearchStrategy[Any]]]:
    for item in items:
        match item:
            case Field(name, kind):
                yield name, draws[name] if name in draws else draws[kind.name]
            case Absent(name, value):
                yield name, st.just(value)
            case Group(inner):
                yield from _draws(inner, draws)
            case Repeat(name, struct, inner, kind, pair):
                text = draws[kinds.STR.name]
                one = (
                    st.tuples(text, text)
                    if pair
                    else draws[kind.name]
                    if kind
                    else _structs(typing.cast(type[Struct], struct), inner, draws)
                )
                yield name, st.lists(one, max_size=3).map(tuple)
            case Flagged(name, struct, inner):
                yield name, st.none() | _structs(struct, inner, draws)
            case Sub(name, struct, inner):
                yield name, _structs(struct, inner, draws)
            case Const():
                pass


@cache
def struct_fields(struct: type[Struct]) -> tuple[FieldInfo, ...]:
    """The attributes of a struct, looked up once."""
    return uncached_fields(struct)


def _assemble(struct: type[Struct], prefix: str, values: dict[str, Any]) -> Any:
    arguments = {}
    outer = {path[:point] for path in values for point in _points(path)}
    for spec in struct_fields(struct):
        path = prefix + spec.name
        if path in values:
            arguments[spec.name] = values[path]
        elif path in outer:
            arguments[spec.name] = _assemble(spec.type, path + ".", values)
    return struct(**arguments)


@cache
def _points(path: str) -> tuple[int, ...]:
    """Where a path has its points."""
    return tuple(place for place, sign in enumerate(path) if sign == ".")


def carried(message: Any, items: tuple[Item, ...], version: int) -> Any:
    """The message as the wire of this version carries it: what it does not state has its default."""
    return _assemble(type(message), "", dict(_stated(message, items, version)))


def _stated(message: Any, items: tuple[Item, ...], version: int) -> Iterator[tuple[str, Any]]:
    for item in items:
        if not isinstance(item, Flagged) and not item.since <= version < item.until:
            continue
        match item:
            case Field(name) | Absent(name):
                yield name, get(message, name)
            case Group(inner, when=when):
                if when is None or holds(message, when):
                    yield from _stated(message, inner, version)
            case Repeat(name, struct, inner):
                rows = get(message, name)
                yield name, tuple(carried(row, inner, version) for row in rows) if struct else rows
            case Flagged(name, _, inner):
                value = get(message, name)
                yield name, None if value is None else carried(value, inner, version)
            case Sub(name, struct, inner, when):
                yield (
                    name,
                    carried(get(message, name) or struct(), inner, version) if holds(message, when) else None,
                )
            case Const():
                pass


def holds(message: Any, when: When) -> bool:
    value = get(message, when.name)
    match when:
        case Given():
            return bool(value)
        case OneOf(_, values):
            return value in values
        case Positive():
            return value is not None and value > 0
        case Infinite():
            return bool(value == float("inf"))


def get(message: Any, path: str) -> Any:
    for name in path.split("."):
        message = getattr(message, name)
    return message
