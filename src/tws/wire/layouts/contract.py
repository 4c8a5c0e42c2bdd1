"""Layouts about contracts, and the runs of contract fields that other messages share.

Source: TWS-BEHAVIOUR.md F4, F6; the official client and decoder.
"""

from __future__ import annotations

from tws.wire.kinds import (
    BOOL,
    FLOAT,
    INT,
    INT0,
    OPT_DECIMAL_EMPTY,
    OPT_FLOAT_EMPTY,
    STR,
    STRIKE,
    STRIKE_EMPTY,
    TEXT,
)
from tws.wire.layout import Const, Field, Flagged, Group, Item, Layout, OneOf, Repeat, Sub, fields
from tws.wire.messages import (
    BondContractData,
    ContractData,
    ContractDataEnd,
    ContractDataRequest,
    ContractDescription,
    FundDetails,
    IneligibilityReason,
    MarketRule,
    MarketRuleRequest,
    MatchingSymbolsRequest,
    PriceIncrement,
    SecDefOptParameter,
    SecDefOptParameterEnd,
    SecDefOptParamsRequest,
    SymbolSamples,
    WireComboLeg,
    WireDeltaNeutral,
)

REQ_ID = Field("req_id", INT)
IS_BAG = OneOf("contract.sec_type", ("BAG",))

STRIKES: tuple[Item, ...] = (
    Field("contract.strike", STRIKE, until=202),
    Field("contract.strike", STRIKE_EMPTY, since=202),
)
"""The strike; "none" changed its form at 202 (F1)."""

BASE: tuple[Item, ...] = (
    Field("contract.con_id", INT0),
    *fields("contract.", STR, "symbol sec_type last_trade_date_or_contract_month"),
    *STRIKES,
    *fields("contract.", STR, "right multiplier exchange"),
)
FULL: tuple[Item, ...] = (
    *BASE,
    *fields("contract.", STR, "primary_exch currency local_symbol trading_class"),
)
"""K of F4: the contract in a request."""
SHORT: tuple[Item, ...] = (*BASE, *fields("contract.", STR, "currency local_symbol trading_class"))
"""The contract in most answers: no primary exchange."""

DELTA_NEUTRAL = Flagged("contract.delta_neutral_contract", WireDeltaNeutral, (
    Field("con_id", INT), Field("delta", FLOAT), Field("price", FLOAT)))

SHORT_LEGS = Group(
    (Repeat("contract.combo_legs", WireComboLeg, (
        Field("con_id", INT), Field("ratio", INT), Field("action", STR), Field("exchange", STR))),),
    when=IS_BAG,
)
"""The legs of a BAG as market data and history want them."""

LEG: tuple[Item, ...] = (
    Field("con_id", INT),
    Field("ratio", INT),
    Field("action", STR),
    Field("exchange", STR),
    Field("open_close", INT0),
    Field("short_sales_slot", INT0),
    Field("designated_location", STR),
    Field("exempt_code", INT0),
)

_FUND: tuple[Item, ...] = (
    *fields("", STR, "fund_name fund_family fund_type fund_front_load fund_back_load "
                     "fund_back_load_time_interval fund_management_fee"),
    *fields("", BOOL, "fund_closed fund_closed_for_new_investors fund_closed_for_new_money"),
    *fields("", STR, "fund_notify_amount fund_minimum_initial_purchase fund_minimum_subsequent_purchase "
                     "fund_blue_sky_states fund_blue_sky_territories fund_distribution_policy_indicator "
                     "fund_asset_type"),
)

_D = "contract_details."

