"""Faults of the bytes: how they are cut into pieces, when they leave, and frames that are wrong.

A pipe (`tws.simulator.pipe`) stands between a session's outbox and its transport; its times are the event
loop's. TWS-BEHAVIOUR.md F1; the 4096-byte pause is the issue's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from tws.simulator import misread
from tws.simulator.faults.base import Effect, Fault, Span, fault, span_ns
from tws.wire.messages import ErrorMessage

if TYPE_CHECKING:
    from tws.simulator.faults.engine import Faults
    from tws.simulator.pipe import Cut, Pipe
    from tws.simulator.session import Session

__all__: list[str] = []


class _Piped(Effect):
    """Puts a pipe of its own into every session that it concerns."""

    def __init__(self, faults: Faults, cut: Callable[[], Cut], client: int | None = None) -> None:
        self._faults, self._make, self._client = faults, cut, client
        self._pipes: list[tuple[Session, Pipe]] = []
        for session in faults.sessions(client, started=client is not None):
            self._put(session)

    def accepted(self, session: Session) -> None:
        if self._client is None:
            self._put(session)

    def started(self, session: Session) -> None:
        if session.client_id == self._client:
            self._put(session)

    def _put(self, session: Session) -> None:
        pipe = session.out.insert(self._make())
        self._pipes.append((session, pipe))

    def lost(self, session: Session) -> None:
        self._pipes = [(one, pipe) for one, pipe in self._pipes if one is not session]

    def end(self) -> None:
        for session, pipe in self._pipes:
            session.out.remove(pipe)


@fault("split-output", "assumed; TCP may do it at any time (F1)")
class SplitOutput(Fault, frozen=True, kw_only=True):
    """Answers leave in pieces of a few bytes, cut anywhere, each a write of its own.

    most    the longest piece in bytes; lengths are drawn from 1 to it
    client  this client id alone
    lasts   "" is until cleared
    """

    most: int = 7
    client: int | None = None
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        rng, most = faults.rng, max(1, self.most)
        return _Piped(faults, lambda: lambda data, sent: (rng.randint(1, most), 0.0), self.client)


@fault("coalesced-output", "assumed; TCP may do it at any time (F1)")
class CoalescedOutput(Fault, frozen=True, kw_only=True):
    """Answers gather and leave together in one write, many frames at once.

    gather  how long they gather
    client  this client id alone
    lasts   "" is until cleared
    """

    gather: Span = "200ms"
    client: int | None = None
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        pause_s = span_ns(self.gather) / 1e9
        return _Piped(faults, lambda: lambda data, sent: (2**31, pause_s), self.client)


@fault("pause-4096", "reported (issue)")
class Pause4096(Fault, frozen=True, kw_only=True):
    """Output stops at a boundary of 4096 bytes, in the middle of a frame, and goes on after a while.

    pause   how long, at each boundary
    size    of the buffer that empties so
    client  this client id alone
    lasts   "" is until cleared
    """

    pause: Span = "200ms"
    size: int = 4096
    client: int | None = None
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        pause_s, size = span_ns(self.pause) / 1e9, max(1, self.size)

        def cut(data: bytes, sent: int) -> tuple[int, float]:
            at_boundary = sent > 0 and sent % size == 0
            return size - sent % size, pause_s if at_boundary else 0.0

        return _Piped(faults, lambda: cut, self.client)


@fault("slow-writer", "assumed")
class SlowWriter(Fault, frozen=True, kw_only=True):
    """TWS writes slowly: so many bytes a second leave, the rest waits; market data merges meanwhile.

    bytes_per_s  the rate
    client       this client id alone
    lasts        "" is until cleared
    """

    bytes_per_s: int = 2000
    client: int | None = None
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        piece = max(1, self.bytes_per_s // 20)
        return _Piped(faults, lambda: lambda data, sent: (piece, 0.05), self.client)


@fault("slow-reader", "reported (A5: NAU#4796, Recv-Q grew)")
class SlowReader(Fault, frozen=True, kw_only=True):
    """TWS reads slowly: so many bytes a second of what clients send, the rest waits in the sockets.

    bytes_per_s  the rate
    client       this client id alone
    lasts        "" is until cleared
    """

    bytes_per_s: int = 500
    client: int | None = None
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _SlowReader(faults, max(1, self.bytes_per_s // 20), self.client)


class _SlowReader(Effect):
    def __init__(self, faults: Faults, piece: int, client: int | None) -> None:
        self._faults, self._piece, self._client = faults, piece, client
        self._timer: asyncio.TimerHandle | None = None
        self._wait()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(0.05, self._read)

    def _read(self) -> None:
        for session in self._faults.sessions(self._client, started=self._client is not None):
            session.catch_up(self._piece)
        self._wait()

    def hears(self, session: Session) -> bool:
        return self._client is not None and session.client_id != self._client

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


@fault("malformed-frame", "assumed; a new build that breaks decoders is common (pain 3)")
class MalformedFrame(Fault, frozen=True, kw_only=True):
    """A frame that does not fit its message: fields too many or too few, no number where one belongs, an
    unknown message, nonsense for protobuf; or a length that makes no sense, after which the stream is lost.

    kind     "extra-field", "missing-field", "bad-number", "unknown-message", "empty", "truncated",
             "garbage-length"
    message  the id of the message that is spoilt when it next leaves; 0 spoils a notice of its own, now.
             Market data ticks leave another way and are not spoilt
    count    how many of them
    client   this client id alone
    """

    kind: Literal[
        "extra-field",
        "missing-field",
        "bad-number",
        "unknown-message",
        "empty",
        "truncated",
        "garbage-length",
    ] = "extra-field"
    message: int = 0
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect | None:
        effect = _Spoiler(faults, self)
        if self.message:
            return effect
        for session in faults.sessions(self.client):
            notice = ErrorMessage(
                -1, faults.core.now_ns() // 10**6, 2104, "Market data farm connection is OK:usfarm"
            )
            data = session.frame(notice)
            session.out.put(spoil(data, self.kind, session.version))
        return None


class _Spoiler(Effect):
    def __init__(self, faults: Faults, plan: MalformedFrame) -> None:
        self._faults, self._plan, self._left = faults, plan, plan.count

    def framed(self, session: Session, data: bytes) -> bytes:
        plan = self._plan
        if (
            plan.client not in (None, session.client_id)
            or message_id(data[4:], session.version) != plan.message
        ):
            return data
        self._left -= 1
        if self._left <= 0:
            self._faults.core.faults.after(0, lambda: self._faults.finish(self))
        return data if self._left < 0 else spoil(data, plan.kind, session.version)


def message_id(payload: bytes, version: int) -> int:
    """The id of a message, without the mark of protobuf; -1 when there is none."""
    number = misread.message_id(payload, version)
    return -1 if number is None else number - 200 if version > 200 and number > 200 else number


def spoil(data: bytes, kind: str, version: int) -> bytes:
    """The frame, made wrong in this way."""
    if kind == "garbage-length":
        return b"\x7f\xff\xff\xf0" + data[4:]
    if kind == "empty":
        return b"\0\0\0\0"
    payload = _spoil_payload(data[4:], kind, version)
    return len(payload).to_bytes(4, "big") + payload


def _spoil_payload(payload: bytes, kind: str, version: int) -> bytes:
    head = 4 if version > 200 else 0
    is_protobuf = version > 200 and int.from_bytes(payload[:4], "big") > 200
    if kind == "truncated":
        return payload[: max(head + 1, len(payload) * 2 // 3)]
    if kind == "unknown-message":
        if not head:
            return b"199" + payload[payload.index(b"\0") :]
        return (399 if is_protobuf else 199).to_bytes(4, "big") + payload[4:]
    if is_protobuf:  # field 1 as a length of five that the body has not: no reader can take it
        return (
            payload + b"\x0a\x05" if kind != "missing-field" else payload[: max(head + 1, len(payload) - 3)]
        )
    fields = payload[head:].split(b"\0")[:-1]
    if kind == "extra-field":
        fields.append(b"surplus")
    elif kind == "missing-field":
        fields.pop()
    else:
        numbers = [
            place for place, text in enumerate(fields) if text.lstrip(b"-").isdigit() and (place or head)
        ]
        fields[numbers[-1] if numbers else -1] = b"n/a"
    return payload[:head] + b"".join(field + b"\0" for field in fields)
