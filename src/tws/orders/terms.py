"""What an order is, by TWS's own word: its terms read out of an openOrder, and the order that changes it.

An order that was sent is not the order that TWS has: a preset sets its time in force, the grid moves a price,
an OCA group cuts its size, a human drags it on the chart, a stop trails. Whoever changes an order must send
back all that TWS has of it, or fields are lost (INCIDENTS.md, pain 20). So there are two readings:
`as_stated` takes the *terms*, what decides how the order may fill; `as_sent_back` takes everything that we
have a word for.

Pure functions of two values; who calls them decides what a difference means.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.model.facts import BrokerOrder
from tws.model.order import Order, OrderType, TimeInForce

__all__ = ["PENDING", "as_sent_back", "as_stated", "same_terms", "trailed"]

PENDING = frozenset({"ApiPending", "PendingSubmit"})
"""TWS has it, the broker has not acknowledged it yet (TWS-BEHAVIOUR.md C1, H)."""

_TYPES = {str(kind): kind for kind in OrderType}
_TIMES = {str(kind): kind for kind in TimeInForce}
_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL)


def as_stated(order: Order, row: BrokerOrder) -> Order:
    """`order` with the terms that TWS states. What a row leaves unsaid, or says in no word of ours, stays.

    Prices count only where the type has them: TWS writes 0.0 where it has none (C5, recorded). That a stop is
    to be adjusted is stated by each row or is over: TWS has adjusted it.
    """
    kind = _TYPES.get(row.order_type, order.order_type)
    stated = replace(
        order,
        quantity=row.quantity if row.quantity > 0 else order.quantity,
        order_type=kind,
        limit_price=_price(row.limit_price, order.limit_price) if kind in _LIMITED else None,
        stop_price=_price(row.stop_price, order.stop_price) if kind in _STOPPED else None,
        tif=_TIMES.get(row.tif, order.tif),
        trigger_price=row.trigger_price,
        adjusted_stop_price=row.adjusted_stop_price,
        **_trail(order, row, kind),
    )
    return order if stated == order else stated


def _trail(order: Order, row: BrokerOrder, kind: OrderType) -> dict[str, Decimal | None]:
    """By what it trails: amount or percent, as TWS states one of them."""
    if kind is not OrderType.TRAIL:
        return {"trail": None, "trail_percent": None}
    if row.trail is None and row.trail_percent is None:
        return {}
    return {"trail": row.trail, "trail_percent": row.trail_percent}


def as_sent_back(order: Order, row: BrokerOrder) -> Order:
    """The order by which a change begins: everything that TWS states, our reference, and transmit on.

    All of a bracket but its last child was sent with transmit off; so again, a change would wait in TWS.
    """
    return replace(
        as_stated(order, row),
        parent_id=row.parent_id,
        oca_group=row.oca_group,
        oca_type=row.oca_type,
        outside_rth=row.outside_rth,
        transmit=True,
    )


def same_terms(one: Order, other: Order) -> bool:
    """Whether both may fill in the same way; where a trailing stop stands at the moment is no term of it."""
    return _terms(one) == _terms(other)


def trailed(one: Order, other: Order) -> bool:
    """Whether they are one trailing order that stands elsewhere."""
    return (one.order_type is OrderType.TRAIL and one.stop_price != other.stop_price
            and same_terms(one, other))


def _terms(order: Order) -> tuple[object, ...]:
    stop = None if order.order_type is OrderType.TRAIL else order.stop_price
    return (order.quantity, order.order_type, order.limit_price, stop, order.tif, order.trail,
            order.trail_percent, order.trigger_price, order.adjusted_stop_price)


def _price(said: Decimal | None, known: Decimal | None) -> Decimal | None:
    return known if said is None else said
