"""Makes decoders from pairs. The official class parses the bytes; what it lists as present is read.

A decoder raises ValueError that names the field, whatever the body is: bytes that are no protobuf, a text
that is no number, a number that is none. Fields that we don't know are let pass, as protobuf wants it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.message import DecodeError as UnreadableError
from msgspec import Struct
from msgspec.structs import replace

from tws.wire.messages import Message
from tws.wire.protobuf.exceptions import LEG_PRICES
from tws.wire.protobuf.mapping import Pair, absent, official_class, pairs

__all__ = ["UnreadableError", "decoder"]

Entry = tuple[str, Callable[[Any], Any] | None]
"""The attribute and its reader. An attribute with a point is one of an inline struct; without a name the
reader gives several attributes at once.
"""


@cache
def decoder(kind: type[Message]) -> Callable[[bytes], Any]:
    """From a body to the message. Raises ValueError or ArithmeticError for a body that can't be read."""
    official = official_class(kind)
    parse: Callable[[bytes], Any] = official.FromString
    read = _struct(kind, official.DESCRIPTOR)
    legs = kind in LEG_PRICES

    def decode(body: bytes) -> Any:
        try:
            message = parse(body)
        except UnreadableError as error:
            raise ValueError(f"the body is no {kind.__name__} in protobuf ({error})") from error
        made = read(message)
        return _with_leg_prices(made, message) if legs else made

    return decode


@cache
def _struct(struct: type[Struct], descriptor: Any) -> Callable[[Any], Any]:
    """A reader of one official message into a struct."""
    table: dict[int, Entry] = {}
    inline: dict[str, type[Struct]] = {}
    for pair in pairs(struct, descriptor):
        if pair.shape == "inline":
            assert pair.struct is not None
            inline[pair.name] = pair.struct
            for inner in pair.inner:
                table[inner.number] = (f"{pair.name}.{inner.name}", _reader(inner))
        else:
            table[pair.number] = (pair.name, _reader(pair))
    base = absent(struct)

    def read(message: Any) -> Any:
        values = base.copy()
        _collect(message, table, values)
        for name, inside in inline.items():
            if stated := {key.partition(".")[2]: values.pop(key) for key in list(values)
                          if key.startswith(name + ".")}:
                values[name] = inside(**stated)
        return struct(**values)

    return read


def _collect(message: Any, table: dict[int, Entry], values: dict[str, Any]) -> None:
    """Read every field that is present."""
    for descriptor, value in message.ListFields():
        entry = table.get(descriptor.number)
        if entry is None:
            continue
        name, read = entry
        if read is None:
            values[name] = value
            continue
        try:
            made = read(value)
        except (ValueError, ArithmeticError, TypeError) as error:
            text = str(error)
            raise ValueError(
                text if text.startswith("field ") else f"field {descriptor.name} {text}"
            ) from error
        if name:
            values[name] = made
        else:
            values.update(made)


def _reader(pair: Pair) -> Callable[[Any], Any] | None:
    match pair.shape:
        case "value" | "bits":
            return pair.read
        case "list":
            one = pair.read
            return tuple if one is None else lambda items: tuple(one(item) for item in items)
        case "map":
            return lambda entries: tuple(sorted(entries.items()))
        case "message":
            assert pair.struct is not None
            return _struct(pair.struct, pair.descriptor)
        case "repeated":
            assert pair.struct is not None
            read = _struct(pair.struct, pair.descriptor)
            return lambda items: tuple(read(item) for item in items)
        case _:
            return _inner(pair)


def _inner(pair: Pair) -> Callable[[Any], dict[str, Any]]:
    table = {inner.number: (inner.name, _reader(inner)) for inner in pair.inner}

    def read(message: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        _collect(message, table, values)
        return values

    return read


def _with_leg_prices(made: Any, official: Any) -> Any:
    legs = official.contract.comboLegs
    prices = tuple(leg.perLegPrice if leg.HasField("perLegPrice") else None for leg in legs)
    if all(price is None for price in prices):
        return made
    return replace(made, order=replace(made.order, order_combo_leg_prices=prices))
