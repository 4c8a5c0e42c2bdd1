"""One client's connection over any asyncio transport: bytes in, requests out; messages in, bytes out.

The handshake is `tws.wire.session`'s. What is sent gathers in a list and leaves in one write at the end
of a step (`flush`). When the transport says that its buffer is full, market data is kept as the last
frame per line and field, and leaves when there is room; everything else is still handed to the
transport, so that no word about an order is lost. A reader who lets `HARD_LIMIT` bytes pile up is cut
off.

What came in waits in `_inbox` and is worked off one request at a time, so that a client who asks faster
than it may can be made to wait: then its socket is not read on (`limits.Pace`). Garbage ends this
session alone, with a reason in the log; a request that can't be read, or that trips over a bug of ours, is
answered with 320 or 322 and harms nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, cast

from tws.errors import DecodeError
from tws.log import get_logger
from tws.platform import reset_on_close
from tws.simulator import misread
from tws.simulator.admission import IN_USE, Entry
from tws.simulator.limits import Pace, Verdict
from tws.simulator.ordertexts import order_templates
from tws.simulator.outbox import Outbox
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import Answer, ErrorMessage, OpenOrder, OrderStatus
from tws.wire.session import Accepted, Event, Ignored, Refused, ServerSession, Started

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Session"]

log = get_logger("tws.simulator")

AT_ONCE = 1000
"""So many messages of one answer leave before others have their turn."""
SAID_TWICE = (OpenOrder, OrderStatus)
MAX_HELD = 2**16
"""Bytes kept of what a client says while nobody listens (mute, or a dialog that waits); from then on its
socket is not read either, so that it feels the back-pressure of a hung TWS.
"""
PACE_OPTION = "+PACEAPI"
"""The connect option by which a client asks to be read more slowly instead of refused (B)."""


class Session(asyncio.Protocol):
    """The server's side of one connection. `client_id` is None until startApi."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.client_id: int | None = None
        self.version = 0
        self.out = Outbox(self._abort)
        self.out.on_room = self.resume_writing
        self.greeted = False
        self.bytes_received = 0
        self.peer = "?"
        self._transport: asyncio.Transport | None = None
        self._wire: ServerSession | None = None
        self._held = bytearray()
        self._texts = order_templates(0)
        self._framed: dict[type, tuple[Answer, bytes]] = {}
        self._streams: deque[Iterator[Answer]] = deque()
        self._inbox: deque[Event] = deque()
        self._pace = Pace(core.options.limits)
        self._is_waiting = False
        self._asks = False
        self._is_deaf = False
        self._closing = False

    # -- the transport's calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer or "memory")
        self.out.attach(self._transport)
        self._wire = ServerSession(self.core.connection_time(), self.core.options.server_version)
        if not self.core.admit(self):
            self.close(f"more than {self.core.options.max_clients} clients")
            return
        entry = self.core.admission.judge(peer)
        if entry is Entry.DENY:
            self.close("the address is not trusted")
        elif entry is Entry.ASK:
            self._asks = True
            self.core.admission.waiting.append(self)
            log.info("accept the incoming connection?", peer=self.peer)

    def connection_lost(self, exc: Exception | None) -> None:
        died = exc is not None and not self._closing
        self._closing = True
        self._transport = None
        self._inbox.clear()
        if self in self.core.abandoned:
            self.core.abandoned.remove(self)
        self.core.forget(self, died=died)
        log.info("session ended", peer=self.peer, client_id=self.client_id, error=str(exc) if exc else None)

    def pause_writing(self) -> None:
        self.out.pause()

    def resume_writing(self) -> None:
        self.out.resume()
        self._go_on()
        self.core.room.set()

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self.core.bytes_received += len(data)
        if self._hears_nothing():
            self._held += data
            if len(self._held) > MAX_HELD:
                self._read(False)
            return
        self._receive(data)

    def _hears_nothing(self) -> bool:
        return self._asks or not self.core.faults.hears(self)

    # -- in ---------------------------------------------------------------------------------------

    def let_in(self) -> None:
        """The dialog was answered with yes."""
        self._asks = False
        self.catch_up()

    def catch_up(self, most: int | None = None) -> None:
        """Deal with what came while nobody listened; with `most`, with so many bytes of it, though nobody
        listens still.
        """
        if not self._held or (most is None and self._hears_nothing()):
            return
        count = len(self._held) if most is None else most
        held = bytes(self._held[:count])
        del self._held[:count]
        if len(self._held) <= MAX_HELD and not self._is_waiting:
            self._read(True)
        self._receive(held)

    def _receive(self, data: bytes) -> None:
        if self._closing or self._wire is None or self._is_deaf:
            return
        reply, events = self._wire.receive(data)
        if reply:
            self.out.write_now(reply)
        self._inbox += events
        self._work()

    def _work(self) -> None:
        """Deal with what waits, as far as the pace allows."""
        while self._inbox and not (self._closing or self._is_waiting):
            event = self._inbox[0]
            if isinstance(event, bytes) and not self._may_ask():
                continue
            self._inbox.popleft()
            self._take(event)
        if not self._closing:
            self.core.flush()

    def _take(self, event: Event) -> None:
        if isinstance(event, bytes):
            self._request(event)
        elif isinstance(event, Accepted):
            self.greeted = True
            self.version = event.server_version
            if PACE_OPTION in event.options:
                self._pace = Pace(self.core.options.limits, patient=True)
        elif isinstance(event, Started):
            self._texts = order_templates(self.version)
            self._start(event.client_id)
        elif isinstance(event, Ignored):
            self._before_start(event.payload)
        elif isinstance(event, Refused):
            if self.client_id is None and self.core.options.garbage == "silence":
                self._is_deaf = True
                log.warning("no handshake: falling silent", peer=self.peer, reason=event.reason)
            else:
                self.close(event.reason)

    def _before_start(self, payload: bytes) -> None:
        """A frame before startApi: verifications alone are heard, to all else nothing is said (A2)."""
        try:
            request = codec.decode_request(payload, self.version)
        except DecodeError:
            return
        self.core.desk.handle_early(self, request)

    def _may_ask(self) -> bool:
        """Whether the first request of the inbox may be answered now. A refused one is gone, one that must
        wait stays and stops the reading.
        """
        now = self.core.loop_time()
        verdict = self._pace.judge(now)
        if verdict is Verdict.WAIT:
            self._is_waiting = True
            self._read(False)
            self.core.call_at(now + self._pace.wait_s(now), self._read_on)
            return False
        if verdict is Verdict.TAKE:
            warning = self._pace.warning(now)
            if warning is not None:
                self.error(-1, 0, warning)
            return True
        self._inbox.popleft()
        self.error(-1, 100, self._pace.refusal())
        if verdict is Verdict.CLOSE:
            self.close("too many requests in a second, for the third time")
        return False

    def _read_on(self) -> None:
        self._is_waiting = False
        if not self._closing:
            self._work()
            if not self._is_waiting:
                self._read(True)

    def _read(self, on: bool) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            if on:
                transport.resume_reading()
            else:
                transport.pause_reading()

    def _start(self, client_id: int) -> None:
        if not misread.is_number(client_id):
            self.close("the client id is no integer of 32 bits")
            return
        self.client_id = client_id
        if self.core.start_session(self):
            log.info("session started", peer=self.peer, client_id=client_id, version=self.version)
        else:
            self.client_id = None
            self.error(-1, 326, IN_USE)
            self.close(f"client id {client_id} is in use")

    def _request(self, payload: bytes) -> None:
        """One request; whatever is wrong with it or with us, this session is told and lives."""
        try:
            request = self._texts.read(payload)
        except DecodeError as error:
            if misread.message_id(payload, self.version) is None:
                self.close(str(error))
                return
            log.warning("unreadable request", peer=self.peer, client_id=self.client_id, reason=str(error))
            self.error(misread.request_id(payload, self.version), 320, f"Error reading request. {error}")
            return
        try:
            wrong = None if self._texts.was_known else misread.wrong_number(request)
            if wrong is None:
                self.core.handle(self, request)
            else:
                request_id = misread.request_id(payload, self.version)
                self.error(request_id, 320, f"Error reading request. {wrong} is no integer of 32 bits")
        except Exception as error:
            name = type(request).__name__
            log.exception("request failed", peer=self.peer, client_id=self.client_id, request=name)
            self.error(
                misread.request_id(payload, self.version),
                322,
                f"Error processing request.-'bX' : cause - {name}: {type(error).__name__}",
            )

    # -- out --------------------------------------------------------------------------------------

    def send(self, message: Answer) -> None:
        """Queue one message; it leaves with the next flush."""
        faults = self.core.faults
        if not faults.watching:
            self.out.put(self.frame(message))
            return
        for said in faults.outgoing(self, message):
            self.out.put(faults.framed(self, self.frame(said)))

    def stream(self, messages: Iterator[Answer]) -> None:
        """Send an answer of any length: a short one at once, the rest of a long one as the client reads."""
        for message in islice(messages, AT_ONCE):
            self.send(message)
        rest = next(messages, None)
        if rest is not None:
            self._streams.append(chain((rest,), messages))
            self.core.later(self.core.loop_time(), self._go_on)

    def _go_on(self) -> None:
        """Some more of the oldest long answer, unless the client has enough to read."""
        if self._streams and not self._closing and not self.out.paused:
            self.stream(self._streams.popleft())

    def frame(self, message: Answer) -> bytes:
        """The bytes of a message for this client; one that is said twice in a row is written once."""
        kind = type(message)
        last = self._framed.get(kind)
        if last is not None and last[0] is message:
            return last[1]
        if isinstance(message, OpenOrder):
            data = frame(self._texts.write(message))
        else:
            data = frame(codec.encode(message, self.version))
        if kind in SAID_TWICE:
            self._framed[kind] = (message, data)
        return data

    def error(self, request_id: int, code: int, text: str) -> None:
        """Message 4. An id that is no number of 32 bits can't be said back: -1 stands for it."""
        if not misread.is_number(request_id):
            request_id = -1
        self.send(ErrorMessage(request_id, self.core.stated_ns() // 1_000_000, code, text))

    def close(self, reason: str, *, expected: bool = False) -> None:
        """End this session in an orderly way: what was said before still leaves."""
        if self._closing:
            return
        self._closing = True
        note = log.info if expected else log.warning
        note("session closed", peer=self.peer, client_id=self.client_id, reason=reason)
        self.out.finish()
        self.core.forget(self)
        if self._transport is not None:
            self._transport.close()

    @property
    def closing(self) -> bool:
        """Whether nothing more is read or said."""
        return self._closing

    def abandon(self) -> None:
        """Forget this client and leave its socket open, unread and silent, until somebody ends it."""
        self._closing = True
        self.out.fall_silent()
        self.core.forget(self)
        self.core.abandoned.append(self)

    def cut(self) -> None:
        """Reset the socket: what was queued is lost."""
        if not self._closing and self.client_id is not None:
            self.core.admission.died(self.client_id)
        self._closing = True
        if self._transport is not None:
            reset_on_close(self._transport.get_extra_info("socket"))
            self._transport.abort()

    def _abort(self, reason: str) -> None:
        log.warning("session aborted", peer=self.peer, client_id=self.client_id, reason=reason)
        self.cut()
