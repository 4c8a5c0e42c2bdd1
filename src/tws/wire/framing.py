"""Frames: a 4-byte big-endian length, then so many bytes of payload. Both directions, every version (F1).

`FrameDecoder` takes the stream in any chunks and gives whole payloads. A length of zero or beyond
the bound means that the stream is not ours or has lost its step: nothing behind it can be trusted.
"""

from __future__ import annotations

from tws.errors import FrameError
from tws.wire.thresholds import PROTOBUF_OFFSET

__all__ = ["MAX_LENGTH", "FrameDecoder", "frame", "frame_id"]

MAX_LENGTH = 16 * 2**20
"""The longest payload in bytes. The official client refuses more than 2**24 - 1 (its MAX_MSG_LEN)."""


def frame(payload: bytes) -> bytes:
    """The payload with its length in front. Raises FrameError for an empty or oversized payload."""
    size = len(payload)
    if not 0 < size <= MAX_LENGTH:
        raise FrameError(f"a payload of {size} bytes can't be framed: 1 to {MAX_LENGTH} are allowed")
    return size.to_bytes(4, "big") + payload


def frame_id(frame: bytes) -> int | None:
    """The message id of a frame with its length prefix, in any of its forms; None when it has none.

    Text begins with the id in digits and a NUL; from server version 201 on four bytes hold the id,
    plus 200 when the body is protobuf (TWS-BEHAVIOUR.md F1).
    """
    head = bytes(frame[4:8])
    if head[:1] == b"\0":
        number = int.from_bytes(head, "big") if len(head) == 4 else -1
        return number - PROTOBUF_OFFSET if number > PROTOBUF_OFFSET else number
    digits = bytes(frame[4:24]).split(b"\0", 1)[0]
    try:
        return int(digits)  # as lenient as a reader may be: a sign or a blank hides nothing
    except ValueError:
        return None


class FrameDecoder:
    """Cuts a byte stream into payloads, whatever its chunks are. Holds at most one unfinished frame, and a
    frame of many chunks costs no more than one of a few.
    """

    def __init__(self, max_length: int = MAX_LENGTH) -> None:
        self._max_length = max_length
        self._rest = bytearray()

    @property
    def pending(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes, in order.

        Raises FrameError at a length out of bounds. When whole payloads stand before the bad length they
        are returned first, and the next call (`feed(b"")` will do) raises.
        """
        rest = self._rest
        if not rest:
            payloads, start = self._cut(data)
            rest += data[start:]
            return payloads
        rest += data
        if 4 + int.from_bytes(rest[:4], "big") > len(rest) >= 4 and self._is_length(rest[:4]):
            return []
        payloads, start = self._cut(bytes(rest))
        del rest[:start]
        return payloads

    def _is_length(self, head: bytes | bytearray) -> bool:
        return 0 < int.from_bytes(head, "big") <= self._max_length

    def _cut(self, buffer: bytes) -> tuple[list[bytes], int]:
        """The whole payloads of a buffer, and where the unfinished one begins."""
        payloads: list[bytes] = []
        start, end = 0, len(buffer)
        while end - start >= 4:
            size = int.from_bytes(buffer[start : start + 4], "big")
            if not 0 < size <= self._max_length:
                if payloads:
                    return payloads, start
                self._rest[:] = buffer[start:]
                raise FrameError(f"frame of {size} bytes announced, 1 to {self._max_length} are allowed "
                                 f"(next bytes {buffer[start:start + 16]!r})")
            stop = start + 4 + size
            if stop > end:
                break
            payloads.append(buffer[start + 4 : stop])
            start = stop
        return payloads, start

    def release(self) -> bytes:
        """Give up what is pending: the caller reads the stream on by itself."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest
