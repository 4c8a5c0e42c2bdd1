"""What is looked up besides contracts, and what is refused: always an answer, in both encodings."""

from __future__ import annotations

import pytest
from tests.simulator.client import Client, Connect, Start, stock

from tws.simulator import SimulatedTWS
from tws.simulator.limits import Limits
from tws.wire import messages as m


@pytest.fixture(params=[176, 200, 225])
async def simulator(request: pytest.FixtureRequest, start: Start) -> SimulatedTWS:
    accounts, unlimited = ("DU1", "DU2"), Limits.off()
    return await start(server_version=request.param, paused=True, accounts=accounts, limits=unlimited)


@pytest.fixture
async def client(simulator: SimulatedTWS, connect: Connect) -> Client:
    made = await connect(simulator)
    await made.expect(m.NextValidId)
    return made


async def test_lists(client: Client) -> None:
    client.send(m.MarketDepthExchangesRequest(), m.SmartComponentsRequest(5, "9c0001"))
    client.send(m.FamilyCodesRequest(), m.SoftDollarTiersRequest(6))
    deep = (await client.expect(m.MarketDepthExchanges)).depth_market_data_descriptions
    assert {("ISLAND", "STK"), ("CME", "FUT")} <= {(row.exchange, row.sec_type) for row in deep}
    parts = (await client.expect(m.SmartComponents)).smart_components
    assert len({row.exchange_letter for row in parts}) == len(parts) > 3
    assert [row.account_id for row in (await client.expect(m.FamilyCodes)).family_codes] == ["DU1", "DU2"]
    assert (await client.expect(m.SoftDollarTiers)).soft_dollar_tiers == ()


async def test_a_histogram_sums_to_the_days_volume(client: Client) -> None:
    client.send(m.HistogramDataRequest(1, stock("SPY"), False, "3 days"))
    client.send(m.HistoricalDataRequest(2, stock("SPY"), "", "1 min", "3 D", False, "TRADES", 2))
    rows = (await client.expect(m.HistogramData)).histogram_data_entries
    bars = (await client.expect(m.HistoricalData)).historical_data_bars
    assert [row.price for row in rows] == sorted({bar.close for bar in bars})
    assert sum(row.size or 0 for row in rows) == sum(bar.volume or 0 for bar in bars)
    client.send(m.HistogramDataRequest(3, stock("SPY"), False, "soon"))
    assert (await client.expect(m.ErrorMessage, lambda e: e.id == 3)).error_code == 321


async def an_option(client: Client) -> m.WireContract:
    """Some listed call on SPY, as contract details state it."""
    client.send(m.ContractDataRequest(90, stock("SPY")))
    spy = (await client.expect(m.ContractData, lambda d: d.req_id == 90)).contract
    client.send(m.SecDefOptParamsRequest(91, "SPY", "", "STK", spy.con_id))
    chain = await client.expect(m.SecDefOptParameter)
    strike = sorted(chain.strikes)[len(chain.strikes) // 2]
    expiry = sorted(chain.expirations)[-1]
    return m.WireContract(
        symbol="SPY", sec_type="OPT", exchange="SMART", currency="USD", right="C", strike=strike,
        last_trade_date_or_contract_month=expiry, multiplier="100",
    )  # fmt: skip


async def test_price_and_volatility_are_each_others_inverse(client: Client) -> None:
    option = await an_option(client)
    under = option.strike or 0.0
    client.send(m.CalculateOptionPriceRequest(1, option, 0.3, under))
    priced = await client.expect(m.TickOptionComputation, lambda t: t.req_id == 1)
    assert priced.tick_type == 53 and priced.opt_price is not None
    client.send(m.CalculateImpliedVolatilityRequest(2, option, priced.opt_price, under))
    implied = await client.expect(m.TickOptionComputation, lambda t: t.req_id == 2)
    assert implied.implied_vol == pytest.approx(0.3, abs=1e-4)
    client.send(m.CalculateOptionPriceRequest(3, stock("SPY"), 0.3, under))
    assert (await client.expect(m.ErrorMessage, lambda e: e.id == 3)).error_code == 321


async def test_a_display_group_tells_its_watchers(
    simulator: SimulatedTWS, client: Client, connect: Connect
) -> None:
    other = await connect(simulator, 2)
    await other.expect(m.NextValidId)
    client.send(m.QueryDisplayGroupsRequest(1), m.SubscribeToGroupEventsRequest(2, 4))
    other.send(m.SubscribeToGroupEventsRequest(3, 4))
    assert (await client.expect(m.DisplayGroupList)).groups.startswith("1|2")
    await other.expect(m.DisplayGroupUpdated)
    client.send(m.UpdateDisplayGroupRequest(2, "756733@SMART"))
    await other.expect(m.DisplayGroupUpdated, lambda d: d.contract_info == "756733@SMART")
    client.send(m.UpdateDisplayGroupRequest(99, "none"))
    assert (await client.expect(m.ErrorMessage, lambda e: e.id == 99)).error_code == 321


REFUSED: list[tuple[m.Request, int, int]] = [
    (m.FARequest(1), 2**31 - 1, 321),
    (m.FAReplace(11, 1, "<x/>"), 11, 321),
    (m.NewsArticleRequest(12, "BZ", "x"), 12, 10276),
    (m.HistoricalNewsRequest(13, 756733, "BZ", "", "", 10), 13, 10276),
    (m.WshMetaDataRequest(14), 14, 10276),
    (m.WshEventDataRequest(15, 756733), 15, 10276),
    (m.ScannerSubscriptionRequest(17, m.ScannerSubscription(instrument="STK")), 17, 162),
]


@pytest.mark.parametrize(("request_", "req_id", "code"), REFUSED, ids=lambda one: type(one).__name__)
async def test_what_needs_a_subscription_is_refused(
    client: Client, request_: m.Request, req_id: int, code: int
) -> None:
    client.send(request_)
    said = await client.expect(m.ErrorMessage, lambda e: e.error_code == code)
    assert said.id == req_id
