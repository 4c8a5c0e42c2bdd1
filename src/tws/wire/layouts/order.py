"""The fields of an order in its three forms: placeOrder (3), openOrder (5), completedOrder (101).

The two answers share most runs; where they differ the run has a part in each. Mind the traps: the trail
stop price stands twice in openOrder, a condition's fields follow its type, and the last offsets of placeOrder
travel only for order types that use them. Source: TWS-BEHAVIOUR.md F5, F6; the official encoder and decoder.
"""

from __future__ import annotations

from tws.wire.kinds import (
    AND_OR,
    BOOL,
    FLOAT0,
    INT,
    INT0,
    OPT_BOOL,
    OPT_DECIMAL,
    OPT_DECIMAL_EMPTY,
    OPT_FLOAT,
    OPT_FLOAT_EMPTY,
    OPT_INT,
    OPT_INT_EMPTY,
    OPT_LONG,
    OPTIONS,
    PERCENT,
    STR,
    Kind,
)
from tws.wire.layout import Const, Field, Given, Group, Infinite, Item, OneOf, Positive, Repeat, fields
from tws.wire.layouts.contract import DELTA_NEUTRAL, FULL, IS_BAG, LEG, SHORT
from tws.wire.messages import OrderAllocation, WireComboLeg, WireOrderCondition

__all__ = ["COMPLETED_ORDER", "OPEN_ORDER", "PLACE_ORDER"]

O = "order."  # noqa: E741  the prefix of most names below; short, since it stands on every line
S = "order_state."

_AT_IBKRATS = OneOf("contract.exchange", ("IBKRATS",))
_PEG_BENCH = OneOf(O + "order_type", ("PEG BENCH", "PEGBENCH"))
_PEG_BEST = OneOf(O + "order_type", ("PEG BEST", "PEGBEST"))
_PEG_MID = OneOf(O + "order_type", ("PEG MID", "PEGMID"))
_SCALES = Positive(O + "scale_price_increment")
_HEDGES_DELTA = Given(O + "delta_neutral_order_type")

_CONDITION: tuple[Item, ...] = (
    Field("type", INT),
    Field("is_conjunction_connection", AND_OR),
    Group(fields("", STR, "sec_type exchange symbol"), when=OneOf("type", (5,))),
    Group((Field("is_more", BOOL),), when=OneOf("type", (1, 3, 4, 6, 7))),
    Group((Field("price", OPT_FLOAT),), when=OneOf("type", (1,))),
    Group((Field("time", STR),), when=OneOf("type", (3,))),
    Group((Field("percent", PERCENT),), when=OneOf("type", (4,))),
    Group((Field("volume", OPT_INT),), when=OneOf("type", (6,))),
    Group((Field("change_percent", OPT_FLOAT),), when=OneOf("type", (7,))),
    Group((Field("con_id", INT), Field("exchange", STR)), when=OneOf("type", (1, 6, 7))),
    Group((Field("trigger_method", INT),), when=OneOf("type", (1,))),
)

CONDITIONS: tuple[Item, ...] = (
    Repeat(O + "conditions", WireOrderCondition, _CONDITION),
    Group(fields(O, BOOL, "conditions_ignore_rth conditions_cancel_order"), when=Given(O + "conditions")),
)

PEG_BENCH = Group(
    (
        Field(O + "reference_contract_id", INT0),
        Field(O + "is_pegged_change_amount_decrease", BOOL),
        *fields(O, FLOAT0, "pegged_change_amount reference_change_amount"),
        Field(O + "reference_exchange_id", STR),
    ),
    when=_PEG_BENCH,
)

ALGO: tuple[Item, ...] = (
    Field(O + "algo_strategy", STR),
    Group((Repeat(O + "algo_params", pair=True),), when=Given(O + "algo_strategy")),
)

HEDGE: tuple[Item, ...] = (
    Field(O + "hedge_type", STR),
    Group((Field(O + "hedge_param", STR),), when=Given(O + "hedge_type")),
)


