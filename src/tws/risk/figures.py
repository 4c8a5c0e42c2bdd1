"""The limits that are a figure against a bound: what is measured, one small function each.

A figure is None where it can't be known (no price, no exchange rate): then the limit denies, since the
unknown never counts as zero. `bounded` makes a check of a figure; the distance that `tws risk` shows is the
same figure, measured for an order of nothing (`tws.risk.distance`), so what is shown and what denies can't
differ.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from tws.clock import NS_PER_S
from tws.model.order import Order, OrderType, Side
from tws.positions.book import multiplier
from tws.risk.denial import Denial
from tws.risk.limits import Limits
from tws.risk.situation import Proposal, Situation

__all__ = ["Check", "Figure", "bounded", "unknown"]

Check: TypeAlias = Callable[[Proposal, Situation, Limits], Denial | None]
Figure: TypeAlias = Callable[[Proposal, Situation, Limits], Decimal | None]
Lacks: TypeAlias = Callable[[Proposal, Situation], tuple[str, ...]]
"""The currencies whose rate a figure would need, and does not have."""

_ZERO = Decimal(0)
_ONE = Decimal(1)

BY_MARGIN = ("FUT", "FOP", "CASH", "CFD", "CMDTY", "BAG")
"""Kinds of contract that cost a margin and not their price: only the broker's what-if knows how much."""


def no_rate(proposal: Proposal, situation: Situation) -> tuple[str, ...]:
    """Of the order's own contract."""
    return () if situation.rate is not None else (proposal.contract.currency,)


def no_rate_in_symbol(proposal: Proposal, situation: Situation) -> tuple[str, ...]:
    """Of the contracts of its symbol."""
    return (*no_rate(proposal, situation), *(currency for symbol, currency in situation.unrated
                                             if symbol == proposal.contract.symbol))


def no_rate_anywhere(proposal: Proposal, situation: Situation) -> tuple[str, ...]:
    """Of all contracts that we hold or work."""
    return (*no_rate(proposal, situation), *(currency for _, currency in situation.unrated))


def no_rate_of_profit(proposal: Proposal, situation: Situation) -> tuple[str, ...]:
    """Of what our book has made and lost, and of what this order would add to it."""
    return (*no_rate(proposal, situation), *situation.unrated_profit)


def unknown(name: str, bound: object, lacking: tuple[str, ...], situation: Situation) -> Denial:
    """The denial for want of a figure: it names the exchange rates that are lacking, or else the price."""
    if not lacking:
        reason = "the market is not known: open a stream of its quotes first, or give a limit price"
        return Denial(limit=name, figure="no price", bound=str(bound), reason=reason)
    base = situation.base or "base currency, nor which that is"
    return Denial(limit=name, figure=f"no exchange rate of {', '.join(dict.fromkeys(lacking))}",
                  bound=str(bound), reason=f"the broker has stated no rate of it to the account's {base}")


