"""One link of a simulated network: two ends that are asyncio transports, joined by two pipes.

A pipe is a queue of (moment of arrival, bytes) with at most one timer, the one of its head: that
keeps the order whatever the loop does with timers of equal deadline. Bytes are never lost singly:
a link that drops any is cut, as TCP would be. What is in the pipe beyond the window counts as
the writer's buffer, and pauses its protocol above the high-water mark. Protocols run in the context
in which their end was made, so that a task they start belongs to the right process.
"""

from __future__ import annotations

import asyncio
import errno
import math
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any, cast

from tws.clock import Rng
from tws.world.domain import Domain, domain_of
from tws.world.faults import Faults
from tws.world.trace import Trace

__all__ = ["End", "Weather", "join"]

_READ_MAX = 65_536  # the most a protocol is handed at once
_GAP_S = 0.00005  # between two pieces of what arrived together


class Weather:
    """What all links of a network share: the loop, the dice, the faults that are on, the trace."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: Rng, faults: Faults, trace: Trace) -> None:
        self.loop = loop
        self.rng = rng
        self.faults = faults
        self.trace = trace
        self.on_write: Callable[[End, bytes], None] | None = None
        """Told of each write before it is on its way."""

    def delay(self) -> float:
        """Seconds from a write to its arrival."""
        faults = self.faults
        return faults.latency_s + (self.rng.uniform(0.0, faults.jitter_s) if faults.jitter_s else 0.0)

    def piece(self) -> int:
        """The most bytes that arrive at once: when chunked, single bytes are as likely as long pieces."""
        most = self.faults.chunk_max
        return int(math.exp(self.rng.uniform(0.0, math.log(most + 1)))) if most else _READ_MAX

    def chance(self, rate: float) -> bool:
        """Whether something of this rate happens now; draws nothing for a rate of 0."""
        return rate > 0.0 and self.rng.random() < rate


class _Pipe:
    """One direction: what `writer` wrote and `reader` has not yet been handed."""

    def __init__(self, weather: Weather, name: str) -> None:
        self.weather = weather
        self.name = name
        self.queue: deque[tuple[float, bytes]] = deque()
        self.size = 0
        self.last_arrival = 0.0
        self.ended = False  # the writer closed: end of file after the last byte
        self.is_open = True
        self.timer: asyncio.TimerHandle | None = None
        self.writer: End
        self.reader: End

    def put(self, data: bytes) -> None:
        """Send bytes on their way."""
        self._queue(data)
        self.size += len(data)

    def end(self) -> None:
        """Send the end of file behind the last byte."""
        if not self.ended:
            self.ended = True
            self._queue(b"")

    def _queue(self, data: bytes) -> None:
        loop = self.weather.loop
        self.last_arrival = max(self.last_arrival, loop.time() + self.weather.delay())
        self.queue.append((self.last_arrival, data))
        self.arm()

    def arm(self) -> None:
        """Set the one timer, if there is something to hand over and somebody who takes it."""
        wanted = not self.reader.reading_paused or self.reader.is_closing()
        if self.timer is None and self.queue and self.is_open and wanted:
            # A lost reader is told nothing, and its process may die: then the writer's time counts.
            context = self.writer.context if self.reader.is_lost else self.reader.context
            self.timer = self.weather.loop.call_at(self.queue[0][0], self._arrive, context=context)

    def rearm(self) -> None:
        """The reader's end was lost: what comes still has to be answered with a reset."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.arm()

    def drop(self) -> int:
        """Lose what is under way; how many bytes that were."""
        lost, self.size, self.is_open = self.size, 0, False
        self.queue.clear()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        return lost

    def _arrive(self) -> None:
        self.timer = None
        weather, now = self.weather, self.weather.loop.time()
        if not self.queue or (self.reader.reading_paused and not self.reader.is_closing()):
            return
        if self.reader.is_closing():
            if self.drop():
                self.writer.hear_reset()
            return
        faults = weather.faults
        if weather.chance(faults.cut_rate):
            self.writer.cut()
            return
        if weather.chance(faults.stall_rate):
            self._postpone(now + weather.rng.uniform(0.0, faults.stall_s))
            return
        data = self._take(now, weather.piece())
        if data:
            self.size -= len(data)
            weather.trace.data(self.name, data)
            self.writer.buffer_shrank()
            self.reader.receive(data)
        elif self.ended and not self.queue:
            weather.trace.note(f"{self.name} end of file")
            self.reader.receive_end()
        self.arm()

    def _postpone(self, until: float) -> None:
        self.weather.trace.note(f"{self.name} stalls until {until:.6f}")
        self.queue[0] = (max(until, self.queue[0][0]), self.queue[0][1])
        self.last_arrival = max(self.last_arrival, until)
        self.arm()

    def _take(self, now: float, most: int) -> bytes:
        """At most `most` of the bytes that have arrived; what is left of them comes a little later."""
        parts: list[bytes] = []
        while self.queue and self.queue[0][0] <= now and most > 0:
            _, data = self.queue.popleft()
            if not data:
                if parts:  # the end of file is told apart from the last bytes
                    self.queue.appendleft((now, data))
                break
            if len(data) > most:
                self.queue.appendleft((now + _GAP_S, data[most:]))
                data = data[:most]
            most -= len(data)
            parts.append(data)
        return b"".join(parts)


