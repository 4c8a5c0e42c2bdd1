"""The limits, one small function each: None, or the denial that names limit, figure and bound.

Three lists order them. `ALWAYS` holds whatever the order is. `ENTRIES` holds for entries. `EXITS` asks of
an exit only that it provably reduces: no safety device may trap a position (RISK.md), and no exit may flip
one. A child attached to an entry counts as an exit: it can only act on what its parent filled.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from tws.config.ports import LIVE_PORTS, is_live_port, is_paper_account
from tws.model.market import MarketDataType
from tws.model.order import OrderType, Role, Side
from tws.positions.book import multiplier
from tws.risk.denial import Denial
from tws.risk.grid import conform
from tws.risk.limits import Limits
from tws.risk.situation import Proposal, Situation

__all__ = ["ALWAYS", "ENTRIES", "EXITS", "STANDALONE", "Check", "live_lock", "reduces"]

Check: TypeAlias = Callable[[Proposal, Situation, Limits], Denial | None]

_NEEDS_LIMIT = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_NEEDS_STOP = (OrderType.STOP, OrderType.STOP_LIMIT)


def live_lock(port: int, account: str) -> Denial | None:
    """Live is locked: ports 7496 and 4001, and accounts that are unknown or do not begin with D."""
    if is_live_port(port):
        return Denial(limit="live_lock", figure=f"port {port}", bound=f"not {sorted(LIVE_PORTS)}",
                      reason="a live port may be read, never traded")
    if not is_paper_account(account):
        return Denial(limit="live_lock", figure=f"account {account or 'unknown'}",
                      bound="a paper account (D…)",
                      reason="a live or unknown account may be read, never traded")
    return None


def _live_lock(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    return live_lock(situation.port, situation.account)


def _account(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    asked = proposal.order.account
    if asked != situation.account:
        return Denial(limit="account", figure=asked or "none", bound=situation.account,
                      reason="the order names another account than the one we trade")
    if asked not in situation.managed_accounts:
        return Denial(limit="account", figure=asked, bound=", ".join(situation.managed_accounts) or "none",
                      reason="TWS does not manage this account")
    return None


def _market_rule(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    order, instrument = proposal.order, proposal.instrument
    if proposal.contract.con_id <= 0:
        return Denial(limit="market_rule", figure=proposal.contract.symbol,
                      bound="a contract with its con_id",
                      reason="ask for the contract's details first: a symbol alone is no identity")
    for what, price, needed in (("limit price", order.limit_price, order.order_type in _NEEDS_LIMIT),
                                ("stop price", order.stop_price, order.order_type in _NEEDS_STOP)):
        if (price is not None) is not needed:
            return Denial(limit="market_rule", figure=f"{what} {price}", bound=f"{order.order_type}",
                          reason=f"{order.order_type} {'needs a' if needed else 'takes no'} {what}")
        # Not `price <= 0`: a Decimal that is no number refuses to be compared.
        if price is not None and price.is_finite() and price <= 0:
            return Denial(limit="market_rule", figure=f"{what} {price}", bound="above zero",
                          reason="a price at or below zero has no value that the limits could judge")
    found = conform(instrument, order)
    return found if isinstance(found, Denial) else None


def _children(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    parent = proposal.parent_quantity
    if parent is not None and proposal.order.quantity > parent:
        return Denial(limit="children", figure=str(proposal.order.quantity), bound=str(parent),
                      reason="a child would hold more than its parent")
    return None


def _reduce_only(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if reduces(proposal, situation):
        return None
    return Denial(limit="reduce_only", figure=f"{proposal.order.side} {proposal.added} with "
                  f"{situation.working_exits} in other exits", bound=f"{situation.net} held",
                  reason="an exit must take less than is held, or it would turn the position")


def _blocked(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if not situation.entries_blocked:
        return None
    return Denial(limit="entries_blocked", figure="an entry", bound="exits only",
                  reason=situation.entries_blocked)


def _unknown(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if not situation.unknown_orders:
        return None
    return Denial(limit="unknown_orders", figure=", ".join(situation.unknown_orders), bound="none",
                  reason="an order of unknown outcome on this contract: it may still fill")


def _duplicate(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if not situation.signal_used:
        return None
    return Denial(limit="duplicate", figure=proposal.signal_id, bound="each signal once",
                  reason="this signal has already acted")


def _allow(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    symbol = proposal.contract.symbol
    if limits.allow is None or symbol in limits.allow:
        return None
    return Denial(limit="allow", figure=symbol, bound=", ".join(limits.allow) or "none",
                  reason="the symbol is not on the allow-list")


def _short(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    worst = situation.worst_position(proposal.order.side, proposal.added)
    if limits.short_sales or proposal.order.side is Side.BUY or worst >= 0:
        return None
    return Denial(limit="short_sales", figure=str(worst), bound="0", reason="short sales are not permitted")


def _quantity(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    bound, size = limits.max_order_quantity, proposal.order.quantity
    if bound is None or size <= bound:
        return None
    return Denial(limit="max_order_quantity", figure=str(size), bound=str(bound),
                  reason="too many shares in one order")


def _stale(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    quote, bound = situation.quote, f"{limits.stale_quote_s} s"
    if quote is None:
        return Denial(limit="stale_quote_s", figure="no quote", bound=bound, reason="the market is not known")
    if quote.kind is not MarketDataType.LIVE:
        return Denial(limit="stale_quote_s", figure=f"{quote.kind.name.lower()} data", bound="live data",
                      reason="only live data carry an entry")
    if situation.market(Side.BUY) is None or situation.market(Side.SELL) is None:
        return Denial(limit="stale_quote_s", figure="a quote of one side", bound="bid and ask",
                      reason="the market is not known")
    age_ns = situation.now_ns - quote.time_ns
    # A quote from the future means that two clocks disagree: as bad as an old one.
    if abs(age_ns) > limits.stale_quote_ns:
        return Denial(limit="stale_quote_s", figure=f"{age_ns / 1e9:.3f} s", bound=bound,
                      reason="the quote is too old, or its clock is not ours")
    return None


def _notional(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if limits.max_order_notional is None:
        return None
    value = _value(proposal, situation, proposal.order.quantity)
    if value is None:
        return _no_price("max_order_notional", limits.max_order_notional)
    if value <= limits.max_order_notional:
        return None
    return Denial(limit="max_order_notional", figure=str(value), bound=str(limits.max_order_notional),
                  reason="too much money in one order")


def _collar(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    order = proposal.order
    price = order.stop_price if order.order_type is OrderType.STOP else order.limit_price
    market = situation.market(order.side)
    if limits.price_collar is None or proposal.order.order_type is OrderType.MARKET:
        return None
    if price is None or market is None:
        return _no_price("price_collar", limits.price_collar)
    beyond = (price - market) * proposal.order.side.sign
    if beyond <= market * limits.price_collar:
        return None
    return Denial(limit="price_collar", figure=str(price), bound=f"{market} and {limits.price_collar} of it",
                  reason="the price lies too far through the market")


def _position(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    worst = abs(situation.worst_position(proposal.order.side, proposal.added))
    if limits.max_position is None or worst <= limits.max_position:
        return None
    return Denial(limit="max_position", figure=str(worst), bound=str(limits.max_position),
                  reason="filled, working and unknown orders together would hold too much")


def _position_value(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if limits.max_position_notional is None:
        return None
    worst = abs(situation.worst_position(proposal.order.side, proposal.added))
    value = _value(proposal, situation, worst)
    if value is None:
        return _no_price("max_position_notional", limits.max_position_notional)
    if value <= limits.max_position_notional:
        return None
    return Denial(limit="max_position_notional", figure=str(value), bound=str(limits.max_position_notional),
                  reason="filled, working and unknown orders together would be worth too much")


def _gross(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if limits.max_gross_notional is None:
        return None
    worst = abs(situation.worst_position(proposal.order.side, proposal.added))
    value = _value(proposal, situation, worst)
    if value is None:
        return _no_price("max_gross_notional", limits.max_gross_notional)
    value += situation.other_gross_notional
    if value <= limits.max_gross_notional:
        return None
    return Denial(limit="max_gross_notional", figure=str(value), bound=str(limits.max_gross_notional),
                  reason="all positions together would be worth too much")


def _orders_per_side(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    after = situation.orders_on_side + (1 if proposal.grows_by is None else 0)
    if limits.max_orders_per_side is None or after <= limits.max_orders_per_side:
        return None
    return Denial(limit="max_orders_per_side", figure=str(after), bound=str(limits.max_orders_per_side),
                  reason="too many working orders on this side of the contract")


ALWAYS: tuple[Check, ...] = (_live_lock, _account, _market_rule, _children)
"""What every order is held to, exits included."""

ENTRIES: tuple[Check, ...] = (
    _blocked, _duplicate, _allow, _unknown, _quantity, _stale, _notional, _collar, _short, _position,
    _position_value, _gross, _orders_per_side,
)
"""What an entry is held to besides."""

EXITS: tuple[Check, ...] = (_reduce_only,)
"""What an exit is held to besides: it reduces, and can't flip a position (INCIDENTS.md 19)."""

STANDALONE: tuple[Check, ...] = (_live_lock, _account, _market_rule, _allow, _quantity, _notional)
"""What can be judged without a desk, its positions and its books."""


def reduces(proposal: Proposal, situation: Situation) -> bool:
    """Whether an exit provably reduces: it can't take more than is held, other working exits counted.

    A child attached to its entry can take only what the entry filled. A change counts what it adds.
    """
    if proposal.role is Role.ENTRY:
        return False
    if proposal.parent_quantity is not None:
        return True  # `_children` holds it to its parent's size
    if proposal.added <= 0:
        return True
    if situation.net == 0 or (situation.net > 0) is (proposal.order.side is Side.BUY):
        return False
    return situation.working_exits + proposal.added <= abs(situation.net)


def _value(proposal: Proposal, situation: Situation, quantity: Decimal) -> Decimal | None:
    price = situation.price_of(proposal.order)
    return None if price is None else price * quantity * multiplier(proposal.contract)


def _no_price(limit: str, bound: object) -> Denial:
    return Denial(limit=limit, figure="no price", bound=str(bound), reason="the market is not known")
