"""The names of `ib_async.IB` and ours for the same: a table in docs/moving-from-ib_async.md.

`tests/migration/test_ours.py` looks that our names exist; `make migration` looks that no public name of the
installed ib_async is missing here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["FAMILIES", "OURS", "Name", "known", "render"]

OURS = re.compile(
    r"`(?:connection\.)?((?:request|stream|download|cancel|place|set|get|is|raise|on)_\w+|\w+connect\w*)\("
)
"""A method of `TWSConnection` as the table names it."""


class Name(NamedTuple):
    """`theirs`: names of `ib_async.IB`, apart by blanks. `ours` is Markdown; empty: there is none."""

    theirs: str
    ours: str
    note: str = ""


FAMILIES: dict[str, tuple[Name, ...]] = {
    "The session": (
        Name("connect", "`async with TWSConnection(config)`, or `connect()`",
             "`connect` answers True or False"),
        Name("disconnect", "`disconnect()`, `await connection.wait_closed()`"),
        Name("isConnected", "`is_connected()`"),
        Name("managedAccounts", "`connection.accounts`, `request_managed_accounts()`"),
        Name("reqCurrentTime", "`request_current_time()`"),
        Name("setTimeout timeoutEvent", "", "the connection itself looks whether TWS still answers"),
        Name("connectedEvent disconnectedEvent errorEvent", "`set_callbacks()`, `on_event()`",
             "`connection.state` says where it stands"),
        Name("RequestTimeout", "`TWSConfig.request_timeout`", "30 s unless told; ib_async waits without end"),
        Name("RaiseRequestErrors", "", "a refusal is raised, without a switch"),
        Name("MaxSyncedSubAccounts TimezoneTWS", "", "not needed"),
        Name("reqUserInfo", "`request_user_info()`"),
    ),
    "The loop": (
        Name("run", "`asyncio.run(main())`, or `SyncConnection`"),
        Name("sleep schedule timeRange waitUntil loopUntil", "", "asyncio's own; nothing is patched"),
        Name("waitOnUpdate updateEvent", "iterate the stream", "`async for quote in stream`"),
    ),
    "Contracts": (
        Name("qualifyContracts", "`request_contract()`", "raises for none and for several"),
        Name("reqContractDetails", "`request_contract_details()`"),
        Name("reqMatchingSymbols", "`request_matching_symbols()`"),
        Name("reqMarketRule", "`request_market_rule()`"),
        Name("reqSecDefOptParams", "`request_option_chain()`",
             "`request_option_contracts()` for a whole chain"),
        Name("reqSmartComponents", "`request_smart_components()`"),
        Name("reqMktDepthExchanges", "`request_depth_exchanges()`"),
    ),
    "History": (
        Name("reqHistoricalData", "`request_historical_bars()`; kept up to date: `stream_bars()`",
             "`download_bars()` beyond one request's limits"),
        Name("cancelHistoricalData cancelRealTimeBars", "`stream.close()`, or leave its `async with`"),
        Name("reqHeadTimeStamp", "`request_head_timestamp()`"),
        Name("reqHistoricalTicks", "`request_historical_ticks()`"),
        Name("reqHistogramData", "`request_histogram()`"),
        Name("reqHistoricalSchedule", "`request_schedule()`"),
    ),
    "Market data": (
        Name("reqMktData", "`stream_quotes()`", "no qualified contract needed"),
        Name("cancelMktData cancelTickByTickData cancelMktDepth",
             "`stream.close()`, or leave its `async with`"),
        Name("reqTickers", "`request_quote()`", "one contract; gather several"),
        Name("ticker tickers pendingTickers pendingTickersEvent", "the stream is the ticker: `stream.quote`"),
        Name("reqMarketDataType", "`request_market_data_type()`"),
        Name("reqTickByTickData", "`stream_ticks()`"),
        Name("reqMktDepth", "`stream_depth()`"),
        Name("reqRealTimeBars", "`stream_realtime_bars()`"),
        Name("realtimeBars barUpdateEvent", "iterate the stream"),
    ),
    "Options": (
        Name("calculateImpliedVolatility", "`request_implied_volatility()`"),
        Name("calculateOptionPrice", "`request_option_price()`"),
        Name("exerciseOptions", "`exercise_options()`, `lapse_options()`",
             "through the guard; with a trader `Trader.exercise()`, `Trader.lapse()`"),
    ),
    "Orders": (
        Name("placeOrder", "`place_order()`", "through the guard; a trader's desk: `Trader.submit`"),
        Name("bracketOrder", "`bracket()` with `Trader.submit`", "stop and target follow the filled shares"),
        Name("oneCancelsAll", "`Order.oca_group`"),
        Name("cancelOrder", "`cancel_order()`"),
        Name("reqGlobalCancel", "`cancel_all_orders()`"),
        Name("whatIfOrder", "`request_what_if()`"),
        Name("reqOpenOrders", "`request_open_orders()`"),
        Name("trades openTrades orders openOrders", "`connection.broker.orders`, `.open_orders`",
             "right again after every gap"),
        Name("reqAllOpenOrders", "`request_all_open_orders()`"),
        Name("reqAutoOpenOrders", "", "client id 0 binds by hand what it asks for"),
        Name("reqCompletedOrders", "`request_completed_orders()`"),
        Name("reqExecutions", "`request_executions()`"),
        Name("fills executions", "`connection.broker.executions`, `.commission(exec_id)`"),
        Name("newOrderEvent orderModifyEvent cancelOrderEvent openOrderEvent orderStatusEvent",
             "facts `BrokerOrder`, `BrokerOrderStatus`", "`connection.facts(listener)`"),
        Name("execDetailsEvent commissionReportEvent", "facts `Execution`, `Commission`"),
        Name("requestFA", "`request_advisor_groups()`, `request_account_aliases()`"),
        Name("replaceFA", "`replace_advisor_groups()`", "through the guard, with `allow={\"replaceFA\"}`"),
    ),
    "The account": (
        Name("reqPositions", "`request_positions()`"),
        Name("positions positionEvent", "`connection.broker.positions`", "changes are facts `Position`"),
        Name("reqAccountUpdates accountValues accountValueEvent", "`request_account_values()`",
             "changes are facts `AccountValue`"),
        Name("reqAccountSummary accountSummary accountSummaryEvent", "`request_account_summary()`"),
        Name("reqAccountUpdatesMulti", "`request_account_values_of()`"),
        Name("portfolio updatePortfolioEvent", "`request_portfolio()`, `stream_account()`"),
        Name("reqPnL cancelPnL pnl pnlEvent", "`stream_pnl()`"),
        Name("reqPnLSingle cancelPnLSingle pnlSingle pnlSingleEvent", "`stream_pnl_of()`"),
    ),
    "News, scanners, research": (
        Name("reqNewsProviders", "`request_news_providers()`"),
        Name("reqNewsArticle", "`request_news_article()`"),
        Name("reqHistoricalNews", "`request_historical_news()`", "the tags apart from the text"),
        Name("newsTicks tickNewsEvent", "`stream_news()`"),
        Name("reqNewsBulletins cancelNewsBulletins newsBulletins newsBulletinEvent",
             "`stream_news_bulletins()`", "each once"),
        Name("reqScannerData", "`request_scan()`"),
        Name("reqScannerSubscription cancelScannerSubscription scannerDataEvent", "`stream_scanner()`"),
        Name("reqScannerParameters", "`request_scanner_parameters()`", "parsed; ib_async gives the XML"),
        Name("reqFundamentalData", "`request_fundamentals()`"),
        Name("reqWshMetaData cancelWshMetaData getWshMetaData wshMetaEvent", "`request_wsh_meta()`"),
        Name("reqWshEventData cancelWshEventData getWshEventData wshEvent", "`request_wsh_events()`",
             "asks for the meta data by itself"),
    ),
}  # fmt: skip


def known() -> set[str]:
    """Every name of theirs that has a row."""
    return {name for names in FAMILIES.values() for row in names for name in row.theirs.split()}


def render() -> str:
    """The table as Markdown."""
    lines = ["| `ib_async.IB` | `TWSConnection` | |", "|---|---|---|"]
    for family, names in FAMILIES.items():
        lines.append(f"| **{family}** | | |")
        for name in names:
            theirs = ", ".join(f"`{one}`" for one in name.theirs.split())
            lines.append(f"| {theirs} | {name.ours or '–'} | {name.note} |")
    return "\n".join(lines)
