"""Pairs the attributes of our structs with the fields of the official protobuf classes.

A pair is found by name, without regard to case and underscores (`use_rth` is `useRTH`), and its conversion by
the two types: decimals travel as strings, the multiplier of a contract as a double, tags as a map. A
combination that no row of `_conversion` knows is a TypeError when the class is first met, never a guess.
"""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields as struct_fields

from tws.wire import kinds
from tws.wire.protobuf.exceptions import (
    ABSENT,
    BITS,
    CLASSES,
    INLINE,
    RENAMED,
    STATED,
    UNSTATED,
    Bits,
    Inner,
    inner_of,
)

__all__ = ["Pair", "absent", "official_class", "pairs"]

_TYPES = {1: "double", 3: "int", 5: "int", 8: "bool", 9: "string", 11: "message"}
"""FieldDescriptor's numbers of the types that the official classes use."""

Read = Callable[[Any], Any] | None
"""From the official value to ours; None when it is the same."""


class Pair(Struct, frozen=True):
    """One attribute and one field.

    `shape` is value, message, repeated, map, bits or inline. For a value, `write` turns ours into the
    official one and `sparse` says when it is left out: "none" if None, "empty" if empty or false, "" never.
    `struct` and `descriptor` describe what is inside a message or a repeated one; `bits` a mask.
    """

    name: str
    field: str
    number: int
    shape: str = "value"
    write: Callable[[Any], Any] | None = None
    read: Read = None
    sparse: str = ""
    struct: type[Struct] | None = None
    descriptor: Any = None
    bits: Bits | None = None
    inner: tuple[Pair, ...] = ()
    when: tuple[int, ...] = ()


def official_class(kind: type[Struct]) -> Any:
    """The generated class of a message."""
    name = CLASSES.get(kind, kind.__name__)
    return getattr(importlib.import_module(f"ibapi.protobuf.{name}_pb2"), name)


def absent(struct: type[Struct]) -> dict[str, Any]:
    """What the attributes are whose fields did not come, as far as it is not the struct's own default."""
    hints, values = typing.get_type_hints(struct), {}
    for spec in struct_fields(struct):
        if (struct, spec.name) in ABSENT:
            values[spec.name] = ABSENT[struct, spec.name]
        elif spec.default is not None and type(None) in typing.get_args(hints[spec.name]):
            values[spec.name] = None
        elif spec.default is NODEFAULT and spec.default_factory is NODEFAULT:
            values[spec.name] = _empty(spec.name, hints[spec.name])
    return values


def _empty(name: str, hint: Any) -> Any:
    if name == "req_id":
        return -1  # the official client's NO_VALID_ID
    if typing.get_origin(hint) is tuple:
        return ()
    return hint(**absent(hint)) if issubclass(hint, Struct) else hint()


def pairs(struct: type[Struct], descriptor: Any) -> list[Pair]:
    """All pairs of a struct, in the struct's order."""
    hints, found, inside = typing.get_type_hints(struct), [], set[str]()
    for inner in inner_of(struct):
        found.append(_inner(struct, hints, descriptor, inner))
        inside |= set(inner.names)
    for spec in struct_fields(struct):
        if spec.name not in inside and spec.name not in UNSTATED.get(struct, ()):
            found.append(_pair(struct, spec.name, spec.name, hints[spec.name], spec.default, descriptor))
    return found


def _inner(struct: type[Struct], hints: dict[str, Any], descriptor: Any, inner: Inner) -> Pair:
    field = descriptor.fields_by_name[inner.field]
    inside = tuple(
        _pair(struct, ours, theirs, hints[ours], NODEFAULT, field.message_type)
        for ours, theirs in inner.names.items()
    )
    return Pair("", inner.field, field.number, "inner", inner=inside, when=inner.when)


