"""Cuts the stream of a session into frames, and takes the usual ticks in place, for speed alone.

`Walker` cuts: what is no usual tick is handed on as a payload, in its place in the stream. Two kinds of it
know the ticks of one encoding each: `tws.connection.hearing.ticks_text` to server version 205, and
`tws.connection.hearing.ticks_protobuf` from 206 on. "Usual" is narrow: a tick of an open stream whose every
byte is as TWS writes it. A strange number, an empty size, a field more or less, another message: all that
goes to the careful reading (`tws.wire`), so a mistake here can cost time, not truth; a property test holds
the two readings equal for any chunks.

What recurs is read once. `Heads` keeps what the beginning of a tick means (stream, field, length); small
tables keep numbers and texts that were met as bytes. Each table has a bound and begins anew at it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from tws.connection.streaming.streams import Stamp, Stream
from tws.errors import FrameError
from tws.wire.framing import MAX_LENGTH

__all__ = ["BOUND", "LARGEST", "NAN", "Heads", "Walker", "float_of", "keep", "kept_decimal", "kept_float"]

BOUND = 1 << 14
"""Entries of a table: some thousand prices and sizes are in use at a time; more would only cost memory (a
full table holds about 2 MB)."""

LARGEST = 1e9
"""Beyond it a number may be a sentinel for "unset", which the careful reading knows; nan fails the test
too."""

NAN = float("nan")
_MOST_DIGITS = 20
T = TypeVar("T")
Heads: TypeAlias = dict[bytes, tuple[Any, ...]]
"""What beginnings of ticks mean; emptied whenever a stream comes or goes (`Quotes`)."""


class Walker:
    """Cuts one session's stream. Holds at most one unfinished frame; a frame of many chunks costs no more
    than one of a few. By itself it takes nothing in place.

    `streams` are the open ones by request id; `isolate(callback, …)` calls a user's function and logs its
    fault.
    """

    def __init__(
        self, streams: dict[int, Stream], heads: Heads, stamp: Stamp, isolate: Callable[..., None]
    ) -> None:
        self._streams = streams
        self._heads = heads
        self._stamp = stamp
        self._isolate = isolate
        self._parts: list[bytes] = []
        self._wanted = 4
        """How many bytes must be there before it is worth while to look."""
        self.pending = 0
        """Bytes that wait for the rest of their frame."""

    def feed(self, data: bytes, other: Callable[[bytes], object]) -> None:
        """Read what has come, in any chunks; `other` gets each payload that was not taken in place.

        Raises FrameError at a length out of bounds, after everything before it was handed out.
        """
        if self._parts:
            self._parts.append(data)
            self.pending += len(data)
            if self.pending < self._wanted:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        self.pending, self._wanted = 0, 4
        position, end = 0, len(data)
        while True:
            position = self._take(data, position, end)
            if end - position < 4:
                break
            size = int.from_bytes(data[position : position + 4], "big")
            if not 0 < size <= MAX_LENGTH:
                raise FrameError(f"a frame of {size} bytes is announced, 1 to {MAX_LENGTH} are allowed")
            stop = position + 4 + size
            if stop > end:
                self._wanted = 4 + size
                break
            other(data[position + 4 : stop])
            position = stop
        if position < end:
            self._parts.append(data[position:])
            self.pending = end - position

    def _take(self, data: bytes, position: int, end: int) -> int:
        """Take the usual ticks that stand at `position`; where the first other frame begins."""
        return position


def kept_float(raw: bytes, table: dict[bytes, float]) -> float | None:
    """A plainly written number of usual size, put into the table; None for any other."""
    if raw.isdigit() and len(raw) < 10:
        value = float(raw)
    else:
        if len(raw) > _MOST_DIGITS or raw.translate(None, b"0123456789.-"):
            return None  # an exponent, a blank, an underscore: whether it may stand there the codec knows
        try:
            value = float(raw)
        except ValueError:
            return None
        if not -LARGEST < value < LARGEST:
            return None
    if len(table) >= BOUND:
        table.clear()
    table[raw] = value
    return value


def float_of(raw: bytes) -> float | None:
    """The same without a table."""
    return kept_float(raw, {})


def kept_decimal(raw: bytes, table: dict[bytes, Decimal]) -> Decimal | None:
    """The same as a decimal."""
    return None if float_of(raw) is None else keep(table, raw, Decimal(raw.decode()))


def keep(table: dict[bytes, T], raw: bytes, value: T) -> T:
    """Put what was read into a table; gives it back."""
    if len(table) >= BOUND:
        table.clear()
    table[raw] = value
    return value
