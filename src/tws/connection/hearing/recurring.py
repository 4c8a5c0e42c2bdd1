"""openOrder (5) and orderStatus (3) as facts, read short, because all but a few of their fields recur.

An openOrder has some hundred and thirty fields, and from one to the next little changes: ids, quantity,
prices, our reference. So the message is parted: what changes, and all the rest as it came. A rest that is
met for the first time is read whole by `tws.wire`; the fact is kept under it. When the same rest comes again,
byte for byte, the fact is that one with the changed fields put in. Nothing is skipped unread: an unreadable
field in a rest makes it unreadable each time, and a changed field that is not plainly what it should be sends
the message to the careful reading.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias, TypeVar

from msgspec.structs import replace

from tws.connection.hearing import reading
from tws.connection.hearing.ticks import LARGEST, float_of
from tws.model.facts import BrokerOrder, BrokerOrderStatus
from tws.model.fullorder import trails
from tws.model.instrument import decimal
from tws.wire import codec
from tws.wire.kinds import read_str
from tws.wire.messages import OpenOrder, OrderStatus
from tws.wire.protobuf import UnreadableError
from tws.wire.thresholds import ANSWERS as MARKS
from tws.wire.thresholds import PROTOBUF_OFFSET, RAW_ID

__all__ = ["Recurring"]

Told: TypeAlias = BrokerOrder | BrokerOrderStatus | OpenOrder
"""What this module makes of a message. A what-if's answer, which is no order, stays what it is."""

_T = TypeVar("_T")
_NUL = b"\0"
_BOUND = 512
"""Rests kept of each message, the latest: one for each contract, side and state that orders pass through;
about 2 kB each."""
_UNSET = (b"", b"1.7976931348623157E308")
_OPEN, _STATUS = 5, 3
_CHANGING = ("totalQuantity", "lmtPrice", "auxPrice", "permId", "orderRef")


