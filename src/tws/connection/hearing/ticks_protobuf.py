"""The usual ticks of the protobuf encoding, taken in place: prices (1), sizes (2), tick by tick (99).

A body is laid out as the official classes write it: fields in the order of their numbers, each once. So a
tick of one stream, one field and one length begins with the same bytes each time, up to the tag of its
price or size; `heads` knows what they mean. Behind them stand a double and a rest (a size with its length,
a mask) which recur, and are known whole. Any other order, presence or number goes to the careful reading.

    00 00 00 LL  00 00 00 C9  08 request  10 field  19 price........  22 LL size  28 mask       tickPrice
    00 00 00 LL  00 00 00 CA  08 request  10 field                    1A LL size                tickSize
    00 00 00 LL  00 00 01 2B  08 request  10 kind   1A LL  08 time  12 mask  19 price  22 size …  99

The loop is long because a call for each tick would cost more than the tick.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from struct import Struct, calcsize
from typing import Any

from tws.connection.hearing.ticks import LARGEST, NAN, Walker, float_of, keep
from tws.connection.streaming.streams import SIZE_OF, QuoteStream, TickStream, fault_of
from tws.wire.messages import TickByTickData

__all__ = ["ProtobufTicks"]


_PRICE, _SIZE, _LAST, _BID_ASK = range(4)
_KINDS = {
    (201, 0x19): _PRICE,
    (202, 0x1A): _SIZE,
    (299, 0x1A): _LAST,
    (299, 0x22): _BID_ASK,
}
"""By message id and the tag that follows the field or kind."""
_MASKS = {b"", *(bytes([0x28, mask]) for mask in range(0x80))}
"""What may stand behind the size of a price."""
_FIRST_WIDTH = 17
"""How long a head is when the request id has five bytes, as all of ours have (`tws.connection.ids`)."""


class ProtobufTicks(Walker):
    """See the module."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._width = _FIRST_WIDTH
        self._rests: dict[bytes, float] = {}
        self._sizes: dict[bytes, float] = {}
        self._times: dict[bytes, int] = {}
        self._masks: dict[bytes, int] = {}
        self._trades: dict[bytes, tuple[Decimal, str, str]] = {}
        self._amounts: dict[bytes, tuple[Decimal, Decimal]] = {}

    def _take(self, data: bytes, position: int, end: int) -> int:
        heads, rests, amounts, nan, largest = self._heads, self._rests, self._sizes, NAN, LARGEST
        width = self._width
        now_ns = self._stamp.now_ns
        while True:
            begin = position + width
            known = heads.get(data[position:begin])
            if known is None:
                if (known := self._learn(data, position, end)) is None:
                    return position
                width = self._width
                begin = position + width
            kind, length, stream, unpack, prices, sizes, field, size_field = known
            stop = position + length
            if stop > end:
                return position
            if kind == _PRICE:
                price, rest = unpack(data, begin)
                size = rests.get(rest)
                if size is None and (size := self._learn_rest(rest)) is None:
                    return position
                if not -largest < price < largest:
                    return position
                prices[field] = price
                sizes[size_field] = size
            elif kind == _SIZE:
                rest = data[begin:stop]
                size = amounts.get(rest)
                if size is None and (size := self._learn_size(rest)) is None:
                    return position
                price = nan
                sizes[field] = size
            else:
                if (tick := self._tick(known, data, begin)) is None:
                    return position
                position = stop
                stream.put(tick, now_ns)
                continue
            position = stop
            stream.count += 1
            stream.time_ns = now_ns
            if stream.dirty:
                stream.merged += 1
            else:
                stream.soil()
            for callback in stream.callbacks:
                try:
                    callback(field, price, size)
                except (Exception, CancelledError) as error:
                    self._isolate(fault_of(callback), error)

    def _tick(self, known: tuple[Any, ...], data: bytes, begin: int) -> TickByTickData | None:
        """A trade or a quote (99) of this head; None when it is an unusual one."""
        kind, _, _, (unpack, inside, request_id), _, _, field, _ = known
        parts = unpack(data, begin)
        time = self._times.get(parts[1]) or self._learn_time(parts[1])
        mask = self._masks.get(parts[2])
        if mask is None:
            mask = self._learn_mask(parts[2])
        if parts[0] != inside or not time or mask is None:
            # another shape under the same head: let it be learned anew
            self._heads.pop(data[begin - self._width : begin], None)
            return None
        price, rest = parts[3], parts[-1]
        if not -LARGEST < price < LARGEST:
            return None
        if kind == _LAST:
            trade = self._trades.get(rest) or self._learn_trade(rest)
            if trade is None:
                return None
            size, venue, remark = trade
            return TickByTickData(request_id, field, time, price, size, mask, venue, remark)
        ask, amounts = parts[5], self._amounts.get(rest) or self._learn_amounts(rest)
        if amounts is None or parts[4] != b"\x21" or not -LARGEST < ask < LARGEST:
            return None
        bid_size, ask_size = amounts
        return TickByTickData(
            request_id, field, time, None, None, mask, "", "", price, ask, bid_size, ask_size
        )

    # -- learning

    def _learn(self, data: bytes, position: int, end: int) -> tuple[Any, ...] | None:
        """Read the head of the frame that stands here; None when it begins no usual tick."""
        if end - position < 16 or data[position : position + 3] != b"\0\0\0" or data[position + 8] != 0x08:
            return None
        length = data[position + 3] + 4
        at = request_end = _varint_end(data, position + 9)
        if position + length > end or at + 3 > position + length or data[at] != 0x10 or data[at + 1] >= 0x80:
            return None
        begin = at + 3
        kind = _KINDS.get((int.from_bytes(data[position + 4 : position + 8], "big"), data[begin - 1]))
        request_id, field = _varint(data, position + 9, request_end), data[at + 1]
        stream = self._streams.get(request_id)
        if kind is None or not isinstance(stream, QuoteStream if kind <= _SIZE else TickStream):
            return None
        self._width = begin - position
        left = length - self._width
        known: tuple[Any, ...]
        if isinstance(stream, QuoteStream):
            if left < (10 if kind == _PRICE else 2):
                return None
            unpack = _shape("d", left - 8) if kind == _PRICE else None
            size_field = SIZE_OF.get(field, field)
            known = (kind, length, stream, unpack, stream.prices, stream.sizes, field, size_field)
        else:
            shape = _tick_shape(data, begin, left, kind)
            if shape is None:
                return None
            known = (kind, length, stream, (*shape, request_id), None, None, field, None)
        return keep(self._heads, data[position:begin], known)

    def _learn_rest(self, rest: bytes) -> float | None:
        """What stands behind a price: its size, and a mask that is of no use here."""
        stop = 2 + rest[1]
        size, behind = rest[2:stop], rest[stop:]
        if rest[0] != 0x22 or len(rest) < stop or behind not in _MASKS:
            return None
        value = float(size) if size.isdigit() and stop < 11 else float_of(size)
        return None if value is None else keep(self._rests, rest, value)

    def _learn_size(self, rest: bytes) -> float | None:
        """The size of a tickSize with its length."""
        size, length = rest[1:], rest[0]
        if length != len(size):
            return None
        value = float(size) if size.isdigit() and length < 9 else float_of(size)
        return None if value is None else keep(self._sizes, rest, value)

    def _learn_time(self, raw: bytes) -> int | None:
        return keep(self._times, raw, _varint(raw, 0, 5)) if _varint_end(raw, 0) == 5 else None

    def _learn_mask(self, raw: bytes) -> int | None:
        """From nothing, or a message of two truth values, and the tag of the price behind it."""
        texts, behind = _texts(raw, b"\x12")
        if behind != b"\x19":
            return None
        bits = texts[0] or b""
        mask = 0
        for bit, tag in enumerate(b"\x08\x10"):
            if bits[:1] == bytes([tag]):
                if bits[1:2] not in (b"\0", b"\1"):
                    return None
                mask |= bits[1] << bit
                bits = bits[2:]
        return None if bits else keep(self._masks, raw, mask)

    def _learn_trade(self, rest: bytes) -> tuple[Decimal, str, str] | None:
        (size, venue, remark), behind = _texts(rest, b"\x22\x2a\x32")
        if size is None or behind or float_of(size) is None:
            return None
        try:
            value = (Decimal(size.decode()), (venue or b"").decode(), (remark or b"").decode())
        except UnicodeDecodeError:
            return None
        return keep(self._trades, rest, value)

    def _learn_amounts(self, rest: bytes) -> tuple[Decimal, Decimal] | None:
        sizes, behind = _texts(rest, b"\x2a\x32")
        if behind or any(size is None or float_of(size) is None for size in sizes):
            return None
        bid, ask = (Decimal(size.decode()) for size in sizes if size is not None)
        return keep(self._amounts, rest, (bid, ask))


