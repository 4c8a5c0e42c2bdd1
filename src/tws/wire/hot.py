"""The fast way for ticks: walks a received buffer in place and hands each tick to its request's handler.

Ticks (1 price, 2 size, 45 number, 46 text) are by far the most frequent messages, and their layout is the
same from server version 157 to 200. A tick that came before, byte for byte, is found in a bounded cache
instead of being read again: prices move little, so most are. Everything else, and every tick that has no
handler or can't be read strictly, is handed on untouched as a payload, in its place in the stream, for
`codec` to judge. Numbers are floats here (market data is analysed, not booked).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tws.errors import FrameError
from tws.wire.framing import MAX_LENGTH
from tws.wire.kinds import UNSET_DECIMALS, read_float, read_int, read_int0, read_text

__all__ = ["CACHE_SIZE", "TickHandler", "TickWalker"]

CACHE_SIZE = 8192
"""Ticks remembered, about 3 MB; emptied when full. That is 80 ticks for each of TWS's 100 default streams."""

Tick: TypeAlias = tuple[bytes, int, float | str | None, float | None, int]
TickHandler: TypeAlias = Callable[[int, float | str | None, float | None, int], object]
"""Called with tick type, value, size, attribute mask. A price tick has value and size (None when unset), a
size tick
no value, a number or text tick no size. The tick type says which it is (TWS-BEHAVIOUR.md E)."""

_KINDS = frozenset((b"1\0", b"2\0", b"45", b"46"))


class TickWalker:
    """Reads the stream of one session. Holds at most one unfinished frame and `CACHE_SIZE` ticks."""

    def __init__(self, max_length: int = MAX_LENGTH) -> None:
        self._handlers: dict[bytes, TickHandler] = {}
        self._seen: dict[bytes, Tick] = {}
        self._max_length = max_length
        self._rest = b""

    @property
    def pending(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return len(self._rest)

    def subscribe(self, req_id: int, handler: TickHandler) -> None:
        """From now on ticks of this request go to `handler`."""
        self._handlers[b"%d" % req_id] = handler

    def drop(self, req_id: int) -> None:
        """Ticks of this request are payloads like any other again."""
        self._handlers.pop(b"%d" % req_id, None)

    def feed(self, data: bytes, other: Callable[[bytes], object]) -> int:
        """Walk what has come, in any chunks; `other` gets each payload that is no handled tick.

        Returns the number of ticks handled. Raises FrameError at a length out of bounds, after everything
        before it was handed out. An exception of a handler passes through; the stream continues behind its
        frame at the next call.
        """
        buffer = self._rest + data if self._rest else data
        start, end, ticks = 0, len(buffer), 0
        number, seen, read, longest = int.from_bytes, self._seen.get, self._read, self._max_length
        handlers = self._handlers
        try:
            while end - start >= 4:
                begin = start + 4
                size = number(buffer[start:begin], "big")
                stop = begin + size
                if not 0 < size <= longest:
                    raise FrameError(f"frame of {size} bytes announced, 1 to {longest} are allowed")
                if stop > end:
                    break
                payload = buffer[begin:stop]
                start = stop
                tick = seen(payload)
                if tick is None and payload[:2] in _KINDS:
                    tick = read(payload)
                if tick is not None:
                    req_id, tick_type, value, amount, mask = tick
                    handler = handlers.get(req_id)
                    if handler is not None:
                        handler(tick_type, value, amount, mask)
                        ticks += 1
                        continue
                other(payload)
        finally:
            self._rest = buffer[start:]
        return ticks

    def _read(self, payload: bytes) -> Tick | None:
        """A tick that is not in the cache; None when it is none or can't be read.

        The usual price tick takes the short way.
        """
        fields = payload.split(b"\0")
        tick: Tick | None = None
        try:
            if len(fields) == 8 and fields[0] == b"1" and b"_" not in payload:
                _, _, req_id, kind, price, size, mask, end = fields
                if kind in _SMALL and mask in _SMALL and not end:
                    value, amount = float(price), float(size)
                    if -_USUAL < value < _USUAL and -_USUAL < amount < _USUAL:  # no sentinel, no nan
                        tick = req_id, _SMALL[kind], value, amount, _SMALL[mask]
        except ValueError:
            pass
        try:
            tick = tick or _parse(fields)
        except ValueError:
            return None
        if len(self._seen) >= CACHE_SIZE:
            self._seen.clear()
        self._seen[payload] = tick
        return tick


_SMALL = {b"%d" % n: n for n in range(128)}
_USUAL = 1e9


def _parse(fields: list[bytes]) -> Tick:
    """Any tick, strictly: message id, version, request, type, what the id wants, and the end behind the
    last NUL.
    """
    kind, _, req_id, tick_type, value, *rest = fields
    if kind == b"1":
        size, mask, end = rest
        if not end:
            amount = None if size in UNSET_DECIMALS else read_float(size)
            return req_id, read_int(tick_type), read_float(value), amount, read_int0(mask)
    elif rest == [b""]:
        if kind == b"2":
            amount = None if value in UNSET_DECIMALS else read_float(value)
            return req_id, read_int(tick_type), None, amount, 0
        if kind == b"45":
            return req_id, read_int(tick_type), read_float(value), None, 0
        if kind == b"46":
            return req_id, read_int(tick_type), read_text(value), None, 0
    raise ValueError("is no tick")
