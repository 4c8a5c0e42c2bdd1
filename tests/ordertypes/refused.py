"""One order for each local refusal: how it is made, and the contract where the rule looks at one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from tests.ordertypes.built import SPREAD, SPY, STOP

from tws import ordertypes as ot
from tws.model import attributes as a
from tws.model.algos import Algo
from tws.model.conditions import Condition, Conditions, ExecutionCondition, PriceCondition, TimeCondition
from tws.model.contract import Contract
from tws.model.fullorder import FullOrder
from tws.model.order import Side

Made = Callable[[], object]


def order(kind: str = "LMT", *, to: Contract | None = None, **said: Any) -> Made:
    """An order that is checked as it is: words of the order by name, attributes beside them."""
    words = {name: said.pop(name) for name in tuple(said) if name in FullOrder.__struct_fields__}
    if kind in ("LMT", "STP LMT", "LIT", "LOC"):
        words.setdefault("limit_price", 90)
    if kind in ("STP", "STP LMT", "STP PRT", "MIT", "LIT"):
        words.setdefault("aux_price", 80)
    words.setdefault("quantity", 100)
    made = FullOrder(side=Side.BUY, order_type=kind, attributes=a.Attributes(**said), **words)
    return lambda: ot.checked(made, to)


def adjusted(**said: Any) -> Made:
    plain: dict[str, Any] = {"order_type": "STP", "trigger_price": 110, "stop_price": 100}
    return order("STP", adjusted=a.Adjusted(**plain | said))


def condition(term: Condition) -> Made:
    return order(conditions=Conditions(terms=(term,)))


def scale(**said: Any) -> Made:
    plain: dict[str, Any] = {"init_level_size": 10, "price_increment": 1}
    return order(scale=a.Scale(**plain | said))


def hedge(parent_id: int = 1, quantity: int = 100, **said: Any) -> Made:
    return order(parent_id=parent_id, quantity=quantity, hedge=a.Hedge(**said))


def vol(**said: Any) -> Made:
    return order("VOL", volatility=a.Volatility(**{"volatility": Decimal(30)} | said))


def algo(strategy: str, **params: str) -> Made:
    return order(algo=Algo(strategy=strategy, params=tuple(params.items())))


_BAG = Contract(symbol="SPY", sec_type="BAG")
_THREE = replace(_BAG, combo_legs=(*SPREAD.combo_legs, SPREAD.combo_legs[0]))
_PRICE = PriceCondition(con_id=1, price=Decimal(1), is_more=True)

REFUSED: dict[str, tuple[Made, ...]] = {
    "no_size": (order(quantity=0), order(quantity=None), order(quantity=-1)),
    "no_limit": (order("LOC", limit_price=None), order("STP LMT", limit_price=None)),
    "limit_and_leg_prices": (order(combo=a.Combo(leg_prices=(Decimal(1), None))),),
    "no_stop": (order("STP", aux_price=None), order("LIT", aux_price=None)),
    "no_trail": (lambda: ot.trailing_stop("SELL", 1), order("TRAIL LIMIT", limit_price_offset=1)),
    "two_trails": (lambda: ot.trailing_stop("SELL", 1, amount=1, percent=1),),
    "percent_out_of_range": (lambda: ot.trailing_stop("SELL", 1, percent=101),
                             lambda: ot.relative("BUY", 1, percent_offset=-1)),
    "no_limit_offset": (order("TRAIL LIMIT", aux_price=1),
                        order("TRAIL LIMIT", aux_price=1, limit_price=9, limit_price_offset=1)),
    "close_not_day": (lambda: ot.market_on_close("BUY", 1, tif="GTC"),),
    "open_and_trigger": (lambda: ot.stop("SELL", 1, 9, tif="OPG"),
                         lambda: ot.trailing_stop("SELL", 1, amount=1, tif="OPG")),
    "till_date_without_gtd": (order(good_till_date="20270101"), order(duration_s=5)),
    "gtd_without_date": (order(tif="GTD"),),
    "date_and_duration": (order(tif="GTD", good_till_date="20270101", duration_s=5),),
    "bad_good_after": (lambda: ot.good_after(ot.market("BUY", 1), "tomorrow"),
                       lambda: ot.good_after(ot.market("BUY", 1), "20261301 15:59:00"),
                       lambda: ot.good_after(ot.market("BUY", 1), "20261201-24:00:00")),
    "bad_good_till": (lambda: ot.good_till(ot.market("BUY", 1), "2027-01-01"),),
    "bad_trigger_method": (order("STP", trigger_method=5),),
    "small_block": (order(quantity=49, block_order=True),),
    "iceberg_and_discretion": (lambda: ot.discretionary(ot.iceberg(ot.limit("BUY", 100, 9), 10), 1),),
    "large_display": (lambda: ot.iceberg(ot.limit("BUY", 100, 9), 100), order(display_size=0)),
    "oca_type_unknown": (order(oca_group="g", oca_type=4),),
    "bad_adjusted_type": (adjusted(order_type="LMT"),),
    "bad_adjusted_trigger": (adjusted(trigger_price=0),),
    "bad_adjusted_stop": (adjusted(stop_price=None),),
    "bad_adjusted_limit": (adjusted(order_type="STP LMT"),),
    "bad_adjusted_trail": (
        adjusted(order_type="TRAIL"),
        lambda: ot.adjust_to_trail(STOP, trigger_price=110, stop_price=100, amount=1, percent=1)),
    "volatility_misplaced": (vol(volatility=0), order("VOL"), order(volatility=a.Volatility(volatility=30))),
    "bad_volatility_type": (vol(type=3),),
    "bad_reference_price_type": (vol(continuous_update=True), vol(reference_price_type=3)),
    "range_misplaced": (order(reference=a.Reference(range_lower=1)),),
    "negative_range": (order("VOL", volatility=a.Volatility(volatility=30),
                             reference=a.Reference(range_lower=-1)),),
    "range_upside_down": (lambda: ot.volatility("BUY", 1, 30, stock_range=(110, 90)),),
    "bad_delta": (lambda: ot.pegged_to_stock("BUY", 1, delta=101, starting_price=1), order("PEG STK")),
    "bad_delta_hedge_type": (order(delta_neutral=a.DeltaNeutral(order_type="STP")),),
    "bad_delta_hedge_price": (order(delta_neutral=a.DeltaNeutral(order_type="LMT")),
                              order(delta_neutral=a.DeltaNeutral(order_type="MKT", aux_price=1))),
    "bad_scale_increment": (scale(price_increment=0),),
    "bad_scale_first": (scale(init_level_size=None),),
    "bad_scale_next": (scale(subs_level_size=0),),
    "bad_scale_profit": (scale(profit_offset=0),),
    "scale_reset_without_profit": (scale(auto_reset=True),),
    "scale_half_adjusted": (scale(price_adjust_value=1), scale(price_adjust_interval_s=1)),
    "bad_hedge_type": (hedge(type="X"),),
    "bad_hedge_param": (hedge(type="B", param="beta"), hedge(type="P")),
    "hedge_without_parent": (hedge(parent_id=0, type="D"),),
    "fx_hedge_with_size": (hedge(type="F"),),
    "hedge_max_misplaced": (hedge(type="D", max_size=1),),
    "bad_short_slot": (lambda: ot.short_from(ot.market("SELL", 1), slot=3),),
    "short_location": (lambda: ot.short_from(ot.market("SELL", 1), slot=2),
                       lambda: ot.short_from(ot.market("SELL", 1), slot=1, location="here")),
    "two_deciders": (order(compliance=a.Compliance(decision_maker="a", decision_algo="b")),),
    "offsets_misplaced": (order(peg_offsets=a.PegOffsets(up_to_mid=True)),
                          order("PEG MID", peg_offsets=a.PegOffsets(min_compete_size=1)),
                          order(peg_offsets=a.PegOffsets(mid_offset_at_half=Decimal("0.005")))),
    "offsets_off_the_cent": (
        order("PEG MID", peg_offsets=a.PegOffsets(mid_offset_at_whole=Decimal("0.005"))),
        order("PEG MID", peg_offsets=a.PegOffsets(mid_offset_at_half=Decimal("0.01")))),
    "incomplete_condition": (condition(replace(_PRICE, con_id=0)), condition(replace(_PRICE, exchange="")),
                             condition(ExecutionCondition(symbol=""))),
    "condition_time": (condition(TimeCondition(time="noon", is_more=True)),
                       condition(TimeCondition(time="", is_more=True))),
    "condition_trigger": (condition(replace(_PRICE, trigger_method=6)),),
    "bag_without_legs": (order(to=_BAG),),
    "prices_for_other_legs": (order(to=SPREAD, limit_price=None, combo=a.Combo(leg_prices=(1,))),),
    "ats_held": (order(to=replace(SPY, exchange="IBKRATS")),),
    "midprice_elsewhere": (order("MIDPRICE", to=replace(SPY, exchange="NYSE")),),
    "unknown_algo_parameter": (algo("Twap", adaptivePriority="Urgent"),),
    "bad_algo_value": (algo("Adaptive", adaptivePriority="Now"), algo("Vwap", maxPctVol="51"),
                       algo("AD", componentSize="-1", timeBetweenOrders="1"), algo("Vwap", noTakeLiq="yes"),
                       algo("Twap", strategyType="Any"), algo("PctVol", pctVol="much")),
    "component_missing": (algo("AD", componentSize="10"),),
    "algo_of_options": (lambda: ot.checked(ot.minimize_impact(ot.limit("BUY", 1, 9), max_share=1), SPY),),
    "algo_with_display": (lambda: ot.adaptive(ot.iceberg(ot.limit("BUY", 100, 9), 10)),),
    "prices_of_many_legs": (
        lambda: ot.checked(ot.with_leg_prices(ot.limit("BUY", 1, 9), [1, 2, 3]), _THREE),),
    "prices_of_tied_legs": (order(to=SPREAD, limit_price=None, combo=a.Combo(leg_prices=(1, 2))),),
    "tied_legs": (order("LMT + MKT", to=SPREAD), order("REL + MKT", to=SPREAD),
                  order("REL + LMT", to=SPREAD, limit_price=1)),
    "loose_legs": (lambda: ot.checked(ot.non_guaranteed(ot.limit("BUY", 1, 9)), _THREE),),
    "large_component": (lambda: ot.accumulate_distribute(ot.limit("BUY", 100, 9), 101, 30),),
}  # fmt: skip
"""By the name of the rule; the first one that refuses must be that rule."""