class End(asyncio.Transport):
    """One end of a link: an asyncio transport."""

    def __init__(self, weather: Weather, label: str, context: Context, addresses: tuple[Any, Any]) -> None:
        super().__init__({"peername": addresses[1], "sockname": addresses[0]})
        self._weather = weather
        self.label = label
        self.context = context
        self.domain: Domain | None = domain_of(context)
        self.peer: End
        self.outgoing: _Pipe
        self.incoming: _Pipe
        self._protocol: asyncio.BaseProtocol | None = None
        self._closing = False
        self._writer_paused = False
        self._low, self._high = 16_384, 65_536  # asyncio's own defaults
        self.reading_paused = True  # until the protocol has been told of the connection
        self.is_lost = False  # connection_lost was told, or never will be

    # What asyncio.Transport promises

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Send bytes; never blocks. Ignored once the link is lost or closing, as asyncio does."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data: expecting a bytes-like instance, got {type(data).__name__}")
        if self._closing or self.is_lost or not data or not self.outgoing.is_open:
            return
        if self._weather.on_write is not None:
            self._weather.on_write(self, bytes(data))
        self.outgoing.put(bytes(data))
        if not self._writer_paused and self.get_write_buffer_size() > self._high:
            self._writer_paused = True
            self._tell("pause_writing")

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        """Send them as one."""
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        """Refused: nobody in this house half-closes."""
        raise NotImplementedError("a simulated link has no half-close")

    def can_write_eof(self) -> bool:
        """No."""
        return False

    def close(self) -> None:
        """Hear no more, send what was written, then an end of file. connection_lost(None) follows."""
        if self._closing or self.is_lost:
            return
        self._closing = True
        self.reading_paused = True
        self.outgoing.end()
        self._close_if_sent()

    def abort(self) -> None:
        """Lose what was not sent; connection_lost(None) follows here, a reset there."""
        if self.is_lost:
            return
        self._closing = True
        self._drop_pipes()
        self._lose(None, 0.0)
        self.peer._lose(_reset(), self._weather.delay())

    def is_closing(self) -> bool:
        """Whether it is closing or lost."""
        return self._closing or self.is_lost

    def pause_reading(self) -> None:
        """Take no bytes for now: they wait in the pipe, and then at the writer."""
        if not self._closing:
            self.reading_paused = True

    def resume_reading(self) -> None:
        """Take bytes again."""
        if not self._closing and self._protocol is not None:
            self.reading_paused = False
            self.incoming.arm()

    def is_reading(self) -> bool:
        """Whether bytes are taken."""
        return not self.reading_paused and not self._closing

    def get_write_buffer_size(self) -> int:
        """Bytes that do not fit on the way."""
        return max(0, self.outgoing.size - self._weather.faults.window)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As asyncio: above `high` the protocol is paused, at `low` it is resumed."""
        if high is None:
            high = 65_536 if low is None else 4 * low
        low = high // 4 if low is None else low
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """(low, high), in bytes."""
        return self._low, self._high

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand what comes to another protocol from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that is told."""
        assert self._protocol is not None
        return self._protocol

    # What the network does

    def start(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell the protocol of its connection, then let bytes come."""
        self._protocol = protocol
        if self.is_lost:
            return
        protocol.connection_made(self)
        if not self._closing and not self.is_lost:
            self.reading_paused = False
            self.incoming.arm()

    def receive(self, data: bytes) -> None:
        """Hand bytes to the protocol."""
        protocol = self._protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            while data:
                buffer = memoryview(protocol.get_buffer(len(data)))
                size = min(len(buffer), len(data))
                buffer[:size] = data[:size]
                protocol.buffer_updated(size)
                data = data[size:]
        else:
            cast(asyncio.Protocol, protocol).data_received(data)

    def receive_end(self) -> None:
        """The peer closed: close too, unless the protocol wishes to keep its half."""
        if not cast(asyncio.Protocol, self._protocol).eof_received():
            self.close()

    def buffer_shrank(self) -> None:
        """Bytes of ours were taken."""
        if self._writer_paused and self.get_write_buffer_size() <= self._low:
            self._writer_paused = False
            if not self.is_lost:
                self._weather.loop.call_soon(self._tell, "resume_writing", context=self.context)
        self._close_if_sent()

    def hear_reset(self) -> None:
        """Bytes of ours met a closed end: a reset comes back, behind what that end had still sent."""
        late = max(self.incoming.last_arrival - self._weather.loop.time(), 0.0)
        self._lose(_reset(), late + self._weather.delay())

    def cut(self) -> None:
        """Lose the link and all that is under way; one end may hear of it later than the other."""
        if self.is_lost and self.peer.is_lost:
            return
        self._weather.trace.note(f"{self.label} cut, {self._drop_pipes()} bytes lost")
        faults, rng = self._weather.faults, self._weather.rng
        late = rng.uniform(0.0, faults.silence_s) if faults.silence_s and rng.random() < 0.5 else 0.0
        first, second = (self, self.peer) if rng.random() < 0.5 else (self.peer, self)
        first._lose(_reset(), 0.0)
        second._lose(_reset(), late)

    def die(self) -> None:
        """Its process was killed: some of what it wrote last still arrives, then its peer hears a reset."""
        self.is_lost = True
        self.incoming.drop()
        rng = self._weather.rng
        keep = rng.randint(0, self.outgoing.size) if self.outgoing.size else 0
        self._weather.trace.note(f"{self.label} dies, {keep} of {self.outgoing.size} bytes will arrive")
        self._truncate(keep)
        late = rng.uniform(0.0, self._weather.faults.silence_s) if rng.random() < 0.3 else 0.0
        when = max(self.outgoing.last_arrival - self._weather.loop.time(), 0.0) + self._weather.delay() + late
        self.peer._lose(_reset(), when)

    def _truncate(self, keep: int) -> None:
        pipe = self.outgoing
        kept: deque[tuple[float, bytes]] = deque()
        pipe.size = 0
        for arrival, data in pipe.queue:
            part = data[: keep - pipe.size]
            if part:
                kept.append((arrival, part))
                pipe.size += len(part)
        pipe.queue = kept

    def _drop_pipes(self) -> int:
        return self.outgoing.drop() + self.incoming.drop()

    def _close_if_sent(self) -> None:
        """A closing end is done when its last byte left its own buffer; the pipe goes on without it."""
        if self._closing and not self.is_lost and self.get_write_buffer_size() == 0:
            self._lose(None, 0.0)

    def _lose(self, error: Exception | None, delay: float) -> None:
        if self.is_lost:
            return
        if delay > 0.0:
            self._weather.loop.call_later(delay, self._lose, error, 0.0, context=self.context)
            return
        self.is_lost = True
        self.reading_paused = True
        self._weather.trace.note(f"{self.label} lost: {error!r}")
        if error is None:
            self.incoming.rearm()
        else:
            self._drop_pipes()
        if self._protocol is not None:
            self._weather.loop.call_soon(self._protocol.connection_lost, error, context=self.context)

    def _tell(self, what: str) -> None:
        told: Callable[[], None] = getattr(self._protocol, what)
        told()


def join(
    weather: Weather, number: int, address: tuple[str, int], near_context: Context, far_context: Context
) -> tuple[End, End]:
    """The two ends of a new link: the dialler's and the listener's."""
    near_address = (address[0], 50_000 + number)
    near = End(weather, f"link {number} near", near_context, (near_address, address))
    far = End(weather, f"link {number} far", far_context, (address, near_address))
    out, back = _Pipe(weather, f"link {number} >"), _Pipe(weather, f"link {number} <")
    out.writer, out.reader, back.writer, back.reader = near, far, far, near
    near.peer, near.outgoing, near.incoming = far, out, back
    far.peer, far.outgoing, far.incoming = near, back, out
    return near, far


def _reset() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the link was cut")
