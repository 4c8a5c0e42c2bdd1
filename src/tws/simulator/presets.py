"""Orders that a placed one brings along: a stop loss and a profit taker by TWS's presets (version 218 on).

The client names an order id for each, and PRESET as its type; both, or 320 (reported). TWS makes the children
by the presets of its own configuration; without any it answers 10355 (reported, its text assumed). Here the
preset is one distance from the order's own price, or from the side of the quote that it meets: assumed, as
is that parent and children come to the exchange as a bracket of the client's would.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.exchange import OrderTicket
from tws.simulator.tape import Tape
from tws.simulator.tickets import Door, Refused, ticket_of
from tws.wire.messages import PlaceOrderRequest, WireOrder

__all__ = ["with_children"]

PRESET = "PRESET"
NO_PAIR = Refused(
    320, "Error reading request. Invalid value for Stop Loss order-id or order-type"
)
NO_PRESET = Refused(10355, "No preset is defined for the attached order.")
NO_PRICE = Refused(321, "Error validating request.-'bX' : cause - No price to attach orders to.")


def with_children(
    request: PlaceOrderRequest, ticket: OrderTicket, tape: Tape, door: Door, distance: Decimal | None
) -> tuple[OrderTicket, ...] | Refused:
    """The order and what it brings along, in the order in which they are placed; the order alone when that is
    nothing. `distance` is the preset's, as a fraction of the price; None: there is no preset.
    """
    beside = request.attached_orders
    wished = ((beside.sl_order_id, beside.sl_order_type), (beside.pt_order_id, beside.pt_order_type))
    if any((number is None) is not (kind == "") or kind not in ("", PRESET) for number, kind in wished):
        return NO_PAIR
    numbers = [number for number, _ in wished]
    if numbers == [None, None]:
        return (ticket,)
    if distance is None:
        return NO_PRESET
    buys = ticket.side.sign > 0
    quote = tape.ask if buys else tape.bid
    price = ticket.limit_price or ticket.stop_price or (
        Decimal(repr(tape.grid.price(quote))) if quote else None)
    if price is None:
        return NO_PRICE
    children = []
    for number, kind, away in zip(numbers, ("STP", "LMT"), (-1, 1), strict=True):
        if number is not None:
            target = price * (1 + away * ticket.side.sign * distance)
            level = tape.grid.price(tape.grid.ticks(float(target)))
            wish = _child(request.order, request.order_id, kind, level)
            child = ticket_of(wish, number, ticket.con_id, door)
            if isinstance(child, Refused):
                return child
            children.append(child)
    held = [replace(one, transmit=False) for one in (ticket, *children[:-1])]
    return (*held, replace(children[-1], transmit=ticket.transmit))


def _child(parent: WireOrder, parent_id: int, kind: str, level: float) -> WireOrder:
    return WireOrder(
        action="SELL" if parent.action == "BUY" else "BUY", total_quantity=parent.total_quantity,
        order_type=kind, lmt_price=level if kind == "LMT" else None,
        aux_price=level if kind == "STP" else None, tif="GTC", account=parent.account, parent_id=parent_id,
        outside_rth=parent.outside_rth,
    )  # fmt: skip
