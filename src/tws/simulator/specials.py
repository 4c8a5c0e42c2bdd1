"""The special parts of an order as it came by wire, for the exchange; None for most orders.

Attributes that carry nothing (0, empty, unset) are not stated. What each means is in `tws.exchange.special`.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from tws.exchange.kinds import KINDS, Anchor
from tws.exchange.special import Peg, Special
from tws.wire.messages import WireOrder

__all__ = ["special_of"]

PLAIN = frozenset(kind.text for kind in KINDS.values() if kind.anchor is Anchor.STATED)
BY_QUOTE = 2
"""referencePriceType: 1 the average of bid and ask, 2 the one or the other (official)."""
DAILY = 1
"""volatilityType: 1 daily, 2 annual (official)."""


def special_of(order: WireOrder) -> Special | None:
    """What the order states beside its ticket."""
    if order.order_type in PLAIN and not (
        order.discretionary_amt or order.display_size or order.hidden or order.block_order
        or order.min_trade_qty
    ):  # fmt: skip
        return None
    return Special(
        peg=Peg() if order.order_type in PLAIN else _peg(order),
        discretion=number(order.discretionary_amt) or None,
        to_limit=order.discretionary_up_to_limit_price,
        shown=None if not order.display_size else Decimal(order.display_size),
        hidden=order.hidden,
        block=order.block_order,
        min_trade=None if not order.min_trade_qty else Decimal(order.min_trade_qty),
    )


def _peg(order: WireOrder) -> Peg:
    compete = order.compete_against_best_offset
    to_middle = compete is None or not isfinite(compete)
    return Peg(
        percent_offset=number(order.percent_offset),
        at_whole=number(order.mid_offset_at_whole),
        at_half=number(order.mid_offset_at_half),
        compete=None if to_middle else number(compete),
        compete_size=None if order.min_compete_size is None else Decimal(order.min_compete_size),
        delta=number(order.delta),
        reference_price=number(order.stock_ref_price),
        range_lower=number(order.stock_range_lower) or None,
        range_upper=number(order.stock_range_upper) or None,
        reference=order.reference_contract_id,
        change=number(order.pegged_change_amount),
        per=number(order.reference_change_amount),
        decreases=order.is_pegged_change_amount_decrease,
        volatility=number(order.volatility),
        daily=order.volatility_type == DAILY,
        by_quote=order.reference_price_type == BY_QUOTE,
        updates=order.continuous_update,
    )


def number(value: float | None) -> Decimal | None:
    """A number as its shortest text says it."""
    return None if value is None else Decimal(repr(value))
