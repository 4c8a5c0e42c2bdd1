"""Layouts of news, scanners, fundamentals, calendars, advisors. Source: TWS-BEHAVIOUR.md F4, F6; the official
client.
"""

from __future__ import annotations

from tws.wire.kinds import BOOL, INT, INT0, OPT_FLOAT_EMPTY, OPT_INT, OPT_INT_EMPTY, OPTIONS, STR, TEXT
from tws.wire.layout import Const, Field, Group, Item, Layout, Repeat, fields
from tws.wire.layouts.contract import REQ_ID, STRIKES
from tws.wire.messages import (
    CancelFundamentalsData,
    CancelNewsBulletins,
    CancelScannerSubscription,
    CancelWshEventData,
    CancelWshMetaData,
    FAReplace,
    FARequest,
    FundamentalsData,
    FundamentalsDataRequest,
    HistoricalNews,
    HistoricalNewsEnd,
    HistoricalNewsRequest,
    NewsArticle,
    NewsArticleRequest,
    NewsBulletin,
    NewsBulletinsRequest,
    NewsProvider,
    NewsProviders,
    NewsProvidersRequest,
    ReceiveFA,
    ReplaceFAEnd,
    ScannerData,
    ScannerDataElement,
    ScannerParameters,
    ScannerParametersRequest,
    ScannerSubscriptionRequest,
    TickNews,
    WshEventData,
    WshEventDataRequest,
    WshMetaData,
    WshMetaDataRequest,
)

V1 = Const("1")
FA_TYPE = Field("fa_data_type", INT)
XML = Field("xml", STR)
_S = "scanner_subscription."

_SCANNER: tuple[Item, ...] = (
    Field(_S + "number_of_rows", OPT_INT_EMPTY),
    *fields(_S, STR, "instrument location_code scan_code"),
    *fields(_S, OPT_FLOAT_EMPTY, "above_price below_price"),
    Field(_S + "above_volume", OPT_INT_EMPTY),
    *fields(_S, OPT_FLOAT_EMPTY, "market_cap_above market_cap_below"),
    *fields(_S, STR, "moody_rating_above moody_rating_below sp_rating_above sp_rating_below "
                     "maturity_date_above maturity_date_below"),
    *fields(_S, OPT_FLOAT_EMPTY, "coupon_rate_above coupon_rate_below"),
    Field(_S + "exclude_convertible", BOOL),
    Field(_S + "average_option_volume_above", OPT_INT_EMPTY),
    *fields(_S, STR, "scanner_setting_pairs stock_type_filter"),
    *fields(_S, OPTIONS, "scanner_subscription_filter_options scanner_subscription_options"),
)

REQUESTS = (
    Layout(12, NewsBulletinsRequest, (V1, Field("all_messages", BOOL))),
    Layout(13, CancelNewsBulletins, (V1,)),
    Layout(18, FARequest, (V1, FA_TYPE)),
    Layout(19, FAReplace, (V1, FA_TYPE, XML, REQ_ID)),
    Layout(22, ScannerSubscriptionRequest, (REQ_ID, *_SCANNER)),
    Layout(23, CancelScannerSubscription, (V1, REQ_ID)),
    Layout(24, ScannerParametersRequest, (V1,)),
    Layout(52, FundamentalsDataRequest, (
        Const("2"),
        REQ_ID,
        Field("contract.con_id", INT0),
        *fields("contract.", STR, "symbol sec_type exchange primary_exch currency local_symbol"),
        Field("report_type", STR),
        Const("0", "how many options; the text behind it says so too"),
        Field("fundamentals_data_options", OPTIONS),
    )),
    Layout(53, CancelFundamentalsData, (V1, REQ_ID)),
    Layout(84, NewsArticleRequest, (
        REQ_ID, *fields("", STR, "provider_code article_id"), Field("news_article_options", OPTIONS))),
    Layout(85, NewsProvidersRequest),
    Layout(86, HistoricalNewsRequest, (
        REQ_ID,
        Field("con_id", INT),
        *fields("", STR, "provider_codes start_date_time end_date_time"),
        Field("total_results", INT),
        Field("historical_news_options", OPTIONS),
    )),
    Layout(100, WshMetaDataRequest, (REQ_ID,), since=161),
    Layout(101, CancelWshMetaData, (REQ_ID,), since=161),
    Layout(102, WshEventDataRequest, (
        REQ_ID,
        Field("con_id", OPT_INT),
        Group((
            Field("filter", STR),
            *fields("", BOOL, "fill_watchlist fill_portfolio fill_competitors"),
        ), since=171),
        Group((
            *fields("", STR, "start_date end_date"),
            Field("total_limit", OPT_INT),
        ), since=173),
    ), since=161),
    Layout(103, CancelWshEventData, (REQ_ID,), since=161),
)

ANSWERS = (
    Layout(14, NewsBulletin, (
        V1,
        *fields("", INT, "news_msg_id news_msg_type"),
        *fields("", STR, "news_message originating_exch"),
    )),
    Layout(16, ReceiveFA, (V1, FA_TYPE, Field("xml", TEXT))),
    Layout(19, ScannerParameters, (V1, XML)),
    Layout(20, ScannerData, (
        Const("3"),
        REQ_ID,
        Repeat("scanner_data_element", ScannerDataElement, (
            Field("rank", INT),
            Field("contract.con_id", INT0),
            *fields("contract.", STR, "symbol sec_type last_trade_date_or_contract_month"),
            *STRIKES,
            *fields("contract.", STR, "right exchange currency local_symbol"),
            Field("market_name", STR),
            Field("contract.trading_class", STR),
            *fields("", STR, "distance benchmark projection combo_key"),
        )),
    )),
    Layout(51, FundamentalsData, (V1, REQ_ID, Field("data", STR))),
    Layout(83, NewsArticle, (REQ_ID, Field("article_type", INT), Field("article_text", STR))),
    Layout(84, TickNews, (
        REQ_ID, Field("timestamp", INT), *fields("", STR, "provider_code article_id headline extra_data"))),
    Layout(85, NewsProviders, (
        Repeat("news_providers", NewsProvider, fields("", STR, "provider_code provider_name")),)),
    Layout(86, HistoricalNews, (
        REQ_ID, *fields("", STR, "time provider_code article_id headline"))),
    Layout(87, HistoricalNewsEnd, (REQ_ID, Field("has_more", BOOL))),
    Layout(103, ReplaceFAEnd, (REQ_ID, Field("text", STR))),
    Layout(104, WshMetaData, (REQ_ID, Field("data_json", STR)), since=161),
    Layout(105, WshEventData, (REQ_ID, Field("data_json", STR)), since=161),
)
