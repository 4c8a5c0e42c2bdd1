"""placeOrder frames by pattern, since orders differ in few fields.

The official client encodes the first order of each pattern: a contract with an order's side, type, account
and the like. Its frame is cut where order id, quantity, prices, reference and parent stand; later orders of
the pattern have theirs put there. A pattern is used only after it has reproduced, to the byte, a second frame
of the official client with other values in each of these places, so what it says is the official client's
word. Values whose writing has exceptions there (very large, not printable), and stops that trail or are to be
adjusted, go to the official client; so do the orders of an OCA group, whose name comes twice and never again.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from ibapi.protobuf.PlaceOrderRequest_pb2 import PlaceOrderRequest
from msgspec.structs import replace

from tws.model.contract import Contract
from tws.model.order import Order, OrderType

__all__ = ["Patterns"]

Encode: TypeAlias = Callable[[int, Contract, Order], bytes]
Fill: TypeAlias = Callable[[int, Order], bytes]

_BOUND = 512
"""Patterns kept: a trader's symbols times sides and types; about 2 kB each."""
_LARGEST = 10**9
"""From 2**31 - 1 on the official client takes some numbers for "unset"."""
_RAW_ID, _PROTOBUF = 201, 203
"""From here on the id is four bytes, and placeOrder is protobuf (TWS-BEHAVIOUR.md F1, F2)."""
_ORDER_ID, _QUANTITY, _LIMIT, _STOP, _REF, _PARENT = 1, 17, 19, 20, 26, 28
"""Where they stand among the fields of the text, the message id being 0 (F5)."""


class Patterns:
    """See the module. `encode` is the official client's way, for the version of the present session."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._fills: dict[tuple[object, ...], Fill | None] = {}
        self._version = 0

    def begin(self, server_version: int) -> None:
        """Another session: what was learned at another version is worth nothing."""
        if server_version != self._version:
            self._fills.clear()
            self._version = server_version

    def frame(self, order_id: int, contract: Contract, order: Order) -> bytes:
        """The frame of one order. Raises what the official client's way raises."""
        if not _is_usual(order_id, order):
            return self._encode(order_id, contract, order)
        key = (
            contract,
            order.side,
            order.order_type,
            order.tif,
            order.account,
            order.oca_type,
            order.transmit,
            order.outside_rth,
            order.limit_price is None,
            order.stop_price is None,
            not order.order_ref,
            not order.parent_id,
        )
        fill = self._fills.get(key)
        if fill is not None:
            return fill(order_id, order)
        frame = self._encode(order_id, contract, order)
        if key not in self._fills:
            if len(self._fills) >= _BOUND:
                self._fills.clear()
            self._fills[key] = self._learn(frame, order_id, contract, order)
        return frame

    def _learn(self, frame: bytes, order_id: int, contract: Contract, order: Order) -> Fill | None:
        """The pattern of this frame, if it also makes the frame of an order with other values."""
        fill = _text_fill(frame, self._version) if self._version < _PROTOBUF else _protobuf_fill(frame)
        other = replace(
            order,
            quantity=order.quantity + Decimal("1.5"),
            limit_price=None if order.limit_price is None else order.limit_price + Decimal("0.25"),
            stop_price=None if order.stop_price is None else order.stop_price + Decimal("0.5"),
            order_ref=order.order_ref and order.order_ref + "+",
            parent_id=order.parent_id and order.parent_id + 1,
        )
        proof = self._encode(order_id + 1, contract, other)
        if fill is None or fill(order_id, order) != frame or fill(order_id + 1, other) != proof:
            return None
        return fill


def _is_usual(order_id: int, order: Order) -> bool:
    limit, stop, ref = order.limit_price, order.stop_price, order.order_ref
    return (
        not order.oca_group
        and order.order_type is not OrderType.TRAIL
        and order.trail is order.trail_percent is order.trigger_price is order.adjusted_stop_price is None
        and 0 < order_id < _LARGEST
        and 0 < order.quantity < _LARGEST
        and (limit is None or -_LARGEST < limit < _LARGEST)
        and (stop is None or -_LARGEST < stop < _LARGEST)
        and 0 <= order.parent_id < _LARGEST
        and (not ref or (ref.isascii() and ref.isprintable()))
    )


def _text_fill(frame: bytes, server_version: int) -> Fill | None:
    raw = server_version >= _RAW_ID
    try:
        fields = frame[8 if raw else 4 :].decode("ascii").split("\0")
    except UnicodeDecodeError:
        return None
    if raw:
        fields.insert(0, "")
    if len(fields) <= _PARENT:
        return None

    def between(first: int, last: int) -> str:
        return "".join(field + "\0" for field in fields[first + 1 : last])

    head = frame[4:8] if raw else b"3\0"
    contract, kind, middle = between(_ORDER_ID, _QUANTITY), between(_QUANTITY, _LIMIT), between(_STOP, _REF)
    transmit, tail = between(_REF, _PARENT), "\0".join(fields[_PARENT + 1 :])

    def fill(order_id: int, order: Order) -> bytes:
        limit, stop = order.limit_price, order.stop_price
        text = (
            f"{order_id}\0{contract}{order.quantity}\0{kind}"
            f"{'' if limit is None else float(limit)}\0{'' if stop is None else float(stop)}\0{middle}"
            f"{order.order_ref}\0{transmit}{order.parent_id}\0{tail}"
        )
        payload = head + text.encode()
        return len(payload).to_bytes(4, "big") + payload

    return fill


def _protobuf_fill(frame: bytes) -> Fill:
    request, lock, head = PlaceOrderRequest.FromString(frame[8:]), threading.Lock(), frame[4:8]
    wish = request.order

    def fill(order_id: int, order: Order) -> bytes:
        with lock:  # whoever places orders from two threads shares the one message
            request.orderId = order_id
            wish.totalQuantity = f"{order.quantity:f}"
            if order.limit_price is not None:
                wish.lmtPrice = float(order.limit_price)
            if order.stop_price is not None:
                wish.auxPrice = float(order.stop_price)
            if order.order_ref:
                wish.orderRef = order.order_ref
            wish.parentId = order.parent_id
            body: bytes = request.SerializeToString()
        return struct.pack(">I", len(body) + 4) + head + body

    return fill
