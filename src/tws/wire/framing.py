"""Frames: a 4-byte big-endian length, then so many bytes of payload. Both directions, every version (F1).

`FrameDecoder` takes the stream in any chunks and gives whole payloads. A length of zero or beyond
the bound means that the stream is not ours or has lost its step: nothing behind it can be trusted.
"""

from __future__ import annotations

from tws.errors import FrameError

__all__ = ["MAX_LENGTH", "FrameDecoder", "frame"]

MAX_LENGTH = 16 * 2**20
"""The longest payload in bytes. The official client refuses more than 2**24 - 1 (its MAX_MSG_LEN)."""


def frame(payload: bytes) -> bytes:
    """The payload with its length in front. Raises FrameError for an empty or oversized payload."""
    size = len(payload)
    if not 0 < size <= MAX_LENGTH:
        raise FrameError(f"a payload of {size} bytes can't be framed: 1 to {MAX_LENGTH} are allowed")
    return size.to_bytes(4, "big") + payload


class FrameDecoder:
    """Cuts a byte stream into payloads, whatever its chunks are. Holds at most one unfinished frame."""

    def __init__(self, max_length: int = MAX_LENGTH) -> None:
        self._max_length = max_length
        self._rest = b""

    @property
    def pending(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes, in order.

        Raises FrameError at a length out of bounds. When whole payloads stand before the bad length they
        are returned first, and the next call (`feed(b"")` will do) raises.
        """
        buffer = self._rest + data if self._rest else data
        payloads: list[bytes] = []
        start, end = 0, len(buffer)
        while end - start >= 4:
            size = int.from_bytes(buffer[start : start + 4], "big")
            if not 0 < size <= self._max_length:
                self._rest = buffer[start:]
                if payloads:
                    return payloads
                raise FrameError(f"frame of {size} bytes announced, 1 to {self._max_length} are allowed "
                                 f"(next bytes {buffer[start:start + 16]!r})")
            stop = start + 4 + size
            if stop > end:
                break
            payloads.append(buffer[start + 4 : stop])
            start = stop
        self._rest = buffer[start:] if start else buffer
        return payloads

    def release(self) -> bytes:
        """Give up what is pending: the caller reads the stream on by itself."""
        rest, self._rest = self._rest, b""
        return rest
