"""THE table of an order's attributes: ours, the wire's name, and the server versions that carry it.

The wire's names are the official ones in snake_case (`tws.wire.messages.order`), so one row serves three
readings: our `Attributes` made of an openOrder, the official client's `Order` made of ours, and the question
whether the version of a session carries what an order states. What needs more than a name (conditions, legs,
attached orders) stands below the table. A test holds the table complete against the official class.

What TWS fills in by itself (TWS-BEHAVIOUR.md C5: "None" as a type, "?" as open or close, clearing "IB") is
read as not stated; so is a number 0, save where 0 says something.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter
from typing import Any

from msgspec import Struct

from tws.model import attributes as a
from tws.model import conditions as c
from tws.model.algos import Algo
from tws.model.instrument import decimal
from tws.wire.messages import WireOrder, WireOrderCondition

__all__ = ["BESIDE", "ROWS", "Row", "attributes_of", "conditions_of", "official_name", "stated", "too_old",
           "wired"]

_ALWAYS, _NEVER = 0, 10**6


class Row(Struct, frozen=True, kw_only=True):
    """One attribute: where it stands in `Attributes` ("" : directly), and what the wire calls it.

    `since`, `until`: the first version whose placeOrder carries it, and the first that does so no more.
    `zero`: 0 says something. `money`: a fraction, so a Decimal with us.
    """

    group: str
    name: str
    wire: str
    since: int = _ALWAYS
    until: int = _NEVER
    zero: bool = False
    money: bool = False

    @property
    def path(self) -> str:
        return f"{self.group}.{self.name}" if self.group else self.name


def _rows(group: str, names: str, **more: Any) -> tuple[Row, ...]:
    """Rows of "ours=wire" or, where both are one, "name"; `!` marks a fraction, `0` one whose 0 counts."""
    made = []
    for word in names.split():
        ours, _, wire = word.rstrip("!0").partition("=")
        marks = word[len(word.rstrip("!0")):]
        row = Row(group=group, name=ours, wire=wire or ours, money="!" in marks, zero="0" in marks, **more)
        made.append(row)
    return tuple(made)


ROWS: tuple[Row, ...] = (
    *_rows("", "good_after_time good_till_date active_start_time active_stop_time trigger_method all_or_none "
               "min_quantity=min_qty display_size hidden block_order sweep_to_fill cash_quantity=cash_qty! "
               "discretionary_amount=discretionary_amt! discretionary_up_to_limit_price percent_offset! "
               "limit_price_offset=lmt_price_offset! override_percentage_constraints not_held "
               "opt_out_smart_routing randomize_size randomize_price solicited is_oms_container "
               "use_price_management=use_price_mgmt_algo misc_options=order_misc_options"),
    *_rows("", "auction_strategy", until=203),
    *_rows("", "duration_s=duration", since=158),
    *_rows("", "post_to_ats", since=160),
    *_rows("", "auto_cancel_parent", since=162),
    *_rows("", "advanced_error_override", since=166),
    *_rows("", "include_overnight", since=189),
    *_rows("", "imbalance_only", since=199),
    *_rows("", "bond_accrued_interest", since=203),
    *_rows("", "deactivate post_only allow_pre_open ignore_open_auction", since=216),
    *_rows("", "route_marketable_to_bbo seek_price_improvement what_if_type", since=217),
    *_rows("algo", "strategy=algo_strategy params=algo_params algo_id"),
    *_rows("scale", "init_level_size=scale_init_level_size subs_level_size=scale_subs_level_size "
                    "price_increment=scale_price_increment! price_adjust_value=scale_price_adjust_value! "
                    "price_adjust_interval_s=scale_price_adjust_interval profit_offset=scale_profit_offset! "
                    "auto_reset=scale_auto_reset init_position=scale_init_position0 "
                    "init_fill_quantity=scale_init_fill_qty0 random_percent=scale_random_percent "
                    "table=scale_table"),
    *_rows("hedge", "type=hedge_type param=hedge_param"),
    *_rows("hedge", "max_size=hedge_max_size", since=223),
    *_rows("volatility", "volatility! type=volatility_type continuous_update reference_price_type"),
    *_rows("delta_neutral", "order_type=delta_neutral_order_type aux_price=delta_neutral_aux_price! "
                            "con_id=delta_neutral_con_id settling_firm=delta_neutral_settling_firm "
                            "clearing_account=delta_neutral_clearing_account "
                            "clearing_intent=delta_neutral_clearing_intent "
                            "open_close=delta_neutral_open_close short_sale=delta_neutral_short_sale "
                            "short_sale_slot=delta_neutral_short_sale_slot "
                            "designated_location=delta_neutral_designated_location"),
    *_rows("reference", "starting_price! reference_price=stock_ref_price! delta! "
                        "range_lower=stock_range_lower! range_upper=stock_range_upper!"),
    *_rows("benchmark", "con_id=reference_contract_id exchange=reference_exchange_id "
                        "change=pegged_change_amount! reference_change=reference_change_amount! "
                        "is_decrease=is_pegged_change_amount_decrease"),
    *_rows("peg_offsets", "min_trade_quantity=min_trade_qty min_compete_size "
                          "compete_offset=compete_against_best_offset!0 mid_offset_at_whole!0 "
                          "mid_offset_at_half!0", since=170),
    *_rows("adjusted", "order_type=adjusted_order_type trigger_price! stop_price=adjusted_stop_price! "
                       "stop_limit_price=adjusted_stop_limit_price! "
                       "trailing_amount=adjusted_trailing_amount! trailing_unit=adjustable_trailing_unit"),
    *_rows("combo", "routing=smart_combo_routing_params"),
    *_rows("allocation", "group=fa_group method=fa_method percentage=fa_percentage model_code"),
    *_rows("short_sale", "slot=short_sale_slot location=designated_location exempt_code"),
    *_rows("clearing", "settling_firm account=clearing_account intent=clearing_intent open_close origin "
                       "rule_80a"),
    *_rows("soft_dollar", "name=soft_dollar_tier.name value=soft_dollar_tier.value"),
    *_rows("compliance", "decision_maker=mifid2_decision_maker decision_algo=mifid2_decision_algo "
                         "execution_trader=mifid2_execution_trader execution_algo=mifid2_execution_algo "
                         "ext_operator"),
    *_rows("compliance", "manual_order_time", since=169),
    *_rows("compliance", "customer_account", since=183),
    *_rows("compliance", "professional_customer", since=184),
    *_rows("compliance", "manual_order_indicator0", since=192),
)

BESIDE = (
    Row(group="attached", name="stop_loss_id", wire="sl_order_id", since=218),
    Row(group="attached", name="profit_taker_id", wire="pt_order_id", since=218),
)
"""Attributes that travel beside the order, and never come back."""

_GROUPS: dict[str, type[Struct]] = {
    "algo": Algo, "scale": a.Scale, "hedge": a.Hedge, "volatility": a.Volatility,
    "delta_neutral": a.DeltaNeutral, "reference": a.Reference, "benchmark": a.Benchmark,
    "peg_offsets": a.PegOffsets, "adjusted": a.Adjusted, "combo": a.Combo, "allocation": a.Allocation,
    "short_sale": a.ShortSale, "clearing": a.Clearing, "soft_dollar": a.SoftDollar,
    "compliance": a.Compliance,
}  # fmt: skip
_KEYS = {"algo": "strategy", "hedge": "type", "volatility": "volatility", "delta_neutral": "order_type",
         "adjusted": "order_type", "soft_dollar": "name", "benchmark": "con_id"}
"""The attribute without which a group says nothing: TWS may fill in others (C5)."""
_FILLED_IN = {"delta_neutral_order_type": "None", "adjusted_order_type": "None",
              "delta_neutral_open_close": "?", "exempt_code": -1, "clearing_intent": "IB"}
_NAMES = {"rule_80a": "rule80A", "reference_exchange_id": "referenceExchangeId",
          "soft_dollar_tier.name": "softDollarTier.name", "soft_dollar_tier.value": "softDollarTier.val"}


def official_name(row: Row) -> str:
    """What the official client's Order calls it."""
    first, *rest = row.wire.split("_")
    return _NAMES.get(row.wire) or first + "".join(part.capitalize() for part in rest)


