"""What may be added to an order: each function takes an order and gives another one, checked.

    order = iceberg(limit("BUY", 1000, 99.5), 100)
    stop = adjust_to_trail(stop("SELL", 100, 95), trigger_price=105, stop_price=98, amount=2)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec.structs import replace

from tws.errors import BadOrderError
from tws.model.attributes import (
    Adjusted,
    Allocation,
    Attached,
    Clearing,
    Combo,
    Compliance,
    Hedge,
    Scale,
    ShortSale,
    SoftDollar,
)
from tws.model.conditions import Condition, Conditions
from tws.model.fullorder import FullOrder
from tws.model.instrument import Number, decimal
from tws.ordertypes.build import having
from tws.ordertypes.refusals import checked

__all__ = [
    "adjust_to_stop",
    "adjust_to_stop_limit",
    "adjust_to_trail",
    "all_or_none",
    "allocated",
    "attach_presets",
    "block",
    "by_hand",
    "cleared",
    "conditional",
    "discretionary",
    "for_cash",
    "good_after",
    "good_till",
    "hedged_beta",
    "hedged_delta",
    "hedged_fx",
    "hedged_pair",
    "hidden",
    "iceberg",
    "minimum_quantity",
    "non_guaranteed",
    "one_cancels_all",
    "scaled",
    "short_from",
    "soft_dollar",
    "sweep_to_fill",
    "triggered_by",
    "with_compliance",
    "with_leg_prices",
]

_OCA = {"cancel": 1, "reduce": 2, "reduce unblocked": 3}
_TRIGGERS = {"default": 0, "double bid ask": 1, "last": 2, "double last": 3, "bid ask": 4,
             "last or bid ask": 7, "midpoint": 8}

Trigger: TypeAlias = Literal[
    "default", "double bid ask", "last", "double last", "bid ask", "last or bid ask", "midpoint"
]


# -- how much of it, and how it shows


def iceberg(order: FullOrder, display_size: int) -> FullOrder:
    """Show only so much of it at a time."""
    return having(order, display_size=display_size)


def hidden(order: FullOrder) -> FullOrder:
    """Show nothing of it (NASDAQ)."""
    return having(order, hidden=True)


def discretionary(order: FullOrder, amount: Number) -> FullOrder:
    """Trade up to `amount` beyond its limit, without showing that."""
    return having(order, discretionary_amount=decimal(amount, "amount"))


def all_or_none(order: FullOrder) -> FullOrder:
    """The whole at once, or nothing."""
    return having(order, all_or_none=True)


def minimum_quantity(order: FullOrder, quantity: int) -> FullOrder:
    """No fill smaller than this."""
    return having(order, min_quantity=quantity)


def block(order: FullOrder) -> FullOrder:
    """A block of at least 50 option contracts (ISE)."""
    return having(order, block_order=True)


def sweep_to_fill(order: FullOrder) -> FullOrder:
    """Take the best prices one after the other, at once."""
    return having(order, sweep_to_fill=True)


def for_cash(order: FullOrder, cash_quantity: Number) -> FullOrder:
    """For an amount of money instead of a number of shares (currencies, crypto)."""
    amount = decimal(cash_quantity, "cash_quantity")
    bought = replace(order, quantity=None, attributes=replace(order.attributes, cash_quantity=amount))
    return checked(bought)


# -- when


def good_after(order: FullOrder, time: str) -> FullOrder:
    """Sleep until `time`: "20261201 10:00:00 US/Eastern", or "20261201-15:00:00" in UTC."""
    return having(order, good_after_time=time)


def good_till(order: FullOrder, time: str = "", *, duration_s: int | None = None) -> FullOrder:
    """GTD: work until `time` (written as in `good_after`), or for so long."""
    ended = replace(order.attributes, good_till_date=time, duration_s=duration_s)
    return checked(replace(order, tif="GTD", attributes=ended))


def triggered_by(order: FullOrder, trigger: Trigger) -> FullOrder:
    """What a stop, a touch or a trail watches."""
    return having(order, trigger_method=_TRIGGERS[trigger])


def conditional(
    order: FullOrder,
    conditions: Condition | Conditions,
    *,
    cancel: bool = False,
    ignore_rth: bool = False,
) -> FullOrder:
    """Work once the conditions hold, or with `cancel` end then; `ignore_rth`: they count at any hour."""
    row = conditions if isinstance(conditions, Conditions) else Conditions(terms=(conditions,))
    return having(order, conditions=replace(row, cancel_order=cancel, ignore_rth=ignore_rth))


# -- orders that go together


def one_cancels_all(
    orders: Iterable[FullOrder],
    group: str,
    kind: Literal["cancel", "reduce", "reduce unblocked"] = "cancel",
) -> tuple[FullOrder, ...]:
    """The orders as one group: what fills cancels the others, or reduces them in proportion.

    With "cancel" and "reduce" one of them at a time is at an exchange, so that no two can fill at once.
    """
    return tuple(checked(replace(order, oca_group=group, oca_type=_OCA[kind])) for order in orders)


def attach_presets(
    order: FullOrder, *, stop_loss_id: int | None = None, profit_taker_id: int | None = None
) -> FullOrder:
    """Let TWS attach a stop and a profit taker by its own presets, under these order ids (version 218 on).

    Reserve the order's own id first, then theirs, and give it to `place_order`: TWS takes no id below the
    highest one used (103).
    """
    return having(order, attached=Attached(stop_loss_id=stop_loss_id, profit_taker_id=profit_taker_id))


def adjust_to_stop(order: FullOrder, *, trigger_price: Number, stop_price: Number) -> FullOrder:
    """When the market reaches `trigger_price` the stop becomes one at `stop_price`."""
    return _adjusted(order, "STP", trigger_price, stop_price)


def adjust_to_stop_limit(
    order: FullOrder, *, trigger_price: Number, stop_price: Number, limit_price: Number
) -> FullOrder:
    """When the market reaches `trigger_price` the stop becomes a STP LMT."""
    return _adjusted(order, "STP LMT", trigger_price, stop_price, limit_price=limit_price)


def adjust_to_trail(
    order: FullOrder,
    *,
    trigger_price: Number,
    stop_price: Number,
    amount: Number | None = None,
    percent: Number | None = None,
) -> FullOrder:
    """When the market reaches `trigger_price` the stop becomes a TRAIL, by `amount` or by `percent`."""
    return _adjusted(order, "TRAIL", trigger_price, stop_price, amount=amount, percent=percent)


def _adjusted(
    order: FullOrder, kind: str, trigger: Number, stop: Number, **more: Number | None
) -> FullOrder:
    limit, amount, percent = more.get("limit_price"), more.get("amount"), more.get("percent")
    if amount is not None and percent is not None:
        raise BadOrderError("adjusted.trailing_amount", "an amount and a percent", "State one of them.", 364)
    by = amount if percent is None else percent
    return having(order, adjusted=Adjusted(
        order_type=kind, trigger_price=decimal(trigger, "trigger_price"),
        stop_price=decimal(stop, "stop_price"),
        stop_limit_price=None if limit is None else decimal(limit, "limit_price"),
        trailing_amount=None if by is None else decimal(by, "amount"),
        trailing_unit=0 if percent is None else 100))  # fmt: skip


def scaled(order: FullOrder, scale: Scale) -> FullOrder:
    """In pieces at prices that lie apart: see `Scale`."""
    return having(order, scale=scale)


# -- hedges: children of what they hedge


def hedged_delta(order: FullOrder) -> FullOrder:
    """A child that hedges the delta of its option."""
    return having(order, hedge=Hedge(type="D"))


def hedged_beta(order: FullOrder, beta: Number, *, max_size: int | None = None) -> FullOrder:
    """A child that hedges by `beta`; `max_size` caps what it sells short (version 223 on)."""
    return having(order, hedge=Hedge(type="B", param=str(decimal(beta, "beta")), max_size=max_size))


def hedged_fx(order: FullOrder) -> FullOrder:
    """A child that changes the currency which its parent needs; TWS reckons its size, so it becomes 0."""
    return having(replace(order, quantity=Decimal(0)), hedge=Hedge(type="F"))


def hedged_pair(order: FullOrder, ratio: Number) -> FullOrder:
    """A child that trades `ratio` of its contract for each of the parent's."""
    return having(order, hedge=Hedge(type="P", param=str(decimal(ratio, "ratio"))))


