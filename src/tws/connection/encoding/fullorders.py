"""Our full orders as the official client takes them. No state, no I/O.

Names and numbers go by the table of `tws.connection.attributes`; conditions, legs and attached orders are
made here. `unsaid` reads a frame back and names the first attribute that it does not say: the official
client leaves out, without a word, what a version or an order type has no field for.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ibapi import order_condition as ib
from ibapi.order import Order as IbOrder
from ibapi.order import OrderComboLeg
from ibapi.tag_value import TagValue

from tws.connection.attributes import conditions_of, official_name, stated, wired
from tws.model import conditions as c
from tws.model.attributes import Attributes
from tws.model.fullorder import FullOrder
from tws.wire.messages import PlaceOrderRequest

__all__ = ["ib_full_order", "unsaid"]

_PRESET = "PRESET"
"""The one type of an attached order that TWS takes (official documentation)."""


def ib_full_order(order: FullOrder) -> IbOrder:
    """The order in the official client's class."""
    made, attributes = IbOrder(), order.attributes
    made.action = "SSHORT" if attributes.short_sale is not None else str(order.side)
    if order.quantity is not None:
        made.totalQuantity = order.quantity
    made.orderType = order.order_type
    for name, value in (("lmtPrice", order.limit_price), ("auxPrice", order.aux_price),
                        ("trailStopPrice", order.trail_stop_price),
                        ("trailingPercent", order.trailing_percent)):
        if value is not None:
            setattr(made, name, float(value))
    made.tif, made.account, made.orderRef = order.tif, order.account, order.order_ref
    made.parentId, made.ocaGroup, made.ocaType = order.parent_id, order.oca_group, order.oca_type
    made.transmit, made.outsideRth = order.transmit, order.outside_rth
    for row, value in stated(attributes):
        *owner, name = official_name(row).split(".")
        setattr(getattr(made, owner[0]) if owner else made, name, _plain(value))
    _add_the_rest(made, attributes)
    return made


def _plain(value: Any) -> Any:
    """A value in the official client's types."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, tuple):
        return [TagValue(name, text) for name, text in value]
    return value


def _add_the_rest(made: IbOrder, attributes: Attributes) -> None:
    conditions, combo, attached = attributes.conditions, attributes.combo, attributes.attached
    if conditions is not None:
        made.conditions = _ib_conditions(conditions)
        made.conditionsCancelOrder = conditions.cancel_order
        made.conditionsIgnoreRth = conditions.ignore_rth
    if combo is not None and combo.leg_prices:
        made.orderComboLegs = [OrderComboLeg() for _ in combo.leg_prices]
        for leg, price in zip(made.orderComboLegs, combo.leg_prices, strict=True):
            if price is not None:
                leg.price = float(price)
    if attached is not None:
        made.slOrderType = _PRESET if attached.stop_loss_id is not None else ""
        made.ptOrderType = _PRESET if attached.profit_taker_id is not None else ""
    if attributes.hedge is not None:
        made.dontUseAutoPriceForHedge = not attributes.hedge.auto_price


def _ib_conditions(conditions: c.Conditions) -> list[ib.OrderCondition]:
    made = [_ib_condition(term) for term in conditions.terms]
    for condition, join in zip(made, conditions.joins, strict=False):
        condition.isConjunctionConnection = join == "and"
    return made


def _ib_condition(term: c.Condition) -> ib.OrderCondition:
    match term:
        case c.PriceCondition():
            return ib.PriceCondition(term.trigger_method, term.con_id, term.exchange, term.is_more,
                                     float(term.price))
        case c.TimeCondition():
            return ib.TimeCondition(term.is_more, term.time)
        case c.MarginCondition():
            return ib.MarginCondition(term.is_more, term.percent)
        case c.ExecutionCondition():
            return ib.ExecutionCondition(term.sec_type, term.exchange, term.symbol)
        case c.VolumeCondition():
            return ib.VolumeCondition(term.con_id, term.exchange, term.is_more, term.volume)
        case c.PercentChangeCondition():
            return ib.PercentChangeCondition(term.con_id, term.exchange, term.is_more,
                                             float(term.change_percent))


def unsaid(asked: Attributes, read: PlaceOrderRequest) -> str:
    """The first attribute of an order that its frame says otherwise, or not at all; empty when none."""
    order, hedge, combo = read.order, asked.hedge, asked.combo
    for row, value in stated(asked):
        if not _same(value, wired(read.attached_orders if row.group == "attached" else order, row.wire)):
            return row.path
    if asked.conditions != conditions_of(order):
        return "conditions"
    if hedge is not None and order.dont_use_auto_price_for_hedge is hedge.auto_price:
        return "hedge.auto_price"
    if combo is not None and not _same(combo.leg_prices, order.order_combo_leg_prices):
        return "combo.leg_prices"
    return ""


def _same(ours: Any, theirs: Any) -> bool:
    """Equal, a Decimal being the double that the wire carries."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return bool((float(ours) if isinstance(ours, Decimal) else ours) == theirs)
