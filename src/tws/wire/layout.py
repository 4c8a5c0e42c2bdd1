"""The words in which a message's layout is written. A layout says what stands on the wire, in order.

    Layout(3, OrderStatus, (Field("order_id", INT), Field("status", STR), ...))

Each item may be bound to server versions: it stands from `since` on and below `until`. `when` binds it to
a condition on fields of the same message that stand before it. Names are paths of attributes
("order.lmt_price"). `tws.wire.compiler` makes encoder and decoder of one version from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct

from tws.wire.kinds import Kind
from tws.wire.messages import Message

__all__ = [
    "Absent",
    "Const",
    "Field",
    "Flagged",
    "Given",
    "Group",
    "Infinite",
    "Item",
    "Layout",
    "OneOf",
    "Positive",
    "Repeat",
    "Sub",
    "When",
    "fields",
]

NEWEST = 10**6
"""No upper version: above anything that TWS will ever count to."""


@dataclass(frozen=True)
class Given:
    """The field is neither empty nor 0."""

    name: str


@dataclass(frozen=True)
class OneOf:
    """The field has one of these values."""

    name: str
    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Positive:
    """The number is stated and above 0."""

    name: str


@dataclass(frozen=True)
class Infinite:
    """The number is Infinity."""

    name: str


When: TypeAlias = Given | OneOf | Positive | Infinite


@dataclass(frozen=True)
class Field:
    """One value.

    `again` marks the second place of a value that the wire states twice: it wins when it is set.
    """

    name: str
    kind: Kind
    since: int = 0
    until: int = NEWEST
    again: bool = False


@dataclass(frozen=True)
class Const:
    """A field that says nothing to us: written as `text`, skipped when read. `note` says what it once was."""

    text: str
    note: str = "version"
    since: int = 0
    until: int = NEWEST


@dataclass(frozen=True)
class Absent:
    """A required attribute that these versions don't state: nothing on the wire, `value` in the message."""

    name: str
    value: int | str
    since: int = 0
    until: int = NEWEST


@dataclass(frozen=True)
class Group:
    """Items under one gate."""

    items: tuple[Item, ...]
    since: int = 0
    until: int = NEWEST
    when: When | None = None


@dataclass(frozen=True)
class Repeat:
    """A count, then so many items: structs of `items`, or plain values when `kind` is given.

    `pair` reads two texts into a plain tuple (tag, value).
    """

    name: str
    struct: type[Struct] | None = None
    items: tuple[Item, ...] = ()
    kind: Kind | None = None
    pair: bool = False
    since: int = 0
    until: int = NEWEST


@dataclass(frozen=True)
class Flagged:
    """1 and the fields of an inner struct, or 0 for None."""

    name: str
    struct: type[Struct]
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Sub:
    """An inner struct that is None unless `when` holds; written with its defaults if it is None though it
    holds.
    """

    name: str
    struct: type[Struct]
    items: tuple[Item, ...]
    when: When
    since: int = 0
    until: int = NEWEST


Item: TypeAlias = Field | Const | Absent | Group | Repeat | Flagged | Sub


@dataclass(frozen=True)
class Layout:
    """A message's id and fields behind the id; spoken from version `since` on."""

    id: int
    message: type[Message]
    items: tuple[Item, ...] = ()
    since: int = 0

    def versions(self) -> Iterator[int]:
        """The versions at which something changes."""
        yield from sorted(set(_marks(self.items)) | ({self.since} if self.since else set()))


def fields(prefix: str, kind: Kind, names: str) -> tuple[Field, ...]:
    """Several fields of one kind in a row: `fields("order.", STR, "tif oca_group account")`."""
    return tuple(Field(prefix + name, kind) for name in names.split())


def _marks(items: tuple[Item, ...]) -> Iterator[int]:
    for item in items:
        if not isinstance(item, Flagged):
            if item.since:
                yield item.since
            if item.until != NEWEST:
                yield item.until
        if not isinstance(item, Field | Const | Absent):
            yield from _marks(item.items)
