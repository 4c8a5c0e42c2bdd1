"""From one market update to the frames of every subscribed line: the hot path.

A tick (message 1, 2, 45 or 46) is a prefix that belongs to line and tick type plus a body that belongs to
the value, so a frame is two joined byte strings and a length from a table; bodies are cached by value.
That holds for text (to server version 205; from 201 the id is 4 bytes) and for protobuf (from 206),
whose fields may be serialized apart and joined: both kinds of bodies are written here by hand, and a test
holds these bytes equal to those of `tws.wire.codec`.

Which ticks an update brings: bid or ask whose price changed is message 1 with its size; whose size
alone changed is message 2; a print brings the last timestamp (45), last price and size, day volume (8),
and day high, low, open when they move (TWS-BEHAVIOUR.md E). A delayed line says the same under the
delayed ids (66 to 76, 88) and leaves out what has none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from tws.simulator.grid import Grid
from tws.simulator.market.base import MarketUpdate
from tws.simulator.tape import Tape

if TYPE_CHECKING:
    from tws.simulator.session import Session

__all__ = ["Bodies", "Line", "Lines", "Part", "bodies_of", "changes", "deliver", "send", "snapshot"]

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HIGH, LOW, VOLUME, CLOSE, OPEN = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14,
)  # fmt: skip
LAST_TIMESTAMP, SHORTABLE, RT_VOLUME, HALTED, RT_TRADE_VOLUME = 45, 46, 48, 49, 77

PRICES = (BID, ASK, LAST, HIGH, LOW, CLOSE, OPEN, 15, 16, 17, 18, 19, 20, 35, 37, 57, 78, 105, 106)
SIZES = (
    BID_SIZE, ASK_SIZE, LAST_SIZE, VOLUME, 21, 22, 27, 28, 29, 30, 34, 36, 61, 63, 64, 65, 86, 87, 89, 107,
    108,
)  # fmt: skip
GENERICS = (23, 24, 31, SHORTABLE, HALTED, 54, 55, 56, 58)
STRINGS = (32, 33, LAST_TIMESTAMP, 47, RT_VOLUME, 59, RT_TRADE_VOLUME, 84, 109, 110)

_MESSAGE = {
    **dict.fromkeys(PRICES, 1),
    **dict.fromkeys(SIZES, 2),
    **dict.fromkeys(GENERICS, 45),
    **dict.fromkeys(STRINGS, 46),
}
"""Message id of each tick type (E; the tick types of the official documentation)."""

DELAYED = {
    BID: 66, ASK: 67, LAST: 68, BID_SIZE: 69, ASK_SIZE: 70, LAST_SIZE: 71, HIGH: 72, LOW: 73, VOLUME: 74,
    CLOSE: 75, OPEN: 76, LAST_TIMESTAMP: 88, HALTED: 90,
}  # fmt: skip
"""The delayed id of each tick type that has one (E)."""

BINARY_FROM, SPLIT_FROM = 206, 201
"""Server versions from which ticks are protobuf, and from which a text's id is 4 bytes (F2)."""
PROTOBUF_OFFSET = 200

_LENGTHS = [n.to_bytes(4, "big") for n in range(8192)]
_CACHE = 50_000
K = TypeVar("K", int, float)

Part: TypeAlias = tuple[int, bytes]
"""A tick type and the rest of its payload behind it."""