def _scale(levels: Kind) -> tuple[Item, ...]:
    """The scale fields. Unset levels are empty in a request and 2147483647 in an answer (C5)."""
    number, whole = OPT_FLOAT_EMPTY, OPT_INT_EMPTY
    return (
        *fields(O, levels, "scale_init_level_size scale_subs_level_size"),
        Field(O + "scale_price_increment", number),
        Group(
            (
                Field(O + "scale_price_adjust_value", number),
                Field(O + "scale_price_adjust_interval", whole),
                Field(O + "scale_profit_offset", number),
                Field(O + "scale_auto_reset", BOOL),
                *fields(O, whole, "scale_init_position scale_init_fill_qty"),
                Field(O + "scale_random_percent", BOOL),
            ),
            when=_SCALES,
        ),
    )


_REQUEST_HEAD: tuple[Item, ...] = (
    Field("order_id", INT),
    *FULL,
    *fields("contract.", STR, "sec_id_type sec_id"),
    Field(O + "action", STR),
    Field(O + "total_quantity", OPT_DECIMAL_EMPTY),
    Field(O + "order_type", STR),
    *fields(O, OPT_FLOAT_EMPTY, "lmt_price aux_price"),
    *fields(O, STR, "tif oca_group account open_close"),
    Field(O + "origin", INT0),
    Field(O + "order_ref", STR),
    Field(O + "transmit", BOOL),
    Field(O + "parent_id", INT0),
    *fields(O, BOOL, "block_order sweep_to_fill"),
    Field(O + "display_size", OPT_INT),
    Field(O + "trigger_method", INT0),
    *fields(O, BOOL, "outside_rth hidden"),
    Group(
        (
            Repeat("contract.combo_legs", WireComboLeg, LEG),
            Repeat(O + "order_combo_leg_prices", kind=OPT_FLOAT_EMPTY),
            Repeat(O + "smart_combo_routing_params", pair=True),
        ),
        when=IS_BAG,
    ),
    Const("", "shares allocation"),
    Field(O + "discretionary_amt", FLOAT0),
    *fields(O, STR, "good_after_time good_till_date fa_group fa_method fa_percentage"),
    Field(O + "fa_profile", STR, until=177),
    Field(O + "model_code", STR),
    Field(O + "short_sale_slot", INT0),
    Field(O + "designated_location", STR),
    Field(O + "exempt_code", INT0),
    Field(O + "oca_type", INT0),
    *fields(O, STR, "rule_80a settling_firm"),
    Field(O + "all_or_none", BOOL),
)

_REQUEST_MIDDLE: tuple[Item, ...] = (
    Field(O + "min_qty", OPT_INT_EMPTY),
    Field(O + "percent_offset", OPT_FLOAT_EMPTY),
    Const("0", "e-trade only"),
    Const("0", "firm quote only"),
    Const("", "NBBO price cap"),
    Field(O + "auction_strategy", INT0),
    *fields(O, OPT_FLOAT_EMPTY, "starting_price stock_ref_price delta stock_range_lower stock_range_upper"),
    Field(O + "override_percentage_constraints", BOOL),
    Field(O + "volatility", OPT_FLOAT_EMPTY),
    Field(O + "volatility_type", OPT_INT_EMPTY),
    Field(O + "delta_neutral_order_type", STR),
    Field(O + "delta_neutral_aux_price", OPT_FLOAT_EMPTY),
    Group(
        (
            Field(O + "delta_neutral_con_id", INT0),
            *fields(O, STR, "delta_neutral_settling_firm delta_neutral_clearing_account "
                            "delta_neutral_clearing_intent delta_neutral_open_close"),
            Field(O + "delta_neutral_short_sale", BOOL),
            Field(O + "delta_neutral_short_sale_slot", INT0),
            Field(O + "delta_neutral_designated_location", STR),
        ),
        when=_HEDGES_DELTA,
    ),
    Field(O + "continuous_update", BOOL),
    Field(O + "reference_price_type", OPT_INT_EMPTY),
    *fields(O, OPT_FLOAT_EMPTY, "trail_stop_price trailing_percent"),
    *_scale(OPT_INT_EMPTY),
    *fields(O, STR, "scale_table active_start_time active_stop_time"),
    *HEDGE,
    Field(O + "opt_out_smart_routing", BOOL),
    *fields(O, STR, "clearing_account clearing_intent"),
    Field(O + "not_held", BOOL),
    DELTA_NEUTRAL,
    *ALGO,
    Field(O + "algo_id", STR),
    Field(O + "what_if", BOOL),
    Field(O + "order_misc_options", OPTIONS),
    *fields(O, BOOL, "solicited randomize_size randomize_price"),
    PEG_BENCH,
    *CONDITIONS,
)