# -- towards TWS


def stated(attributes: a.Attributes) -> Iterator[tuple[Row, Any]]:
    """Every attribute of the table that says something, with its value."""
    for row in (*ROWS, *BESIDE):
        owner: Any = getattr(attributes, row.group) if row.group else attributes
        value = None if owner is None else getattr(owner, row.name)
        if _says(row, value):
            yield row, value
        elif row.name == "compete_offset" and owner is not None and owner.up_to_mid:
            yield row, math.inf  # the wire's word for "up to the middle"


def too_old(attributes: a.Attributes, server_version: int) -> str:
    """Why a session of this version can't carry an order; empty when it can."""
    for row, _ in stated(attributes):
        if server_version < row.since:
            return (f"{row.path} needs server version {row.since}, this session speaks {server_version}: "
                    "update TWS, or leave it unset")
        if server_version >= row.until:
            return (f"{row.path} is carried below server version {row.until} alone, this session speaks "
                    f"{server_version}: leave it unset")
    return ""


def _says(row: Row, value: Any) -> bool:
    if value is None or value == _FILLED_IN.get(row.wire, ""):
        return False
    if value is False:
        return row.wire in _TRUE_OR_FALSE
    return bool(value) or (row.zero and value == 0)


_TRUE_OR_FALSE = {"use_price_mgmt_algo", "route_marketable_to_bbo", "seek_price_improvement"}
"""Truth values that may be unset: False says something."""


