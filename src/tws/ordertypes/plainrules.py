"""What TWS refuses of an order's size, prices, times and ways of working. See `rule`."""

from __future__ import annotations

from tws.model.contract import Contract
from tws.model.fullorder import FullOrder, trails
from tws.ordertypes.rule import (
    LIMITED,
    STOPPED,
    TOUCHED,
    TRIGGER_METHODS,
    Rule,
    no_instant,
    positive,
)

__all__ = ["PLAIN_RULES"]

_LEAST_BLOCK = 50


def no_size(order: FullOrder, contract: Contract | None) -> str:
    """TWS reckons the size of an FX hedge and of a percentage of what a group holds; without one otherwise
    the size is an amount of money.
    """
    hedge, allocation = order.attributes.hedge, order.attributes.allocation
    if (hedge is not None and hedge.type == "F") or (allocation is not None and allocation.percentage):
        return ""
    if order.quantity is None:
        return "" if positive(order.attributes.cash_quantity) else "there is no size"
    return "" if positive(order.quantity) else f"the size is {order.quantity}"


def no_limit(order: FullOrder, contract: Contract | None) -> str:
    by_leg = order.attributes.combo is not None and order.attributes.combo.leg_prices
    needs = order.order_type in LIMITED and order.limit_price is None
    return f"{order.order_type} needs one" if needs and not by_leg else ""


def limit_and_leg_prices(order: FullOrder, contract: Contract | None) -> str:
    combo = order.attributes.combo
    twice = combo is not None and combo.leg_prices and order.limit_price is not None
    return "the combination has a price for each leg already" if twice else ""


def no_stop(order: FullOrder, contract: Contract | None) -> str:
    waits = order.order_type in STOPPED + TOUCHED
    lacks = waits and order.aux_price is None
    return f"{order.order_type} needs the price that it waits for" if lacks else ""


def no_trail(order: FullOrder, contract: Contract | None) -> str:
    lacks = trails(order.order_type) and order.aux_price is None and order.trailing_percent is None
    return f"{order.order_type} needs an amount or a percent" if lacks else ""


def two_trails(order: FullOrder, contract: Contract | None) -> str:
    both = trails(order.order_type) and order.aux_price is not None and order.trailing_percent is not None
    return "the amount is stated too, and only one of them counts" if both else ""


def percent_out_of_range(order: FullOrder, contract: Contract | None) -> str:
    for percent in (order.trailing_percent, order.attributes.percent_offset):
        if percent is not None and not (percent.is_finite() and 0 < percent <= 100):
            return f"{percent} is not between 0 and 100"
    return ""


def no_limit_offset(order: FullOrder, contract: Contract | None) -> str:
    offset, kind = order.attributes.limit_price_offset, order.order_type
    if kind not in ("TRAIL LIMIT", "TRAIL LIT"):
        return ""
    if offset is None and (order.limit_price is None or order.trail_stop_price is None):
        return f"{kind} needs it, or a limit price and a trail stop price, to know how far its limit lies"
    both = offset is not None and order.limit_price is not None
    return "the limit price is stated too, and only one of them counts" if both else ""


def close_not_day(order: FullOrder, contract: Contract | None) -> str:
    wrong = order.order_type in ("MOC", "LOC") and order.tif not in ("DAY", "")
    return f"{order.order_type} is of one day, {order.tif} is not" if wrong else ""


def open_and_trigger(order: FullOrder, contract: Contract | None) -> str:
    waits = order.order_type in STOPPED + TOUCHED or trails(order.order_type)
    return f"{order.order_type} can't wait for a price in the opening auction" if (
        waits and order.tif in ("OPG", "AUC")) else ""


def till_date_without_gtd(order: FullOrder, contract: Contract | None) -> str:
    stated = order.attributes.good_till_date or order.attributes.duration_s is not None
    return f"with {order.tif} it says nothing" if stated and order.tif != "GTD" else ""


def gtd_without_date(order: FullOrder, contract: Contract | None) -> str:
    stated = order.attributes.good_till_date or order.attributes.duration_s is not None
    return "GTD needs its end" if order.tif == "GTD" and not stated else ""


def date_and_duration(order: FullOrder, contract: Contract | None) -> str:
    both = order.attributes.good_till_date and order.attributes.duration_s is not None
    return "good_till_date says the end already" if both else ""


