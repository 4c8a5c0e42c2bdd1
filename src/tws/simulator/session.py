"""One client's connection over any asyncio transport: bytes in, requests out; messages in, bytes out.

The handshake is `tws.wire.session`'s. What is sent gathers in a list and leaves in one write at the end
of a step (`flush`). When the transport says that its buffer is full, market data is kept as the last
frame per line and field, and leaves when there is room; everything else is still handed to the
transport, so that no word about an order is lost. A reader who lets `HARD_LIMIT` bytes pile up is cut
off. Garbage ends this session alone, with a reason in the log.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from tws.errors import DecodeError
from tws.log import get_logger
from tws.simulator.outbox import Outbox
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import Answer, ErrorMessage
from tws.wire.session import Refused, ServerSession, Started

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Session"]

log = get_logger("tws.simulator")


class Session(asyncio.Protocol):
    """The server's side of one connection. `client_id` is None until startApi."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.client_id: int | None = None
        self.version = 0
        self.out = Outbox(self._abort)
        self.bytes_received = 0
        self.peer = "?"
        self._transport: asyncio.Transport | None = None
        self._wire: ServerSession | None = None
        self._held = bytearray()
        self._closing = False

    # -- the transport's calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.peer = str(transport.get_extra_info("peername") or "memory")
        self.out.attach(self._transport)
        self._wire = ServerSession(self.core.connection_time(), self.core.options.server_version)
        if not self.core.admit(self):
            self.close(f"more than {self.core.options.max_clients} clients")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._transport = None
        self.core.forget(self)
        log.info("session ended", peer=self.peer, client_id=self.client_id, error=str(exc) if exc else None)

    def pause_writing(self) -> None:
        self.out.pause()

    def resume_writing(self) -> None:
        self.out.resume()
        self.core.room.set()

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self.core.bytes_received += len(data)
        if self.core.faults.mute or (self.core.faults.silent_accept and self.client_id is None):
            self._held += data[: max(0, 2**20 - len(self._held))]
            return
        self._receive(data)

    # -- in ---------------------------------------------------------------------------------------

    def set_mute(self, on: bool) -> None:
        """Fall silent; or read what came meanwhile and send what was kept back."""
        self.out.mute = on
        if not on and self._held:
            held, self._held = bytes(self._held), bytearray()
            self._receive(held)

    def _receive(self, data: bytes) -> None:
        if self._closing or self._wire is None:
            return
        reply, events = self._wire.receive(data)
        if reply:
            self.out.write_now(reply)
        for event in events:
            if self._closing:
                return
            if isinstance(event, bytes):
                self._request(event)
            elif isinstance(event, Started):
                self.version = self._wire.server_version
                self._start(event.client_id)
            elif isinstance(event, Refused):
                self.close(event.reason)
                return
        self.core.flush()

    def _start(self, client_id: int) -> None:
        self.client_id = client_id
        if self.core.start_session(self):
            log.info("session started", peer=self.peer, client_id=client_id, version=self.version)
        else:
            self.client_id = None
            self.error(
                -1,
                326,
                "Unable to connect as the client id is already in use. Retry with a unique client id.",
            )
            self.close(f"client id {client_id} is in use")

    def _request(self, payload: bytes) -> None:
        try:
            request = codec.decode_request(payload, self.version, lenient=True)
        except DecodeError as error:
            if not payload.split(b"\0", 1)[0].isdigit():
                self.close(str(error))
                return
            log.warning("unreadable request", peer=self.peer, client_id=self.client_id, reason=str(error))
            self.error(-1, 320, f"Error reading request. {error}")
            return
        try:
            self.core.handle(self, request)
        except Exception:
            log.exception(
                "request failed", peer=self.peer, client_id=self.client_id, request=type(request).__name__
            )
            self.close("a bug in the simulator")

    # -- out --------------------------------------------------------------------------------------

    def send(self, message: Answer) -> None:
        """Queue one message; it leaves with the next flush."""
        self.out.put(frame(codec.encode(message, self.version)))

    def error(self, request_id: int, code: int, text: str) -> None:
        """Message 4."""
        self.send(ErrorMessage(request_id, self.core.now_ns() // 1_000_000, code, text))

    def close(self, reason: str, *, expected: bool = False) -> None:
        """End this session in an orderly way: what was said before still leaves."""
        if self._closing:
            return
        self._closing = True
        note = log.info if expected else log.warning
        note("session closed", peer=self.peer, client_id=self.client_id, reason=reason)
        self.out.flush()
        self.core.forget(self)
        if self._transport is not None:
            self._transport.close()

    def cut(self) -> None:
        """Abort: what was queued is lost."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def _abort(self, reason: str) -> None:
        log.warning("session aborted", peer=self.peer, client_id=self.client_id, reason=reason)
        self.cut()