def _pair(struct: type[Struct], name: str, wanted: str, hint: Any, default: Any, descriptor: Any) -> Pair:
    if (struct, name) in INLINE:
        (inside,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
        return Pair(name, "", 0, "inline", struct=inside, inner=tuple(pairs(inside, descriptor)))
    if name == "attr_mask" and (struct, descriptor.name) in BITS:
        bits = BITS[struct, descriptor.name]
        return Pair(name, bits.field, descriptor.fields_by_name[bits.field].number, "bits", bits=bits,
                    read=_bit_reader(bits))
    key = RENAMED.get((struct, name), wanted).replace("_", "").lower()
    field = next((field for field in descriptor.fields if field.name.replace("_", "").lower() == key), None)
    if field is None:
        raise TypeError(f"{descriptor.name} has no field for {struct.__name__}.{name}")
    kind = _TYPES[field.type]
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return Pair(name, field.name, field.number, "map")
    if typing.get_origin(hint) is tuple:
        return _repeated(name, field, typing.get_args(hint)[0], kind)
    if kind == "message":
        (inside,) = (part for part in (typing.get_args(hint) or (hint,)) if part is not types.NoneType)
        return Pair(name, field.name, field.number, "message", struct=inside, descriptor=field.message_type,
                    sparse="none" if inside is not hint else "")
    write, read, sparse = _conversion(f"{struct.__name__}.{name}", hint, kind)
    if hint is bool and (default is True or (struct, name) in STATED):
        sparse = ""  # a reader takes an absent one for something else
    return Pair(name, field.name, field.number, write=write, read=read, sparse=sparse)


def _repeated(name: str, field: Any, element: Any, kind: str) -> Pair:
    if kind == "message":
        return Pair(name, field.name, field.number, "repeated", struct=element, descriptor=field.message_type)
    write, read, _ = _conversion(name, element, kind)
    return Pair(name, field.name, field.number, "list", write=write, read=read)


def _bit_reader(bits: Bits) -> Callable[[Any], int]:
    def read(message: Any) -> int:
        return sum(1 << bit for bit, name in enumerate(bits.names) if getattr(message, name))

    return read


# values


def _text_kind(kind: kinds.Kind) -> tuple[Callable[[Any], Any], Read]:
    return kind.write, lambda text: kind.read(text.encode())


def write_float(value: float) -> float:
    """Refuses what is no finite number."""
    if not isfinite(value):
        raise ValueError(f"{value} is no finite number")
    return value


def _write_opt_float(value: float) -> float:
    if value != value:
        raise ValueError("NaN is no number")
    return value


def _read_float(value: float) -> float:
    if not isfinite(value) or value == kinds.DOUBLE_MAX:
        raise ValueError("is no finite number")
    return value


def _read_opt_float(value: float) -> float | None:
    if value != value:
        raise ValueError("is no number")
    return None if value == kinds.DOUBLE_MAX else value


def _read_strike(value: float) -> float | None:
    return _read_opt_float(value) or None


def _write_multiplier(value: str) -> float:
    return write_float(float(value))


def _read_multiplier(value: float) -> str:
    """As the official client writes it: eight places at most, no zeros behind (its floatMaxString)."""
    number = _read_opt_float(value)
    return "" if number is None else f"{_read_float(number):.8f}".rstrip("0").rstrip(".")


def _write_whole(value: float) -> int:
    if value != int(value):
        raise ValueError(f"{value} is no whole number")
    return int(value)


def _read_opt_int(value: int) -> int | None:
    return None if value in (kinds.INT_MAX, kinds.LONG_MAX) else value


def _read_whole(value: float) -> int:
    return _write_whole(_read_float(value))


def _read_opt_whole(value: int) -> float | None:
    return None if value == kinds.INT_MAX else float(value)


_CONVERSIONS: dict[tuple[Any, str], tuple[Callable[[Any], Any] | None, Read, str]] = {
    (str, "string"): (None, None, "empty"),
    (str, "double"): (_write_multiplier, _read_multiplier, "empty"),
    (bool, "bool"): (None, None, "empty"),
    (int, "int"): (None, None, ""),
    (int, "bool"): (bool, int, ""),
    (int, "double"): (float, _read_whole, ""),
    (int, "string"): (*_text_kind(kinds.INT0_EMPTY), "empty"),
    (float, "double"): (write_float, _read_float, ""),
    (float, "string"): (*_text_kind(kinds.FLOAT), ""),
    (Decimal, "string"): (*_text_kind(kinds.DECIMAL), ""),
    (Decimal | None, "string"): (*_text_kind(kinds.OPT_DECIMAL_EMPTY), "none"),
    (float | None, "double"): (_write_opt_float, _read_opt_float, "none"),
    (float | None, "int"): (_write_whole, _read_opt_whole, "none"),
    (int | None, "int"): (None, _read_opt_int, "none"),
    (bool | None, "int"): (int, lambda value: None if value == kinds.INT_MAX else value != 0, "none"),
    (bool | None, "bool"): (None, None, "none"),
}

_GREEKS = {
    "implied_vol": kinds.VOLATILITY,
    **dict.fromkeys(("opt_price", "pv_dividend", "und_price"), kinds.GREEK1),
    **dict.fromkeys(("delta", "gamma", "vega", "theta"), kinds.GREEK2),
}
"""Whoever reads these takes the text's words for "not computed" too, as the official decoder does."""


def _read_greek(kind: kinds.Kind) -> Read:
    return lambda value: kind.read(repr(value).encode())


def _conversion(path: str, hint: Any, kind: str) -> tuple[Callable[[Any], Any] | None, Read, str]:
    owner, _, name = path.rpartition(".")
    found = _CONVERSIONS.get((hint, kind))
    if found is None:
        raise TypeError(f"{path}: no conversion between {hint} and {kind} is known")
    if owner == "WireContract" and name == "strike":
        return found[0], _read_strike, "none"
    if owner == "TickOptionComputation" and name in _GREEKS:
        return found[0], _read_greek(_GREEKS[name]), "none"
    return found