_MID_OFFSETS = fields(O, OPT_FLOAT_EMPTY, "mid_offset_at_whole mid_offset_at_half")

_REQUEST_TAIL: tuple[Item, ...] = (
    Field(O + "adjusted_order_type", STR),
    *fields(O, OPT_FLOAT, "trigger_price lmt_price_offset adjusted_stop_price adjusted_stop_limit_price "
                          "adjusted_trailing_amount"),
    Field(O + "adjustable_trailing_unit", INT0),
    Field(O + "ext_operator", STR),
    *fields(O + "soft_dollar_tier.", STR, "name value"),
    Field(O + "cash_qty", OPT_FLOAT),
    *fields(O, STR, "mifid2_decision_maker mifid2_decision_algo "
                    "mifid2_execution_trader mifid2_execution_algo"),
    *fields(O, BOOL, "dont_use_auto_price_for_hedge is_oms_container discretionary_up_to_limit_price"),
    Field(O + "use_price_mgmt_algo", OPT_BOOL),
    Field(O + "duration", OPT_INT, since=158),
    Field(O + "post_to_ats", OPT_INT, since=160),
    Field(O + "auto_cancel_parent", BOOL, since=162),
    Field(O + "advanced_error_override", STR, since=166),
    Field(O + "manual_order_time", STR, since=169),
    Group(
        (
            Group((Field(O + "min_trade_qty", OPT_INT_EMPTY),), when=_AT_IBKRATS),
            Group(
                (
                    Field(O + "min_compete_size", OPT_INT_EMPTY),
                    Field(O + "compete_against_best_offset", OPT_FLOAT_EMPTY),
                    Group(_MID_OFFSETS, when=Infinite(O + "compete_against_best_offset")),
                ),
                when=_PEG_BEST,
            ),
            Group(_MID_OFFSETS, when=_PEG_MID),
        ),
        since=170,
    ),
    Field(O + "customer_account", STR, since=183),
    Field(O + "professional_customer", BOOL, since=184),
    Group((Const("", "RFQ"), Const("2147483647", "RFQ")), since=187, until=190),
    Field(O + "include_overnight", BOOL, since=189),
    Field(O + "manual_order_indicator", OPT_INT, since=192),
    Field(O + "imbalance_only", BOOL, since=199),
)

PLACE_ORDER: tuple[Item, ...] = _REQUEST_HEAD + _REQUEST_MIDDLE + _REQUEST_TAIL

# the answers; an unset number is empty or the largest one as TWS has been recorded to write it (C5)

_PRICES: tuple[Item, ...] = (
    Field(O + "action", STR),
    Field(O + "total_quantity", OPT_DECIMAL),
    Field(O + "order_type", STR),
    *fields(O, OPT_FLOAT, "lmt_price aux_price"),
    *fields(O, STR, "tif oca_group account open_close"),
    Field(O + "origin", INT0),
    Field(O + "order_ref", STR),
)

_ADVISER: tuple[Item, ...] = (
    *fields(O, STR, "fa_group fa_method fa_percentage"),
    Field(O + "fa_profile", STR, until=177),
    *fields(O, STR, "model_code good_till_date rule_80a"),
    Field(O + "percent_offset", OPT_FLOAT_EMPTY),
    Field(O + "settling_firm", STR),
    Field(O + "short_sale_slot", INT0),
    Field(O + "designated_location", STR),
    Field(O + "exempt_code", INT0),
)

_BOX = fields(O, OPT_FLOAT_EMPTY, "starting_price stock_ref_price delta stock_range_lower stock_range_upper")

