"""An order with all its attributes, its state, its execution: the big values that several messages share.

Field names are those of the official protobuf classes of API 10.46. None means unset, where the wire
can say so; the codec alone knows how. Prices in the contract's currency, quantities Decimal.
Source: TWS-BEHAVIOUR.md C5, F5, F6, F7.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.wire.messages.base import Tag

__all__ = [
    "OrderAllocation",
    "WireAttachedOrders",
    "WireExecution",
    "WireOrder",
    "WireOrderCancel",
    "WireOrderCondition",
    "WireOrderState",
    "WireSoftDollarTier",
]


class WireOrderCondition(Struct, frozen=True, kw_only=True):
    """A condition that holds an order back. `type` says which other fields mean something.

    1 price (price, con_id, exchange, trigger_method), 3 time (time), 4 margin cushion (percent),
    5 execution (sec_type, exchange, symbol), 6 volume (volume, con_id, exchange),
    7 percent change (change_percent, con_id, exchange). `is_more` is >= for all but 5;
    `is_conjunction_connection` joins with the next condition: True and, False or.
    """

    type: int
    is_conjunction_connection: bool = True
    is_more: bool = False
    con_id: int = 0
    exchange: str = ""
    symbol: str = ""
    sec_type: str = ""
    percent: float | None = None
    change_percent: float | None = None
    price: float | None = None
    trigger_method: int = 0
    time: str = ""
    volume: int | None = None


class WireSoftDollarTier(Struct, frozen=True, kw_only=True):
    """A soft dollar tier; `display_name` travels only in answers."""

    name: str = ""
    value: str = ""
    display_name: str = ""


class WireOrder(Struct, frozen=True, kw_only=True):
    """Every attribute of an order that server versions 157 to 225 carry; the last seven have no text form.

    A request states what the client wants, OpenOrder and CompletedOrder what TWS made of it. Which attribute
    travels in which message, and from which version, stands in `tws.wire.layouts.order`.
    `order_combo_leg_prices` has one price per leg of a BAG, None where the leg has none.
    `compete_against_best_offset` may be infinite: "up to mid".
    """

    client_id: int = 0
    perm_id: int = 0
    parent_id: int = 0
    action: str = ""
    total_quantity: Decimal | None = None
    display_size: int | None = None
    order_type: str = ""
    lmt_price: float | None = None
    aux_price: float | None = None
    tif: str = ""
    account: str = ""
    settling_firm: str = ""
    clearing_account: str = ""
    clearing_intent: str = ""
    all_or_none: bool = False
    block_order: bool = False
    hidden: bool = False
    outside_rth: bool = False
    sweep_to_fill: bool = False
    percent_offset: float | None = None
    trailing_percent: float | None = None
    trail_stop_price: float | None = None
    min_qty: int | None = None
    good_after_time: str = ""
    good_till_date: str = ""
    oca_group: str = ""
    order_ref: str = ""
    rule_80a: str = ""
    oca_type: int = 0
    trigger_method: int = 0
    active_start_time: str = ""
    active_stop_time: str = ""
    fa_group: str = ""
    fa_method: str = ""
    fa_percentage: str = ""
    fa_profile: str = ""
    volatility: float | None = None
    volatility_type: int | None = None
    continuous_update: bool = False
    reference_price_type: int | None = None
    delta_neutral_order_type: str = ""
    delta_neutral_aux_price: float | None = None
    delta_neutral_con_id: int = 0
    delta_neutral_open_close: str = ""
    delta_neutral_short_sale: bool = False
    delta_neutral_short_sale_slot: int = 0
    delta_neutral_designated_location: str = ""
    delta_neutral_settling_firm: str = ""
    delta_neutral_clearing_account: str = ""
    delta_neutral_clearing_intent: str = ""
    scale_init_level_size: int | None = None
    scale_subs_level_size: int | None = None
    scale_price_increment: float | None = None
    scale_price_adjust_value: float | None = None
    scale_price_adjust_interval: int | None = None
    scale_profit_offset: float | None = None
    scale_auto_reset: bool = False
    scale_init_position: int | None = None
    scale_init_fill_qty: int | None = None
    scale_random_percent: bool = False
    scale_table: str = ""
    hedge_type: str = ""
    hedge_param: str = ""
    algo_strategy: str = ""
    algo_params: tuple[Tag, ...] = ()
    algo_id: str = ""
    smart_combo_routing_params: tuple[Tag, ...] = ()
    order_combo_leg_prices: tuple[float | None, ...] = ()
    what_if: bool = False
    transmit: bool = True
    override_percentage_constraints: bool = False
    open_close: str = ""
    origin: int = 0
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1
    discretionary_amt: float = 0.0
    opt_out_smart_routing: bool = False
    auction_strategy: int = 0
    starting_price: float | None = None
    stock_ref_price: float | None = None
    delta: float | None = None
    stock_range_lower: float | None = None
    stock_range_upper: float | None = None
    basis_points: float | None = None
    basis_points_type: int | None = None
    shares_allocation: str = ""
    not_held: bool = False
    order_misc_options: tuple[Tag, ...] = ()
    solicited: bool = False
    randomize_size: bool = False
    randomize_price: bool = False
    reference_contract_id: int = 0
    pegged_change_amount: float = 0.0
    is_pegged_change_amount_decrease: bool = False
    reference_change_amount: float = 0.0
    reference_exchange_id: str = ""
    adjusted_order_type: str = ""
    trigger_price: float | None = None
    adjusted_stop_price: float | None = None
    adjusted_stop_limit_price: float | None = None
    adjusted_trailing_amount: float | None = None
    adjustable_trailing_unit: int = 0
    lmt_price_offset: float | None = None
    conditions: tuple[WireOrderCondition, ...] = ()
    conditions_cancel_order: bool = False
    conditions_ignore_rth: bool = False
    model_code: str = ""
    ext_operator: str = ""
    soft_dollar_tier: WireSoftDollarTier = WireSoftDollarTier()
    cash_qty: float | None = None
    mifid2_decision_maker: str = ""
    mifid2_decision_algo: str = ""
    mifid2_execution_trader: str = ""
    mifid2_execution_algo: str = ""
    dont_use_auto_price_for_hedge: bool = False
    is_oms_container: bool = False
    discretionary_up_to_limit_price: bool = False
    auto_cancel_date: str = ""
    filled_quantity: Decimal | None = None
    ref_futures_con_id: int | None = None
    auto_cancel_parent: bool = False
    shareholder: str = ""
    imbalance_only: bool = False
    route_marketable_to_bbo: bool | None = None
    parent_perm_id: int | None = None
    use_price_mgmt_algo: bool | None = None
    duration: int | None = None
    post_to_ats: int | None = None
    advanced_error_override: str = ""
    manual_order_time: str = ""
    min_trade_qty: int | None = None
    min_compete_size: int | None = None
    compete_against_best_offset: float | None = None
    mid_offset_at_whole: float | None = None
    mid_offset_at_half: float | None = None
    customer_account: str = ""
    professional_customer: bool = False
    bond_accrued_interest: str = ""
    include_overnight: bool = False
    manual_order_indicator: int | None = None
    submitter: str = ""
    post_only: bool = False
    allow_pre_open: bool = False
    ignore_open_auction: bool = False
    deactivate: bool = False
    seek_price_improvement: bool | None = None
    what_if_type: int | None = None
    hedge_max_size: int | None = None


class WireAttachedOrders(Struct, frozen=True, kw_only=True):
    """The two orders that a placed one brings along, a stop loss and a profit taker (server version 218 on).

    Their types are names of order presets; None and empty when there is none.
    """

    sl_order_id: int | None = None
    sl_order_type: str = ""
    pt_order_id: int | None = None
    pt_order_type: str = ""


class OrderAllocation(Struct, frozen=True, kw_only=True):
    """How a what-if order would be split among an adviser's accounts (server version 195 on)."""

    account: str = ""
    position: Decimal | None = None
    position_desired: Decimal | None = None
    position_after: Decimal | None = None
    desired_alloc_qty: Decimal | None = None
    allowed_alloc_qty: Decimal | None = None
    is_monetary: bool = False


