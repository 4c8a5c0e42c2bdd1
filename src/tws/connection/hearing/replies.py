"""Questions that are on the wire, and the futures that wait for their answers.

Two books. `Requests` holds what TWS answers by request id. `Questions` holds what it answers without one
(positions, open orders …): the answers of one kind end in the order in which they were asked for, and the
rows between two ends are one complete answer, whoever is waiting for it.

Every entry ends: by its answer, by a refusal, by the time-out, or because the link went.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from tws.errors import DecodeError, RequestTimeoutError

__all__ = ["Questions", "Reply", "Requests"]

T = TypeVar("T")


class Reply(asyncio.Future[T]):
    """The answer to a request that has been sent.

    Awaiting it raises what went wrong. It may be dropped: an exception that nobody looks at warns of
    nothing. Cancelling it (as `asyncio.wait_for` does) also ends the request at TWS where TWS can end it.
    """

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        super().set_exception(exception)
        self.exception()  # seen: asyncio keeps quiet when the reply is dropped


class _Entry:
    """One question: its reply, the rows so far, and how they become the answer."""

    __slots__ = ("finish", "is_late", "name", "passed", "reply", "rows", "timer", "torn", "withdraw")

    def __init__(
        self,
        reply: Reply[Any],
        name: str,
        finish: Callable[[list[Any]], Any],
        withdraw: Callable[[], object] | None = None,
    ) -> None:
        self.reply = reply
        self.name = name
        self.rows: list[Any] = []
        self.finish = finish
        self.withdraw = withdraw
        self.timer: asyncio.TimerHandle | None = None
        self.torn = False
        """Whether one of its rows could not be read: then the rest is no complete answer."""
        self.is_late = False
        """Whether its time was out before its answer came."""
        self.passed = False
        """Whether an answer that may have been its own was taken for that of an earlier, late one."""

    def answer(self, rows: list[Any]) -> None:
        self._stop()
        if self.torn:
            self.fail(DecodeError(f"{self.name}: a row of the answer could not be read"))
        if not self.reply.done():
            try:
                self.reply.set_result(self.finish(rows))
            except Exception as error:  # the caller's line is the place where an unreadable answer belongs
                self.reply.set_exception(error)

    def fail(self, error: BaseException) -> None:
        self._stop()
        if not self.reply.done():
            self.reply.set_exception(error)

    def drop(self) -> None:
        """Nobody has the reply: forget it."""
        self._stop()

    def _stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()


class Pace(Protocol):
    """The wire, as far as requests wait for it."""

    def waits(self, request_id: int) -> bool: ...
    def withdraw(self, request_id: int) -> bool: ...
    def over(self, request_id: int, failed: bool) -> None: ...


class Requests:
    """What TWS answers by id. `timeout_s` bounds each, from when it has left."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._open: dict[int, _Entry] = {}
        self._pace: Pace | None = None

    def on_wire(self, pace: Pace) -> None:
        """Set once, by whoever builds both."""
        self._pace = pace

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, request_id: int) -> bool:
        return request_id in self._open

    def add(
        self,
        request_id: int,
        name: str,
        finish: Callable[[list[Any]], T],
        withdraw: Callable[[], object] | None = None,
    ) -> Reply[T]:
        """A new entry. `finish` turns the rows into the answer, `withdraw` tells TWS that nobody waits any
        more.
        """
        loop = asyncio.get_running_loop()
        reply: Reply[T] = Reply(loop=loop)
        entry = _Entry(reply, name, finish, withdraw)
        entry.timer = loop.call_later(self._timeout_s, self._late, request_id)
        self._open[request_id] = entry
        reply.add_done_callback(lambda done: self._abandoned(request_id) if done.cancelled() else None)
        return reply

    def ask(
        self,
        request_id: int,
        name: str,
        finish: Callable[[list[Any]], T],
        send: Callable[[], object],
        withdraw: Callable[[], object] | None = None,
    ) -> Reply[T]:
        """`add`, then `send`; an exception of `send` leaves no entry behind."""
        reply = self.add(request_id, name, finish, withdraw)
        try:
            send()
        except BaseException:
            self._forget(request_id)
            raise
        return reply

    def unless(self, request_id: int, withdraw: Callable[[], object]) -> None:
        """What is to be done should its caller not wait for the answer."""
        self._open[request_id].withdraw = withdraw

    def allow(self, request_id: int, at_least_s: float) -> None:
        """Give one request more time than the others, since TWS itself takes it."""
        entry = self._open[request_id]
        if at_least_s > self._timeout_s and entry.timer is not None:
            entry.timer.cancel()
            entry.timer = asyncio.get_running_loop().call_later(at_least_s, self._late, request_id)

    def finisher(self, request_id: int) -> Callable[[list[Any]], Any] | None:
        """What will turn the rows of this request into its answer; None when nobody asked."""
        entry = self._open.get(request_id)
        return None if entry is None else entry.finish

    def row(self, request_id: int, row: Any) -> bool:
        """One row of an answer; False when nobody asked for it."""
        entry = self._open.get(request_id)
        if entry is None:
            return False
        entry.rows.append(row)
        return True

    def spoil(self, request_id: int, error: BaseException) -> None:
        """A message of the answer could not be read, so the whole will not come: who waits is told, and TWS
        that nobody does any more.
        """
        entry = self._open.get(request_id)
        if entry is not None:
            self.fail(request_id, error)
            _tell(entry.withdraw)

    def tear(self, name: str) -> None:
        """A row of the answers of this name could not be read."""
        for entry in self._open.values():
            entry.torn = entry.torn or entry.name == name

    def over(self, request_id: int, failed: bool) -> None:
        """TWS has ended a request, be it one of ours or of the official client's user."""
        if self._pace is not None:
            self._pace.over(request_id, failed)

    def end(self, request_id: int) -> bool:
        """The answer is complete."""
        self.over(request_id, False)
        entry = self._open.pop(request_id, None)
        if entry is None:
            return False
        entry.answer(entry.rows)
        return True

    def fail(self, request_id: int, error: BaseException) -> bool:
        """TWS has refused it."""
        self.over(request_id, True)
        entry = self._open.pop(request_id, None)
        if entry is None:
            return False
        entry.fail(error)
        return True

    def fail_all(self, error: Callable[[], BaseException]) -> None:
        entries, self._open = list(self._open.values()), {}
        for entry in entries:
            entry.fail(error())

    def forget_all(self) -> None:
        """Their loop has closed."""
        self._open.clear()

    def _forget(self, request_id: int) -> None:
        entry = self._open.pop(request_id, None)
        if entry is not None:
            entry.drop()

    def _late(self, request_id: int) -> None:
        entry = self._open.get(request_id)
        if entry is None:
            return
        if self._pace is not None and self._pace.waits(request_id):
            # It has not left yet: TWS's limits keep it back, and its time begins when it leaves.
            loop = asyncio.get_running_loop()
            entry.timer = loop.call_later(self._timeout_s, self._late, request_id)
            return
        del self._open[request_id]
        entry.fail(RequestTimeoutError(f"{entry.name}: no answer within {self._timeout_s:g} s"))
        _tell(entry.withdraw)

    def _abandoned(self, request_id: int) -> None:
        entry = self._open.pop(request_id, None)
        if entry is not None:
            entry.fail(asyncio.CancelledError())
            if self._pace is None or not self._pace.withdraw(request_id):
                _tell(entry.withdraw)


