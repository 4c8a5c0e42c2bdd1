"""What every builder of an order shares: the words that any order may have, and the way to a checked one."""

from __future__ import annotations

from typing import Any, TypedDict

from msgspec.structs import replace

from tws.model.attributes import Attributes
from tws.model.fullorder import FullOrder
from tws.model.instrument import Number
from tws.model.order import Side
from tws.ordertypes.refusals import checked

__all__ = ["Common", "build", "having"]


class Common(TypedDict, total=False):
    """What any order may say. `tif`: DAY, GTC, IOC, FOK, GTD, OPG, AUC, DTC, GTX, OVERNIGHT, as TWS writes
    it; `parent_id` the order id of the order that this one waits for; `oca_type` see `one_cancels_all`.
    """

    tif: str
    account: str
    order_ref: str
    parent_id: int
    oca_group: str
    oca_type: int
    transmit: bool
    outside_rth: bool


def build(
    order_type: str,
    side: Side | str,
    quantity: Number | None,
    common: Common,
    attributes: dict[str, Any] | None = None,
    **prices: Number | None,
) -> FullOrder:
    """The order, checked. Raises BadOrderError for what TWS refuses, ValueError for what is no number."""
    words: dict[str, Any] = {"quantity": quantity, **prices, **common}
    stated = Attributes(**(attributes or {}))
    return checked(FullOrder(side=Side(side), order_type=order_type, attributes=stated, **words))


def having(order: FullOrder, **attributes: Any) -> FullOrder:
    """The order with other attributes, checked."""
    return checked(replace(order, attributes=replace(order.attributes, **attributes)))
