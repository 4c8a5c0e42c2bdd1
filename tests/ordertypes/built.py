"""One order, or more, of every builder: what was built has to come back from the broker as it was.

`ORDERS` has a name for each builder of `tws.ordertypes` that gives an order; tests fail while one is missing.
Prices lie away from a market at 100, so that little of it fills.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tws import ordertypes as ot
from tws.model.attributes import (
    Attributes,
    Benchmark,
    Clearing,
    Compliance,
    DeltaNeutral,
    PegOffsets,
    Scale,
)
from tws.model.contract import Contract, forex, option
from tws.ordertypes import FullOrder

SPY = Contract(con_id=756733, symbol="SPY")
LATER = "20270101 10:00:00 US/Eastern"
LIMIT, STOP = ot.limit("BUY", 100, 90), ot.stop("SELL", 100, 80)
CHILD = ot.limit("SELL", 100, 120, parent_id=1)
AAPL = Contract(con_id=265598, symbol="AAPL")
SPREAD = ot.combination("SPY", [ot.leg(SPY, "BUY"), ot.leg(AAPL, "SELL", 2)])
OF_COMBINATIONS = {"non_guaranteed", "with_leg_prices", "relative_limit_combo", "relative_market_combo",
                   "limit_market_combo"}
AT_ATS = {"pegged_to_best", "ats_limit"}
OF_OPTIONS = {"pegged_to_stock", "auction_pegged_to_stock", "volatility", "balance_impact_risk",
              "minimize_impact"}
CALL = option("SPY", "20261218", 560, "C")
PAIR = forex("EUR.USD")
_OFFSETS = PegOffsets(min_trade_quantity=10, min_compete_size=20, compete_offset=Decimal("0.02"))
_UP_TO_MID = PegOffsets(min_trade_quantity=10, min_compete_size=20, up_to_mid=True,
                        mid_offset_at_whole=Decimal("0.01"), mid_offset_at_half=Decimal("0.005"))
_BENCHMARK = Benchmark(con_id=265598, exchange="NASDAQ", change=Decimal("0.5"), reference_change=Decimal(1),
                       is_decrease=True)
_SCALE = Scale(init_level_size=10, subs_level_size=5, price_increment=Decimal("0.25"),
               price_adjust_value=Decimal("0.05"), price_adjust_interval_s=60,
               profit_offset=Decimal("0.5"), auto_reset=True, init_position=0, init_fill_quantity=3,
               random_percent=True)
_WINDOW = {"start": "10:00:00 US/Eastern", "end": "15:00:00 US/Eastern"}

ORDERS: dict[str, Callable[[], FullOrder | tuple[FullOrder, ...]]] = {
    "market": lambda: ot.market("BUY", 1),
    "limit": lambda: ot.limit("SELL", 10, "120.5", tif="GTC", order_ref="mine", outside_rth=True),
    "stop": lambda: ot.stop("SELL", 10, 80),
    "stop_limit": lambda: ot.stop_limit("SELL", 10, 80, 79.5),
    "stop_with_protection": lambda: ot.stop_with_protection("SELL", 10, 80),
    "market_if_touched": lambda: ot.market_if_touched("SELL", 10, 120),
    "limit_if_touched": lambda: ot.limit_if_touched("SELL", 10, 120, 119),
    "trailing_stop": lambda: (ot.trailing_stop("SELL", 10, amount=5, stop_price=90),
                              ot.trailing_stop("SELL", 10, percent="2.5", stop_price=90)),
    "trailing_stop_limit": lambda: ot.trailing_stop_limit("SELL", 10, amount=5, stop_price=90,
                                                          limit_offset="0.5"),
    "trailing_if_touched": lambda: ot.trailing_if_touched("SELL", 10, amount=5, stop_price=110),
    "trailing_limit_if_touched": lambda: ot.trailing_limit_if_touched("SELL", 10, percent=5, stop_price=110,
                                                                      limit_offset="0.5"),
    "market_to_limit": lambda: ot.market_to_limit("BUY", 1),
    "market_with_protection": lambda: ot.market_with_protection("BUY", 1),
    "box_top": lambda: ot.box_top("BUY", 1),
    "market_on_close": lambda: ot.market_on_close("BUY", 1),
    "limit_on_close": lambda: ot.limit_on_close("BUY", 1, 90),
    "market_on_open": lambda: ot.market_on_open("BUY", 1),
    "limit_on_open": lambda: ot.limit_on_open("BUY", 1, 90),
    "at_auction": lambda: ot.at_auction("BUY", 1, 90),
    "relative": lambda: (ot.relative("BUY", 10, offset="0.02", cap=90),
                         ot.relative("BUY", 10, percent_offset="0.5", cap=90)),
    "passive_relative": lambda: ot.passive_relative("BUY", 10, offset="0.02", cap=90),
    "pegged_to_primary": lambda: ot.pegged_to_primary("BUY", 10, offset="0.02", cap=90, up_to_cap=True),
    "pegged_to_market": lambda: ot.pegged_to_market("BUY", 10, offset="0.02", cap=90),
    "pegged_to_midpoint": lambda: (
        ot.pegged_to_midpoint("BUY", 10, offset="0.02", cap=90),
        ot.pegged_to_midpoint("BUY", 10, cap=90, at_ats=PegOffsets(
            mid_offset_at_whole=Decimal("0.01"), mid_offset_at_half=Decimal("0.005")))),
    "pegged_to_best": lambda: (ot.pegged_to_best("BUY", 100, 90, _OFFSETS),
                               ot.pegged_to_best("BUY", 100, 90, _UP_TO_MID)),
    "ats_limit": lambda: ot.ats_limit("BUY", 100, 90),
    "midprice": lambda: ot.midprice("BUY", 10, cap=90),
    "snap_to_primary": lambda: ot.snap_to_primary("BUY", 10, offset=10),
    "snap_to_market": lambda: ot.snap_to_market("BUY", 10, offset=10),
    "snap_to_midpoint": lambda: ot.snap_to_midpoint("BUY", 10, offset=10),
    "pegged_to_stock": lambda: ot.pegged_to_stock("BUY", 10, delta=50, starting_price=5, reference_price=100,
                                                  stock_range=(90, 110)),
    "pegged_to_benchmark": lambda: ot.pegged_to_benchmark(
        "BUY", 10, _BENCHMARK, starting_price=90, reference_price=200, reference_range=(190, 210)),
    "volatility": lambda: (
        ot.volatility("BUY", 10, 30, follow=True, reference="bid or ask", stock_range=(90, 110)),
        ot.volatility("BUY", 10, 30, daily=True, hedge=DeltaNeutral(order_type="LMT", aux_price=Decimal(95),
                                                                    con_id=756733))),
    "auction_limit": lambda: ot.auction_limit("BUY", 10, 90, 2),
    "auction_pegged_to_stock": lambda: ot.auction_pegged_to_stock("BUY", 10, delta=30, starting_price=90),
    "auction_relative": lambda: ot.auction_relative("BUY", 10, offset="0.05"),
    "relative_limit_combo": lambda: ot.non_guaranteed(ot.relative_limit_combo("BUY", 1, 90)),
    "relative_market_combo": lambda: ot.non_guaranteed(ot.relative_market_combo("BUY", 1)),
    "limit_market_combo": lambda: ot.non_guaranteed(ot.limit_market_combo("BUY", 1, 90)),
    "iceberg": lambda: ot.iceberg(LIMIT, 10),
    "hidden": lambda: ot.hidden(LIMIT),
    "discretionary": lambda: ot.discretionary(LIMIT, "0.25"),
    "all_or_none": lambda: ot.all_or_none(LIMIT),
    "minimum_quantity": lambda: ot.minimum_quantity(LIMIT, 20),
    "block": lambda: ot.block(LIMIT),
    "sweep_to_fill": lambda: ot.sweep_to_fill(LIMIT),
    "good_after": lambda: ot.good_after(LIMIT, LATER),
    "good_till": lambda: ot.good_till(LIMIT, LATER),
    "triggered_by": lambda: ot.triggered_by(STOP, "double last"),
    "conditional": lambda: (
        ot.conditional(LIMIT, ot.price_above(SPY, "560.25", "midpoint") & ot.margin_below(30)
                       | ot.time_after(LATER) | ot.executed(SPY), ignore_rth=True),
        ot.conditional(LIMIT, ot.volume_above(SPY, 1000) & ot.change_below(SPY, "-1.5"), cancel=True),
        ot.conditional(LIMIT, ot.price_below(SPY, 500) | ot.volume_below(SPY, 10) | ot.change_above(SPY, 3)),
        ot.conditional(LIMIT, ot.margin_above(50) & ot.time_before(LATER))),
    "one_cancels_all": lambda: ot.one_cancels_all(
        [LIMIT, ot.stop("BUY", 10, 130)], "either", "reduce unblocked"),
    "attach_presets": lambda: ot.attach_presets(LIMIT, stop_loss_id=9001, profit_taker_id=9002),
    "adjust_to_stop": lambda: ot.adjust_to_stop(STOP, trigger_price=110, stop_price=100),
    "adjust_to_stop_limit": lambda: ot.adjust_to_stop_limit(STOP, trigger_price=110, stop_price=100,
                                                            limit_price=99),
    "adjust_to_trail": lambda: (
        ot.adjust_to_trail(STOP, trigger_price=110, stop_price=100, amount=2),
        ot.adjust_to_trail(STOP, trigger_price=110, stop_price=100, percent=2)),
    "scaled": lambda: ot.scaled(LIMIT, _SCALE),
    "hedged_delta": lambda: ot.hedged_delta(CHILD),
    "hedged_beta": lambda: (ot.hedged_beta(CHILD, "1.2"), ot.hedged_beta(CHILD, "1.2", max_size=500)),
    "hedged_fx": lambda: ot.hedged_fx(ot.market("SELL", 1, parent_id=1)),
    "hedged_pair": lambda: ot.hedged_pair(CHILD, 3),
    "non_guaranteed": lambda: ot.non_guaranteed(LIMIT, LeginPrio="1"),
    "with_leg_prices": lambda: ot.non_guaranteed(ot.with_leg_prices(LIMIT, [95, 2.5])),
    "allocated": lambda: ot.allocated(LIMIT, group="All", method="NetLiq"),
    "short_from": lambda: ot.short_from(ot.limit("SELL", 10, 120), slot=2, location="elsewhere"),
    "cleared": lambda: ot.cleared(LIMIT, Clearing(account="C1", intent="Away", settling_firm="F",
                                                  open_close="O", rule_80a="I")),
    "soft_dollar": lambda: ot.soft_dollar(LIMIT, "tier", "1"),
    "with_compliance": lambda: ot.with_compliance(LIMIT, Compliance(
        decision_maker="me", execution_trader="you", ext_operator="op")),
    "by_hand": lambda: ot.by_hand(LIMIT, "20261123-15:00:00"),
    "algo": lambda: ot.algo(LIMIT, "Vwap", {"maxPctVol": 5, "noTakeLiq": True}, algo_id="a-1"),
    "adaptive": lambda: ot.adaptive(LIMIT, "Patient"),
    "arrival_price": lambda: ot.arrival_price(LIMIT, max_share="0.1", risk="Aggressive", **_WINDOW),
    "close_price": lambda: ot.close_price(LIMIT, max_share="0.1", force=True),
    "dark_ice": lambda: ot.dark_ice(LIMIT, 10, past_end=True, **_WINDOW),
    "accumulate_distribute": lambda: ot.accumulate_distribute(LIMIT, 10, 30, random_time=True, **_WINDOW),
    "percent_of_volume": lambda: ot.percent_of_volume(LIMIT, "0.2", passive=True),
    "price_variant_volume": lambda: ot.price_variant_volume(LIMIT, "0.1", delta="0.05", least="0.01",
                                                            most="0.3"),
    "size_variant_volume": lambda: ot.size_variant_volume(LIMIT, "0.2", "0.4"),
    "time_variant_volume": lambda: ot.time_variant_volume(LIMIT, "0.2", "0.4", **_WINDOW),
    "twap": lambda: ot.twap(LIMIT, **_WINDOW),
    "vwap": lambda: ot.vwap(LIMIT, max_share="0.2", passive=True),
    "balance_impact_risk": lambda: ot.balance_impact_risk(LIMIT, max_share="0.2", risk="Get Done"),
    "minimize_impact": lambda: ot.minimize_impact(LIMIT, max_share="0.2"),
}  # fmt: skip
ELSEWHERE = {
    "for_cash": "its size is money, for pairs and coins alone: tests/simulator/test_special_orders.py",
    "leg": "gives a leg", "combination": "gives a contract",
}
"""Builders whose order goes another way, and why."""


def contract_of(name: str) -> Contract:
    """What the order of a builder is for."""
    at = Contract(con_id=SPY.con_id, symbol="SPY", exchange="IBKRATS")
    if name in OF_COMBINATIONS:
        return SPREAD
    if name == "hedged_fx":
        return PAIR
    return at if name in AT_ATS else CALL if name in OF_OPTIONS else SPY


ATTRIBUTES = Attributes(
    deactivate=True, post_only=True, allow_pre_open=True, ignore_open_auction=True,
    route_marketable_to_bbo=True, seek_price_improvement=False, what_if_type=1, post_to_ats=5,
    auto_cancel_parent=True, include_overnight=True, imbalance_only=True, use_price_management=True,
    override_percentage_constraints=True, randomize_size=True, randomize_price=True, solicited=True,
    opt_out_smart_routing=True, is_oms_container=True, advanced_error_override="8229=IBDBUYTX",
    bond_accrued_interest="1.5", misc_options=(("a", "1"),), active_start_time=LATER,
    active_stop_time=LATER,
)  # fmt: skip
"""Single attributes that no builder is about, the youngest among them."""


def every_order() -> list[tuple[str, FullOrder]]:
    """All of them, by name."""
    made = []
    for name, build in ORDERS.items():
        found = build()
        made += [(name, order) for order in (found if isinstance(found, tuple) else (found,))]
    return made
