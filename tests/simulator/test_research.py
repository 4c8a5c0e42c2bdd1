"""Fundamentals and the calendar of corporate events, with and without a subscription."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from tests.simulator.client import Connect, Start, stock
from tests.simulator.scene import SPY, T0, ready, scene

from tws.simulator import Subscriptions
from tws.simulator.content.company import Company
from tws.simulator.content.reports import REPORTS
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire.messages import (
    CancelWshEventData,
    ErrorMessage,
    FundamentalsData,
    FundamentalsDataRequest,
    WshEventData,
    WshEventDataRequest,
    WshMetaData,
    WshMetaDataRequest,
)

AAPL = 265598
ALL = Subscriptions.beside(("fundamentals", "wsh"))


@pytest.mark.parametrize(("version", "code"), [(176, 430), (200, 10358), (225, 10358)])
async def test_without_a_subscription(start: Start, connect: Connect, version: int, code: int) -> None:
    simulator = await start(market=ManualMarket(UNIVERSE, T0))
    client = await ready(connect, simulator, version=version)
    client.send(
        FundamentalsDataRequest(1, stock("AAPL"), "ReportSnapshot"),
        WshMetaDataRequest(2),
        WshEventDataRequest(3, AAPL),
    )
    codes = {}
    for req_id in (1, 2, 3):
        refused = await client.expect(ErrorMessage, lambda m, number=req_id: m.id == number)
        codes[req_id] = refused.error_code
        assert "not allowed" in refused.error_msg.lower()
    assert codes == {1: code, 2: 10276, 3: 10276}


async def test_reports_agree_with_one_another(start: Start, connect: Connect) -> None:
    simulator, client = await scene(start, connect, subscriptions=ALL)
    found = {}
    for number, kind in enumerate(REPORTS, start=1):
        client.send(FundamentalsDataRequest(number, stock("AAPL"), kind))
        told = await client.expect(FundamentalsData, lambda m, number=number: m.req_id == number)
        found[kind] = ElementTree.fromstring(told.data)
    company = Company(simulator.options.seed, simulator.security("AAPL"))
    ratios = {one.get("FieldName"): one.text for one in found["ReportSnapshot"].iter("Ratio")}
    again = {one.get("FieldName"): one.text for one in found["ReportRatios"].iter("Ratio")}
    assert float(ratios["TTMEPSXCLX"] or 0) == pytest.approx(company.earned, abs=1e-5)
    assert again["TTMEPSXCLX"] == ratios["TTMEPSXCLX"]
    assert float(found["ReportSnapshot"].findtext("CoGeneralInfo/SharesOut", "")) == company.shares
    quarters = [one.get("asofDate") for one in found["ReportsFinSummary"].iter("EPS")]
    assert quarters == [one.get("EndDate") for one in found["ReportsFinStatements"].iter("FiscalPeriod")]
    assert found["RESC"].findall("ConsEstimates/FYEstimates/FYEstimate/FYPeriod")
    assert found["CalendarReport"].findall("Company/Earnings/Event")


async def test_what_has_no_fundamentals(start: Start, connect: Connect) -> None:
    _, client = await scene(start, connect, subscriptions=ALL)
    client.send(
        FundamentalsDataRequest(1, stock("AAPL"), "ReportOfTheMoon"),
        FundamentalsDataRequest(2, stock("SPY"), "ReportSnapshot"),
        FundamentalsDataRequest(3, stock("NOSUCH"), "ReportSnapshot"),
    )
    for req_id, code in ((1, 430), (2, 430), (3, 200)):
        refused = await client.expect(ErrorMessage, lambda m, number=req_id: m.id == number)
        assert refused.error_code == code


async def test_events_of_a_company(start: Start, connect: Connect) -> None:
    simulator, client = await scene(start, connect, subscriptions=ALL)
    client.send(WshEventDataRequest(1, AAPL))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == 10282
    client.send(WshMetaDataRequest(2))
    told = json.loads((await client.expect(WshMetaData)).data_json)["meta_data"]["event_types"]
    assert {"tag": "wshe_ed", "name": "Earnings Date"} in told
    client.send(WshEventDataRequest(3, AAPL, start_date="20251001", end_date="20260331"))
    events = json.loads((await client.expect(WshEventData)).data_json)
    assert {event["event_type"] for event in events} <= {one["tag"] for one in told}
    dates = [event["index_date"] for event in events]
    assert dates == sorted(dates) and dates[0] >= "20251001" and dates[-1] <= "20260331"
    (earnings,) = [one for one in events if one["data"].get("amount_oc") is not None]
    company = Company(simulator.options.seed, simulator.security("AAPL"))
    assert earnings["data"]["amount_oc"] == pytest.approx(company.earned / 4, rel=0.25)
    chosen = json.dumps({"country": "All", "watchlist": [str(AAPL), "8314"], "wshe_ed": "true"})
    client.send(WshEventDataRequest(4, filter=chosen, total_limit=3))
    few = json.loads((await client.expect(WshEventData, lambda m: m.req_id == 4)).data_json)
    assert [one["event_type"] for one in few] == ["wshe_ed"] * 3
    assert {one["conid"] for one in few} == {str(AAPL), "8314"}


@pytest.mark.parametrize("version", [200, 225])
async def test_one_request_of_a_kind_is_answered_at_a_time(
    start: Start, connect: Connect, version: int
) -> None:
    _, client = await scene(start, connect, subscriptions=ALL, server_version=version)
    client.send(WshMetaDataRequest(1), WshMetaDataRequest(2), WshEventDataRequest(3, AAPL),
                WshEventDataRequest(4, AAPL))  # fmt: skip
    assert (await client.expect(WshMetaData)).req_id == 1
    assert (await client.expect(WshEventData)).req_id == 3
    refused = [(said.id, said.error_code) for said in client.all(ErrorMessage) if said.id > 0]
    assert refused == [(2, 10278), (4, 10281)]
    client.send(WshEventDataRequest(5, AAPL), CancelWshEventData(5), WshEventDataRequest(6, AAPL))
    await client.expect(WshEventData, lambda m: m.req_id == 6)
    assert [said.req_id for said in client.all(WshEventData)] == [3, 6], "a cancelled one is never answered"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"con_id": AAPL, "filter": "{}"},
        {"filter": "{"},
        {"filter": "[]"},
        {"filter": '{"watchlist": 3}'},
        {"filter": '{"watchlist": [{}]}'},
        {"filter": "[" * 100_000},
        {"filter": '{"watchlist": [1e400]}'},
        {"con_id": SPY, "total_limit": 101},
        {"con_id": SPY, "start_date": "soon"},
        {"con_id": SPY, "start_date": "20260202", "end_date": "20260201"},
    ],
)
async def test_requests_for_events_that_are_invalid(
    start: Start, connect: Connect, fields: dict[str, object]
) -> None:
    _, client = await scene(start, connect, subscriptions=ALL)
    client.send(WshMetaDataRequest(1), WshEventDataRequest(2, **fields))  # type: ignore[arg-type]
    assert (await client.expect(ErrorMessage, lambda m: m.id == 2)).error_code == 10309
