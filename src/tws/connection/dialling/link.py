"""One socket: the asyncio protocol below a session.

It drives the handshake of `tws.wire.session`, then hands every chunk of bytes to the owner, who walks it.
It counts bytes, pauses reading for the owner and reports when TWS stops reading us. It ends in one of
three ways, each of which calls `on_end` exactly once: the peer closed, the transport broke, or `close`.
Small frames leave at once: asyncio sets TCP_NODELAY on its sockets by itself. Long answers are read bite by
bite, and between two of them the loop turns: an order does not wait for the reading of a day's fills.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol, cast

from tws.wire.session import Accepted, ClientSession, Refused

__all__ = ["BITE_BYTES", "Link", "LinkOwner"]

_FLUSH_S = 1.0  # what a TWS that reads slowly gets to take the last bytes before the socket is cut


class LinkOwner(Protocol):
    """Who owns the link. Called on the loop's thread."""

    def on_dialled(self, link: Link) -> None: ...
    def on_accepted(self, link: Link, server_version: int, connection_time: str) -> None: ...
    def on_refused(self, link: Link, reason: str) -> None: ...
    def on_payload(self, link: Link, payload: bytes) -> None: ...
    def on_bytes(self, link: Link, data: bytes) -> None: ...
    def on_full(self, link: Link, full: bool) -> None: ...
    def on_end(self, link: Link, error: Exception | None) -> None: ...


BITE_BYTES = 32 * 1024
"""Fifty completed orders, the costliest to read: 5 ms. asyncio by itself takes eight times as much. What a
flood of quotes pays for it, some tens of microseconds for each thousand, is 3 %.
"""


class Link(asyncio.Protocol, asyncio.BufferedProtocol):
    """See the module. Make one for each dial; it never comes back. It is both kinds of protocol: asyncio's
    own transports fill its buffer, others may hand it bytes.
    """

    def __init__(self, owner: LinkOwner, session: ClientSession) -> None:
        self._owner = owner
        self._session: ClientSession | None = session
        self._transport: asyncio.Transport | None = None
        self.reading_paused = False
        self.loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()
        self.open = False
        self.closing = False
        self.write_full = False
        self.bytes_received = 0
        self.bytes_sent = 0
        self._bite = memoryview(bytearray(BITE_BYTES))

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.closing:  # disconnect came while we dialled
            self._transport.abort()
            return
        self.open = True
        self._owner.on_dialled(self)
        if self._session is not None:
            self.write(self._session.start())

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._bite

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._bite[:nbytes]))

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        if self.closing:
            return
        if self._session is None:
            self._owner.on_bytes(self, data)
        else:
            self._handshake(self._session, data)

    def eof_received(self) -> bool:
        return False  # a half-open session helps nobody: close our side too

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self.ended.set()
        self._owner.on_end(self, exc)

    def pause_writing(self) -> None:
        self.write_full = True
        self._owner.on_full(self, True)

    def resume_writing(self) -> None:
        self.write_full = False
        if not self.closing:
            self._owner.on_full(self, False)

    # -- the owner's side

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket now. The caller has checked `open`."""
        transport = self._transport
        if transport is not None:
            self.bytes_sent += len(data)
            transport.write(data)

    @property
    def waiting(self) -> int:
        """Bytes written that the operating system has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def pause_reading(self) -> None:
        if not self.reading_paused and self._transport is not None and self.open:
            self.reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self.reading_paused and self._transport is not None:
            self.reading_paused = False
            if self.open and not self.closing:
                self._transport.resume_reading()

    def close(self) -> None:
        """Close now, from the loop's thread: what was written is flushed, nothing more is read."""
        if not self.closing:
            self.closing = True
            self.open = False
            if self._transport is None:
                self.ended.set()  # the dial never came through: there is no end to wait for
            elif self.write_full:
                self._transport.abort()  # TWS does not read: a flush might last for ever
            else:
                self._transport.close()
                if self.waiting:
                    self.loop.call_later(_FLUSH_S, self._transport.abort)

    def abort(self) -> None:
        """Close at once, from the loop's thread: the other side is dead, nothing is flushed."""
        if not self.closing:
            self.closing = True
            self.open = False
            if self._transport is None:
                self.ended.set()
            else:
                self._transport.abort()

    def close_without_loop(self) -> None:
        """Close from outside a loop that no longer runs: shut the socket, so that TWS sees the end."""
        self.closing = True
        self.open = False
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is gone already, which is what we wanted

    def _handshake(self, session: ClientSession, data: bytes) -> None:
        out, events = session.receive(data)
        if out:
            self.write(out)
        for event in events:
            if self.closing:
                return
            if isinstance(event, Accepted):
                self._owner.on_accepted(self, event.server_version, event.connection_time)
            elif isinstance(event, Refused):
                self._owner.on_refused(self, event.reason)
                return
            elif isinstance(event, bytes):
                self._owner.on_payload(self, event)
        if session.server_version:
            self._session = None
            rest = session.release()
            if rest and not self.closing:
                self._owner.on_bytes(self, rest)