def bad_good_after(order: FullOrder, contract: Contract | None) -> str:
    return no_instant(order.attributes.good_after_time)


def bad_good_till(order: FullOrder, contract: Contract | None) -> str:
    return no_instant(order.attributes.good_till_date)


def bad_trigger_method(order: FullOrder, contract: Contract | None) -> str:
    method = order.attributes.trigger_method
    return "" if method in TRIGGER_METHODS else f"{method} is none of {TRIGGER_METHODS}"


def small_block(order: FullOrder, contract: Contract | None) -> str:
    small = order.attributes.block_order and order.quantity is not None and order.quantity < _LEAST_BLOCK
    return f"{order.quantity} is below {_LEAST_BLOCK}" if small else ""


def iceberg_and_discretion(order: FullOrder, contract: Contract | None) -> str:
    both = order.attributes.display_size is not None and order.attributes.discretionary_amount is not None
    return "the order shows a part of its size already" if both else ""


def large_display(order: FullOrder, contract: Contract | None) -> str:
    shown, size = order.attributes.display_size, order.quantity
    large = shown is not None and size is not None and not 0 < shown < size
    return f"{shown} is not below the order's size {size}" if large else ""


def oca_type_unknown(order: FullOrder, contract: Contract | None) -> str:
    wrong = bool(order.oca_group) and order.oca_type not in (0, 1, 2, 3)
    return f"{order.oca_type} is none of 1, 2, 3" if wrong else ""


PLAIN_RULES: tuple[Rule, ...] = (
    Rule(fault=no_size, attribute="quantity", code=434, source="codes",
         cure="State how many, or an amount of money (cash_quantity)."),
    Rule(fault=no_limit, attribute="limit_price", code=107, source="codes", cure="State the limit."),
    Rule(fault=limit_and_leg_prices, attribute="limit_price", source="fields",
         cure="State the prices of the legs, or that of the whole."),
    Rule(fault=no_stop, attribute="aux_price", code=403, source="codes", cure="State it."),
    Rule(fault=no_trail, attribute="trailing_percent", code=158, source="codes",
         cure="State by how much it follows: aux_price or trailing_percent."),
    Rule(fault=two_trails, attribute="trailing_percent", source="fields", cure="State one of them."),
    Rule(fault=percent_out_of_range, attribute="trailing_percent", code=159, source="codes",
         cure="State a percent above 0, up to 100."),
    Rule(fault=no_limit_offset, attribute="limit_price_offset", source="fields", cure="State one of them."),
    Rule(fault=close_not_day, attribute="tif", code=113, source="codes", cure="Use DAY."),
    Rule(fault=open_and_trigger, attribute="tif", code=111, source="codes",
         cure="Use DAY or GTC; it works from the opening on."),
    Rule(fault=till_date_without_gtd, attribute="good_till_date", code=334, source="fields",
         cure='Use tif "GTD", or good_till().'),
    Rule(fault=gtd_without_date, attribute="good_till_date", code=334, source="codes",
         cure="State good_till_date or duration_s."),
    Rule(fault=date_and_duration, attribute="duration_s", source="fields", cure="State one of them."),
    Rule(fault=bad_good_after, attribute="good_after_time", code=337, source="codes",
         cure='Write "20261201 15:59:00 US/Eastern", or "20261201-20:59:00" in UTC.'),
    Rule(fault=bad_good_till, attribute="good_till_date", code=343, source="codes",
         cure='Write "20261201 15:59:00 US/Eastern", or "20261201-20:59:00" in UTC.'),
    Rule(fault=bad_trigger_method, attribute="trigger_method", code=146, source="codes",
         cure="0 is TWS's own choice, 1 to 4, 7 and 8 name what is watched."),
    Rule(fault=small_block, attribute="block_order", code=117, source="codes",
         cure="Send it as a plain order."),
    Rule(fault=iceberg_and_discretion, attribute="discretionary_amount", code=157, source="codes",
         cure="Take one of the two."),
    Rule(fault=large_display, attribute="display_size", code=10020, source="codes",
         cure="Show less than all, or leave it unset."),
    Rule(fault=oca_type_unknown, attribute="oca_type", source="fields",
         cure="1 cancels with block, 2 reduces with block, 3 reduces without."),
)
"""In the order in which they are tried."""
