"""The special parts of an order as it came by wire, for the exchange; None for most orders.

Attributes that carry nothing (0, empty, unset) are not stated. What each means is in `tws.exchange.special`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from tws.clock import NS_PER_S
from tws.exchange.algos import Algo, read_algo
from tws.exchange.kinds import KINDS, Anchor
from tws.exchange.refusals import Refusal
from tws.exchange.special import Hedge, Peg, Scale, Special
from tws.exchange.specialvalidity import UNGUARANTEED
from tws.simulator.combos import is_loose
from tws.wire.messages import WireOrder

if TYPE_CHECKING:
    from tws.simulator.tickets import Door

__all__ = ["special_of"]

PLAIN = frozenset(kind.text for kind in KINDS.values() if kind.anchor is Anchor.STATED)
BY_QUOTE = 2
"""referencePriceType: 1 the average of bid and ask, 2 the one or the other (official)."""
ATS = "IBKRATS"
DAILY = 1
"""volatilityType: 1 daily, 2 annual (official)."""


def special_of(order: WireOrder, door: Door, read_time: Callable[[str], int]) -> Special | Refusal | None:
    """What the order states beside its ticket; or what TWS says against its algo. `read_time` may raise
    ValueError.
    """
    if order.order_type in PLAIN and not (
        order.discretionary_amt or order.display_size or order.hidden or order.block_order
        or order.min_trade_qty or order.algo_strategy or order.scale_price_increment or order.hedge_type
        or order.order_combo_leg_prices or order.smart_combo_routing_params
    ):  # fmt: skip
        return None
    apart = door.sec_type == "BAG" and is_loose(order)
    if apart and door.exchange not in ("", "SMART"):
        return Refusal(10043, UNGUARANTEED)
    algo: Algo | Refusal | None = None
    if order.algo_strategy:
        shows = bool(order.display_size)
        algo = read_algo(order.algo_strategy, order.algo_params, door.sec_type, read_time, shows=shows)
        if isinstance(algo, Refusal):
            return algo
    return Special(
        peg=Peg() if order.order_type in PLAIN else _peg(order, door.exchange),
        discretion=number(order.discretionary_amt) or None,
        to_limit=order.discretionary_up_to_limit_price,
        shown=_whole(order.display_size) or None,
        hidden=order.hidden,
        block=order.block_order,
        min_trade=_whole(order.min_trade_qty) or None,
        scale=_scale(order) if order.scale_price_increment else None,
        hedge=_hedge(order) if order.hedge_type else None,
        algo=algo,
        neutral=_neutral(order),
        neutral_price=number(order.delta_neutral_aux_price) or None,
        leg_prices=tuple(number(price) for price in order.order_combo_leg_prices),
        apart=apart,
    )


def _neutral(order: WireOrder) -> str:
    """The type of a VOL order's hedge; TWS writes None for none (C5)."""
    wanted = order.delta_neutral_order_type
    return wanted if order.order_type == "VOL" and wanted != "None" else ""


def _whole(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _scale(order: WireOrder) -> Scale:
    return Scale(
        initial=_whole(order.scale_init_level_size),
        later=_whole(order.scale_subs_level_size),
        increment=number(order.scale_price_increment),
        profit=number(order.scale_profit_offset) or None,
        restores=order.scale_auto_reset,
        random=order.scale_random_percent,
        position=_whole(order.scale_init_position) or Decimal(0),
        filled=_whole(order.scale_init_fill_qty) or Decimal(0),
        adjust=number(order.scale_price_adjust_value) or None,
        adjust_ns=(order.scale_price_adjust_interval or 0) * NS_PER_S,
    )


def _hedge(order: WireOrder) -> Hedge:
    return Hedge(kind=order.hedge_type, param=order.hedge_param, most=_whole(order.hedge_max_size) or None)


def _peg(order: WireOrder, exchange: str) -> Peg:
    compete = order.compete_against_best_offset
    to_middle = compete is None or not isfinite(compete)
    return Peg(
        percent_offset=number(order.percent_offset),
        directed=exchange not in ("", "SMART"),
        before_far=exchange == ATS,
        at_whole=number(order.mid_offset_at_whole),
        at_half=number(order.mid_offset_at_half),
        compete=None if to_middle else number(compete),
        compete_size=_whole(order.min_compete_size),
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