_VOL_HEAD: tuple[Item, ...] = (
    Field(O + "volatility", OPT_FLOAT_EMPTY),
    Field(O + "volatility_type", OPT_INT_EMPTY),
    Field(O + "delta_neutral_order_type", STR),
    Field(O + "delta_neutral_aux_price", OPT_FLOAT_EMPTY),
)
_VOL_SHORT: tuple[Item, ...] = (
    Field(O + "delta_neutral_short_sale", BOOL),
    Field(O + "delta_neutral_short_sale_slot", INT0),
    Field(O + "delta_neutral_designated_location", STR),
)
_VOL_TAIL: tuple[Item, ...] = (
    Field(O + "continuous_update", BOOL),
    Field(O + "reference_price_type", OPT_INT_EMPTY),
    *fields(O, OPT_FLOAT_EMPTY, "trail_stop_price trailing_percent"),
)
_VOL_OPEN = Group(
    (
        Field(O + "delta_neutral_con_id", INT0),
        *fields(O, STR, "delta_neutral_settling_firm delta_neutral_clearing_account "
                        "delta_neutral_clearing_intent delta_neutral_open_close"),
        *_VOL_SHORT,
    ),
    when=_HEDGES_DELTA,
)
_VOL_COMPLETED = Group((Field(O + "delta_neutral_con_id", INT0), *_VOL_SHORT), when=_HEDGES_DELTA)

_COMBO: tuple[Item, ...] = (
    Field("contract.combo_legs_descrip", STR),
    Repeat("contract.combo_legs", WireComboLeg, LEG),
    Repeat(O + "order_combo_leg_prices", kind=OPT_FLOAT_EMPTY),
    Repeat(O + "smart_combo_routing_params", pair=True),
    *_scale(OPT_INT),
    *HEDGE,
)
_CLEARING: tuple[Item, ...] = (
    *fields(O, STR, "clearing_account clearing_intent"),
    Field(O + "not_held", BOOL),
    DELTA_NEUTRAL,
    *ALGO,
    Field(O + "solicited", BOOL),
)
_PEG_OFFSETS = Group(
    (
        *fields(O, OPT_INT_EMPTY, "min_trade_qty min_compete_size"),
        *fields(O, OPT_FLOAT_EMPTY, "compete_against_best_offset mid_offset_at_whole mid_offset_at_half"),
    ),
    since=170,
)

_PREVIEW: tuple[Item, ...] = (
    *fields(S, OPT_FLOAT, "init_margin_before maint_margin_before equity_with_loan_before init_margin_change "
                          "maint_margin_change equity_with_loan_change init_margin_after maint_margin_after "
                          "equity_with_loan_after"),
    *fields(S, OPT_FLOAT_EMPTY, "commission_and_fees min_commission_and_fees max_commission_and_fees"),
    Field(S + "commission_and_fees_currency", STR),
    Group(
        (
            Field(S + "margin_currency", STR),
            *fields(S, OPT_FLOAT, "init_margin_before_outside_rth maint_margin_before_outside_rth "
                                  "equity_with_loan_before_outside_rth init_margin_change_outside_rth "
                                  "maint_margin_change_outside_rth equity_with_loan_change_outside_rth "
                                  "init_margin_after_outside_rth maint_margin_after_outside_rth "
                                  "equity_with_loan_after_outside_rth"),
            Field(S + "suggested_size", OPT_DECIMAL_EMPTY),
            Field(S + "reject_reason", STR),
            Repeat(S + "order_allocations", OrderAllocation, (
                Field("account", STR),
                *fields("", OPT_DECIMAL_EMPTY, "position position_desired position_after desired_alloc_qty "
                                               "allowed_alloc_qty"),
                Field("is_monetary", BOOL),
            )),
        ),
        since=195,
    ),
    Field(S + "warning_text", STR),
)

