"""Walks received bytes frame by frame and gives each message to whoever reads it.

The usual ticks are read in place (`tws.connection.hearing.ticks`), orders and their statuses by what recurs
in them (`recurring`), historical bars by columns (`bars`); every other message is decoded by `tws.wire`, in
text or protobuf as its id says. Each goes to its handler (`Answers.handlers`). A frame that can't be read is
kept raw, logged and skipped; a length out of bounds ends the session, since nothing behind it can be trusted.
When the fact lane is full, what is left of the received chunk is held, message by message, until there is
room (ticks, which are no facts, pass)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from functools import cache

from tws.connection.hearing.answers import Answers
from tws.connection.hearing.bars import BarsReader
from tws.connection.hearing.recurring import Recurring
from tws.connection.hearing.ticks import Walker
from tws.connection.hearing.ticks_protobuf import ProtobufTicks
from tws.connection.hearing.ticks_text import TextTicks
from tws.errors import DecodeError
from tws.log import get_logger
from tws.wire import codec
from tws.wire.messages import (
    CommissionAndFeesReport,
    CompletedOrdersEnd,
    CurrentTime,
    ErrorMessage,
    ExecutionDetails,
    ExecutionDetailsEnd,
    ManagedAccounts,
    NextValidId,
    OpenOrder,
    OpenOrdersEnd,
    OrderStatus,
    Position,
    PositionEnd,
)
from tws.wire.thresholds import ANSWERS as MARKS
from tws.wire.thresholds import RAW_ID

__all__ = ["Router", "Unreadable"]

log = get_logger("tws.connection")

_REPORTS_PER_ID = 3  # one broken message type would flood the log
_KEPT = 16


class Unreadable(DecodeError):
    """A frame that nobody could read. `payload` is raw."""


class Router:
    """See the module. `full` says whether the fact lane is at its bound."""

    def __init__(self, answers: Answers, full: Callable[[], bool]) -> None:
        _prepare()
        self._full = full
        self._version = 0
        self._answers = answers
        self._walker = self._new_walker()
        self._readers: dict[bytes, Callable[[bytes], object]] = {}
        self._width = 0
        self._open = False
        self._held: deque[bytes] = deque()
        self._walking = False
        self._reports: Counter[str] = Counter()
        self.unreadable: deque[Unreadable] = deque(maxlen=_KEPT)
        """The last frames that nobody could read, for a report."""
        self.unheard: Counter[str] = Counter()
        """Messages that can be read and that no family hears, by their class."""
        self.taps: tuple[Callable[[bytes], None], ...] = ()
        """Who else wants every payload that is no tick of a stream, for `TWSConnection.attach`."""

    def begin(self, server_version: int) -> None:
        """A session begins: its version, nothing held, no streams."""
        self._version = server_version
        self._walker = self._new_walker()
        self._readers = {
            **Recurring(server_version).readers,
            **BarsReader(server_version, self._answers.requests).readers,
        }
        self._width = len(next(iter(self._readers), b""))
        self._open = True
        self._held.clear()

    def end(self) -> None:
        """The session is over: what its callbacks left unread is no longer heard."""
        self._open = False
        self._held.clear()

    def _new_walker(self) -> Walker:
        version, answers = self._version, self._answers
        kind = ProtobufTicks if version >= MARKS[1] else TextTicks if version < RAW_ID else Walker
        return kind(answers.subscriptions.streams, answers.quotes.heads, answers.stamp, answers.lanes.isolate)

    @property
    def pending(self) -> int:
        """Bytes that were received and not yet acted upon."""
        return self._walker.pending + sum(len(payload) + 4 for payload in self._held)

    def feed(self, data: bytes) -> bool:
        """Walk what came. False: the fact lane is full, stop reading and call `go_on` when it is not.

        Raises FrameError when the stream has lost its step.
        """
        self._walker.feed(data, self.take_or_hold)
        return not self._held and not self._full()

    def take_or_hold(self, payload: bytes) -> None:
        """One whole message: taken, or held behind those that wait because the fact lane is full."""
        if not self._open:
            return
        if self._held or self._walking or self._full():
            self._held.append(payload)
        else:
            self.take(payload)

    def go_on(self, *, to_the_end: bool = False) -> bool:
        """Take what is held; `to_the_end` even if the lane is full, because the link is gone."""
        if self._walking:
            return True  # a listener drained its lane while we walk: the walk below goes on by itself
        self._walking = True
        try:
            while self._held and (to_the_end or not self._full()):
                self.take(self._held.popleft())
        finally:
            self._walking = False
        return not self._held

    def take(self, payload: bytes) -> None:
        """One whole message. Never raises: what can't be read is reported and skipped."""
        try:
            for tap in self.taps:
                tap(payload)
            reader = self._readers.get(payload[: self._width])
            message = None if reader is None else reader(payload)
            if message is None:
                message = codec.decode_answer(payload, self._version, lenient=True)
            handler = self._answers.handlers.get(type(message))
            if handler is not None:
                handler(message)
            elif isinstance(message, codec.Unknown) and not self.taps:
                raise DecodeError(f"message {message.message_id} is unknown", payload)
            else:
                self.unheard[type(message).__name__] += 1
        except Exception as error:  # one unreadable frame never ends a session (INCIDENTS.md, pain 3)
            self._report(payload, error)

    def _report(self, payload: bytes, error: Exception) -> None:
        name = codec.name_of(payload, self._version)
        self.unreadable.append(Unreadable(f"{name}: {type(error).__name__}: {error}", payload))
        self._reports[name] += 1
        if self._reports[name] <= _REPORTS_PER_ID:
            # the payload may hold an account id: it is kept for a report, not logged
            log.warning(
                "unreadable message, skipped",
                message=name,
                bytes=len(payload),
                version=self._version,
                error=type(error).__name__,
            )
        version = self._version
        self._answers.unreadable(name, codec.answer_id(payload, version), codec.request_id(payload, version))


@cache
def _prepare() -> None:
    """Make the readers of what each session hears, once for the process: some take milliseconds, which no
    connect and no first order should wait for. Text has none to make before its version is known.
    """
    from tws.wire import protobuf  # here, because the import of this package loads no protobuf

    for message in _HEARD:
        protobuf.decoder(message)


_HEARD = (
    NextValidId,
    ManagedAccounts,
    ErrorMessage,
    CurrentTime,
    OpenOrder,
    OrderStatus,
    OpenOrdersEnd,
    CompletedOrdersEnd,
    ExecutionDetails,
    ExecutionDetailsEnd,
    CommissionAndFeesReport,
    Position,
    PositionEnd,
)
