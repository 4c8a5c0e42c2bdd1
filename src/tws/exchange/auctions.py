"""The opening and the closing auction: on-open and on-close orders fill there whole, at one price.

The price is the mark: at the close the last trade held within the quote, at the open the same as soon as a
quote or trade of the new session came. An auction is deep enough for everybody (assumed); a limit that
it doesn't reach is cancelled. A market without a close holds one at every full minute (`Session`).
"""

from __future__ import annotations

from tws.exchange.core import Core
from tws.exchange.families import EXPIRED, cancel_now, workable
from tws.exchange.kinds import Anchor
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
    worst = _worst(order)
    if price is None or lots <= 0 or (worst is not None and (worst - price) * order.sign < 0):
        if order.rule.stays and price is not None:
            _stay(core, order, price)
        else:
            cancel_now(core, order, EXPIRED)
        return
    order.move(Stage.WORKING)
    trade_at(core, order, price, lots)
    if order.live:
        cancel_now(core, order, EXPIRED)


def _worst(order: Working) -> int | None:
    """The worst price that it takes; None: any. A type that follows the quote has but its own limit here."""
    if not order.is_limit:
        return None
    if order.anchor is Anchor.STATED:
        return order.worst
    price = order.ticket.limit_price if order.kind.caps else None
    return order.book.instrument.nearest_ticks(price) if price else None


def _stay(core: Core, order: Working, price: int) -> None:
    """What the opening didn't fill works on at its limit, else at the auction's price (official for AUC)."""
    order.auctioned = True
    if order.anchor is not Anchor.STATED or not order.is_limit:
        worst = _worst(order)
        order.limit, order.anchored, order.is_limit = price if worst is None else worst, True, True
    core.ready.append(order)
