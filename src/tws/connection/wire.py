"""The wire below `Outbound` and the official client: which loop and link bytes go to, and from any thread.

A frame that is handed over on another thread is written on the loop's, and only to the session for which it
was encoded. Requests that TWS does not read wait in the transport, up to a bound."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from tws.connection.link import Link
from tws.errors import NotSentError

__all__ = ["Wire"]

_WRITE_BOUND = 8 * 2**20  # bytes that may wait for a TWS that does not read


class Wire:
    """The present link and its loop. `may_send` says whether the session takes requests."""

    def __init__(self, may_send: Callable[[], bool]) -> None:
        self._may_send = may_send
        self._thread = 0
        self.loop: asyncio.AbstractEventLoop | None = None
        self.link: Link | None = None

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """This loop, which runs on this thread, is the one from now on."""
        self.loop, self._thread = loop, threading.get_ident()

    def is_open(self) -> bool:
        link = self.link
        return link is not None and link.open and self._may_send()

    def is_full(self) -> bool:
        link = self.link
        return link is not None and link.write_full

    def on_loop(self) -> bool:
        return threading.get_ident() == self._thread

    def call_on_loop(self, call: Callable[[], None]) -> None:
        """Raises NotSentError when there is no loop to call on."""
        loop = self.loop
        if loop is None or loop.is_closed():
            raise NotSentError(504, "Not connected")
        loop.call_soon_threadsafe(call)

    def write(self, frame: bytes) -> None:
        """For `Outbound`: bytes to the socket, on the loop's thread."""
        link = self.link
        if link is not None and link.open:
            link.write(frame)

    def send(self, frame: bytes) -> None:
        """A request that moves no money, from any thread. Raises NotSentError when TWS has not read for
        long.
        """
        link = self.link
        if link is not None and link.write_full and link.waiting > _WRITE_BOUND:
            raise NotSentError(509, "TWS does not read: what was sent before waits in our buffer")
        if self.on_loop():
            self.write(frame)
        else:
            # Another session may have another version: the frame is for this one or for none.
            self.call_on_loop(lambda: self.write(frame) if self.link is link else None)
