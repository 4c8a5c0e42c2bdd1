"""The wire below `Outbound` and the official client: which loop and link bytes go to, at TWS's pace, from any
thread.

Every frame passes the pacer (`tws.connection.pacing`), whoever encoded it: it is written now, or waits for
its turn, or is refused with PacingError. Frames of `Outbound` have a queue of their own, so they ask for
room. One timer wakes the pacer. A frame that is handed over on another thread is offered on the loop's, and
only in the session for which it was encoded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tws.connection.dialling.link import Link
from tws.connection.pacing import Pacer, PacingOptions, Verdict, Waiting
from tws.errors import NotSentError, PacingError
from tws.log import get_logger

__all__ = ["Wire"]

log = get_logger("tws.connection")

_WRITE_BOUND = 8 * 2**20  # bytes that may wait for a TWS that does not read


class Wire:
    """The present link and its loop. `may_send` says whether the session takes requests, `on_room` is called
    when a frame that had no room may ask again.
    """

    def __init__(
        self, pacing: PacingOptions, may_send: Callable[[], bool], on_room: Callable[[], None]
    ) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.link: Link | None = None
        self.pacer = Pacer(pacing)
        self._may_send = may_send
        self._on_room = on_room
        self._thread = 0
        self._timer: asyncio.TimerHandle | None = None
        self._armed_s: float | None = None
        self._told: dict[int, Callable[[bool], None]] = {}
        self._given_up: dict[int, asyncio.TimerHandle] = {}
        self._hurries = False

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """This loop, which runs on this thread, is the one from now on."""
        self.loop, self._thread = loop, threading.get_ident()

    # -- sessions

    def begin(self, server_version: int) -> None:
        """A version is agreed."""
        self.pacer.begin(server_version)

    def accepted(self) -> None:
        """TWS has taken our client id."""
        assert self.loop is not None
        self.pacer.accepted(self.loop.time())
        self._arm()

    def end(self) -> None:
        """The session is over: what waits will not leave."""
        self.pacer.end()
        for timer in self._given_up.values():
            timer.cancel()
        self._given_up.clear()
        told, self._told = self._told, {}
        for tell in told.values():
            tell(False)
        self._arm()

    def forget(self) -> None:
        """The loop has closed, and the timer with it."""
        self._timer, self._armed_s = None, None
        self._told.clear()
        self._given_up.clear()
        self.pacer.end()

    # -- what frames ask

    def is_open(self) -> bool:
        link = self.link
        return link is not None and link.open and self._may_send()

    def is_full(self) -> bool:
        link = self.link
        return link is not None and link.write_full

    def has_room(self, urgent: bool) -> bool:
        """Whether a frame of `Outbound` may be written now, by TWS's pace."""
        assert self.loop is not None
        if self.pacer.room(self.loop.time(), urgent=urgent):
            return True
        self._arm()
        return False

    def on_loop(self) -> bool:
        return threading.get_ident() == self._thread

    def call_on_loop(self, call: Callable[[], None]) -> None:
        """Raises NotSentError when there is no loop to call on."""
        loop = self.loop
        if loop is None or loop.is_closed():
            raise NotSentError(504, "Not connected")
        loop.call_soon_threadsafe(call)

    # -- frames

    def write(self, frame: bytes) -> None:
        """For `Outbound`, which has asked for room: bytes to the socket, on the loop's thread."""
        link, loop = self.link, self.loop
        if link is not None and link.open and loop is not None:
            link.write(frame)
            self.pacer.took(loop.time())
            self._arm()

    def send(self, frame: bytes) -> None:
        """A request that moves no money, from any thread.

        Raises PacingError for what no waiting would cure, NotSentError when TWS has not read for long.
        """
        link = self.link
        if link is not None and link.write_full and link.waiting > _WRITE_BOUND:
            raise NotSentError(509, "TWS does not read: what was sent before waits in our buffer")
        if self.on_loop():
            self._offer(frame)
            return

        def later() -> None:
            # Another session may have another version: the frame is for this one or for none.
            if self.link is link:
                try:
                    self._offer(frame)
                except PacingError as error:  # its caller has gone on
                    log.warning("a request from another thread was not sent", reason=str(error))

        self.call_on_loop(later)

    @contextmanager
    def urgently(self) -> Iterator[None]:
        """What is sent within, on the loop's thread, goes with the exits: a close waits for its answer."""
        self._hurries = True
        try:
            yield
        finally:
            self._hurries = False

    def send_cancel(self, frame: bytes, tell: Callable[[bool], None]) -> None:
        """A cancel of orders, in the lane that is kept free for it; `tell(written)` once that is decided. On
        the loop's thread.
        """
        verdict = self._offer(frame, urgent=True)
        if verdict is Verdict.WAITS:
            self._told[id(frame)] = tell
        else:
            tell(verdict is not None)

    def _offer(self, frame: bytes, urgent: bool = False) -> Verdict | None:
        link, loop = self.link, self.loop
        if link is None or not link.open or loop is None:
            return None
        verdict = self.pacer.offer(frame, loop.time(), urgent=urgent or self._hurries)
        if verdict is Verdict.WRITE:
            link.write(frame)
        self._arm()
        return verdict

    # -- the pace

    def waiting(self) -> tuple[Waiting, ...]:
        """What waits for its turn, in that order."""
        return self.pacer.waiting(self.loop.time()) if self.loop is not None and len(self.pacer) else ()

    def waits(self, request_id: int) -> bool:
        """Whether this request has not left yet."""
        return self.pacer.waits(request_id)

    def withdraw(self, request_id: int) -> bool:
        """Take a request that waits back; whether there was one."""
        return self.pacer.withdraw(request_id)

    def over(self, request_id: int, failed: bool) -> None:
        """TWS has ended a request: its answer is complete, or it was refused."""
        if self.loop is not None:
            self.pacer.ended(request_id, self.loop.time(), failed=failed)
            self._arm()

    def give_up_in(self, request_id: int, seconds: float) -> None:
        """A request that can't be cancelled, and that nobody waits for any more, counts as ended by then."""
        if self.loop is not None:
            self._given_up[request_id] = self.loop.call_later(seconds, self._give_up, request_id)

    def _give_up(self, request_id: int) -> None:
        self._given_up.pop(request_id, None)
        if self.loop is not None:
            self.pacer.given_up(request_id, self.loop.time())
            self._arm()

    def echoed(self) -> None:
        """TWS has answered the question for the time."""
        if self.loop is not None:
            self.pacer.echoed(self.loop.time())
            self._arm()

    def line(self, down: bool, forgotten: bool) -> None:
        """TWS says that it has lost IB, or has it again, be it that it has forgotten what it fed."""
        if self.loop is not None:
            self.pacer.line(down, self.loop.time(), forgotten=forgotten)
            self._arm()

    def _arm(self) -> None:
        """Let the one timer stand where the pacer wants to be asked next."""
        at_s = self.pacer.next_at()
        if at_s == self._armed_s:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed_s = at_s
        if at_s is not None and self.loop is not None and not self.loop.is_closed():
            self._timer = self.loop.call_at(at_s, self._due)

    def _due(self) -> None:
        self._timer, self._armed_s = None, None
        link, loop = self.link, self.loop
        if link is None or not link.open or loop is None:
            return
        for frame in self.pacer.due(loop.time()):
            link.write(frame)
            tell = self._told.pop(id(frame), None)
            if tell is not None:
                tell(True)
        self._on_room()
        self._arm()
