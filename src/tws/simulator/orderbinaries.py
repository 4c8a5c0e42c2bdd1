"""The two big messages of trading by template, in the protobuf versions: what `ordertexts` does for text.

Of the official object of an order the few values that differ from order to order are taken out; what is
left is one of a few shapes, whose message was read, or whose object was filled, once. What doesn't fit goes
the codec's way, and both ways always give the same, which a test holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from tws.simulator.misread import is_number, wrong_number
from tws.simulator.ordertexts import MOST, state_is_plain, without_numbers
from tws.wire import codec
from tws.wire.messages import OpenOrder, PlaceOrderRequest, Request, WireOrder
from tws.wire.protobuf import UnreadableError
from tws.wire.protobuf.mapping import official_class, pairs

__all__ = ["OrderBinaries"]

PLACE, OPEN = (203).to_bytes(4, "big"), (205).to_bytes(4, "big")
PLACED, OPENED = official_class(PlaceOrderRequest), official_class(OpenOrder)
APART = (("total_quantity", "totalQuantity"), ("lmt_price", "lmtPrice"), ("aux_price", "auxPrice"))
"""What is taken out of a placed order besides its number: our name and the official one."""


def _as_it_is(value: Any) -> Any:
    return value


_PAIRS = {
    pair.name: pair for pair in pairs(WireOrder, PLACED.DESCRIPTOR.fields_by_name["order"].message_type)
}
_READ: dict[str, Callable[[Any], Any]] = {name: _PAIRS[name].read or _as_it_is for name, _ in APART}
_write_size: Callable[[Any], Any] = _PAIRS["total_quantity"].write or _as_it_is
_write_price: Callable[[Any], Any] = _PAIRS["lmt_price"].write or _as_it_is


class OrderBinaries:
    """Templates of one session."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.was_known = False  # as OrderTexts says
        self._placed: dict[object, PlaceOrderRequest] = {}
        self._opened: dict[object, Any] = {}

    def read(self, payload: bytes) -> Request:
        """`codec.decode_request`, faster for orders. Raises DecodeError as it does."""
        self.was_known = False
        key, number, values = _taken_apart(payload) if payload.startswith(PLACE) else (None, 0, {})
        known = self._placed.get(key) if key is not None else None
        if known is not None:
            try:
                order = replace(known.order, **{name: _READ[name](value) for name, value in values.items()})
                self.was_known = is_number(number)
                return PlaceOrderRequest(number, known.contract, order, known.attached_orders)
            except (ValueError, ArithmeticError):
                pass  # the codec says what is wrong
        request = codec.decode_request(payload, self.version, lenient=True)
        if key is not None and isinstance(request, PlaceOrderRequest) and wrong_number(request) is None:
            if len(self._placed) >= MOST:
                self._placed.clear()
            self._placed[key] = request
        return request  # type: ignore[return-value]

    def write(self, message: OpenOrder) -> bytes:
        """`codec.encode`, faster for orders."""
        order, state = message.order, message.order_state
        values = (order.total_quantity, order.filled_quantity, order.lmt_price, order.aux_price)
        if None in values or not state.status or not state_is_plain(state):
            return codec.encode(message, self.version)
        key = (message.contract, without_numbers(order))
        official = self._opened.get(key)
        if official is None:
            payload = codec.encode(message, self.version)
            if len(self._opened) >= MOST:
                self._opened.clear()
            self._opened[key] = OPENED.FromString(payload[4:])
            return payload
        try:
            inner = official.order
            official.orderId, inner.permId = message.order_id, order.perm_id
            inner.totalQuantity, inner.filledQuantity = _write_size(values[0]), _write_size(values[1])
            inner.lmtPrice, inner.auxPrice = _write_price(values[2]), _write_price(values[3])
            official.orderState.status = state.status
            return OPEN + bytes(official.SerializeToString())
        except (ValueError, TypeError):
            return codec.encode(message, self.version)  # which says what is wrong


def _taken_apart(payload: bytes) -> tuple[tuple[object, ...] | None, int, dict[str, Any]]:
    """An order's shape, its number, and the values taken out of it as far as it states them. No shape: it
    can't be read, or has no number.
    """
    try:
        official = PLACED.FromString(payload[4:])
    except UnreadableError:
        return None, 0, {}
    if not (official.HasField("orderId") and official.HasField("order")):
        return None, 0, {}
    order, number, values = official.order, official.orderId, {}
    official.ClearField("orderId")
    for name, field in APART:
        if order.HasField(field):
            values[name] = getattr(order, field)
            order.ClearField(field)
    return (official.SerializeToString(deterministic=True), *values), number, values