# -- from TWS

_wires_of = attrgetter(*(row.wire for row in ROWS))
_EMPTY_COUNTS = tuple(row.zero or row.wire in _TRUE_OR_FALSE for row in ROWS)
"""By row: whether 0 or False says something; most attributes of most orders are passed by on this alone."""


def attributes_of(order: WireOrder) -> a.Attributes | None:
    """What an openOrder or a completedOrder says beyond the plain words; None when that is nothing."""
    found: dict[str, dict[str, Any]] = {}
    for row, counts, value in zip(ROWS, _EMPTY_COUNTS, _wires_of(order), strict=True):
        if (value or counts) and _says(row, value):
            name, value = _read(row, value)
            if value is not None:
                found.setdefault(row.group, {})[name] = value
    made = found.pop("", {})
    if order.action == "SSHORT":
        found.setdefault("short_sale", {})
    if any(price is not None for price in order.order_combo_leg_prices):
        prices = tuple(None if price is None else _number(price) for price in order.order_combo_leg_prices)
        found.setdefault("combo", {})["leg_prices"] = prices
    for group, values in found.items():
        if group not in _KEYS or _KEYS[group] in values:
            made[group] = _GROUPS[group](**({"exchange": "", "change": 0, "reference_change": 0} | values
                                            if group == "benchmark" else values))
    conditions = conditions_of(order)
    if conditions is not None:
        made["conditions"] = conditions
    return a.Attributes(**made) if made else None


def _read(row: Row, value: Any) -> tuple[str, Any]:
    """The name and the value as we keep them; None for a number that is none of money's."""
    if row.name == "compete_offset" and value == math.inf:
        return "up_to_mid", True
    if row.money:
        return row.name, _number(value)
    return row.name, tuple(dict(value).items()) if isinstance(value, tuple) else value


def wired(owner: Struct, path: str) -> Any:
    """The wire's value of an attribute; a dot leads into an inner struct."""
    first, _, last = path.partition(".")
    found = getattr(owner, first)
    return getattr(found, last) if last else found


def conditions_of(order: WireOrder) -> c.Conditions | None:
    """The conditions of an order; None when it has none, or one of a kind that we do not know: a row without
    that one would say something else.
    """
    terms = [_condition_of(row) for row in order.conditions]
    if not terms or any(term is None for term in terms):
        return None
    joins: list[c.Join] = ["and" if row.is_conjunction_connection else "or" for row in order.conditions[:-1]]
    return c.Conditions(terms=tuple(term for term in terms if term is not None), joins=tuple(joins),
                        cancel_order=order.conditions_cancel_order, ignore_rth=order.conditions_ignore_rth)


def _condition_of(row: WireOrderCondition) -> c.Condition | None:
    at = {"con_id": row.con_id, "exchange": row.exchange}
    price, change = _number(row.price), _number(row.change_percent)
    match row.type:
        case 1 if price is not None:
            return c.PriceCondition(**at, price=price, is_more=row.is_more,  # type: ignore[arg-type]
                                    trigger_method=row.trigger_method)
        case 3:
            return c.TimeCondition(time=row.time, is_more=row.is_more)
        case 4 if _number(row.percent) is not None and row.percent is not None:
            return c.MarginCondition(percent=round(row.percent), is_more=row.is_more)
        case 5:
            return c.ExecutionCondition(symbol=row.symbol, sec_type=row.sec_type, exchange=row.exchange)
        case 6 if row.volume is not None:
            return c.VolumeCondition(**at, volume=row.volume, is_more=row.is_more)  # type: ignore[arg-type]
        case 7 if change is not None:
            return c.PercentChangeCondition(**at, change_percent=change,  # type: ignore[arg-type]
                                            is_more=row.is_more)
        case _:
            return None


def _number(value: float | None) -> Decimal | None:
    return decimal(value) if value is not None and math.isfinite(value) else None