class TextBodies:
    """Bodies as NUL-terminated text. Prices in currency, sizes in lots."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._sides: dict[int, bytes] = {}  # prices of quotes, by ticks
        self._prices: dict[float, bytes] = {}
        self._sizes: dict[int, bytes] = {}
        self._second = (0, b"")

    def quote(self, ticks: int, lots: int) -> bytes:
        """Bid or ask with its size; mask bit 0: can auto-execute. An empty side is -1."""
        if not lots:
            return self.price(-1.0, 0, 1)
        price = self._sides.get(ticks)
        if price is None:
            price = _keep(self._sides, ticks, _number(self.grid.price(ticks)) + b"\0")
        return price + (self._sizes.get(lots) or self.size(lots)) + b"1\0"

    def price(self, price: float, lots: int = 0, mask: int = 0) -> bytes:
        """Price, size and attributes of message 1."""
        number = self._prices.get(price)
        if number is None:
            number = _keep(self._prices, price, _number(price) + b"\0")
        return number + (self._sizes.get(lots) or self.size(lots)) + (b"1\0" if mask else b"0\0")

    def size(self, lots: int) -> bytes:
        """The size of message 2."""
        return self._sizes.get(lots) or _keep(self._sizes, lots, self.volume(lots))

    def volume(self, lots: int) -> bytes:
        """A size that hardly comes again."""
        return self.grid.size(lots) + b"\0"

    def second(self, second: int) -> bytes:
        """The text of a time, which many instruments say in a row."""
        if second != self._second[0]:
            self._second = (second, self.string(str(second)))
        return self._second[1]

    def generic(self, value: float) -> bytes:
        """The value of message 45."""
        return _number(value) + b"\0"

    def string(self, text: str) -> bytes:
        """The text of message 46 (ASCII without a backslash: nothing to escape)."""
        return text.encode() + b"\0"

    @staticmethod
    def prefix(message: int, req_id: int, kind: int, version: int) -> bytes:
        """What stands before the body."""
        if version >= SPLIT_FROM:
            return message.to_bytes(4, "big") + b"6\0%d\0%d\0" % (req_id, kind)
        return b"%d\x006\0%d\0%d\0" % (message, req_id, kind)


class BinaryBodies:
    """Bodies as serialized protobuf fields from number 3 on (F7)."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._sides: dict[int, bytes] = {}  # prices of quotes, by ticks
        self._sizes: dict[int, bytes] = {}
        self._fourth: dict[int, bytes] = {}  # sizes as the fourth field, beside a price
        self._second = (0, b"")

    def quote(self, ticks: int, lots: int) -> bytes:
        if not lots:
            return self.price(-1.0, 0, 1)
        price = self._sides.get(ticks)
        if price is None:
            price = _keep(self._sides, ticks, b"\x19" + _DOUBLE(self.grid.price(ticks)))
        return price + (self._fourth.get(lots) or self._beside(lots)) + b"\x28\x01"

    def price(self, price: float, lots: int = 0, mask: int = 0) -> bytes:
        return b"\x19%s%s\x28%c" % (_DOUBLE(price), self._fourth.get(lots) or self._beside(lots), mask)

    def _beside(self, lots: int) -> bytes:
        return _keep(self._fourth, lots, _text(4, self.grid.size(lots)))

    def size(self, lots: int) -> bytes:
        return self._sizes.get(lots) or _keep(self._sizes, lots, self.volume(lots))

    def volume(self, lots: int) -> bytes:
        return _text(3, self.grid.size(lots))

    def second(self, second: int) -> bytes:
        if second != self._second[0]:
            self._second = (second, self.string(str(second)))
        return self._second[1]

    def generic(self, value: float) -> bytes:
        return b"\x19" + _DOUBLE(value)

    def string(self, text: str) -> bytes:
        return _text(3, text.encode())

    @staticmethod
    def prefix(message: int, req_id: int, kind: int, version: int) -> bytes:
        """The 4-byte id and fields 1 and 2."""
        number = (message + PROTOBUF_OFFSET).to_bytes(4, "big")
        return number + b"\x08" + _varint(req_id) + b"\x10" + _varint(kind)


Bodies: TypeAlias = TextBodies | BinaryBodies

_DOUBLE = struct.Struct("<d").pack


def _keep(cache: dict[K, bytes], key: K, value: bytes) -> bytes:
    """Remember a piece; a full cache begins anew."""
    if len(cache) >= _CACHE:
        cache.clear()
    cache[key] = value
    return value


def _number(value: float) -> bytes:
    return repr(float(value)).encode()


def _text(field: int, text: bytes) -> bytes:
    size = len(text)
    return b"%c%c%s" % (field << 3 | 2, size, text) if size < 128 else (
        b"%c%s%s" % (field << 3 | 2, _varint(size), text)
    )


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


@lru_cache(maxsize=512)
def bodies_of(grid: Grid, binary: bool) -> Bodies:
    """The one writer of this grid and encoding, with its cache."""
    return BinaryBodies(grid) if binary else TextBodies(grid)


class Line:
    """One market data subscription of one session. `delayed` speaks under the delayed ids."""

    def __init__(
        self, session: Session, req_id: int, con_id: int, grid: Grid, *, delayed: bool = False
    ) -> None:
        self.session = session
        self.req_id = req_id
        self.con_id = con_id
        self.binary = session.version >= BINARY_FROM
        self.delayed = delayed
        self.bodies = bodies_of(grid, self.binary)
        self.prefix = _Prefixes(self, session.version)


