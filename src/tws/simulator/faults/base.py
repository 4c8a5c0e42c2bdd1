"""What a fault is: a frozen value that says what goes wrong, and an effect that does it while it lasts.

A `Fault` is data (its name, its typed fields, what it rests on). `begin` plays it: at once, or by
returning an `Effect`, whose hooks the simulator asks until it ends. A hook that a fault does not override
costs nothing. `When` says when a fault is played; `build` makes a fault of a name and of texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from tws.clock import NS_PER_S
from tws.errors import ConfigError

if TYPE_CHECKING:
    from tws.exchange import Event
    from tws.simulator.faults.engine import Faults
    from tws.simulator.session import Session
    from tws.wire.messages import Answer

__all__ = ["HOOKS", "REGISTRY", "Effect", "Fault", "Span", "When", "build", "fault", "span_ns"]

Span: TypeAlias = float | str
"""A length of market time: seconds, or a text such as "250ms", "30s", "1.5m", "2h", "3d"; "" is none."""

UNITS = {"ms": 10**6, "s": NS_PER_S, "m": 60 * NS_PER_S, "h": 3600 * NS_PER_S, "d": 86_400 * NS_PER_S}
_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h|d)?")


def span_ns(value: Span, field: str = "span") -> int:
    """Nanoseconds. Raises ConfigError."""
    if value == "":
        return 0
    found = _SPAN.fullmatch(str(value).strip())
    if found is None:
        raise ConfigError(field, value, "is no length of time", "Write seconds, or 250ms, 30s, 2m, 4h, 1d")
    return round(float(found[1]) * UNITS[found[2] or "s"])


class Effect:
    """What a running fault does. Override what it needs; the rest is never called."""

    def hears(self, session: Session) -> bool:
        """Whether this session's bytes are read."""
        return True

    def speaks(self, session: Session) -> bool:
        """Whether this session's bytes leave."""
        return True

    def accepted(self, session: Session) -> None:
        """A socket was accepted."""

    def refuses(self, client_id: int) -> bool:
        """Whether startApi of this client id is answered with 326."""
        return False

    def started(self, session: Session) -> None:
        """A session began; its start burst is queued."""

    def lost(self, session: Session) -> None:
        """A socket is gone; `client_id` is None when startApi never came."""

    def request(self, session: Session, request: object) -> object | None:
        """The request as it shall be handled, or None: nobody handles it."""
        return request

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        """What shall be said of the exchange's events, in this order."""
        return events

    def outgoing(self, session: Session, message: Answer) -> Sequence[Answer]:
        """What is sent in place of this message (market data ticks do not pass here)."""
        return (message,)

    def framed(self, session: Session, data: bytes) -> bytes:
        """The bytes of a frame, its length in front (market data ticks do not pass here)."""
        return data

    def hides(self, con_id: int) -> bool:
        """Whether the market data of this instrument stays away from all clients."""
        return False

    def answer(self, accept: bool) -> bool:
        """Somebody answered the dialog; True when there was one."""
        return False

    def release(self) -> bool:
        """Whether `release` ends this fault."""
        return False

    def end(self) -> None:
        """The fault ends: undo what is not undone by its absence."""


HOOKS = (
    "hears",
    "speaks",
    "accepted",
    "refuses",
    "started",
    "lost",
    "request",
    "events",
    "outgoing",
    "framed",
    "hides",
    "answer",
    "release",
)


class Fault(Struct, frozen=True, kw_only=True):
    """The root of all faults. `name` is what files, command line and Python call it."""

    name: ClassVar[str] = ""
    rests: ClassVar[str] = ""
    incidents: ClassVar[tuple[int, ...]] = ()

    def begin(self, faults: Faults) -> Effect | None:
        """Play it. Raises ConfigError when it can't be played here."""
        raise NotImplementedError

    def spans(self) -> dict[str, int]:
        """The fields that are lengths of time, in ns. Raises ConfigError."""
        names = (name for name, kind in type(self).__annotations__.items() if kind == "Span")
        return {name: span_ns(getattr(self, name), name) for name in names}


REGISTRY: dict[str, type[Fault]] = {}
"""Every fault by its name."""