_CONTRACT_DATA: tuple[Item, ...] = (
    Const("8", until=164),
    REQ_ID,
    *fields("contract.", STR, "symbol sec_type last_trade_date_or_contract_month"),
    Field("contract.last_trade_date", STR, since=182),
    *STRIKES,
    *fields("contract.", STR, "right exchange currency local_symbol"),
    Field(_D + "market_name", STR),
    Field("contract.trading_class", STR),
    Field("contract.con_id", INT),
    Field(_D + "min_tick", FLOAT),
    Const("1", "size multiplier of market data", until=164),
    Field("contract.multiplier", STR),
    *fields(_D, STR, "order_types valid_exchanges"),
    *fields(_D, INT0, "price_magnifier under_con_id"),
    Field(_D + "long_name", TEXT),
    Field("contract.primary_exch", STR),
    *fields(_D, STR, "contract_month industry category subcategory time_zone_id trading_hours liquid_hours"),
    Field(_D + "ev_rule", STR),
    Field(_D + "ev_multiplier", INT0),
    Repeat(_D + "sec_id_list", pair=True),
    Field(_D + "agg_group", INT0),
    *fields(_D, STR, "under_symbol under_sec_type market_rule_ids real_expiration_date stock_type"),
    Group((Const("1", "smallest size"),), since=163, until=164),
    Group(fields(_D, OPT_DECIMAL_EMPTY, "min_size size_increment suggested_size_increment"), since=164),
    Sub(_D + "fund", FundDetails, _FUND, OneOf("contract.sec_type", ("FUND",)), since=179),
    Repeat(
        _D + "ineligibility_reason_list", IneligibilityReason, fields("", STR, "id description"), since=186),
)

_BOND_CONTRACT_DATA: tuple[Item, ...] = (
    Const("6", until=164),
    REQ_ID,
    *fields("contract.", STR, "symbol sec_type"),
    Field(_D + "cusip", STR),
    Field(_D + "coupon", OPT_FLOAT_EMPTY),
    Field("contract.last_trade_date_or_contract_month", STR),
    *fields(_D, STR, "issue_date ratings bond_type coupon_type"),
    *fields(_D, BOOL, "convertible callable puttable"),
    Field(_D + "desc_append", STR),
    *fields("contract.", STR, "exchange currency"),
    Field(_D + "market_name", STR),
    Field("contract.trading_class", STR),
    Field("contract.con_id", INT),
    Field(_D + "min_tick", FLOAT),
    Const("1", "size multiplier of market data", until=164),
    *fields(_D, STR, "order_types valid_exchanges next_option_date next_option_type"),
    Field(_D + "next_option_partial", BOOL),
    *fields(_D, STR, "bond_notes long_name"),
    Group(fields(_D, STR, "time_zone_id trading_hours liquid_hours"), since=188),
    Field(_D + "ev_rule", STR),
    Field(_D + "ev_multiplier", INT0),
    Repeat(_D + "sec_id_list", pair=True),
    Field(_D + "agg_group", INT0),
    Field(_D + "market_rule_ids", STR),
    Group(fields(_D, OPT_DECIMAL_EMPTY, "min_size size_increment suggested_size_increment"), since=164),
)

_SAMPLE: tuple[Item, ...] = (
    Field("contract.con_id", INT),
    *fields("contract.", STR, "symbol sec_type primary_exch currency"),
    Repeat("derivative_sec_types", kind=STR),
    Group(fields("contract.", STR, "description issuer_id"), since=176),
)

REQUESTS = (
    Layout(9, ContractDataRequest, (
        Const("8"),
        REQ_ID,
        *FULL,
        Field("contract.include_expired", BOOL),
        *fields("contract.", STR, "sec_id_type sec_id"),
        Field("contract.issuer_id", STR, since=176),
    )),
    Layout(81, MatchingSymbolsRequest, (REQ_ID, Field("pattern", STR))),
    Layout(91, MarketRuleRequest, (Field("market_rule_id", INT),)),
    Layout(78, SecDefOptParamsRequest, (
        REQ_ID,
        *fields("", STR, "underlying_symbol fut_fop_exchange underlying_sec_type"),
        Field("underlying_con_id", INT),
    )),
)

ANSWERS = (
    Layout(10, ContractData, _CONTRACT_DATA),
    Layout(18, BondContractData, _BOND_CONTRACT_DATA),
    Layout(52, ContractDataEnd, (Const("1"), REQ_ID)),
    Layout(79, SymbolSamples, (REQ_ID, Repeat("contract_descriptions", ContractDescription, _SAMPLE))),
    Layout(93, MarketRule, (
        Field("market_rule_id", INT),
        Repeat("price_increments", PriceIncrement, (Field("low_edge", FLOAT), Field("increment", FLOAT))),
    )),
    Layout(75, SecDefOptParameter, (
        REQ_ID,
        Field("exchange", STR),
        Field("underlying_con_id", INT),
        *fields("", STR, "trading_class multiplier"),
        Repeat("expirations", kind=STR),
        Repeat("strikes", kind=FLOAT),
    )),
    Layout(76, SecDefOptParameterEnd, (REQ_ID,)),
)
