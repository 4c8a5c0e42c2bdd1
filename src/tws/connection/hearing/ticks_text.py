"""The usual ticks of the text encoding, taken in place: prices (1), sizes (2), tick by tick (99).

Their layouts are the same from server version 157 on (TWS-BEHAVIOUR.md F6). A frame shorter than 256 bytes
begins with three zero bytes, and the one before it ends with a NUL. So a stretch of the stream is split at
four zeros once, in C, and each piece is the length byte with the fields of one tick, unless it has empty
fields in a row; then its length betrays it and it is read on its own.

The loops are long because a call for each tick would cost more than the tick.
"""

from __future__ import annotations

from asyncio import CancelledError
from decimal import Decimal
from typing import Any

from tws.connection.hearing.ticks import NAN, Walker, keep, kept_decimal, kept_float
from tws.connection.streaming.streams import SIZE_OF, QuoteStream, TickStream, fault_of
from tws.wire.kinds import read_str
from tws.wire.messages import TickByTickData

__all__ = ["TextTicks"]

_NUL, _ZEROS, _BETWEEN = b"\0", b"\0" * 3, b"\0" * 4
_PRICE, _SIZE = ord("1"), ord("2")
_QUOTES = {bytes([kind, 0]) for kind in (_PRICE, _SIZE)}
_MASKS = {b"%d" % mask: mask for mask in range(8)}
_SHORTEST, _LONGEST = 512, 8192
"""Bytes that are split at a time: few where other messages stand between the ticks and the rest of the split
is lost, at most what stays in the processor's near memory."""
_STARTS = [bytes([size, *b"99"]) for size in range(256)]
_LAST = {b"1": 1, b"2": 2}
_BID_ASK = b"3"


class TextTicks(Walker):
    """See the module."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._window = _SHORTEST
        self._numbers: dict[bytes, float] = {}
        self._decimals: dict[bytes, Decimal] = {}
        self._texts: dict[bytes, str] = {}

    def _take(self, data: bytes, position: int, end: int) -> int:
        while end - position > 8:
            begin, kind = position, data[position + 4 : position + 6]
            if kind in _QUOTES:
                position = self._quotes(data, position, end)
            elif kind == b"99":
                position = self._tick_by_tick(data, position, end)
            if position == begin:
                break
        return position

    def _quotes(self, data: bytes, position: int, end: int) -> int:
        """Take the prices and sizes that stand together, as far as one window goes."""
        heads, numbers, masks, nan = self._heads, self._numbers, _MASKS, NAN
        now_ns, begin = self._stamp.now_ns, position
        if data[position : position + 3] != _ZEROS:
            return position
        until = position + self._window
        if until < end:
            pieces = data[position + 3 : until].split(_BETWEEN)
        else:
            pieces = (data[position + 3 :] + _ZEROS).split(_BETWEEN)
        pieces.pop()  # what the window cut off, or nothing
        for piece in pieces:
            try:
                if piece[1] == _PRICE:
                    head, raw, amount, mask = piece.rsplit(_NUL, 3)
                    known = heads.get(head) or self._learn(head)
                    if known is None:
                        break
                    length, stream, prices, sizes, field, size_field = known
                    if len(piece) != length or mask not in masks:
                        break
                    price = numbers.get(raw)
                    if price is None and (price := kept_float(raw, numbers)) is None:
                        break
                    size = numbers.get(amount)
                    if size is None and (size := kept_float(amount, numbers)) is None:
                        break
                    prices[field] = price
                    sizes[size_field] = size
                else:
                    head, amount = piece.rsplit(_NUL, 1)
                    known = heads.get(head) or self._learn(head)
                    if known is None:
                        break
                    length, stream, prices, sizes, field, size_field = known
                    if len(piece) != length or piece[1] != _SIZE:
                        break
                    size = numbers.get(amount)
                    if size is None and (size := kept_float(amount, numbers)) is None:
                        break
                    price = nan
                    sizes[field] = size
            except (ValueError, IndexError):  # fewer fields than a tick has
                break
            position += 4 + length
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
        else:
            self._window = min(self._window * 2, _LONGEST)
            return position
        self._window = max(position - begin, _SHORTEST)
        return position

    def _learn(self, head: bytes) -> tuple[Any, ...] | None:
        """What a beginning means: length byte and id, version, request, field."""
        parts = head.split(_NUL)
        if len(parts) != 4 or len(parts[0]) != 2 or not (parts[2].isdigit() and parts[3].isdigit()):
            return None
        stream = self._streams.get(int(parts[2]))
        if not isinstance(stream, QuoteStream):
            return None
        field = int(parts[3])
        known = (head[0], stream, stream.prices, stream.sizes, field, SIZE_OF.get(field, field))
        return keep(self._heads, head, known)

    def _tick_by_tick(self, data: bytes, position: int, end: int) -> int:
        """Take the trades and quotes (99) that stand together."""
        heads, numbers, decimals, texts = self._heads, self._numbers, self._decimals, self._texts
        now_ns = self._stamp.now_ns
        while end - position > 8:
            size = data[position + 3]
            stop = position + 4 + size
            if stop > end:
                break
            try:
                _, _, gap, start, number, kind, time, a, b, c, d, e, rest = data[position:stop].split(_NUL)
            except ValueError:  # another message, or a field too few or too many
                break
            known = heads.get(number) or self._learn_number(number)
            if known is None or start != _STARTS[size] or gap or rest or not time.isdigit():
                break
            first = numbers.get(a)
            if first is None and (first := kept_float(a, numbers)) is None:
                break
            stream, request_id = known
            if kind == _BID_ASK:
                second, mask = numbers.get(b), _MASKS.get(e)
                bid_size, ask_size = decimals.get(c), decimals.get(d)
                if second is None and (second := kept_float(b, numbers)) is None:
                    break
                if bid_size is None and (bid_size := kept_decimal(c, decimals)) is None:
                    break
                if ask_size is None and (ask_size := kept_decimal(d, decimals)) is None:
                    break
                if mask is None:
                    break
                tick = TickByTickData(
                    request_id, 3, int(time), None, None, mask, "", "", first, second, bid_size, ask_size
                )
            elif kind in _LAST:
                amount, mask, venue, remark = decimals.get(b), _MASKS.get(c), texts.get(d), texts.get(e)
                if amount is None and (amount := kept_decimal(b, decimals)) is None:
                    break
                if mask is None:
                    break
                if venue is None:
                    venue = keep(texts, d, read_str(d))
                if remark is None:
                    remark = keep(texts, e, read_str(e))
                tick = TickByTickData(request_id, _LAST[kind], int(time), first, amount, mask, venue, remark)
            else:
                break
            position = stop
            stream.put(tick, now_ns)
        return position

    def _learn_number(self, number: bytes) -> tuple[TickStream[TickByTickData], int] | None:
        """Whose ticks come under this request."""
        request_id = int(number) if number.isdigit() else -1
        stream = self._streams.get(request_id)
        if not isinstance(stream, TickStream):
            return None
        return keep(self._heads, number, (stream, request_id))
