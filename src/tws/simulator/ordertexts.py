"""The two big messages of trading by template, in the text versions: placeOrder read, openOrder written.

Each has more than a hundred fields, of which few differ from one order of a client to its next: id,
size, prices, and in openOrder the status and what is filled. The rest is read or written once and kept;
then the few are put into their places. What doesn't fit (a combo, an odd number, fields that look alike)
goes the codec's way, and both ways always give the same, which a test holds. `orderbinaries` does it for
protobuf.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tws.simulator.misread import is_number, wrong_number
from tws.wire import codec
from tws.wire.kinds import read_opt_decimal, read_opt_float, write_decimal, write_float
from tws.wire.messages import OpenOrder, PlaceOrderRequest, Request, WireOrder, WireOrderState

if TYPE_CHECKING:
    from tws.simulator.orderbinaries import OrderBinaries

__all__ = ["MOST", "OrderTexts", "order_templates", "state_is_plain", "without_numbers"]

ZERO = Decimal("0")
TEXT_UNTIL, BINARY_FROM = 200, 203
"""Server versions to which templates of text fit, and from which orders are protobuf (F2)."""
MOST = 256
"""Templates kept of each kind; a client with more shapes of orders begins anew."""
PLACE = b"3\0"
ORDER_ID, SEC_TYPE, QUANTITY, LIMIT, AUX = 1, 4, 17, 19, 20
"""Places of the fields in placeOrder, counted from the message id (TWS-BEHAVIOUR.md F5)."""
LEAST_FIELDS = 100
STATUS = "~status~"
NUMBERS = (987_654_321, 876_543_219, 765_432_198, 654_321_987, 543_219.875, 432_198.625)
"""What stands in a template for order id, permId, size, filled, limit and auxiliary price."""

Template = tuple[list[bytes], tuple[tuple[int, int], ...]]
"""Pieces of the payload, and which of them take which of the values."""


def order_templates(version: int) -> OrderTexts | OrderBinaries:
    """Reads and writes the orders of one session; one of text loads nothing of protobuf."""
    if version < BINARY_FROM:
        return OrderTexts(version)
    from tws.simulator.orderbinaries import OrderBinaries

    return OrderBinaries(version)


class OrderTexts:
    """Templates of one session."""

    def __init__(self, version: int) -> None:
        self.version = version
        self._is_text = version <= TEXT_UNTIL
        self.was_known = False  # the last order read is like one before, whose integers all fit
        self._placed: dict[bytes, PlaceOrderRequest] = {}
        self._opened: dict[object, Template | None] = {}

    # -- placeOrder -------------------------------------------------------------------------------

    def read(self, payload: bytes) -> Request:
        """`codec.decode_request`, faster for orders. Raises DecodeError as it does."""
        self.was_known = False
        if not self._is_text or not payload.startswith(PLACE):
            return codec.decode_request(payload, self.version, lenient=True)  # type: ignore[return-value]
        fields = payload.split(b"\0")
        if len(fields) < LEAST_FIELDS or fields[SEC_TYPE] == b"BAG" or not fields[ORDER_ID].isdigit():
            return codec.decode_request(payload, self.version, lenient=True)  # type: ignore[return-value]
        number, size, limit, aux = fields[ORDER_ID], fields[QUANTITY], fields[LIMIT], fields[AUX]
        fields[ORDER_ID] = fields[QUANTITY] = fields[LIMIT] = fields[AUX] = b""
        key = b"\0".join(fields)
        known = self._placed.get(key)
        if known is not None:
            try:
                order = replace(
                    known.order, total_quantity=read_opt_decimal(size), lmt_price=read_opt_float(limit),
                    aux_price=read_opt_float(aux),
                )  # fmt: skip
                self.was_known = is_number(int(number))
                return PlaceOrderRequest(int(number), known.contract, order)
            except (ValueError, ArithmeticError):
                pass  # the codec says what is wrong
        request = codec.decode_request(payload, self.version, lenient=True)
        if isinstance(request, PlaceOrderRequest) and wrong_number(request) is None:
            if len(self._placed) >= MOST:
                self._placed.clear()
            self._placed[key] = request
        return request  # type: ignore[return-value]

    # -- openOrder --------------------------------------------------------------------------------

    def write(self, message: OpenOrder) -> bytes:
        """`codec.encode`, faster for orders."""
        order, state = message.order, message.order_state
        values = (
            message.order_id, order.perm_id, order.total_quantity, order.filled_quantity, order.lmt_price,
            order.aux_price,
        )  # fmt: skip
        if not self._is_text or None in values or not state_is_plain(state):
            return codec.encode(message, self.version)
        key = (message.contract, without_numbers(order))
        if key not in self._opened:
            if len(self._opened) >= MOST:
                self._opened.clear()
            self._opened[key] = self._template(message)
        template = self._opened[key]
        if template is None:
            return codec.encode(message, self.version)
        number, perm_id, total, filled, limit, aux = values
        texts = (
            str(number), str(perm_id), write_decimal(total or ZERO), write_decimal(filled or ZERO),
            write_float(limit or 0.0), write_float(aux or 0.0), state.status,
        )  # fmt: skip
        pieces = template[0].copy()
        for place, value in template[1]:
            pieces[place] = texts[value].encode("ascii")
        return b"".join(pieces)

    def _template(self, message: OpenOrder) -> Template | None:
        number, perm_id, total, filled, limit, aux = NUMBERS
        order = _with(message.order, int(perm_id), (Decimal(total), Decimal(filled)), (limit, aux))
        stand_in = OpenOrder(int(number), message.contract, order, WireOrderState(status=STATUS))
        fields = codec.encode(stand_in, self.version).split(b"\0")
        holes = []
        for value, text in enumerate((*map(str, NUMBERS), STATUS)):
            places = [place for place, field in enumerate(fields) if field == text.encode()]
            if len(places) > 1:
                return None
            holes += [(place, value) for place in places]
        return _pieces(fields, holes)


def _pieces(fields: list[bytes], holes: list[tuple[int, int]]) -> Template:
    """The fields between two holes in one piece, with the NULs that separate them."""
    pieces: list[bytes] = [b""]
    places = []
    values = dict(holes)
    for place, field in enumerate(fields):
        if place:
            pieces[-1] += b"\0"
        if place in values:
            places.append((len(pieces), values[place]))
            pieces += [b"", b""]
        else:
            pieces[-1] += field
    return pieces, tuple(places)


def state_is_plain(state: WireOrderState) -> bool:
    """Whether a state says nothing but the status."""
    return state == WireOrderState(status=state.status)


def without_numbers(order: WireOrder) -> WireOrder:
    """What two like orders of a client have in common."""
    return _with(order, 0, (ZERO, ZERO), (0.0, 0.0))


def _with(
    order: WireOrder, perm_id: int, sizes: tuple[Decimal, Decimal], prices: tuple[float, float]
) -> WireOrder:
    (total, filled), (limit, aux) = sizes, prices
    return replace(
        order, perm_id=perm_id, total_quantity=total, filled_quantity=filled, lmt_price=limit, aux_price=aux
    )
