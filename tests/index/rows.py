"""The table behind docs/official-requests.md: every request of the official client and our name for it.

One line each, in the families of docs/design/requests.md. A method of ours that stands on that page brings
its test from there; another one names it here. The simulated TWS serves them all; `words` says where it does
so under a condition, and how it refuses else. `python -m tests.index` (`make index`) writes the page;
test_index.py holds all of it. Where two changes of the page meet, write it anew.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FAMILIES", "Row"]


class Row(NamedTuple):
    """`ours`: methods of TWSConnection, or of a class that it gives, as `Stream.close`; the first is the
    nearest. `test`: file in tests/ and name, for what has no row in docs/design/requests.md.
    """

    official: str
    ours: str
    test: str = ""
    words: str = ""


CLOSED = "connection/test_closing.py::test_a_stream_that_is_closed"
GIVEN_UP = "connection/test_closing.py::test_a_request_that_nobody_waits_for"
GIVEN_UP_TOO = "connection/test_past.py::test_what_nobody_waits_for_is_cancelled"
CHALLENGED = "connection/test_settings.py::test_a_challenge_is_answered"
NO_REPORTS = "served when subscribed to; else 10358 `Fundamentals data is not allowed`, below 200 430"
NO_EVENTS = "served when subscribed to; else 10276 `News feed is not allowed.`"
ONCE = "connection/test_accounts.py::test_what_was_asked_once_is_cancelled"

ADVISORS = "served to an advisor's login; else 321 `FA data operations ignored for non FA customers.`"

FAMILIES: dict[str, tuple[Row, ...]] = {
    "The session": (
        Row("startApi", "connect",
            "connection/test_connect.py::test_a_session_gives_account_version_and_ids"),
        Row("reqCurrentTime", "request_current_time"),
        Row("reqCurrentTimeInMillis", "request_current_time_millis"),
        Row("reqManagedAccts", "request_managed_accounts"),
        Row("reqIds", "request_next_order_id get_next_order_id"),
        Row("reqUserInfo", "request_user_info"),
        Row("reqConfigProtoBuf", "request_settings"),
        Row("updateConfigProtoBuf", "update_settings"),
        Row("verifyRequest", "request_verification"),
        Row("verifyMessage", "request_verification", CHALLENGED),
        Row("verifyAndAuthRequest", "request_verification"),
        Row("verifyAndAuthMessage", "request_verification", CHALLENGED),
        Row("setServerLogLevel", "set_server_log_level"),
    ),
    "Contracts": (
        Row("reqContractDetails", "request_contract request_contract_details request_instrument"),
        Row("cancelContractData", "Reply.cancel", GIVEN_UP),
        Row("reqMatchingSymbols", "request_matching_symbols"),
        Row("reqMarketRule", "request_market_rule"),
        Row("reqSecDefOptParams", "request_option_chain request_option_contracts"),
        Row("reqMktDepthExchanges", "request_depth_exchanges"),
        Row("reqSmartComponents", "request_smart_components"),
        Row("reqFamilyCodes", "request_family_codes"),
        Row("reqSoftDollarTiers", "request_soft_dollar_tiers"),
        Row("queryDisplayGroups", "request_display_groups"),
        Row("subscribeToGroupEvents", "stream_display_group"),
        Row("updateDisplayGroup", "DisplayGroupStream.show",
            "connection/test_contracts.py::test_linked_windows"),
        Row("unsubscribeFromGroupEvents", "DisplayGroupStream.close", CLOSED),
    ),
    "The past": (
        Row("reqHistoricalData", "request_historical_bars request_historical_columns request_schedule "
            "download_bars stream_bars"),
        Row("cancelHistoricalData", "Reply.cancel BarStream.close", GIVEN_UP),
        Row("reqHeadTimeStamp", "request_head_timestamp"),
        Row("cancelHeadTimeStamp", "Reply.cancel", GIVEN_UP_TOO),
        Row("reqHistoricalTicks", "request_historical_ticks"),
        Row("cancelHistoricalTicks", "Reply.cancel", GIVEN_UP),
        Row("reqHistogramData", "request_histogram"),
        Row("cancelHistogramData", "Reply.cancel", GIVEN_UP_TOO),
    ),
    "Market data": (
        Row("reqMarketDataType", "request_market_data_type"),
        Row("reqMktData", "stream_quotes request_quote stream_news"),
        Row("cancelMktData", "QuoteStream.close", CLOSED),
        Row("reqTickByTickData", "stream_ticks"),
        Row("cancelTickByTickData", "TickStream.close", CLOSED),
        Row("reqMktDepth", "stream_depth"),
        Row("cancelMktDepth", "DepthStream.close", CLOSED),
        Row("reqRealTimeBars", "stream_realtime_bars"),
        Row("cancelRealTimeBars", "RealTimeBarStream.close",
            "connection/test_live_bars.py::test_closing_cancels_at_tws"),
        Row("calculateImpliedVolatility", "request_implied_volatility"),
        Row("cancelCalculateImpliedVolatility", "Reply.cancel", GIVEN_UP),
        Row("calculateOptionPrice", "request_option_price"),
        Row("cancelCalculateOptionPrice", "Reply.cancel", GIVEN_UP),
    ),
    "Accounts": (
        Row("reqPositions", "request_positions"),
        Row("cancelPositions", "official",
            "connection/test_closing.py::test_positions_are_followed_until_the_official_client_says_otherwise"),
        Row("reqPositionsMulti", "request_positions_of"),
        Row("cancelPositionsMulti", "Reply.cancel", GIVEN_UP),
        Row("reqAccountUpdates", "stream_account request_account_values request_portfolio"),
        Row("reqAccountUpdatesMulti", "request_account_values_of"),
        Row("cancelAccountUpdatesMulti", "Reply.cancel", GIVEN_UP),
        Row("reqAccountSummary", "stream_account_summary request_account_summary"),
        Row("cancelAccountSummary", "SummaryStream.close", ONCE),
        Row("reqPnL", "stream_pnl"),
        Row("cancelPnL", "PnLStream.close", ONCE),
        Row("reqPnLSingle", "stream_pnl_of"),
        Row("cancelPnLSingle", "PositionPnLStream.close", ONCE),
    ),
    "An advisor's login": (
        Row("requestFA", "request_advisor_groups request_advisor_profiles request_account_aliases",
            words=ADVISORS),
        Row("replaceFA", "replace_advisor_groups replace_advisor_profiles replace_account_aliases",
            words=ADVISORS),
    ),
    "Orders": (
        Row("placeOrder", "place_order request_what_if",
            "connection/test_requests.py::test_the_books_of_an_order"),
        Row("cancelOrder", "cancel_order", "connection/test_requests.py::test_an_order_is_waited_for"),
        Row("reqGlobalCancel", "cancel_all_orders"),
        Row("reqOpenOrders", "request_open_orders"),
        Row("reqAllOpenOrders", "request_all_open_orders"),
        Row("reqAutoOpenOrders", "bind_manual_orders"),
        Row("reqCompletedOrders", "request_completed_orders"),
        Row("reqExecutions", "request_executions"),
        Row("exerciseOptions", "exercise_options lapse_options"),
    ),
    "News": (
        Row("reqNewsProviders", "request_news_providers"),
        Row("reqNewsArticle", "request_news_article"),
        Row("reqHistoricalNews", "request_historical_news"),
        Row("reqNewsBulletins", "stream_news_bulletins"),
        Row("cancelNewsBulletins", "BulletinStream.close",
            "connection/test_closing.py::test_bulletins_end_with_their_last_stream"),
    ),
    "Scanners and research": (
        Row("reqScannerParameters", "request_scanner_parameters"),
        Row("reqScannerSubscription", "stream_scanner request_scan"),
        Row("cancelScannerSubscription", "ScannerStream.close Reply.cancel", CLOSED),
        Row("reqFundamentalData", "request_fundamentals", words=NO_REPORTS),
        Row("cancelFundamentalData", "Reply.cancel", GIVEN_UP),
        Row("reqWshMetaData", "request_wsh_meta", words=NO_EVENTS),
        Row("cancelWshMetaData", "Reply.cancel", GIVEN_UP),
        Row("reqWshEventData", "request_wsh_events", words=NO_EVENTS),
        Row("cancelWshEventData", "Reply.cancel",
            "connection/test_closing.py::test_events_that_nobody_waits_for"),
    ),
}  # fmt: skip
