"""An order with everything that TWS takes, for the connection; the desk sends the plain `Order`.

`tws.ordertypes` builds them and checks them; `full_order` makes one of a plain order, or of what the broker
tells of one, so that it can be changed with `msgspec.structs.replace` and placed again under its id.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import force_setattr

from tws.model.attributes import Adjusted, Attributes
from tws.model.facts import BrokerOrder
from tws.model.instrument import decimal
from tws.model.order import Order, OrderType, Side

__all__ = ["FullOrder", "full_order", "trails"]

_NUMBERS = ("quantity", "limit_price", "aux_price", "trail_stop_price", "trailing_percent")
PLAIN = Attributes()


class FullOrder(Struct, frozen=True, kw_only=True):
    """One order. Quantity in shares, prices in the contract's currency, None where the type needs none.

    `aux_price` is TWS's second price, whatever it means for the type: the price that a stop or a touch waits
    for, the amount by which a TRAIL follows, the offset of a peg. `trail_stop_price` is where a TRAIL's stop
    begins. `order_type` and `tif` are TWS's text. `quantity` None: the size is an amount of money
    (`attributes.cash_quantity`). Raises ValueError for a number that is none and for an unknown side.
    """

    side: Side
    quantity: Decimal | None
    order_type: str = "MKT"
    limit_price: Decimal | None = None
    aux_price: Decimal | None = None
    trail_stop_price: Decimal | None = None
    trailing_percent: Decimal | None = None
    tif: str = "DAY"
    account: str = ""
    order_ref: str = ""
    parent_id: int = 0
    oca_group: str = ""
    oca_type: int = 0
    transmit: bool = True
    outside_rth: bool = False
    attributes: Attributes = PLAIN

    def __post_init__(self) -> None:
        if type(self.side) is not Side:
            force_setattr(self, "side", Side(self.side))
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and type(value) is not Decimal:
                force_setattr(self, name, decimal(value, name))


def trails(order_type: str) -> bool:
    """Whether the price of this type follows the market, so that its second price is an amount."""
    return order_type.startswith("TRAIL")


def full_order(order: Order | BrokerOrder) -> FullOrder:
    """A plain order with all its words, or an order as the broker tells it. Raises ValueError for a side that
    is none.
    """
    kind, moves = str(order.order_type), trails(order.order_type)
    attributes = PLAIN
    if isinstance(order, BrokerOrder):
        attributes = order.attributes or PLAIN
    elif order.trigger_price is not None and order.adjusted_stop_price is not None:
        attributes = Attributes(adjusted=Adjusted(
            order_type=str(OrderType.STOP), trigger_price=order.trigger_price,
            stop_price=order.adjusted_stop_price))  # fmt: skip
    return FullOrder(
        side=Side.SELL if order.side == "SSHORT" else Side(order.side),
        quantity=order.quantity or (None if attributes.cash_quantity else order.quantity),
        order_type=kind,
        limit_price=order.limit_price,
        aux_price=order.trail if moves else order.stop_price,
        trail_stop_price=order.stop_price if moves else None,
        trailing_percent=order.trail_percent,
        tif=str(order.tif),
        account=order.account,
        order_ref=order.order_ref,
        parent_id=order.parent_id,
        oca_group=order.oca_group,
        oca_type=order.oca_type if order.oca_group else 0,
        transmit=order.transmit,
        outside_rth=order.outside_rth,
        attributes=attributes,
    )
