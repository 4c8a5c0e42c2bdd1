"""What waits to leave one session, bounded: market data merges under pressure, nothing else is ever
dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tws.simulator.pipe import Cut, Pipe

__all__ = ["HARD_LIMIT", "Outbox"]

HIGH_WATER = 256 * 1024
"""From so many unsent bytes on, market data merges. A quarter megabyte is some ten thousand ticks."""
HARD_LIMIT = 64 * 2**20
"""A reader that lets so many bytes pile up (of order messages and answers, since ticks merge) is cut off."""
MUTE_FRAMES = 200_000
"""What a mute session keeps back at most (words about orders, since ticks are lost): a day of them."""


class Outbox:
    """Frames on their way. `put` keeps the order; `put_tick` may be overtaken by a later value of its key."""

    def __init__(self, give_up: Callable[[str], None]) -> None:
        self.frames: list[bytes] = []
        self.paused = False
        self.mute = False
        self.bytes_sent = 0
        self.merged = 0
        self._latest: dict[tuple[int, int], bytes] = {}
        self._transport: asyncio.Transport | None = None
        self._give_up = give_up
        self._pipes: list[Pipe] = []
        self._write: Callable[[bytes], None] = lambda data: None
        self._is_backed_up = False
        self.on_room: Callable[[], None] = self.resume

    def attach(self, transport: asyncio.Transport) -> None:
        """From now on frames can leave."""
        self._transport = transport
        self._write = transport.write
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def put(self, frame: bytes) -> None:
        """Queue a frame that may not be lost."""
        self.frames.append(frame)

    def put_tick(self, line: int, field: int, frame: bytes) -> None:
        """Queue a tick of a line's field; under pressure only the last one of each is kept."""
        if self.mute:
            return
        if self.paused:
            key = (line, field)
            if key in self._latest:
                self.merged += 1
            self._latest[key] = frame
        else:
            self.frames.append(frame)

    def drop_line(self, line: int) -> None:
        """The subscription ended: forget what was kept for it."""
        for key in [key for key in self._latest if key[0] == line]:
            del self._latest[key]

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        self.frames += self._latest.values()
        self._latest.clear()
        self.flush()

    def write_now(self, data: bytes) -> None:
        """Write at once (the handshake)."""
        if self._transport is not None:
            self.bytes_sent += len(data)
            self._write(data)

    def flush(self) -> None:
        """Hand everything queued to the transport in one write."""
        transport = self._transport
        if self.mute and len(self.frames) > MUTE_FRAMES:
            self.frames.clear()
            self._give_up(f"more than {MUTE_FRAMES} frames kept back while mute")
        if not self.frames or self.mute or transport is None or transport.is_closing():
            return
        data = b"".join(self.frames)
        self.frames.clear()
        self.bytes_sent += len(data)
        self._write(data)
        if self._pipes and not self.paused and self._piped() > HIGH_WATER:
            self._is_backed_up = True
            self.pause()
        if self.paused and transport.get_write_buffer_size() + self._piped() > HARD_LIMIT:
            self._give_up(f"more than {HARD_LIMIT} bytes unread")

    def finish(self) -> None:
        """The session ends in an orderly way: what was queued or waits in a pipe leaves now."""
        self.flush()
        for pipe in reversed(self._pipes):
            pipe.drain()

    def fall_silent(self) -> None:
        """The session is forgotten, its socket left open: what was queued or waits in a pipe never leaves."""
        self.frames.clear()
        self._latest.clear()
        for pipe in self._pipes:
            pipe.stop()

    # -- pipes: how faults delay bytes --------------------------------------------------------------

    def insert(self, cut: Cut) -> Pipe:
        """From now on everything passes through a new pipe before it leaves."""
        pipe = Pipe(cut, self._moved)
        self._pipes.append(pipe)
        self._join()
        return pipe

    def remove(self, pipe: Pipe) -> None:
        """Let what waits in a pipe go, and take it away; safe for one that is gone."""
        if pipe in self._pipes:
            if self._transport is None or self._transport.is_closing():
                pipe.target = lambda data: None
            pipe.drain()
            self._pipes.remove(pipe)
            self._join()
            self._moved()

    def _join(self) -> None:
        assert self._transport is not None
        self._write = self._transport.write
        for pipe in self._pipes:
            pipe.target, self._write = self._write, pipe.write

    def _piped(self) -> int:
        return sum(pipe.size for pipe in self._pipes)

    def _moved(self) -> None:
        """A piece left: market data may flow again."""
        if self._is_backed_up and self._piped() < HIGH_WATER // 4:
            self._is_backed_up = False
            self.on_room()
