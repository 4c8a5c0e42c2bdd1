"""Makes encoders from pairs: one straight Python function per message, as `tws.wire.compiler` does for text.

A line sets one field of the official object, guarded by a test where an unset value is left out; the object
writes itself. Maps are written in the order of their keys, so that the same message is always the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec import Struct

from tws.wire.compiler import function_of
from tws.wire.messages import Message
from tws.wire.protobuf.exceptions import LEG_PRICES
from tws.wire.protobuf.mapping import Pair, official_class, pairs
from tws.wire.thresholds import PROTOBUF_OFFSET

__all__ = ["encoder", "part"]


@cache
def encoder(kind: type[Message], message_id: int) -> Callable[[Message], bytes]:
    """From a message to its payload: four bytes of id (with the 200 added) and the body.

    The function raises ValueError, TypeError or AttributeError for a value that can't be written.
    """
    official = official_class(kind)
    writer = _Writer()
    name = writer.function(kind, official.DESCRIPTOR)
    prefix = (message_id + PROTOBUF_OFFSET).to_bytes(4, "big")
    fill = [f"    {name}(m, p)"]
    if len(writer.made) == 1:  # nothing nested: its lines stand here, which saves a call
        fill, writer.lines = writer.lines[1:], []
    if kind in LEG_PRICES:
        fill.append("    legs(p, m)")
    arguments = "p, deterministic=True" if writer.maps else "p"
    finish = [f"    return {prefix!r} + dump({arguments})"]
    source = "\n".join((*writer.lines, "def made(m):", "    p = P()", *fill, *finish))
    space = dict(writer.names, P=official, dump=official.SerializeToString, legs=_leg_prices)
    return function_of(source, f"encode {kind.__name__} as protobuf", space)


def part(kind: type[Message], **fields: object) -> bytes:
    """Some fields of a message as bytes, without the id: parts of one message joined are the message.

    Fields are named as in our message. For values only (numbers, texts), of messages that nest none.
    """
    known = _values(kind)
    official = official_class(kind)()
    for name, value in fields.items():
        pair = known[name]
        if (pair.sparse == "none" and value is None) or (pair.sparse == "empty" and not value):
            continue
        setattr(official, pair.field, pair.write(value) if pair.write else value)
    made: bytes = official.SerializeToString()
    return made


@cache
def _values(kind: type[Message]) -> dict[str, Pair]:
    descriptor = official_class(kind).DESCRIPTOR
    return {pair.name: pair for pair in pairs(kind, descriptor) if pair.shape == "value"}


def _leg_prices(official: Any, message: Any) -> None:
    for leg, price in zip(official.contract.comboLegs, message.order.order_combo_leg_prices, strict=False):
        if price is not None:
            leg.perLegPrice = price


class _Writer:
    """Source of functions `write_<struct>_<class>(m, p)`, inner ones first."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self.maps = False
        self.made: set[str] = set()

    def function(self, struct: type[Struct], descriptor: Any) -> str:
        """Write the function of this struct, and those that it calls; returns its name."""
        name = f"write_{struct.__name__}_{descriptor.name}"
        if name not in self.made:
            self.made.add(name)
            lines = [f"def {name}(m, p):"]
            for pair in pairs(struct, descriptor):
                lines += ["    " + line for line in self.pair(pair, "m", "p")]
            self.lines += lines if len(lines) > 1 else [*lines, "    pass"]
        return name

    def bind(self, value: Any) -> str:
        for name, held in self.names.items():
            if held is value:
                return name
        name = f"{getattr(value, '__name__', 'x').strip('<>_')}_{len(self.names)}"
        self.names[name] = value
        return name

    def pair(self, pair: Pair, ours: str, theirs: str) -> list[str]:
        place, field = f"{ours}.{pair.name}", f"{theirs}.{pair.field}"
        match pair.shape:
            case "value":
                return self.value(pair, place, field)
            case "list":
                value = f"[{self.bind(pair.write)}(v) for v in {place}]" if pair.write else place
                return [f"{field}.extend({value})"]
            case "map":
                self.maps = True
                return [f"for tag, text in {place}:", f"    {field}[tag] = text"]
            case "repeated":
                assert pair.struct is not None
                write = self.function(pair.struct, pair.descriptor)
                return [f"for v in {place}:", f"    {write}(v, {field}.add())"]
            case "message":
                return self.message(pair, place, field)
            case "bits":
                assert pair.bits is not None
                return [f"v = {place}", *(
                    f"if v & {1 << bit}: {field}.{name} = True" for bit, name in enumerate(pair.bits.names))]
            case "inline":
                inside = [line for inner in pair.inner for line in self.pair(inner, "x", theirs)]
                return [f"x = {place}", "if x is not None:", *("    " + line for line in inside)]
            case _:  # inner
                inside = [line for inner in pair.inner for line in self.pair(inner, ours, "q")]
                lines = [f"q = {field}", "q.SetInParent()", *inside]
                if not pair.when:
                    return lines
                return [f"if {ours}.tick_type in {pair.when!r}:", *("    " + line for line in lines)]

    def value(self, pair: Pair, place: str, field: str) -> list[str]:
        made = f"{self.bind(pair.write)}(v)" if pair.write else "v"
        match pair.sparse:
            case "none":
                return [f"v = {place}", f"if v is not None: {field} = {made}"]
            case "empty":
                return [f"v = {place}", f"if v: {field} = {made}"]
            case _:
                return [f"v = {place}", f"{field} = {made}"] if pair.write else [f"{field} = {place}"]

    def message(self, pair: Pair, place: str, field: str) -> list[str]:
        assert pair.struct is not None
        write = self.function(pair.struct, pair.descriptor)
        # Present even when it says nothing: the official reader drops an openOrder without its three parts.
        lines = [f"{field}.SetInParent()", f"{write}({place}, {field})"]
        if pair.sparse == "none":
            return [f"if {place} is not None:", *("    " + line for line in lines)]
        return lines
