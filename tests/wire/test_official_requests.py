"""What the official client (10.46) sends we read, attribute by attribute, at every version where a layout
changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ibapi.client import EClient
from ibapi.common import WshEventData
from ibapi.const import UNSET_INTEGER
from ibapi.protobuf.ConfigRequest_pb2 import ConfigRequest
from ibapi.protobuf.UpdateConfigRequest_pb2 import UpdateConfigRequest
from ibapi.scanner import ScannerSubscription
from tests.wire import official
from tests.wire.generators import FLOAT, VERSIONS, carried, messages

from tws.wire import codec, kinds, thresholds
from tws.wire import messages as m
from tws.wire.layouts import REQUESTS

PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
OPTION = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=";="), max_size=8)
SPECIAL = {
    kinds.STR.name: PLAIN,  # the official encoder refuses what is not printable ASCII
    kinds.TEXT.name: PLAIN,
    kinds.OPT_FLOAT.name: st.none() | FLOAT,  # it writes Infinity only where it may write an empty field
    kinds.OPTIONS.name: st.lists(st.tuples(OPTION, OPTION), max_size=3).map(tuple),
    "market_data_options": st.just(()),  # it says "not supported"
    "market_depth_options": st.just(()),
    "implied_volatility_options": st.just(()),
    "option_price_options": st.just(()),
    "fundamentals_data_options": st.just(()),
    "order.fa_profile": st.just(""),  # it has no such attribute any more
    "client_id": st.just(7),  # the client's own
    "optional_capabilities": st.sampled_from(["", "+X"]),
}

Send = Callable[[EClient, Any], object]


def start_api(client: EClient, ours: m.StartApiRequest) -> None:
    client.optCapab = ours.optional_capabilities
    client.startApi()


def exercise(client: EClient, ours: m.ExerciseOptionsRequest) -> None:
    client.exerciseOptions(
        ours.order_id, official.contract(ours.contract), ours.exercise_action, ours.exercise_quantity,
        ours.account, ours.override, ours.manual_order_time, ours.customer_account,
        ours.professional_customer,
    )  # fmt: skip


def scanner(client: EClient, ours: m.ScannerSubscriptionRequest) -> None:
    wanted, theirs = ours.scanner_subscription, ScannerSubscription()
    theirs.numberOfRows = UNSET_INTEGER  # theirs is -1, which travels as a number
    options = ("scanner_subscription_options", "scanner_subscription_filter_options")
    for name in wanted.__struct_fields__:
        if name not in options and getattr(wanted, name) is not None:
            setattr(theirs, official.camel(name), getattr(wanted, name))
    tags = (official.tags(getattr(wanted, name)) for name in options)
    client.reqScannerSubscription(ours.req_id, theirs, *tags)


def calendar(client: EClient, ours: m.WshEventDataRequest) -> None:
    theirs = WshEventData()
    for name in ours.__struct_fields__[1:]:
        if getattr(ours, name) is not None:
            setattr(theirs, official.camel(name), getattr(ours, name))
    client.reqWshEventData(ours.req_id, theirs)


SENDS: dict[type[m.Request], Send] = {
    m.StartApiRequest: start_api,
    m.IdsRequest: lambda c, r: c.reqIds(r.num_ids),
    m.ManagedAccountsRequest: lambda c, r: c.reqManagedAccts(),
    m.CurrentTimeRequest: lambda c, r: c.reqCurrentTime(),
    m.CurrentTimeInMillisRequest: lambda c, r: c.reqCurrentTimeInMillis(),
    m.SetServerLogLevelRequest: lambda c, r: c.setServerLogLevel(r.log_level),
    m.UserInfoRequest: lambda c, r: c.reqUserInfo(r.req_id),
    m.MarketDataRequest: lambda c, r: c.reqMktData(
        r.req_id, official.contract(r.contract), r.generic_tick_list, r.snapshot, r.regulatory_snapshot, []
    ),
    m.CancelMarketData: lambda c, r: c.cancelMktData(r.req_id),
    m.MarketDataTypeRequest: lambda c, r: c.reqMarketDataType(r.market_data_type),
    m.MarketDepthRequest: lambda c, r: c.reqMktDepth(
        r.req_id, official.contract(r.contract), r.num_rows, r.is_smart_depth, []
    ),
    m.CancelMarketDepth: lambda c, r: c.cancelMktDepth(r.req_id, r.is_smart_depth),
    m.RealTimeBarsRequest: lambda c, r: c.reqRealTimeBars(
        r.req_id,
        official.contract(r.contract),
        r.bar_size,
        r.what_to_show,
        r.use_rth,
        official.tags(r.real_time_bars_options),
    ),
    m.CancelRealTimeBars: lambda c, r: c.cancelRealTimeBars(r.req_id),
    m.TickByTickRequest: lambda c, r: c.reqTickByTickData(
        r.req_id, official.contract(r.contract), r.tick_type, r.number_of_ticks, r.ignore_size
    ),
    m.CancelTickByTick: lambda c, r: c.cancelTickByTickData(r.req_id),
    m.PlaceOrderRequest: lambda c, r: c.placeOrder(
        r.order_id, official.contract(r.contract), official.order(r.order, r.attached_orders)
    ),
    m.CancelOrderRequest: lambda c, r: c.cancelOrder(r.order_id, official.order_cancel(r.order_cancel)),
    m.GlobalCancelRequest: lambda c, r: c.reqGlobalCancel(official.order_cancel(r.order_cancel)),
    m.OpenOrdersRequest: lambda c, r: c.reqOpenOrders(),
    m.AllOpenOrdersRequest: lambda c, r: c.reqAllOpenOrders(),
    m.AutoOpenOrdersRequest: lambda c, r: c.reqAutoOpenOrders(r.auto_bind),
    m.CompletedOrdersRequest: lambda c, r: c.reqCompletedOrders(r.api_only),
    m.ExecutionRequest: lambda c, r: c.reqExecutions(r.req_id, official.execution_filter(r.execution_filter)),
    m.ContractDataRequest: lambda c, r: c.reqContractDetails(r.req_id, official.contract(r.contract)),
    m.MatchingSymbolsRequest: lambda c, r: c.reqMatchingSymbols(r.req_id, r.pattern),
    m.MarketRuleRequest: lambda c, r: c.reqMarketRule(r.market_rule_id),
    m.SecDefOptParamsRequest: lambda c, r: c.reqSecDefOptParams(
        r.req_id, r.underlying_symbol, r.fut_fop_exchange, r.underlying_sec_type, r.underlying_con_id
    ),
    m.HistoricalDataRequest: lambda c, r: c.reqHistoricalData(
        r.req_id,
        official.contract(r.contract),
        r.end_date_time,
        r.duration,
        r.bar_size_setting,
        r.what_to_show,
        r.use_rth,
        r.format_date,
        r.keep_up_to_date,
        official.tags(r.chart_options),
    ),
    m.CancelHistoricalData: lambda c, r: c.cancelHistoricalData(r.req_id),
    m.HeadTimestampRequest: lambda c, r: c.reqHeadTimeStamp(
        r.req_id, official.contract(r.contract), r.what_to_show, r.use_rth, r.format_date
    ),
    m.CancelHeadTimestamp: lambda c, r: c.cancelHeadTimeStamp(r.req_id),
    m.HistoricalTicksRequest: lambda c, r: c.reqHistoricalTicks(
        r.req_id,
        official.contract(r.contract),
        r.start_date_time,
        r.end_date_time,
        r.number_of_ticks,
        r.what_to_show,
        r.use_rth,
        r.ignore_size,
        official.tags(r.misc_options),
    ),
    m.AccountDataRequest: lambda c, r: c.reqAccountUpdates(r.subscribe, r.acct_code),
    m.PositionsRequest: lambda c, r: c.reqPositions(),
    m.CancelPositions: lambda c, r: c.cancelPositions(),
    m.AccountSummaryRequest: lambda c, r: c.reqAccountSummary(r.req_id, r.group, r.tags),
    m.CancelAccountSummary: lambda c, r: c.cancelAccountSummary(r.req_id),
    m.PositionsMultiRequest: lambda c, r: c.reqPositionsMulti(r.req_id, r.account, r.model_code),
    m.CancelPositionsMulti: lambda c, r: c.cancelPositionsMulti(r.req_id),
    m.AccountUpdatesMultiRequest: lambda c, r: c.reqAccountUpdatesMulti(
        r.req_id, r.account, r.model_code, r.ledger_and_nlv
    ),
    m.CancelAccountUpdatesMulti: lambda c, r: c.cancelAccountUpdatesMulti(r.req_id),
    m.PnLRequest: lambda c, r: c.reqPnL(r.req_id, r.account, r.model_code),
    m.CancelPnL: lambda c, r: c.cancelPnL(r.req_id),
    m.PnLSingleRequest: lambda c, r: c.reqPnLSingle(r.req_id, r.account, r.model_code, r.con_id),
    m.CancelPnLSingle: lambda c, r: c.cancelPnLSingle(r.req_id),
    m.ExerciseOptionsRequest: exercise,
    m.CalculateImpliedVolatilityRequest: lambda c, r: c.calculateImpliedVolatility(
        r.req_id, official.contract(r.contract), r.option_price, r.under_price,
        official.tags(r.implied_volatility_options),
    ),
    m.CalculateOptionPriceRequest: lambda c, r: c.calculateOptionPrice(
        r.req_id, official.contract(r.contract), r.volatility, r.under_price,
        official.tags(r.option_price_options),
    ),
    m.CancelCalculateImpliedVolatility: lambda c, r: c.cancelCalculateImpliedVolatility(r.req_id),
    m.CancelCalculateOptionPrice: lambda c, r: c.cancelCalculateOptionPrice(r.req_id),
    m.QueryDisplayGroupsRequest: lambda c, r: c.queryDisplayGroups(r.req_id),
    m.SubscribeToGroupEventsRequest: lambda c, r: c.subscribeToGroupEvents(r.req_id, r.group_id),
    m.UpdateDisplayGroupRequest: lambda c, r: c.updateDisplayGroup(r.req_id, r.contract_info),
    m.UnsubscribeFromGroupEventsRequest: lambda c, r: c.unsubscribeFromGroupEvents(r.req_id),
    m.SoftDollarTiersRequest: lambda c, r: c.reqSoftDollarTiers(r.req_id),
    m.FamilyCodesRequest: lambda c, r: c.reqFamilyCodes(),
    m.MarketDepthExchangesRequest: lambda c, r: c.reqMktDepthExchanges(),
    m.SmartComponentsRequest: lambda c, r: c.reqSmartComponents(r.req_id, r.bbo_exchange),
    m.HistogramDataRequest: lambda c, r: c.reqHistogramData(
        r.req_id, official.contract(r.contract), r.use_rth, r.time_period
    ),
    m.CancelHistogramData: lambda c, r: c.cancelHistogramData(r.req_id),
    m.CancelContractData: lambda c, r: c.cancelContractData(r.req_id),
    m.CancelHistoricalTicks: lambda c, r: c.cancelHistoricalTicks(r.req_id),
    m.ConfigRequest: lambda c, r: c.reqConfigProtoBuf(ConfigRequest(reqId=r.req_id)),
    m.UpdateConfigRequest: lambda c, r: c.updateConfigProtoBuf(
        UpdateConfigRequest.FromString(codec.encode(r, 225)[4:])
    ),
    m.VerifyRequest: lambda c, r: c.verifyRequest(r.api_name, r.api_version),
    m.VerifyMessageRequest: lambda c, r: c.verifyMessage(r.api_data),
    m.VerifyAndAuthRequest: lambda c, r: c.verifyAndAuthRequest(r.api_name, r.api_version, r.opaque_isv_key),
    m.VerifyAndAuthMessageRequest: lambda c, r: c.verifyAndAuthMessage(r.api_data, r.xyz_response),
    m.NewsBulletinsRequest: lambda c, r: c.reqNewsBulletins(r.all_messages),
    m.CancelNewsBulletins: lambda c, r: c.cancelNewsBulletins(),
    m.FARequest: lambda c, r: c.requestFA(r.fa_data_type),
    m.FAReplace: lambda c, r: c.replaceFA(r.req_id, r.fa_data_type, r.xml),
    m.ScannerSubscriptionRequest: scanner,
    m.CancelScannerSubscription: lambda c, r: c.cancelScannerSubscription(r.req_id),
    m.ScannerParametersRequest: lambda c, r: c.reqScannerParameters(),
    m.FundamentalsDataRequest: lambda c, r: c.reqFundamentalData(
        r.req_id, official.contract(r.contract), r.report_type,
        official.tags(r.fundamentals_data_options),
    ),
    m.CancelFundamentalsData: lambda c, r: c.cancelFundamentalData(r.req_id),
    m.NewsArticleRequest: lambda c, r: c.reqNewsArticle(
        r.req_id, r.provider_code, r.article_id, official.tags(r.news_article_options)
    ),
    m.NewsProvidersRequest: lambda c, r: c.reqNewsProviders(),
    m.HistoricalNewsRequest: lambda c, r: c.reqHistoricalNews(
        r.req_id, r.con_id, r.provider_codes, r.start_date_time, r.end_date_time, r.total_results,
        official.tags(r.historical_news_options),
    ),
    m.WshMetaDataRequest: lambda c, r: c.reqWshMetaData(r.req_id),
    m.CancelWshMetaData: lambda c, r: c.cancelWshMetaData(r.req_id),
    m.WshEventDataRequest: calendar,
    m.CancelWshEventData: lambda c, r: c.cancelWshEventData(r.req_id),
}


def test_every_request_has_its_witness() -> None:
    assert set(SENDS) == {layout.message for layout in REQUESTS}


@pytest.mark.parametrize("name", [layout.message.__name__ for layout in REQUESTS])
@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_what_the_official_client_sends_we_read(name: str, data: st.DataObject) -> None:
    layout = next(layout for layout in REQUESTS if layout.message.__name__ == name)
    drawn = data.draw(messages(layout, SPECIAL))
    for version in VERSIONS:
        if not layout.since <= version < thresholds.REQUESTS.get(layout.id, 999):
            continue
        ours = carried(drawn, layout.items, version)  # it refuses attributes that the version lacks
        client, sent = official.client(version)
        client.extraAuth = True  # without, it sends no verification
        SENDS[layout.message](client, ours)
        assert len(sent) == 1, version
        payload = sent[0][4:]
        assert codec.decode_request(payload, version) == ours, version
        assert plain(codec.encode(ours, version)) == plain(payload), version


def plain(payload: bytes) -> list[bytes]:
    """Fields with one spelling for "unset" and for decimals: the official Python client writes empty,
    or the number as Python does.
    """
    unset = {
        b"1.7976931348623157e+308": b"",
        str(2**127 - 1).encode(): b"",
        b"1.7976931348623157E308": b"",
        b"2147483647": b"",
        b"0.0": b"",
        b"0": b"",
    }
    return [written_out(unset.get(field, field)) for field in payload.split(b"\0")]


def written_out(field: bytes) -> bytes:
    return f"{Decimal(field.decode()):f}".encode() if POWER.fullmatch(field) else field


POWER = re.compile(rb"-?[0-9](\.[0-9]+)?E[-+][0-9]{1,2}")
"""How Python writes a decimal that is small, or large and round."""


@pytest.mark.parametrize(("written", "plainly"), [(b"1E-8", b"0.00000001"), (b"1.5E+10", b"15000000000")])
def test_a_size_with_an_exponent_is_read(written: bytes, plainly: bytes) -> None:
    """The official client writes a decimal as Python does; we write it plainly."""
    order = m.WireOrder(order_type="LMT", total_quantity=Decimal(written.decode()))
    ours = m.PlaceOrderRequest(1, m.WireContract(symbol="BTC", sec_type="CRYPTO"), order)
    for version in (157, 200):
        client, sent = official.client(version)
        SENDS[m.PlaceOrderRequest](client, ours)
        assert b"\0" + written + b"\0" in sent[0]
        assert codec.decode_request(sent[0][4:], version) == ours
        assert b"\0" + plainly + b"\0" in codec.encode(ours, version)