# -- combinations


def non_guaranteed(order: FullOrder, **routing: str) -> FullOrder:
    """A combination whose legs may fill one without the other; more of SMART's parameters by name."""
    return _routed(order, {"NonGuaranteed": "1", **routing})


def _routed(order: FullOrder, routing: Mapping[str, str]) -> FullOrder:
    combo = order.attributes.combo or Combo()
    return having(order, combo=replace(combo, routing=tuple(routing.items())))


def with_leg_prices(order: FullOrder, prices: Iterable[Number | None]) -> FullOrder:
    """A price for each leg of the combination, instead of one for the whole."""
    combo = order.attributes.combo or Combo()
    legs = tuple(None if price is None else decimal(price, "leg_prices") for price in prices)
    priced = replace(order, limit_price=None,
                     attributes=replace(order.attributes, combo=replace(combo, leg_prices=legs)))
    return checked(priced)


# -- whose order it is


def allocated(
    order: FullOrder, *, group: str = "", method: str = "", percentage: Number | None = None, model: str = ""
) -> FullOrder:
    """An adviser's order: for a group by a method (and percentage), or for a model."""
    share = "" if percentage is None else str(decimal(percentage, "percentage"))
    whose = Allocation(group=group, method=method, percentage=share, model_code=model)
    return having(order, allocation=whose)


def short_from(order: FullOrder, *, slot: int, location: str = "", exempt_code: int = -1) -> FullOrder:
    """SSHORT, for institutions: from the broker (slot 1), or from `location` (slot 2)."""
    return having(order, short_sale=ShortSale(slot=slot, location=location, exempt_code=exempt_code))


def cleared(order: FullOrder, clearing: Clearing) -> FullOrder:
    """Where it clears: see `Clearing`."""
    return having(order, clearing=clearing)


def soft_dollar(order: FullOrder, name: str, value: str) -> FullOrder:
    """A soft dollar tier, as `request_soft_dollar_tiers` names them."""
    return having(order, soft_dollar=SoftDollar(name=name, value=value))


def with_compliance(order: FullOrder, compliance: Compliance) -> FullOrder:
    """Who decided and who sent it: see `Compliance`."""
    return having(order, compliance=compliance)


def by_hand(order: FullOrder, time: str = "") -> FullOrder:
    """An order that a person entered (CME rule 576), at `time` ("20261201-15:00:00" in UTC)."""
    found = order.attributes.compliance or Compliance()
    return having(order, compliance=replace(found, manual_order_indicator=1, manual_order_time=time))