OPEN_ORDER: tuple[Item, ...] = (
    Field("order_id", INT),
    *SHORT,
    *_PRICES,
    *fields(O, INT, "client_id perm_id"),
    *fields(O, BOOL, "outside_rth hidden"),
    Field(O + "discretionary_amt", FLOAT0),
    *fields(O, STR, "good_after_time shares_allocation"),
    *_ADVISER,
    Field(O + "auction_strategy", INT0),
    *_BOX,
    Field(O + "display_size", OPT_INT),
    *fields(O, BOOL, "block_order sweep_to_fill all_or_none"),
    Field(O + "min_qty", OPT_INT_EMPTY),
    Field(O + "oca_type", INT0),
    Const("0", "e-trade only"),
    Const("0", "firm quote only"),
    Const("", "NBBO price cap"),
    *fields(O, INT0, "parent_id trigger_method"),
    *_VOL_HEAD,
    _VOL_OPEN,
    *_VOL_TAIL,
    Field(O + "basis_points", OPT_FLOAT_EMPTY),
    Field(O + "basis_points_type", OPT_INT_EMPTY),
    *_COMBO,
    Field(O + "opt_out_smart_routing", BOOL),
    *_CLEARING,
    Field(O + "what_if", BOOL),
    Field(S + "status", STR),
    *_PREVIEW,
    *fields(O, BOOL, "randomize_size randomize_price"),
    PEG_BENCH,
    *CONDITIONS,
    Field(O + "adjusted_order_type", STR),
    Field(O + "trigger_price", OPT_FLOAT),
    Field(O + "trail_stop_price", OPT_FLOAT, again=True),
    *fields(O, OPT_FLOAT, "lmt_price_offset adjusted_stop_price adjusted_stop_limit_price "
                          "adjusted_trailing_amount"),
    Field(O + "adjustable_trailing_unit", INT0),
    *fields(O + "soft_dollar_tier.", STR, "name value display_name"),
    Field(O + "cash_qty", OPT_FLOAT),
    *fields(O, BOOL, "dont_use_auto_price_for_hedge is_oms_container discretionary_up_to_limit_price"),
    Field(O + "use_price_mgmt_algo", OPT_BOOL),
    Field(O + "duration", OPT_INT_EMPTY, since=158),
    Field(O + "post_to_ats", OPT_INT_EMPTY, since=160),
    Field(O + "auto_cancel_parent", BOOL, since=162),
    _PEG_OFFSETS,
    Field(O + "customer_account", STR, since=183),
    Field(O + "professional_customer", BOOL, since=184),
    Field(O + "bond_accrued_interest", STR, since=185),
    Field(O + "include_overnight", BOOL, since=189),
    Field(O + "ext_operator", STR, since=193),
    Field(O + "manual_order_indicator", OPT_INT, since=193),
    Field(O + "submitter", STR, since=198),
    Field(O + "imbalance_only", BOOL, since=199),
)

COMPLETED_ORDER: tuple[Item, ...] = (
    *SHORT,
    *_PRICES,
    Field(O + "perm_id", INT),
    *fields(O, BOOL, "outside_rth hidden"),
    Field(O + "discretionary_amt", FLOAT0),
    Field(O + "good_after_time", STR),
    *_ADVISER,
    *_BOX,
    Field(O + "display_size", OPT_INT),
    *fields(O, BOOL, "sweep_to_fill all_or_none"),
    Field(O + "min_qty", OPT_INT_EMPTY),
    *fields(O, INT0, "oca_type trigger_method"),
    *_VOL_HEAD,
    _VOL_COMPLETED,
    *_VOL_TAIL,
    *_COMBO,
    *_CLEARING,
    Field(S + "status", STR),
    *fields(O, BOOL, "randomize_size randomize_price"),
    PEG_BENCH,
    *CONDITIONS,
    Field(O + "trail_stop_price", OPT_FLOAT, again=True),
    *fields(O, OPT_FLOAT, "lmt_price_offset cash_qty"),
    *fields(O, BOOL, "dont_use_auto_price_for_hedge is_oms_container"),
    Field(O + "auto_cancel_date", STR),
    Field(O + "filled_quantity", OPT_DECIMAL),
    Field(O + "ref_futures_con_id", OPT_INT),
    Field(O + "auto_cancel_parent", BOOL),
    Field(O + "shareholder", STR),
    Field(O + "imbalance_only", BOOL),
    Field(O + "route_marketable_to_bbo", OPT_BOOL),
    Field(O + "parent_perm_id", OPT_LONG),
    *fields(S, STR, "completed_time completed_status"),
    _PEG_OFFSETS,
    Field(O + "customer_account", STR, since=183),
    Field(O + "professional_customer", BOOL, since=184),
    Field(O + "submitter", STR, since=198),
)
