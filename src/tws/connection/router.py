"""Walks received bytes frame by frame and gives each message to whoever decodes it.

One choice per message (`READERS`): `wire` walks ticks in place and decodes the other frequent ones, the
official Decoder reads all the rest. A frame that can't be read is kept raw, logged and skipped; a length out
of bounds
ends the session, since nothing behind it can be trusted. When the fact lane is full, what is left of the
received
chunk is held, message by message, until there is room (ticks, which are no facts, pass).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from enum import Enum
from typing import Any

from tws.connection.answers import Answers
from tws.connection.ticks import Ticks
from tws.errors import DecodeError
from tws.log import get_logger
from tws.wire import codec
from tws.wire.messages import (
    ExecutionDetails,
    HistoricalData,
    OrderStatus,
    TickByTickData,
    TickGeneric,
    TickPrice,
    TickSize,
    TickString,
)

__all__ = ["READERS", "Reader", "Router", "Unreadable"]

log = get_logger("tws.connection")


class Reader(Enum):
    """Who decodes a message."""

    PLACE = "tws.connection.ticks in place; the unusual ones tws.wire.codec"
    WIRE = "tws.wire.codec"
    OFFICIAL = "the official Decoder"


READERS: dict[int, Reader] = {
    **dict.fromkeys(range(1, 112), Reader.OFFICIAL),
    1: Reader.PLACE,
    2: Reader.PLACE,
    45: Reader.WIRE,
    46: Reader.WIRE,
    3: Reader.WIRE,
    11: Reader.WIRE,
    17: Reader.WIRE,
    99: Reader.WIRE,
}
"""Each answer of TWS by its number (official client, message.IN) and who decodes it: the one table."""

_REPORTS_PER_ID = 3  # one broken message type would flood the log
_KEPT = 16


class Unreadable(DecodeError):
    """A frame that nobody could read. `payload` is raw."""

    def __init__(self, message_id: int, reason: str, payload: bytes) -> None:
        super().__init__(reason, payload)
        self.message_id = message_id


class Router:
    """See the module. `decoder` is the official one; `full` says whether the fact lane is at its bound."""

    def __init__(self, answers: Answers, decoder: Any, full: Callable[[], bool]) -> None:
        self._decoder = decoder
        self._full = full
        self._version = 0
        self._answers = answers
        self._walker = self._new_walker()
        self._open = False
        self._held: deque[bytes] = deque()
        self._walking = False
        self._reports: Counter[int] = Counter()
        self.unreadable: deque[Unreadable] = deque(maxlen=_KEPT)
        """The last frames that nobody could read, for a report."""
        self.taps: tuple[Callable[[int, bytes], None], ...] = ()
        """Who else wants every message that is no tick of a stream, as (id, payload), for
        `TWSConnection.attach`.
        """
        self._wire: dict[type, Callable[[Any], None]] = {
            TickPrice: answers.take_tick_price,
            TickSize: answers.take_tick_size,
            TickGeneric: answers.take_tick_value,
            TickString: answers.take_tick_value,
            OrderStatus: answers.take_order_status,
            ExecutionDetails: answers.take_execution,
            HistoricalData: answers.take_bars,
            TickByTickData: answers.take_tick_by_tick,
        }

    def begin(self, server_version: int) -> None:
        """A session begins: its version, nothing held, no streams."""
        self._version = server_version
        self._decoder.serverVersion = server_version
        self._walker = self._new_walker()
        self._open = True
        self._held.clear()

    def end(self) -> None:
        """The session is over: what its callbacks left unread is no longer heard."""
        self._open = False
        self._held.clear()

    def _new_walker(self) -> Ticks:
        return Ticks(self._answers.quotes, self._answers.stamp, self._answers.lanes.isolate)

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
        number = -1
        try:
            head, _, rest = payload.partition(b"\0")
            number = int(head)
            if self.taps:
                self._tap(number, payload)
            reader = READERS.get(number)
            if reader is None:
                raise DecodeError(f"message {number} is unknown", payload)
            if reader is Reader.OFFICIAL:
                self._decoder.interpret(tuple(rest.split(b"\0")[:-1]), number)
            else:
                message = codec.decode_answer(payload, self._version)
                self._wire[type(message)](message)
        except Exception as error:  # one unreadable frame never ends a session (INCIDENTS.md, pain 3)
            self._report(number, payload, error)

    def _tap(self, number: int, payload: bytes) -> None:
        for tap in self.taps:
            tap(number, payload)

    def _report(self, number: int, payload: bytes, error: Exception) -> None:
        reason = f"message {number}: {type(error).__name__}: {error}"
        self.unreadable.append(Unreadable(number, reason, payload))
        self._reports[number] += 1
        if self._reports[number] <= _REPORTS_PER_ID:
            # the payload may hold an account id: it is kept for a report, not logged
            log.warning(
                "unreadable message, skipped",
                message=number,
                bytes=len(payload),
                version=self._version,
                error=type(error).__name__,
            )