F = TypeVar("F", bound=type[Fault])


def fault(name: str, rests: str, *incidents: int) -> Callable[[F], F]:
    """Enter a fault in the registry: its name, what its behaviour rests on, rows of INCIDENTS.md."""

    def enter(kind: F) -> F:
        kind.name, kind.rests, kind.incidents = name, rests, incidents
        REGISTRY[name] = kind
        return kind

    return enter


class When(Struct, frozen=True, kw_only=True):
    """When a fault is played. Times are market time and count from the moment it was entered.

    at      so much later (with `on`: only from then on does the event count)
    every   and again so often; `times` bounds it
    on      at an event: "connect", "order placed", "fill", "cancel", "request:<class>",
            "message:<id>"
    nth     the first `nth` - 1 of those events are let pass
    after   so long after the event
    times   how often it is played; 0: without end. Default 1, with `every` 0
    chance  the probability of each playing, drawn from the run's seed
    """

    at: Span = ""
    every: Span = ""
    on: str = ""
    nth: int = 1
    after: Span = ""
    times: int | None = None
    chance: float = 1.0

    def check(self, requests: Sequence[str]) -> None:
        """Raise ConfigError for the first field that can't be meant."""
        for field in ("at", "every", "after"):
            if span_ns(getattr(self, field), field) < 0:
                raise ConfigError(field, getattr(self, field), "is past", "Use a length of time from 0 on")
        if self.on and not _is_event(self.on, requests):
            raise ConfigError(
                "on",
                self.on,
                "is no event",
                f"Use {', '.join(EVENTS)}, request:<class> "
                "such as request:PlaceOrderRequest, or message:<id>",
            )
        if self.on and self.every:
            raise ConfigError("every", self.every, "goes with no event", "Use times with on")
        if not 0 < self.chance <= 1:
            raise ConfigError("chance", self.chance, "is no probability", "Use a number above 0, at most 1")
        if self.nth < 1:
            raise ConfigError("nth", self.nth, "is no ordinal", "Use 1 for the first")
        if self.times is not None and self.times < 0:
            raise ConfigError("times", self.times, "is no number of times", "Use 0 for without end")


EVENTS = ("connect", "order placed", "fill", "cancel")


def _is_event(text: str, requests: Sequence[str]) -> bool:
    kind, _, which = text.partition(":")
    return (
        text in EVENTS or (kind == "request" and which in requests) or (kind == "message" and which.isdigit())
    )


def build(name: str, values: Mapping[str, Any]) -> tuple[Fault, When]:
    """A fault and its time from plain values or texts. Raises ConfigError naming field and valid names."""
    kind = REGISTRY.get(name)
    if kind is None:
        raise ConfigError("name", name, "is no fault", f"Use one of {', '.join(sorted(REGISTRY))}")
    own, times = dict[str, Any](), dict[str, Any]()
    for key, value in values.items():
        field = key.replace("-", "_")
        if field in kind.__struct_fields__:
            own[field] = value
        elif field in When.__struct_fields__:
            times[field] = value
        else:
            names = (*kind.__struct_fields__, *When.__struct_fields__)
            raise ConfigError(key, value, f"is no field of {name}", f"Use one of {', '.join(names)}")
    made, when = _convert(own, kind, name), _convert(times, When, name)
    made.spans()
    return made, when


V = TypeVar("V", bound=Struct)


def _convert(values: dict[str, Any], kind: type[V], name: str) -> V:
    for field in kind.__struct_fields__:
        if field in values:  # one by one, so that the field is known by name
            try:
                msgspec.convert({field: values[field]}, _one(kind, field), strict=False)
            except msgspec.ValidationError as error:
                reason = str(error).split(" - at")[0]
                raise ConfigError(
                    field, values[field], f"does not fit {name}: {reason}", "See tws sim ctl list"
                ) from None
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError("name", name, str(error), "State what is missing; see tws sim ctl list") from None


def _one(kind: type[Struct], field: str) -> Any:
    found = next(one for one in msgspec.structs.fields(kind) if one.name == field)
    return dict[str, found.type]  # type: ignore[name-defined]
