"""Layouts of what is looked up besides contracts. Source: TWS-BEHAVIOUR.md F4, F6; the official client."""

from __future__ import annotations

from tws.wire.kinds import BOOL, FLOAT, INT, OPT_DECIMAL, OPT_INT, OPTIONS, STR
from tws.wire.layout import Const, Field, Layout, Repeat, fields
from tws.wire.layouts.contract import FULL, REQ_ID, SHORT
from tws.wire.messages import (
    CalculateImpliedVolatilityRequest,
    CalculateOptionPriceRequest,
    CancelCalculateImpliedVolatility,
    CancelCalculateOptionPrice,
    CancelContractData,
    CancelHistogramData,
    CancelHistoricalTicks,
    DepthMarketDataDescription,
    DisplayGroupList,
    DisplayGroupUpdated,
    ExerciseOptionsRequest,
    FamilyCode,
    FamilyCodes,
    FamilyCodesRequest,
    HistogramData,
    HistogramDataEntry,
    HistogramDataRequest,
    MarketDepthExchanges,
    MarketDepthExchangesRequest,
    QueryDisplayGroupsRequest,
    SmartComponent,
    SmartComponents,
    SmartComponentsRequest,
    SoftDollarTier,
    SoftDollarTiers,
    SoftDollarTiersRequest,
    SubscribeToGroupEventsRequest,
    UnsubscribeFromGroupEventsRequest,
    UpdateDisplayGroupRequest,
)

V1 = Const("1")
UNDER_PRICE = Field("under_price", FLOAT)

REQUESTS = (
    Layout(21, ExerciseOptionsRequest, (
        Const("2"),
        Field("order_id", INT),
        *SHORT,
        *fields("", INT, "exercise_action exercise_quantity"),
        Field("account", STR),
        Field("override", BOOL),
        Field("manual_order_time", STR, since=180),
        Field("customer_account", STR, since=183),
        Field("professional_customer", BOOL, since=184),
    )),
    Layout(54, CalculateImpliedVolatilityRequest, (
        Const("3"), REQ_ID, *FULL, Field("option_price", FLOAT), UNDER_PRICE,
        Field("implied_volatility_options", OPTIONS),
    )),
    Layout(55, CalculateOptionPriceRequest, (
        Const("3"), REQ_ID, *FULL, Field("volatility", FLOAT), UNDER_PRICE,
        Field("option_price_options", OPTIONS),
    )),
    Layout(56, CancelCalculateImpliedVolatility, (V1, REQ_ID)),
    Layout(57, CancelCalculateOptionPrice, (V1, REQ_ID)),
    Layout(67, QueryDisplayGroupsRequest, (V1, REQ_ID)),
    Layout(68, SubscribeToGroupEventsRequest, (V1, REQ_ID, Field("group_id", INT))),
    Layout(69, UpdateDisplayGroupRequest, (V1, REQ_ID, Field("contract_info", STR))),
    Layout(70, UnsubscribeFromGroupEventsRequest, (V1, REQ_ID)),
    Layout(79, SoftDollarTiersRequest, (REQ_ID,)),
    Layout(80, FamilyCodesRequest),
    Layout(82, MarketDepthExchangesRequest),
    Layout(83, SmartComponentsRequest, (REQ_ID, Field("bbo_exchange", STR))),
    Layout(88, HistogramDataRequest, (
        REQ_ID, *FULL, Field("contract.include_expired", BOOL), Field("use_rth", BOOL),
        Field("time_period", STR),
    )),
    Layout(89, CancelHistogramData, (REQ_ID,)),
    Layout(106, CancelContractData, (REQ_ID,), since=215),
    Layout(107, CancelHistoricalTicks, (REQ_ID,), since=215),
)

ANSWERS = (
    Layout(67, DisplayGroupList, (V1, REQ_ID, Field("groups", STR))),
    Layout(68, DisplayGroupUpdated, (V1, REQ_ID, Field("contract_info", STR))),
    Layout(77, SoftDollarTiers, (
        REQ_ID, Repeat("soft_dollar_tiers", SoftDollarTier, fields("", STR, "name value display_name")))),
    Layout(78, FamilyCodes, (
        Repeat("family_codes", FamilyCode, fields("", STR, "account_id family_code")),)),
    Layout(80, MarketDepthExchanges, (
        Repeat("depth_market_data_descriptions", DepthMarketDataDescription, (
            *fields("", STR, "exchange sec_type listing_exch service_data_type"),
            Field("agg_group", OPT_INT),
        )),
    )),
    Layout(82, SmartComponents, (
        REQ_ID,
        Repeat("smart_components", SmartComponent, (
            Field("bit_number", INT), *fields("", STR, "exchange exchange_letter"))),
    )),
    Layout(89, HistogramData, (
        REQ_ID,
        Repeat("histogram_data_entries", HistogramDataEntry, (
            Field("price", FLOAT), Field("size", OPT_DECIMAL))),
    )),
)