def bounded(name: str, figure: Figure, reason: str, lacks: Lacks | None = None) -> Check:
    """The check that denies when the figure lies beyond the field `name` of the limits, or is not known.

    `lacks` is for a figure in money: which rates are lacking where it is None.
    """

    def check(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
        bound = getattr(limits, name)
        if bound is None:
            return None
        value = figure(proposal, situation, limits)
        if value is None:
            return unknown(name, bound, lacks(proposal, situation) if lacks else (), situation)
        if value <= bound:
            return None
        return Denial(limit=name, figure=str(value), bound=str(bound), reason=reason)

    return check


# -- one order


def order_quantity(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """The order's shares."""
    return proposal.order.quantity


def order_notional(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """The order's money."""
    return value_of(proposal, situation, proposal.order.quantity)


def value_of(proposal: Proposal, situation: Situation, quantity: Decimal) -> Decimal | None:
    """What so many shares are reckoned at, in the base currency. None where no price or no rate is known,
    unless there are none.
    """
    if not quantity:
        return _ZERO
    price, rate = situation.price_of(proposal.order), situation.rate
    if price is None or rate is None:
        return None
    value = price * quantity * multiplier(proposal.contract)
    return value if rate == _ONE else value * rate


# -- prices


def prices_of(order: Order, situation: Situation) -> tuple[Decimal, ...]:
    """The prices that an order names; of a market order, the side that it would meet."""
    if order.order_type is OrderType.MARKET:
        market = situation.market(order.side)
        return () if market is None else (market,)
    limit, stop = order.limit_price, order.stop_price
    if stop is None:
        return () if limit is None else (limit,)
    return (stop,) if limit is None else (limit, stop)


def collar(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """How far a price lies beyond the market: the side that it meets, its middle and its last trade.

    The farthest counts, as a fraction of the reference; 0 where it lies on the harmless side of all.
    """
    order = proposal.order
    market, mid = situation.market(order.side), situation.mid
    if market is None or mid is None:
        return None
    last = situation.last
    references = (market, mid) if last is None else (market, mid, last)
    return _beyond(prices_of(order, situation), references, order.side)


def drift(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """How far a price lies beyond the best market at which an entry was let out within the window."""
    since = situation.now_ns - int(limits.drift_window_s * NS_PER_S)
    references = tuple(each.price for each in situation.references if each.at_ns > since)
    return _beyond(prices_of(proposal.order, situation), references, proposal.order.side)


def _beyond(prices: tuple[Decimal, ...], references: tuple[Decimal, ...], side: Side) -> Decimal:
    if not prices or not references:
        return _ZERO
    if side is Side.BUY:
        price, reference = max(prices), min(references)
        return (price - reference) / reference if price > reference else _ZERO
    price, reference = min(prices), max(references)
    return (reference - price) / reference if price < reference else _ZERO


# -- positions at their worst


def position(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """The contract's worst position in shares: filled, working and unknown."""
    return abs(situation.worst_position(proposal.order.side, proposal.added))


def position_notional(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """The same in money."""
    return value_of(proposal, situation, abs(situation.worst_position(proposal.order.side, proposal.added)))


def symbol_notional(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """The worst positions of all contracts of the symbol, in money."""
    own = position_notional(proposal, situation, limits)
    if own is None or (situation.unrated and no_rate_in_symbol(proposal, situation)):
        return None
    return own + situation.other_symbol_notional


def gross_notional(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """The worst positions of all contracts, in money, shorts counted like longs."""
    own = position_notional(proposal, situation, limits)
    return None if own is None or situation.unrated else own + situation.other_gross_notional


def net_notional(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """All contracts together on the order's side, were all orders of that side to fill; shorts set off."""
    side = proposal.order.side
    worst = situation.worst_position(side, proposal.added)
    own = value_of(proposal, situation, abs(worst))
    if own is None or situation.unrated:
        return None
    signed = own.copy_sign(worst)
    if side is Side.BUY:
        return max(situation.other_if_bought + signed, _ZERO)
    return max(-situation.other_if_sold - signed, _ZERO)


# -- counts within a window


def entries(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """Entries of the symbol within the window, this one included."""
    since = situation.now_ns - int(limits.entry_window_s * NS_PER_S)
    recent = len(situation.entries) - bisect_right(situation.entries, since)
    return Decimal(recent + proposal.places)


def messages(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """Messages within the last second, this order's included."""
    recent = len(situation.messages) - bisect_right(situation.messages, situation.now_ns - NS_PER_S)
    return Decimal(recent + proposal.messages)


def message_bound(limits: Limits) -> Decimal | None:
    """What entries may use of the message rate."""
    if limits.max_messages_per_s is None:
        return None
    return Decimal(limits.max_messages_per_s) - Decimal(limits.message_reserve or 0)


def orders_on_side(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """Working orders on this side of the contract, this one included."""
    return Decimal(situation.orders_on_side + proposal.places)


# -- money and losses


def buying_power(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """What the order and all entries that work may cost."""
    own = value_of(proposal, situation, proposal.added)
    return None if own is None or situation.unrated else own + situation.working_notional


def daily_loss(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """What the day has lost; nothing before the first reading, None for want of a rate."""
    if situation.unrated_profit:
        return None
    return _ZERO if situation.loss is None else max(situation.loss, _ZERO)


def drawdown(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """How far we lie below the day's best; nothing before the first reading, None for want of a rate."""
    if situation.unrated_profit:
        return None
    return _ZERO if situation.drawdown is None else max(situation.drawdown, _ZERO)


def quote_age(proposal: Proposal, situation: Situation, limits: Limits) -> Decimal | None:
    """How old the quote is, in seconds of market time; one from the future is as bad as an old one."""
    if situation.quote is None:
        return None
    return Decimal(abs(situation.now_ns - situation.quote.time_ns)) / NS_PER_S
