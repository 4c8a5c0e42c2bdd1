"""What waits to leave one session, bounded: market data merges under pressure, nothing else is ever
dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["HARD_LIMIT", "Outbox"]

HIGH_WATER = 256 * 1024
"""From so many unsent bytes on, market data merges. A quarter megabyte is some ten thousand ticks."""
HARD_LIMIT = 64 * 2**20
"""A reader that lets so many bytes pile up (of order messages and answers, since ticks merge) is cut off."""


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

    def attach(self, transport: asyncio.Transport) -> None:
        """From now on frames can leave."""
        self._transport = transport
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
            self._transport.write(data)

    def flush(self) -> None:
        """Hand everything queued to the transport in one write."""
        transport = self._transport
        if not self.frames or self.mute or transport is None or transport.is_closing():
            return
        data = b"".join(self.frames)
        self.frames.clear()
        self.bytes_sent += len(data)
        transport.write(data)
        if self.paused and transport.get_write_buffer_size() > HARD_LIMIT:
            self._give_up(f"more than {HARD_LIMIT} bytes unread")