class _Prefixes(dict[int, bytes]):
    """The beginning of a line's payloads by tick type, made when first asked for."""

    def __init__(self, line: Line, version: int) -> None:
        super().__init__()
        self._line, self._version = line, version

    def __missing__(self, kind: int) -> bytes:
        line = self._line
        said = DELAYED[kind] if line.delayed else kind
        made = line.bodies.prefix(_MESSAGE[kind], line.req_id, said, self._version)
        self[kind] = made
        return made


class Lines:
    """The lines of one instrument, by encoding."""

    def __init__(self) -> None:
        self.text: list[Line] = []
        self.binary: list[Line] = []

    def __len__(self) -> int:
        return len(self.text) + len(self.binary)

    def __iter__(self) -> Iterator[Line]:
        yield from self.text
        yield from self.binary

    def add(self, line: Line) -> None:
        (self.binary if line.binary else self.text).append(line)

    def remove(self, line: Line) -> None:
        (self.binary if line.binary else self.text).remove(line)


def deliver(lines: Lines, tape: Tape, update: MarketUpdate) -> None:
    """Tell every line what this update changes; call it before the tape takes the update in."""
    for group in (lines.text, lines.binary):
        if group:
            parts = changes(tape, update, group[0].bodies)
            if parts:
                for line in group:
                    send(line, parts)


def changes(tape: Tape, update: MarketUpdate, bodies: Bodies) -> list[Part]:
    """The ticks that this update brings; call it before the tape takes the update in."""
    parts: list[Part] = []
    bid, bid_size, ask, ask_size = update.bid, update.bid_size, update.ask, update.ask_size
    if bid != tape.bid or (not bid_size) != (not tape.bid_size):
        parts.append((BID, bodies.quote(bid, bid_size)))
    elif bid_size != tape.bid_size:
        parts.append((BID_SIZE, bodies.size(bid_size)))
    if ask != tape.ask or (not ask_size) != (not tape.ask_size):
        parts.append((ASK, bodies.quote(ask, ask_size)))
    elif ask_size != tape.ask_size:
        parts.append((ASK_SIZE, bodies.size(ask_size)))
    if update.trade:
        _prints(parts, tape, update, bodies)
    return parts


def _prints(parts: list[Part], tape: Tape, update: MarketUpdate, bodies: Bodies) -> None:
    price, size = update.trade, update.trade_size
    second = update.time_ns // 1_000_000_000
    if second != tape.last_s:
        parts.append((LAST_TIMESTAMP, bodies.second(second)))
    if price != tape.last:
        parts.append((LAST, bodies.price(price, size)))
    elif size != tape.last_size:
        parts.append((LAST_SIZE, bodies.size(size)))
    if size:  # an index has no volume
        parts.append((VOLUME, bodies.volume(tape.volume + size)))
    if price > tape.high:
        parts.append((HIGH, bodies.price(price)))
    if price < tape.low or not tape.low:
        parts.append((LOW, bodies.price(price)))
    if not tape.open:
        parts.append((OPEN, bodies.price(price)))


def snapshot(tape: Tape, bodies: Bodies, *, closed: bool = False) -> Iterator[Part]:
    """All that is known now, in the order of a first answer (E): bid, ask, last, sizes by themselves, day
    figures. `closed`: no bid and ask stand any more, and both are said as -1.
    """
    if tape.last:
        yield LAST_TIMESTAMP, bodies.string(str(tape.last_s))
    if closed:
        yield BID, bodies.quote(0, 0)
        yield ASK, bodies.quote(0, 0)
    else:
        if tape.bid_size:
            yield BID, bodies.quote(tape.bid, tape.bid_size)
        if tape.ask_size:
            yield ASK, bodies.quote(tape.ask, tape.ask_size)
    if tape.last:
        yield LAST, bodies.price(tape.last, tape.last_size)
    if tape.speaks and tape.has_volume:
        yield VOLUME, bodies.size(tape.volume)
    for kind, value in ((HIGH, tape.high), (LOW, tape.low), (CLOSE, tape.close), (OPEN, tape.open)):
        if value:
            yield kind, bodies.price(value)


def send(line: Line, parts: Sequence[Part]) -> None:
    """Queue the parts as frames of this line."""
    out, prefix = line.session.out, line.prefix
    if line.delayed:
        parts = [part for part in parts if part[0] in DELAYED]
    if out.paused or out.mute:
        for kind, body in parts:
            payload = prefix[kind] + body
            out.put_tick(line.req_id, kind, _LENGTHS[len(payload)] + payload)
        return
    frames, lengths = out.frames, _LENGTHS
    for kind, body in parts:
        payload = prefix[kind] + body
        frames.append(lengths[len(payload)] + payload)