class Questions:
    """What TWS answers without an id: one queue of waiting callers, and one list of rows, for each kind of
    end.

    A caller whose time is out stays in the queue as a shadow, since the end of its answer may still come and
    must not be taken for the end of a later one; a shadow dies with the second time-out, or with the first
    when an end has gone to an earlier shadow meanwhile: else one answer that TWS has lost would leave each
    later question without its own. Rows are collected from end to end, so each answer is complete even if it
    was asked for by someone else.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._waiting: dict[str, deque[_Entry]] = {}
        self._rows: dict[str, list[Any]] = {}

    def add(self, kind: str, name: str, finish: Callable[[list[Any]], T]) -> Reply[T]:
        loop = asyncio.get_running_loop()
        reply: Reply[T] = Reply(loop=loop)
        entry = _Entry(reply, name, finish)
        queue = self._waiting.setdefault(kind, deque())
        if not queue:
            self._rows[kind] = []
        entry.timer = loop.call_later(self._timeout_s, self._late, kind, entry)
        queue.append(entry)
        return reply

    def ask(
        self, kind: str, name: str, finish: Callable[[list[Any]], T], send: Callable[[], object]
    ) -> Reply[T]:
        """`add`, then `send`; an exception of `send` leaves no entry behind."""
        reply = self.add(kind, name, finish)
        try:
            send()
        except BaseException:
            self._waiting[kind].pop().drop()
            raise
        return reply

    def row(self, kind: str, row: Any) -> None:
        """One row; kept only while somebody waits, so an unsolicited stream costs nothing."""
        if self._waiting.get(kind):
            self._rows[kind].append(row)

    def end(self, kind: str) -> list[Any] | None:
        """The oldest question of the kind is answered; gives its rows, None when nobody had asked or a row
        could not be read.
        """
        queue = self._waiting.get(kind)
        if not queue:
            return None
        rows, self._rows[kind] = self._rows[kind], []
        oldest = queue.popleft()
        oldest.answer(rows)
        if oldest.is_late:
            for entry in queue:
                entry.passed = True
        return None if oldest.torn else rows

    def tear(self, kind: str) -> None:
        """A row of this kind could not be read: it was of the oldest question's answer."""
        queue = self._waiting.get(kind)
        if queue:
            queue[0].torn = True

    def fail(self, kind: str, error: BaseException) -> bool:
        """The oldest question of the kind was refused."""
        queue = self._waiting.get(kind)
        if not queue:
            return False
        queue.popleft().fail(error)
        return True

    def waits(self, kind: str) -> bool:
        return bool(self._waiting.get(kind))

    def fail_all(self, error: Callable[[], BaseException]) -> None:
        for queue in self._waiting.values():
            while queue:
                queue.popleft().fail(error())
        self._rows.clear()

    def forget_all(self) -> None:
        """Their loop has closed."""
        self._waiting.clear()
        self._rows.clear()

    def _late(self, kind: str, entry: _Entry) -> None:
        entry.is_late = True
        if not entry.reply.done():
            entry.reply.set_exception(
                RequestTimeoutError(f"{entry.name}: no answer within {self._timeout_s:g} s")
            )
        if entry.passed:
            self._bury(kind, entry)
        else:
            entry.timer = asyncio.get_running_loop().call_later(self._timeout_s, self._bury, kind, entry)

    def _bury(self, kind: str, entry: _Entry) -> None:
        queue = self._waiting.get(kind)
        if queue and entry in queue:
            queue.remove(entry)


def _tell(withdraw: Callable[[], object] | None) -> None:
    if withdraw is None:
        return
    try:
        withdraw()
    except Exception:  # the link may be gone meanwhile; nobody waits, so nobody needs to hear of it
        return
