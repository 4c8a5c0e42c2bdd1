"""The handshake of both sides as tables, without I/O: bytes in, bytes to send and events out.

    client                                server
    API\\0 + frame("v157..225 options") ->
                                       <- frame("200·20261123 09:30:00 EST·")
    frame(startApi, id 71)              ->
                                       <- 15, 9, farm notices (the simulator's business)

`receive(data)` classifies each step (`Seen`), looks the next state up in the role's table and acts.
A pair that is not in the table cannot happen or is a refusal. Source: TWS-BEHAVIOUR.md A1, A5; the official
client's connect(). Hello and reply are text at every version, startApi has the form of the agreed one; a
client never sends before the reply has come.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from tws.errors import DecodeError, FrameError, HandshakeError
from tws.wire import codec
from tws.wire.framing import FrameDecoder, frame
from tws.wire.messages import StartApiRequest
from tws.wire.thresholds import RAW_ID

__all__ = [
    "CLIENT_TABLE",
    "MAX_VERSION",
    "MIN_VERSION",
    "SERVER_TABLE",
    "Accepted",
    "ClientSession",
    "ClientState",
    "Event",
    "Ignored",
    "Refused",
    "Seen",
    "ServerSession",
    "ServerState",
    "Started",
]

MIN_VERSION = codec.MIN_VERSION
MAX_VERSION = codec.MAX_VERSION
PREFIX = b"API\0"
MAX_HELLO = 4096
"""Longest hello or reply in bytes: a version range, a time and a few options need less than 200."""
MAX_REQUEST = 2**20
"""Longest request in bytes that a server takes in: the longest order that makes sense has some ten thousand.
What a client begins and never ends must be held, so the bound is ours (assumed; TWS's is not known).
"""
MAX_IGNORED = 16
"""How many frames that are no reply the client skips before it gives up (A1: the official client skips any
number).
"""

_START = (b"71\0",), (b"\0\0\0\x47", b"\0\0\x01\x0f")
"""How startApi begins: as text below 201, then with the id of its text or of its protobuf form (A1)."""
_HELLO = re.compile(r"v(\d{1,9})(?:\.\.(\d{1,9}))?(?: (.*))?", re.DOTALL)
_HTTP = (b"GET ", b"POST", b"HEAD", b"PUT ", b"OPTI", b"CONN", b"DELE", b"HTTP", b"PRI ")


class Accepted(Struct, frozen=True):
    """A version is agreed.

    `connection_time` is TWS's text (the client learns it), `options` the client's (the server does).
    """

    server_version: int
    connection_time: str = ""
    options: str = ""


class Started(Struct, frozen=True):
    """The client sent startApi: the session is open."""

    client_id: int
    optional_capabilities: str = ""


class Ignored(Struct, frozen=True):
    """A frame came that has no meaning yet: a request before startApi, or a line before the client's reply.
    """

    payload: bytes


class Refused(Struct, frozen=True):
    """No session: close the socket. `reason` says why in one line."""

    reason: str


Event: TypeAlias = Accepted | Started | Ignored | Refused | bytes
"""What `receive` reports; bytes are payloads of an open session."""


class Seen(Enum):
    """What a step of the handshake turned out to be."""

    HELLO = "a hello with a common version"
    START = "startApi"
    REPLY = "a version and a time"
    OTHER = "some other frame"
    GARBAGE = "not the protocol, or no common version"


class ServerState(Enum):
    WAIT_HELLO = "wait for the hello"
    WAIT_START = "wait for startApi"
    OPEN = "open"
    REFUSED = "refused"


class ClientState(Enum):
    IDLE = "not begun"
    WAIT_REPLY = "wait for version and time"
    OPEN = "open"
    REFUSED = "refused"


SERVER_TABLE: dict[tuple[ServerState, Seen], ServerState] = {
    (ServerState.WAIT_HELLO, Seen.HELLO): ServerState.WAIT_START,
    (ServerState.WAIT_HELLO, Seen.GARBAGE): ServerState.REFUSED,
    (ServerState.WAIT_START, Seen.START): ServerState.OPEN,
    (ServerState.WAIT_START, Seen.OTHER): ServerState.WAIT_START,  # earlier requests may be dropped (A2)
    (ServerState.WAIT_START, Seen.GARBAGE): ServerState.REFUSED,
    (ServerState.OPEN, Seen.OTHER): ServerState.OPEN,
    (ServerState.OPEN, Seen.GARBAGE): ServerState.REFUSED,
}

CLIENT_TABLE: dict[tuple[ClientState, Seen], ClientState] = {
    (ClientState.WAIT_REPLY, Seen.REPLY): ClientState.OPEN,
    (ClientState.WAIT_REPLY, Seen.OTHER): ClientState.WAIT_REPLY,
    (ClientState.WAIT_REPLY, Seen.GARBAGE): ClientState.REFUSED,
    (ClientState.OPEN, Seen.OTHER): ClientState.OPEN,
    (ClientState.OPEN, Seen.GARBAGE): ClientState.REFUSED,
}


class ServerSession:
    """The server's side. `connection_time` is sent as it is, such as "20261123 09:30:00 EST" (A1)."""

    def __init__(
        self, connection_time: str, max_version: int = MAX_VERSION, min_version: int = MIN_VERSION
    ) -> None:
        _check_range(min_version, max_version)
        self.state = ServerState.WAIT_HELLO
        self.server_version = 0
        self._time = connection_time
        self._range = (min_version, max_version)
        self._held = b""
        self._frames = FrameDecoder(MAX_REQUEST)

    def receive(self, data: bytes) -> tuple[bytes, list[Event]]:
        """Bytes of the client in; what to send and what happened out. After Refused all input is dropped."""
        out, events = b"", list[Event]()
        if self.state is ServerState.REFUSED:
            return out, events
        try:
            if self.state is ServerState.WAIT_HELLO:
                out, data = self._hello(data, events)
            if self.state is not ServerState.WAIT_HELLO:
                self._frames_in(data, events)
        except (HandshakeError, FrameError) as error:
            self._step(Seen.GARBAGE)
            events.append(Refused(str(error)))
        return out, events

    def release(self) -> bytes:
        """The bytes of an unfinished frame, for a caller that reads an open session on by itself."""
        return self._frames.release()

    def _step(self, seen: Seen) -> None:
        self.state = SERVER_TABLE[self.state, seen]

    def _hello(self, data: bytes, events: list[Event]) -> tuple[bytes, bytes]:
        """Judge the first bytes as soon as they can be: (reply, bytes behind the hello)."""
        held = self._held = self._held + data
        if not PREFIX.startswith(held[:4]):
            raise HandshakeError(_describe(held))
        if len(held) < 8:
            return b"", b""
        size = int.from_bytes(held[4:8], "big")
        if not 0 < size <= MAX_HELLO:
            raise HandshakeError(f"a hello of {size} bytes is announced, 1 to {MAX_HELLO} are allowed")
        if len(held) < 8 + size:
            return b"", b""
        self.server_version, options = _agree(held[8 : 8 + size], self._range)
        self._held = b""
        self._step(Seen.HELLO)
        events.append(Accepted(self.server_version, self._time, options))
        return frame(f"{self.server_version}\0{self._time}\0".encode()), held[8 + size :]

    def _frames_in(self, data: bytes, events: list[Event]) -> None:
        payloads = self._frames.feed(data)
        while payloads:
            for payload in payloads:
                events.append(payload if self.state is ServerState.OPEN else self._before_start(payload))
            payloads = self._frames.feed(b"")  # says at once when the bytes behind are no frame

    def _before_start(self, payload: bytes) -> Event:
        if not payload.startswith(_START[self.server_version >= RAW_ID]):
            self._step(Seen.OTHER)
            return Ignored(payload)
        try:
            request = codec.decode_request(payload, self.server_version)
        except DecodeError as error:
            raise HandshakeError(f"startApi can't be read: {error}") from error
        if not isinstance(request, StartApiRequest):
            raise HandshakeError("startApi can't be read")
        self._step(Seen.START)
        return Started(request.client_id, request.optional_capabilities)


class ClientSession:
    """The client's side.

    `start()` gives the hello; startApi follows the reply by itself unless `start_api` is False.
    """

    def __init__(
        self,
        client_id: int,
        *,
        min_version: int = MIN_VERSION,
        max_version: int = MAX_VERSION,
        connect_options: str = "",
        optional_capabilities: str = "",
        start_api: bool = True,
    ) -> None:
        _check_range(min_version, max_version)
        self.state = ClientState.IDLE
        self.server_version = 0
        self._range = (min_version, max_version)
        self._options = connect_options
        self._request = StartApiRequest(client_id, optional_capabilities) if start_api else None
        self._frames = FrameDecoder()
        self._ignored = 0

    def start(self) -> bytes:
        """The first bytes to send."""
        self.state = ClientState.WAIT_REPLY
        low, high = self._range
        hello = f"v{low}..{high}" + (f" {self._options}" if self._options else "")
        return PREFIX + frame(hello.encode("ascii"))

    def receive(self, data: bytes) -> tuple[bytes, list[Event]]:
        """Bytes of the server in; what to send and what happened out. After Refused all input is dropped."""
        out, events = b"", list[Event]()
        if self.state is ClientState.REFUSED:
            return out, events
        try:
            payloads = self._frames.feed(data)
            while payloads:
                for payload in payloads:
                    if self.state is ClientState.OPEN:
                        events.append(payload)
                    else:
                        out += self._before_reply(payload, events)
                payloads = self._frames.feed(b"")
        except (HandshakeError, FrameError) as error:
            reason = str(error)
            if self.state is ClientState.WAIT_REPLY and isinstance(error, FrameError):
                reason = _describe(self._frames.release())
            self.state = CLIENT_TABLE[self.state, Seen.GARBAGE]
            events.append(Refused(reason))
        return out, events

    def release(self) -> bytes:
        """The bytes of an unfinished frame, for a caller that reads an open session on by itself."""
        return self._frames.release()

    def _before_reply(self, payload: bytes, events: list[Event]) -> bytes:
        fields = payload.split(b"\0")
        if len(fields) != 3 or fields[2]:
            self._ignored += 1
            if self._ignored > MAX_IGNORED:
                raise HandshakeError(f"{MAX_IGNORED} frames came, none of them a version and a time")
            self.state = CLIENT_TABLE[self.state, Seen.OTHER]
            events.append(Ignored(payload))
            return b""
        low, high = self._range
        said = fields[1].decode("utf-8", "backslashreplace")
        if fields[0] == b"-1":
            raise HandshakeError(f"the server redirects to {said}; redirects are not followed")
        if not fields[0].isdigit():
            raise HandshakeError(f"the reply begins with {fields[0][:32]!r}, not with a server version")
        version = int(fields[0])
        if not low <= version <= high:
            raise HandshakeError(f"the server chose version {version}, offered were {low} to {high}")
        self.server_version = version
        self.state = CLIENT_TABLE[self.state, Seen.REPLY]
        events.append(Accepted(version, said, self._options))
        return frame(codec.encode(self._request, version)) if self._request else b""


def _check_range(low: int, high: int) -> None:
    if not MIN_VERSION <= low <= high <= MAX_VERSION:
        raise HandshakeError(f"versions {low} to {high} can't be offered, {MIN_VERSION} to {MAX_VERSION} can")


def _agree(hello: bytes, spoken: tuple[int, int]) -> tuple[int, str]:
    """The common version, min(client's, ours), and the client's connect options."""
    match = _HELLO.fullmatch(hello.decode("utf-8", "backslashreplace"))
    if match is None:
        raise HandshakeError(f"the hello is {hello[:64]!r}, not v<min>..<max>")
    low = int(match[1])
    high = int(match[2] or match[1])
    if low > high or high < spoken[0] or low > spoken[1]:
        ours = f"{spoken[0]} to {spoken[1]}"
        raise HandshakeError(f"the client offers versions {low} to {high}, here {ours} are spoken")
    return min(high, spoken[1]), match[3] or ""


def _describe(first: bytes) -> str:
    """Name what the first bytes look like instead of a TWS handshake."""
    if first.startswith(_HTTP):
        return f"the peer speaks HTTP, not the TWS API (first bytes {first[:16]!r})"
    if first[:2] == b"\x16\x03":
        return "the peer speaks TLS, not the TWS API"
    if first[:4].split(b"\0")[0].isdigit():
        return f"the client is older than server version 100 (first bytes {first[:16]!r})"
    return f"the peer does not speak the TWS API (first bytes {first[:16]!r})"
