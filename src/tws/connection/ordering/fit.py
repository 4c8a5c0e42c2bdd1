"""What an order is held to before it is encoded: what TWS would refuse, and the contract's market rule."""

from __future__ import annotations

from typing import TypeAlias

from tws.model.fullorder import FullOrder
from tws.model.instrument import Instrument
from tws.model.order import Order
from tws.risk import Denial, OffGrid, conform, fitting

__all__ = ["AnyOrder", "fit"]

AnyOrder: TypeAlias = Order | FullOrder
"""A plain order, or one with attributes."""


def fit(instrument: Instrument, order: AnyOrder, mode: OffGrid = "refuse") -> AnyOrder:
    """The order as it may be encoded. Raises BadOrderError for what TWS refuses, OrderDeniedError for a price
    or a quantity off the grid.
    """
    if isinstance(order, FullOrder):
        from tws.ordertypes import checked  # a program of plain orders does not load it

        found: AnyOrder | Denial = fitting(instrument, checked(order, instrument.contract), mode)
    else:
        found = conform(instrument, order, mode)
    if isinstance(found, Denial):
        raise found.error()
    return found
