"""Makes an encoder and a decoder for one message at one server version out of its layout.

Both are ordinary Python functions whose source is put together here (as dataclasses do for __init__): a
straight line of reads by index, or one f-string, so that no layout is walked at run time. One line of the
decoder reads one field, therefore the line of an exception names the field that failed; what is read
costs nothing for that. Versions are settled here; only `when` conditions and counts remain in the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import inf
from typing import Any

from msgspec import NODEFAULT, Struct
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
from tws.wire.thresholds import RAW_ID

__all__ = ["Decoder", "Encoder", "compile_decoder", "compile_encoder", "function_of"]


@dataclass(frozen=True)
class Encoder:
    """`encode(message)` gives the payload.

    Raises ValueError, TypeError or AttributeError for values that don't fit.
    """

    encode: Callable[[Any], bytes]
    source: str


@dataclass(frozen=True)
class Decoder:
    """`decode(fields, strict)` takes all fields, the id first, the empty one behind the last NUL taken off.

    Raises ValueError, IndexError or ArithmeticError; `blame` names the field.
    """

    decode: Callable[[list[bytes], bool], Any]
    source: str
    labels: dict[int, tuple[str, str]]

    def blame(self, error: BaseException) -> str:
        """Which field an exception of `decode` was about, and why."""
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code is self.decode.__code__:
                line = trace.tb_lineno
            trace = trace.tb_next
        name, kind = self.labels.get(line, ("", ""))
        if not name:
            return str(error)
        if isinstance(error, IndexError):
            return f"ends before the field {name} ({kind})"
        if str(error).startswith("is "):  # a reader of ours said it
            return f"field {name} ({kind}) {error}"
        return f"field {name} is no {kind}"


def compile_encoder(layout: Layout, version: int) -> Encoder:
    """The encoder of one message for one server version."""
    writer = _Writer(version)
    return writer.function(layout)


def compile_decoder(layout: Layout, version: int) -> Decoder:
    """The decoder of one message for one server version."""
    reader = _Reader(version)
    return reader.function(layout)


def _stands(item: Item, version: int) -> bool:
    return isinstance(item, Flagged) or item.since <= version < item.until


@dataclass
class _Source:
    """Lines under construction, and the objects that they name."""

    version: int
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    names: dict[str, Any] = field(default_factory=dict)
    labels: dict[int, tuple[str, str]] = field(default_factory=dict)
    counter: int = 0

    def emit(self, line: str, label: str = "", kind: str = "") -> None:
        self.lines.append("    " * self.depth + line)
        if label:
            self.labels[len(self.lines)] = (label, kind)

    def bind(self, stem: str, value: object) -> str:
        """A name in the generated function's globals for an object."""
        for name, held in self.names.items():
            if held is value:
                return name
        name = f"{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def fresh(self, stem: str) -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def build(self, name: str) -> tuple[Callable[..., Any], str]:
        source = "\n".join(self.lines) + "\n"
        made = function_of(source, f"{name} at version {self.version}", dict(self.names, inf=inf))
        return made, source


def function_of(source: str, title: str, names: dict[str, Any]) -> Callable[..., Any]:
    """The function `made` that the source defines; `names` are the globals that it sees.

    The only place where the wire runs what it wrote: text and protobuf both come by here, and nothing that
    came from outside ever does.
    """
    exec(compile(source, f"<{title}>", "exec"), names)
    made: Callable[..., Any] = names["made"]
    return made


def _condition(when: When, value: Callable[[str], str]) -> str:
    """A condition as source; `value` gives the source of a field's value."""
    match when:
        case Given(name):
            return value(name)
        case OneOf(name, values):
            return f"{value(name)} in {values!r}"
        case Positive(name):
            return f"({value(name)} or 0) > 0"
        case Infinite(name):
            return f"{value(name)} == inf"