class Recurring:
    """Reads the two messages of one session."""

    def __init__(self, server_version: int) -> None:
        self._version = server_version
        self._orders: dict[bytes, BrokerOrder] = {}
        self._statuses: dict[bytes, BrokerOrderStatus] = {}
        self.readers: dict[bytes, Callable[[bytes], Told]] = {}
        if server_version < RAW_ID:
            self.readers = {b"5\0": self._open_text, b"3\0": self._status_text}
        elif server_version >= max(MARKS[_OPEN], MARKS[_STATUS]):
            made = ((_OPEN, self._open_protobuf), (_STATUS, self._status_protobuf))
            self.readers = {(PROTOBUF_OFFSET + number).to_bytes(4, "big"): read for number, read in made}
            from ibapi.protobuf.OpenOrder_pb2 import OpenOrder as OpenOrderProto
            from ibapi.protobuf.OrderStatus_pb2 import OrderStatus as OrderStatusProto

            self._parse_open, self._parse_status = OpenOrderProto.FromString, OrderStatusProto.FromString

    def _whole_order(self, payload: bytes) -> BrokerOrder | OpenOrder:
        message = codec.decode_answer(payload, self._version, lenient=True)
        assert isinstance(message, OpenOrder)
        if message.order.what_if:
            return message
        return reading.broker_order_of(message.order_id, message.contract, message.order, message.order_state)

    def _first_order(self, rest: bytes, payload: bytes) -> BrokerOrder | OpenOrder:
        """Read whole what is met for the first time, and keep it."""
        told = self._whole_order(payload)
        return told if isinstance(told, OpenOrder) else _keep(self._orders, rest, told)

    def _whole_status(self, payload: bytes) -> BrokerOrderStatus:
        message = codec.decode_answer(payload, self._version, lenient=True)
        assert isinstance(message, OrderStatus)
        return reading.order_status_of(message)

    # -- text: fields by their number, the message id being 0 (F6)

    def _open_text(self, payload: bytes) -> BrokerOrder | OpenOrder:
        parts = payload.split(_NUL, 26)
        if len(parts) < 27:
            return self._whole_order(payload)
        rest = _NUL.join((*parts[2:14], parts[15], *parts[18:23], parts[24], parts[26]))
        known = self._orders.get(rest)
        if known is None:
            return self._first_order(rest, payload)
        order_id, quantity, limit, stop, ref, perm_id = (parts[at] for at in (1, 14, 16, 17, 23, 25))
        try:
            return _changed(
                known, _whole(order_id), _whole(perm_id), quantity, _price(limit), _price(stop), read_str(ref)
            )
        except ValueError:
            return self._whole_order(payload)

    def _status_text(self, payload: bytes) -> BrokerOrderStatus:
        parts = payload.split(_NUL)
        if len(parts) != 13 or not (parts[1].isdigit() and parts[6].isdigit()):
            return self._whole_status(payload)
        rest = _NUL.join(parts[2:6] + parts[7:])
        known = self._statuses.get(rest)
        if known is None:
            return _keep(self._statuses, rest, self._whole_status(payload))
        return replace(known, order_id=int(parts[1]), perm_id=int(parts[6]))

    # -- protobuf: the changing fields are taken out, and the rest is written again

    def _open_protobuf(self, payload: bytes) -> BrokerOrder | OpenOrder:
        try:
            message = self._parse_open(payload[4:])
        except UnreadableError:
            return self._whole_order(payload)  # it says what is wrong
        order = message.order
        limit = order.lmtPrice if order.HasField("lmtPrice") else None
        stop = order.auxPrice if order.HasField("auxPrice") else None
        order_id, perm_id = message.orderId, order.permId
        quantity, ref = order.totalQuantity, order.orderRef
        if not message.HasField("order") or not quantity:
            return self._whole_order(payload)
        message.ClearField("orderId")
        for name in _CHANGING:
            order.ClearField(name)
        rest = message.SerializeToString()
        known = self._orders.get(rest)
        if known is None:
            return self._first_order(rest, payload)
        try:
            return _changed(
                known, order_id, perm_id, quantity.encode(), _price_of(limit), _price_of(stop), ref
            )
        except ValueError:
            return self._whole_order(payload)

    def _status_protobuf(self, payload: bytes) -> BrokerOrderStatus:
        try:
            message = self._parse_status(payload[4:])
        except UnreadableError:
            return self._whole_status(payload)
        order_id, perm_id = message.orderId, message.permId
        message.ClearField("orderId")
        message.ClearField("permId")
        rest = message.SerializeToString()
        known = self._statuses.get(rest)
        if known is None:
            return _keep(self._statuses, rest, self._whole_status(payload))
        return replace(known, order_id=order_id, perm_id=perm_id)


def _keep(table: dict[bytes, _T], rest: bytes, told: _T) -> _T:
    """Put what was read into a table, in place of the oldest where it is full; gives it back."""
    if len(table) >= _BOUND:
        del table[next(iter(table))]
    table[rest] = told
    return told


def _changed(
    known: BrokerOrder,
    order_id: int,
    perm_id: int,
    quantity: bytes,
    limit: Decimal | None,
    stop: Decimal | None,
    ref: str,
) -> BrokerOrder:
    """The order as it is now. Raises ValueError for a quantity that is not plainly written."""
    if float_of(quantity) is None:
        raise ValueError("an unusual quantity")
    trailing = trails(known.order_type)  # then auxPrice is its amount; where it stands is in the rest
    return replace(
        known,
        order_id=order_id,
        perm_id=perm_id,
        quantity=Decimal(quantity.decode()),
        limit_price=reading.limit_of(known.order_type, limit),
        stop_price=known.stop_price if trailing else stop or None,
        trail=stop or None if trailing else None,
        order_ref=ref,
    )


def _whole(raw: bytes) -> int:
    if not raw.isdigit():
        raise ValueError("no whole number, or a negative one")
    return int(raw)


def _price(raw: bytes) -> Decimal | None:
    """A price of the text. Raises ValueError for one that is not plainly written."""
    if raw in _UNSET:
        return None
    value = float_of(raw)
    if value is None:
        raise ValueError("an unusual number")
    return decimal(value)


def _price_of(value: float | None) -> Decimal | None:
    """A price of protobuf. Raises ValueError for one of unusual size, which may mean "unset"."""
    if value is None:
        return None
    if not -LARGEST < value < LARGEST:
        raise ValueError("an unusual number")
    return decimal(value)