class WireOrderState(Struct, frozen=True, kw_only=True):
    """What TWS says about an order beside its attributes: status, margin preview, fees, end.

    Money in the account's base or the named currency; None unless the order was a what-if.
    `completed_time` and `completed_status` are stated in CompletedOrder alone.
    """

    status: str = ""
    init_margin_before: float | None = None
    maint_margin_before: float | None = None
    equity_with_loan_before: float | None = None
    init_margin_change: float | None = None
    maint_margin_change: float | None = None
    equity_with_loan_change: float | None = None
    init_margin_after: float | None = None
    maint_margin_after: float | None = None
    equity_with_loan_after: float | None = None
    commission_and_fees: float | None = None
    min_commission_and_fees: float | None = None
    max_commission_and_fees: float | None = None
    commission_and_fees_currency: str = ""
    margin_currency: str = ""
    init_margin_before_outside_rth: float | None = None
    maint_margin_before_outside_rth: float | None = None
    equity_with_loan_before_outside_rth: float | None = None
    init_margin_change_outside_rth: float | None = None
    maint_margin_change_outside_rth: float | None = None
    equity_with_loan_change_outside_rth: float | None = None
    init_margin_after_outside_rth: float | None = None
    maint_margin_after_outside_rth: float | None = None
    equity_with_loan_after_outside_rth: float | None = None
    suggested_size: Decimal | None = None
    reject_reason: str = ""
    order_allocations: tuple[OrderAllocation, ...] = ()
    warning_text: str = ""
    completed_time: str = ""
    completed_status: str = ""


class WireOrderCancel(Struct, frozen=True, kw_only=True):
    """What a cancel may state: the manual time from server version 169, the other two from 192."""

    manual_order_cancel_time: str = ""
    ext_operator: str = ""
    manual_order_indicator: int | None = None


class WireExecution(Struct, frozen=True, kw_only=True):
    """One fill. `side` is BOT or SLD, `time` TWS's text with or without a zone (C4), `liquidation` 0 or 1.

    `opt_exercise_or_lapse_type` (protobuf alone) says what ended an option: 1 exercise, 2 lapse, 3 nothing,
    100 assigned, 101 and 200 exercised by itself, 102 expired, 103 netting.
    """

    order_id: int = 0
    exec_id: str = ""
    time: str = ""
    acct_number: str = ""
    exchange: str = ""
    side: str = ""
    shares: Decimal = Decimal(0)
    price: float = 0.0
    perm_id: int = 0
    client_id: int = 0
    liquidation: int = 0
    cum_qty: Decimal = Decimal(0)
    avg_price: float = 0.0
    order_ref: str = ""
    ev_rule: str = ""
    ev_multiplier: float | None = None
    model_code: str = ""
    last_liquidity: int = 0
    is_price_revision_pending: bool = False
    submitter: str = ""
    opt_exercise_or_lapse_type: int | None = None