class _Writer(_Source):
    """Writes the encoder: pieces of an f-string, flushed to `out` wherever the flow branches."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.pieces: list[str] = []
        self.branched = False

    def function(self, layout: Layout) -> Encoder:
        self.lines.append("def made(m):")
        self.emit("out = []")
        raw = self.version >= RAW_ID  # the id is then no field but four bytes in front of the fields
        start = f"{layout.id.to_bytes(4, 'big')!r} + " if raw else ""
        if not raw:
            self.pieces.append(f"{layout.id}\\x00")
        self.scope(layout.items, "m")
        if not self.branched:
            self.lines.remove("    out = []")
            self.emit(f"return {start}f'{''.join(self.pieces)}'.encode()")
        else:
            self.flush()
            self.emit(f"return {start}''.join(out).encode()")
        made, source = self.build(f"encode {layout.message.__name__}")
        return Encoder(made, source)

    def flush(self) -> None:
        self.branched = True
        if self.pieces:
            self.emit(f"out.append(f'{''.join(self.pieces)}')")
            self.pieces.clear()

    def scope(self, items: tuple[Item, ...], root: str) -> None:
        """The items of one object, `root` being its name; inner objects are taken out once."""
        for path in sorted({p for p in _paths(items, self.version) if "." in p}):
            for end in [i for i, char in enumerate(path) if char == "."]:
                inner = path[:end]
                line = f"{self.name(root, inner)} = {self.place(root, inner)}"
                if all(known.strip() != line for known in self.lines):
                    self.emit(line)
        self.items(items, root)

    def name(self, root: str, path: str) -> str:
        return f"{root}_{path.replace('.', '_')}" if path else root

    def place(self, root: str, path: str) -> str:
        """The source of an attribute: `m_order.lmt_price`."""
        inner, _, last = path.rpartition(".")
        return f"{self.name(root, inner)}.{last}"

    def value(self, kind: kinds.Kind, source: str) -> str:
        if kind.inline:
            return "{" + source + kind.inline[1:]
        return "{" + f"{self.bind('write', kind.write)}({source})" + "}"

    def items(self, items: tuple[Item, ...], root: str) -> None:
        for item in items:
            if _stands(item, self.version):
                self.item(item, root)

    def item(self, item: Item, root: str) -> None:
        match item:
            case Absent():
                pass
            case Const(text):
                self.pieces.append(f"{text}\\x00")
            case Field(name, kind):
                self.pieces.append(self.value(kind, self.place(root, name)) + "\\x00")
            case Group(inner, when=None):
                self.items(inner, root)
            case Group(inner, when=when):
                assert when is not None
                self.branch(_condition(when, lambda name: self.place(root, name)))
                self.items(inner, root)
                self.end()
            case Repeat():
                self.repeat(item, root)
            case Flagged(name, struct, inner):
                local = self.fresh("x")
                self.flush()
                self.emit(f"{local} = {self.place(root, name)}")
                self.pieces.append(f"{{{local} is not None:d}}\\x00")
                self.branch(f"{local} is not None")
                self.scope(inner, local)
                self.end()
            case Sub(name, struct, inner, when):
                self.branch(_condition(when, lambda name: self.place(root, name)))
                local = self.fresh("x")
                self.emit(f"{local} = {self.place(root, name)} or {self.bind(struct.__name__, struct)}()")
                self.scope(inner, local)
                self.end()

    def repeat(self, item: Repeat, root: str) -> None:
        local = self.fresh("x")
        place = self.place(root, item.name)
        self.pieces.append(f"{{len({place})}}\\x00")
        self.flush()
        self.emit(f"for {local} in {place}:")
        self.depth += 1
        if item.pair:
            self.pieces += [self.value(kinds.STR, f"{local}[{n}]") + "\\x00" for n in (0, 1)]
        elif item.kind is not None:
            self.pieces.append(self.value(item.kind, local) + "\\x00")
        else:
            self.scope(item.items, local)
        self.end()

    def branch(self, condition: str) -> None:
        self.flush()
        self.emit(f"if {condition}:")
        self.depth += 1

    def end(self) -> None:
        """Leave a block; it must not be empty when no field of it stands at this version."""
        self.flush()
        if self.lines[-1].endswith(":"):
            self.emit("pass")
        self.depth -= 1


class _Reader(_Source):
    """Writes the decoder: reads by constant index until something branches, then by `i` plus a constant."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.offset = 1
        self.moving = False

    def function(self, layout: Layout) -> Decoder:
        self.lines.append("def made(f, strict):")
        built = self.scope(layout.items, layout.message, "m", layout.message.__name__)
        end = f"i + {self.offset}" if self.moving else str(self.offset)
        self.emit(f"if strict and len(f) != {end}:")
        self.depth += 1
        self.emit(f"raise ValueError(f'has {{len(f) - ({end})}} fields too many')")
        self.depth -= 1
        self.emit(f"return {built}")
        made, source = self.build(f"decode {layout.message.__name__}")
        return Decoder(made, source, self.labels)

    def take(self) -> str:
        """The source of the next field."""
        place = f"f[i + {self.offset}]" if self.moving else f"f[{self.offset}]"
        self.offset += 1
        return place

    def settle(self) -> None:
        """Bring `i` up to date before the flow branches."""
        if not self.moving:
            self.emit(f"i = {self.offset}")
            self.moving = True
        elif self.offset:
            self.emit(f"i += {self.offset}")
        self.offset = 0

    def scope(self, items: tuple[Item, ...], struct: type[Struct], root: str, label: str) -> str:
        """Read the items of one struct; returns the source that builds it."""
        known: set[str] = set()
        self.items(items, struct, root, label, known)
        return self.construct(struct, root, "", known)

    def construct(self, struct: type[Struct], root: str, prefix: str, known: set[str]) -> str:
        arguments = []
        for spec in struct_fields(struct):
            path = prefix + spec.name
            if path in known:
                arguments.append(f"{spec.name}={self.name(root, path)}")
            elif any(p.startswith(path + ".") for p in known):
                inner = self.construct(spec.type, root, path + ".", known)
                arguments.append(f"{spec.name}={inner}")
            elif spec.default is NODEFAULT and spec.default_factory is NODEFAULT:
                raise TypeError(f"layout of {struct.__name__} at version {self.version} lacks {path}")
        if len(arguments) == len(struct.__match_args__) == len(struct_fields(struct)):  # none is keyword-only
            arguments = [argument.partition("=")[2] for argument in arguments]
        return f"{self.bind(struct.__name__, struct)}({', '.join(arguments)})"

    def name(self, root: str, path: str) -> str:
        return f"{root}_{path.replace('.', '_')}"

    def items(
        self, items: tuple[Item, ...], struct: type[Struct], root: str, label: str, known: set[str]
    ) -> None:
        for item in items:
            if _stands(item, self.version):
                self.item(item, struct, root, label, known)

    def item(self, item: Item, struct: type[Struct], root: str, label: str, known: set[str]) -> None:
        match item:
            case Absent(name, value):
                self.emit(f"{self.name(root, name)} = {value!r}")
                known.add(name)
            case Const(_, note):
                self.emit(self.take(), f"{label}: {note}", "constant")
            case Field():
                self.field(item, root, known)
            case Group(inner, when=None):
                self.items(inner, struct, root, label, known)
            case Group(inner, when=when):
                assert when is not None
                self.defaults(inner, struct, root, known)
                self.branch(_condition(when, lambda name: self.name(root, name)))
                self.items(inner, struct, root, label, known)
                self.end()
            case Repeat():
                self.repeat(item, root)
                known.add(item.name)
            case Flagged(name, inner_struct, inner):
                flag = self.fresh("flag")
                self.emit(f"{flag} = {self.bind('read', kinds.read_bool)}({self.take()})", name, "1 or 0")
                self.emit(f"{self.name(root, name)} = None")
                self.inner(flag, name, inner_struct, inner, root)
                known.add(name)
            case Sub(name, inner_struct, inner, when):
                self.emit(f"{self.name(root, name)} = None")
                condition = _condition(when, lambda name: self.name(root, name))
                self.inner(condition, name, inner_struct, inner, root)
                known.add(name)

    def field(self, item: Field, root: str, known: set[str]) -> None:
        name, read = self.name(root, item.name), self.bind("read", item.kind.read)
        if item.again:
            second = self.fresh("again")
            self.emit(f"{second} = {read}({self.take()})", item.name, item.kind.name)
            self.emit(f"{name} = {name} if {second} is None else {second}")
        else:
            self.emit(f"{name} = {read}({self.take()})", item.name, item.kind.name)
        known.add(item.name)

    def inner(
        self, condition: str, name: str, struct: type[Struct], items: tuple[Item, ...], root: str
    ) -> None:
        self.branch(condition)
        built = self.scope(items, struct, self.fresh("x"), name)
        self.emit(f"{self.name(root, name)} = {built}")
        self.end()

    def repeat(self, item: Repeat, root: str) -> None:
        count, made = self.fresh("n"), self.fresh("list")
        read = self.bind("read", kinds.read_count)
        self.emit(f"{count} = {read}({self.take()})", f"count of {item.name}", "count")
        self.settle()
        self.emit(f"{made} = []")
        self.emit(f"for _ in range({count}):")
        self.depth += 1
        self.emit(f"{made}.append({self.element(item)})", item.name, "value")
        self.end()
        self.emit(f"{self.name(root, item.name)} = tuple({made})")

    def element(self, item: Repeat) -> str:
        if item.pair:
            read = self.bind("read", kinds.read_str)
            return f"({read}({self.take()}), {read}({self.take()}))"
        if item.kind is not None:
            return f"{self.bind('read', item.kind.read)}({self.take()})"
        assert item.struct is not None
        return self.scope(item.items, item.struct, self.fresh("x"), item.name)

    def defaults(self, items: tuple[Item, ...], struct: type[Struct], root: str, known: set[str]) -> None:
        """Set what a conditional block may leave unread."""
        for path in _paths(items, self.version):
            if path not in known:
                self.emit(f"{self.name(root, path)} = {self.bind('default', _default(struct, path))}")
                known.add(path)

    def branch(self, condition: str) -> None:
        self.settle()
        self.emit(f"if {condition}:")
        self.depth += 1

    def end(self) -> None:
        self.settle()
        if self.lines[-1].endswith(":"):
            self.emit("pass")
        self.depth -= 1


@cache
def struct_fields(struct: type[Struct]) -> tuple[FieldInfo, ...]:
    """The attributes of a struct; to find them takes as long as all the rest of a compilation."""
    return uncached_fields(struct)


def _paths(items: tuple[Item, ...], version: int) -> list[str]:
    """The paths that items of one scope state at this version."""
    found: list[str] = []
    for item in items:
        if not _stands(item, version):
            continue
        if isinstance(item, Group):
            found += _paths(item.items, version)
        elif not isinstance(item, Const):
            found.append(item.name)
    return found


def _default(struct: type[Struct], path: str) -> object:
    first, _, rest = path.partition(".")
    spec = next(spec for spec in struct_fields(struct) if spec.name == first)
    if rest:
        return _default(spec.type, rest)
    if spec.default is NODEFAULT:
        raise TypeError(f"{struct.__name__}.{path} may be left out by the wire and needs a default")
    return spec.default