@lru_cache(256)
def _shape(numbers: str, rest: int) -> Callable[[bytes, int], tuple[Any, ...]]:
    """Reads what stands behind a head: what `numbers` says in struct's letters, then so many bytes."""
    return Struct(f"<{numbers}{rest}s").unpack_from


def _tick_shape(
    data: bytes, begin: int, left: int, kind: int
) -> tuple[Callable[[bytes, int], tuple[Any, ...]], bytes] | None:
    """How a 99 is read behind its head, and what it begins with: length and tag of the time."""
    if left < 8 or data[begin] != left - 1 or data[begin + 1] != 0x08:
        return None
    mask = 3 + data[begin + 8] if data[begin + 7] == 0x12 else 1
    numbers = f"2s5s{mask}sd" if kind == _LAST else f"2s5s{mask}sdsd"
    rest = left - calcsize("<" + numbers)
    return None if rest < 0 else (_shape(numbers, rest), data[begin : begin + 2])


def _varint_end(data: bytes, at: int) -> int:
    """Where the number that begins here ends."""
    while at < len(data) and data[at] >= 0x80:
        at += 1
    return at + 1


def _varint(data: bytes, at: int, end: int) -> int:
    return sum((data[place] & 0x7F) << 7 * (place - at) for place in range(at, end))


def _texts(raw: bytes, tags: bytes) -> tuple[list[bytes | None], bytes]:
    """The texts that stand in front under these tags, in this order, None for one that doesn't; and what is
    behind them.
    """
    found: list[bytes | None] = []
    for tag in tags:
        if len(raw) > 1 and raw[0] == tag and raw[1] < 0x80 and len(raw) >= 2 + raw[1]:
            found.append(raw[2 : 2 + raw[1]])
            raw = raw[2 + raw[1] :]
        else:
            found.append(None)
    return found, raw
