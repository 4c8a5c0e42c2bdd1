"""The opening and the closing auction: on-open and on-close orders fill there whole, at one price.

The price is the mark: at the close the last trade held within the quote, at the open the same as soon as a
quote or trade of the new session came. An auction is deep enough for everybody (assumed); a limit that
it doesn't reach is cancelled. A market without a close holds one at every full minute (`Session`).
"""

from __future__ import annotations

from tws.exchange.core import Core
from tws.exchange.families import EXPIRED, cancel_now, workable
from tws.exchange.matching import trade_at
from tws.exchange.triggers import unwatch, watch
from tws.exchange.working import Stage, Working

__all__ = ["await_auction", "hold_auction"]


def await_auction(core: Core, order: Working) -> None:
    """An order begins to wait for its auction."""
    session = order.book.listing.session
    if session.regular is None:
        every = session.auction_every_ns
        core.set_alarm((core.now // every + 1) * every, lambda: hold_auction(core, order))
    elif order.opening:
        watch(order, order.book)


def hold_auction(core: Core, order: Working) -> None:
    """Fill an order that waits for its auction, or cancel it."""
    if not order.live or order.stage is not Stage.AWAITS_AUCTION:
        return
    unwatch(order)
    price = order.book.mark()
    lots = workable(core, order)
    if price is None or lots <= 0 or (order.is_limit and (order.limit - price) * order.sign < 0):
        cancel_now(core, order, EXPIRED)
        return
    order.move(Stage.WORKING)
    trade_at(core, order, price, lots)
    if order.live:
        cancel_now(core, order, EXPIRED)
