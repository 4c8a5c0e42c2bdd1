"""What a placeOrder frame of the official client asks for, read back from its own bytes, whole or not at all.

The frame is read as a server reads it, our order is made of that, and the official client encodes ours anew.
When both frames say the same, nothing of the first was left unread, and the guard judges it as it judges an
order of ours with attributes. What the second lacks is named, and no guard approves it. The bytes that leave
are the first frame's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ibapi.contract import Contract as IbContract
from ibapi.order import Order as IbOrder
from msgspec import Struct
from msgspec.structs import replace

from tws.connection.encoding.frames import stated
from tws.connection.encoding.fullorders import ib_full_order
from tws.connection.encoding.translate import full_call, ib_contract
from tws.connection.hearing.reading import broker_order_of
from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.errors import DecodeError, NotSentError
from tws.model.fullorder import full_order
from tws.wire import codec
from tws.wire.messages import PlaceOrderRequest, WireOrderState

__all__ = ["call_of_placed"]

Encode: TypeAlias = Callable[[int, IbContract, IbOrder], bytes]
"""The official client's placeOrder, its frame kept."""



def call_of_placed(frame: bytes, server_version: int, encode: Encode) -> MoneyCall:
    """The call behind a placeOrder frame, its length prefix included; a what-if is one by its own word."""
    try:
        read = codec.decode_request(frame[4:], server_version)
        if not isinstance(read, PlaceOrderRequest):
            return MoneyCall(kind=MoneyKind.PLACE, beyond=f"place: {type(read).__name__}")
        known = broker_order_of(read.order_id, read.contract, read.order, WireOrderState())
        call = full_call(read.order_id, known.contract, full_order(known))
        assert call.full is not None
        again = ib_full_order(call.full)
        again.whatIf = read.order.what_if
        again_read = codec.decode_request(encode(read.order_id, ib_contract(known.contract), again)[4:],
                                          server_version)
    except (DecodeError, NotSentError, ValueError, TypeError, ArithmeticError) as error:
        return MoneyCall(kind=MoneyKind.PLACE, beyond=f"place: {error}")
    unread = _difference(read, again_read)
    if unread:
        return MoneyCall(kind=MoneyKind.PLACE, order_id=read.order_id, account=known.account, beyond=unread)
    return replace(call, kind=MoneyKind.WHAT_IF) if read.order.what_if else call


def _difference(first: Struct, second: Struct) -> str:
    """The first thing that one of two requests says and the other does not; empty when there is none. What
    is unset and what is 0 both say nothing: where 0 says something `tws.connection.attributes` keeps it.
    """
    theirs, ours = _said(first), _said(second)
    for path in (*theirs, *ours):
        if theirs.get(path) != ours.get(path):
            return f"{path} = {theirs.get(path)!r}"
    return ""


def _said(message: Struct) -> dict[str, object]:
    """An empty time in force is DAY to TWS."""
    return {path: value for path, value in stated(message) if value and (path, value) != ("order.tif", "DAY")}
