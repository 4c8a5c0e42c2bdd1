"""Which portion an order gets: none, or by what it states of pieces."""

from __future__ import annotations

from tws.exchange.algos import Algo
from tws.exchange.scales import Ladder
from tws.exchange.schedules import schedule_of
from tws.exchange.slices import Iceberg, Portion
from tws.exchange.working import Working

__all__ = ["portion_of"]


def portion_of(order: Working) -> Portion | None:
    """The portion of an order that trades in pieces."""
    special = order.ticket.special
    if special is None:
        return None
    if isinstance(special.algo, Algo):
        return schedule_of(order, special.algo)
    if special.scale is not None:
        return Ladder(order, special.scale)
    if special.shown:
        return Iceberg(int(special.shown / order.book.instrument.lot) or 1)
    return None
