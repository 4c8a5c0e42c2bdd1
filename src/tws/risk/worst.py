"""What a full order may do at its worst, as a plain order that the limits can judge.

The gate of a connection without a desk knows quantities, prices and types of plain orders. An order with
attributes never trades more than its quantity, nor at a worse price than its limit (or than the market, as a
market order does), unless it sends orders of its own: those are not judged, and so not let out. `fitting`
holds its prices to the contract's market rule.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.model.fullorder import FullOrder, trails
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType, TimeInForce
from tws.risk.denial import Denial
from tws.risk.grid import OffGrid, conform

__all__ = ["fitting", "worst_of"]

_WAITS = ("STP", "STP LMT", "STP PRT", "MIT", "LIT")
_STOPS = {"STP": OrderType.STOP, "STP PRT": OrderType.STOP, "STP LMT": OrderType.STOP_LIMIT}
_TIFS = {str(tif): tif for tif in TimeInForce}


def worst_of(order: FullOrder) -> Order | str:
    """The plain order whose worst is this one's; or why there is none, in words."""
    attributes = order.attributes
    if order.quantity is None or attributes.cash_quantity is not None:
        return "a size in money: the limits count shares"
    for name in ("hedge", "delta_neutral", "attached"):
        if getattr(attributes, name) is not None:
            return f"{name}: it sends orders of its own, of a size that nobody states"
    if attributes.scale is not None and attributes.scale.profit_offset is not None:
        return "scale.profit_offset: it trades its pieces again and again"
    limit, kind = order.limit_price, order.order_type
    if limit is not None and attributes.discretionary_amount is not None:
        limit += order.side.sign * attributes.discretionary_amount
    moves = trails(kind)
    plain = _STOPS.get(kind) or (OrderType.TRAIL if moves else OrderType.LIMIT if limit is not None
                                 else OrderType.MARKET)
    return Order(
        side=order.side, quantity=order.quantity, order_type=plain,
        limit_price=limit if plain in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop_price=order.trail_stop_price if moves else order.aux_price if kind in _STOPS else None,
        trail=order.aux_price if moves else None, trail_percent=order.trailing_percent if moves else None,
        tif=_TIFS.get(order.tif, TimeInForce.DAY), account=order.account, order_ref=order.order_ref,
        parent_id=order.parent_id, oca_group=order.oca_group, oca_type=order.oca_type,
        transmit=order.transmit, outside_rth=order.outside_rth)  # fmt: skip


def fitting(instrument: Instrument, order: FullOrder, mode: OffGrid = "refuse") -> FullOrder | Denial:
    """The order with its prices and quantity as the contract's rule allows, as `conform` does it."""
    moves, waits = trails(order.order_type), order.order_type in _WAITS
    stop = order.trail_stop_price if moves else order.aux_price if waits else None
    found = conform(instrument, Order(
        side=order.side, quantity=order.quantity or instrument.lot, limit_price=order.limit_price,
        stop_price=stop, trail=order.aux_price if moves else None), mode)  # fmt: skip
    if isinstance(found, Denial):
        return found
    aux: Decimal | None = found.trail if moves else found.stop_price if waits else order.aux_price
    mended = replace(order, limit_price=found.limit_price, aux_price=aux,
                     trail_stop_price=found.stop_price if moves else order.trail_stop_price)
    return order if mended == order else mended
