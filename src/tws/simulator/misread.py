"""What can still be read of a request that can't: the id that its answer must carry.

The layouts of `tws.wire` say which field of a text message holds the request or order id. Of a
protobuf message it is field 1, a varint, in nearly all requests (F7). Nothing here raises: what can't be
read is -1.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any

from msgspec import Struct

from tws.wire.layout import Const, Field, Group, Item
from tws.wire.layouts import REQUESTS

__all__ = ["is_number", "message_id", "request_id", "wrong_number"]

BINARY_SINCE = 201
"""From this server version a payload begins with its message id in four bytes."""
PROTOBUF = 200
"""Added to the id of a message whose body is protobuf."""
LONG = frozenset({"perm_id", "parent_perm_id"})
"""Integers of 64 bits; all others have 32."""
IDS = frozenset({"req_id", "order_id"})
NO_ID = frozenset({5, 6, 8, 12, 13, 14, 15, 16, 17, 18, 24, 49, 58, 59, 61, 64, 71, 80, 82, 85, 91, 99, 105})
"""Requests whose first protobuf field is no request id, or that have none (F7)."""
_BY_ID = {layout.id: layout.items for layout in REQUESTS}


def message_id(payload: bytes, version: int) -> int | None:
    """The id of the message, without the mark of protobuf; None when there is none."""
    if version >= BINARY_SINCE:
        return None if len(payload) < 4 else int.from_bytes(payload[:4], "big") % 2**31 % 10**6
    text = payload.split(b"\0", 1)[0]
    return int(text) if text.isdigit() and len(text) < 10 else None


def request_id(payload: bytes, version: int) -> int:
    """The id that an error about this payload should carry, -1 when it can't be read."""
    kind = message_id(payload, version)
    if kind is None:
        return -1
    if version < BINARY_SINCE:
        return _field(payload.split(b"\0")[1:], _place(kind, version))
    if kind > PROTOBUF:
        return -1 if kind - PROTOBUF in NO_ID else _varint(payload[4:])
    return _field(payload[4:].split(b"\0"), _place(kind, version))


def is_number(value: int) -> bool:
    """Whether an integer fits the 32 bits that TWS's have (its clients write nothing longer)."""
    return -(2**31) <= value < 2**31


def wrong_number(request: object) -> str | None:
    """The first integer of a request that TWS could not read, by its name: text has no bounds, TWS has."""
    kind: Any = type(request)
    for name, read in _integers(kind):
        try:
            value = read(request)
        except AttributeError:  # a part of it is None
            continue
        if type(value) is int and not is_number(value):
            return name
    return None


@cache
def _integers(kind: type[Any]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Where integers stand in a request, its parts included; lists are left out."""
    return tuple((path, attrgetter(path)) for path in _paths(kind))


def _paths(kind: type[Any]) -> Iterator[str]:
    for name, hint in typing.get_type_hints(kind).items():
        for part in typing.get_args(hint) or (hint,):
            if part is int and name not in LONG:
                yield name
            elif isinstance(part, type) and issubclass(part, Struct):
                yield from (f"{name}.{path}" for path in _paths(part))


@cache
def _place(kind: int, version: int) -> int:
    """Which field behind the message id holds the request id, -1 for none."""
    for place, name in enumerate(_names(_BY_ID.get(kind, ()), version)):
        if name in IDS:
            return place
    return -1


def _names(items: tuple[Item, ...], version: int) -> Iterator[str]:
    """The fields that surely stand at the front, in order; ends where their number depends on the message."""
    for item in items:
        if isinstance(item, Const | Field):
            if item.since <= version < item.until:
                yield item.name if isinstance(item, Field) else ""
        elif isinstance(item, Group) and item.when is None:
            if item.since <= version < item.until:
                yield from _names(item.items, version)
        else:
            return


def _field(fields: list[bytes], place: int) -> int:
    if not 0 <= place < len(fields):
        return -1
    text = fields[place]
    if not text.removeprefix(b"-").isdigit() or len(text) > 11:
        return -1
    number = int(text)
    return number if is_number(number) else -1


def _varint(body: bytes) -> int:
    """Field 1 of a protobuf message when it stands first and is a varint of 32 bits."""
    if body[:1] != b"\x08":
        return -1
    number = 0
    for place, byte in enumerate(body[1:11]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            number &= 2**64 - 1
            signed = number - 2**64 if number >= 2**63 else number
            return signed if is_number(signed) else -1
    return -1
