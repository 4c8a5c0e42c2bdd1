"""A flood of ticks (1 price, 2 size) read in place and put into their streams, for speed alone.

The layouts are the same from server version 157 to 200 (TWS-BEHAVIOUR.md F6). A whole chunk is split at its
NULs once, in C: a frame whose length fits a byte then shows as three empty pieces, its length byte glued to
the message id, and its fields, so a tick is read by counting. Whatever does not look exactly like the usual
tick (another message, a strange number, an unfinished frame) is cut out by its length prefix and handed on
as a payload, in its place in the stream, and reading goes on behind it.

The loop is long because a call for each tick would cost more than the tick.
"""

from __future__ import annotations

from collections.abc import Callable

from tws.connection.streams import SIZE_OF, QuoteStream, Stamp
from tws.errors import FrameError
from tws.wire.framing import MAX_LENGTH

__all__ = ["Ticks"]

_PRICE, _SIZE = 1, 2
_HEADS = {bytes([length, 48 + kind]): kind for length in range(1, 256) for kind in (_PRICE, _SIZE)}
"""The length byte and the message id behind it, as one piece of the split."""
_FIELDS = {b"%d" % number: number for number in range(256)}
_MASKS = {b"%d" % mask for mask in range(8)}
# beyond it a number may be a sentinel for "unset", which the careful reading knows; nan fails the test too
_LARGEST = 1e9
_NAN = float("nan")


class Ticks:
    """Cuts the stream of one session. Holds at most one unfinished frame.

    `isolate(callback, …)` calls a user's function and logs its fault.
    """

    def __init__(self, streams: dict[bytes, QuoteStream], stamp: Stamp, isolate: Callable[..., None]) -> None:
        self._streams = streams
        self._stamp = stamp
        self._isolate = isolate
        self._rest = b""

    @property
    def pending(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return len(self._rest)

    def feed(self, data: bytes, other: Callable[[bytes], object]) -> None:
        """Read what has come, in any chunks; `other` gets each payload that is no usual tick of a stream.

        Raises FrameError at a length out of bounds, after everything before it was handed out.
        """
        buffer = self._rest + data if self._rest else data
        self._rest = b""
        position, end, piece = 0, len(buffer), 0
        pieces: list[bytes] | None = None
        while end - position >= 4:
            stop = position + 4 + int.from_bytes(buffer[position : position + 4], "big")
            if not position + 4 < stop <= position + 4 + MAX_LENGTH:
                raise FrameError(
                    f"a frame of {stop - position - 4} bytes is announced, 1 to {MAX_LENGTH} are allowed"
                )
            if stop > end:
                break
            if buffer[position + 3 : position + 6] in _TICK_STARTS:
                if pieces is None:
                    buffer, position, end, stop = buffer[position:], 0, end - position, stop - position
                    pieces = buffer.split(b"\0")
                before = position
                position, piece = self._run(pieces, piece, position)
                if position != before:
                    continue
            other(buffer[position + 4 : stop])
            if pieces is not None:
                piece += buffer.count(b"\0", position, stop)
            position = stop
        self._rest = buffer[position:]

    def _run(self, pieces: list[bytes], piece: int, position: int) -> tuple[int, int]:
        """Take the usual ticks that stand together; where the first other frame begins, in bytes and in
        pieces.
        """
        streams, heads, fields, masks, size_of = self._streams, _HEADS, _FIELDS, _MASKS, SIZE_OF
        now_ns, last = (
            self._stamp.now_ns,
            len(pieces) - 11,
        )  # a tick has at most ten pieces, and one is behind it
        while piece <= last:
            head = pieces[piece + 3]
            kind = heads.get(head)
            stream = streams.get(pieces[piece + 5])
            field = fields.get(pieces[piece + 6])
            if kind is None or stream is None or field is None or pieces[piece + 2]:
                break
            try:
                if kind == _PRICE:
                    price = float(pieces[piece + 7])
                    size = float(pieces[piece + 8])
                    if not (-_LARGEST < price < _LARGEST and -_LARGEST < size < _LARGEST):
                        break
                    if pieces[piece + 9] not in masks or pieces[piece + 10]:
                        break  # a field is missing, or there is one too many
                    stream.prices[field] = price
                    stream.sizes[size_of.get(field, field)] = size
                    piece += 10
                else:
                    size = float(pieces[piece + 7])
                    if pieces[piece + 8] or not -_LARGEST < size < _LARGEST:
                        break
                    price = _NAN
                    stream.sizes[field] = size
                    piece += 8
            except ValueError:
                break
            position += 4 + head[0]
            stream.count += 1
            stream.time_ns = now_ns
            if stream.dirty:
                stream.merged += 1
            else:
                stream.soil()
            for callback in stream.callbacks:
                try:
                    callback(field, price, size)
                except Exception as error:
                    self._isolate(_raise, error)
        return position, piece


_TICK_STARTS = {bytes([length, 48 + kind, 0]) for length in range(1, 256) for kind in (_PRICE, _SIZE)}


def _raise(error: Exception) -> None:
    raise error
