"""Scanners of a simulated TWS: what they find is what its market did."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from tests.simulator.client import Client, Connect, Start
from tests.simulator.scene import ready, scene, settled

from tws.clock import NS_PER_S
from tws.simulator import Limits, SimulatedTWS, Subscriptions
from tws.simulator.content.company import Company
from tws.wire.messages import (
    CancelScannerSubscription,
    ErrorMessage,
    ScannerData,
    ScannerParameters,
    ScannerParametersRequest,
    ScannerSubscription,
    ScannerSubscriptionRequest,
)


def wanted(scan: str, **fields: object) -> ScannerSubscription:
    found = {"instrument": "STK", "location_code": "STK.US.MAJOR", "scan_code": scan} | fields
    return ScannerSubscription(**found)  # type: ignore[arg-type]


async def symbols(client: Client, req_id: int, asked: ScannerSubscription) -> list[str]:
    """The rows of a scan, each once."""
    client.send(ScannerSubscriptionRequest(req_id, asked))
    await client.expect(ErrorMessage, lambda m: m.id == req_id and m.error_code in (162, 165))
    client.send(CancelScannerSubscription(req_id))
    rows = [row for told in client.all(ScannerData) if told.req_id == req_id
            for row in told.scanner_data_element]  # fmt: skip
    assert [row.rank for row in rows] == list(range(len(rows)))
    return [row.contract.symbol for row in rows]


async def moved(start: Start, connect: Connect, **options: object) -> tuple[SimulatedTWS, Client]:
    """AAPL rose from its opening, MSFT fell, SPY printed once and most."""
    simulator, client = await scene(start, connect, paused=True, **options)
    for symbol, price, size in (("AAPL", 100.0, 200), ("MSFT", 400.0, 300), ("SPY", 100.0, 9000)):
        simulator.trade(symbol, price, size)
    simulator.trade("AAPL", 103.0, 200)
    simulator.trade("MSFT", 396.0, 300)
    return simulator, client


async def test_scans_rank_what_the_market_did(start: Start, connect: Connect) -> None:
    simulator, client = await moved(start, connect)
    assert await symbols(client, 1, wanted("TOP_OPEN_PERC_GAIN")) == ["AAPL", "SPY", "MSFT"]
    assert await symbols(client, 2, wanted("TOP_OPEN_PERC_LOSE")) == ["MSFT", "SPY", "AAPL"]
    assert await symbols(client, 3, wanted("MOST_ACTIVE")) == ["SPY", "MSFT", "AAPL"]
    assert await symbols(client, 4, wanted("MOST_ACTIVE", number_of_rows=1)) == ["SPY"]
    assert await symbols(client, 5, wanted("TOP_TRADE_COUNT", location_code="STK.NASDAQ")) == ["AAPL", "MSFT"]
    usual = {name: simulator.security(name).volume for name in ("AAPL", "MSFT", "SPY")}
    heat = {name: size / usual[name] for name, size in (("AAPL", 400), ("MSFT", 600), ("SPY", 9000))}
    hot = sorted(heat, key=lambda name: -heat[name])
    assert await symbols(client, 6, wanted("HOT_BY_VOLUME")) == hot
    assert await symbols(client, 7, wanted("HALTED")) == []
    simulator.halt("MSFT")
    assert await symbols(client, 8, wanted("HALTED")) == ["MSFT"]


async def test_gainers_and_losers_since_yesterdays_close(start: Start, connect: Connect) -> None:
    """In a synthetic market, which knows its closes."""
    names = ("SPY", "AAPL", "MSFT", "IBM", "F")
    simulator = await start(paused=True, symbols=names)
    client = await ready(connect, simulator)
    await simulator.set_clock(simulator.now_ns() + 5 * NS_PER_S)
    tapes = {name: simulator.core.tapes[simulator.con_id(name)] for name in names}
    gain = {name: tape.last / tape.close for name, tape in tapes.items() if tape.close and tape.last}
    found = await symbols(client, 1, wanted("TOP_PERC_GAIN"))
    assert found == sorted(gain, key=lambda name: -gain[name]) and len(found) > 3
    assert await symbols(client, 2, wanted("TOP_PERC_LOSE")) == found[::-1]


async def test_filters_keep_out(start: Start, connect: Connect) -> None:
    simulator, client = await moved(start, connect)
    assert await symbols(client, 1, wanted("MOST_ACTIVE", above_price=101.0)) == ["MSFT", "AAPL"]
    assert await symbols(client, 2, wanted("MOST_ACTIVE", above_price=101.0, below_price=200.0)) == ["AAPL"]
    assert await symbols(client, 3, wanted("MOST_ACTIVE", above_volume=500)) == ["SPY", "MSFT"]
    assert await symbols(client, 4, wanted("MOST_ACTIVE", stock_type_filter="CORP")) == ["MSFT", "AAPL"]
    shares = Company(simulator.options.seed, simulator.security("AAPL")).shares
    limit = 103.0 * shares
    caps = {
        name: Company(simulator.options.seed, simulator.security(name)).shares * price
        for name, price in (("AAPL", 103.0), ("MSFT", 396.0), ("SPY", 100.0))
    }
    above = await symbols(client, 5, wanted("MOST_ACTIVE", market_cap_above=limit + 1))
    assert set(above) == {name for name, cap in caps.items() if cap > limit}
    options = (("priceAbove", "102"), ("stkTypes", "exc:ETF"), ("volumeBelow", "500"))
    asked = wanted("MOST_ACTIVE", scanner_subscription_filter_options=options)
    assert await symbols(client, 6, asked) == ["AAPL"]
    assert await symbols(client, 7, wanted("MOST_ACTIVE", above_price=1e6)) == []
    said = [m.error_msg.partition(":")[2] for m in client.all(ErrorMessage) if m.error_code == 165]
    assert said[0] == "2 items retrieved" and said[-1] == "no items retrieved"


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"scan_code": "BEST_TIP"}, 162, "Scanner type with code BEST_TIP is disabled."),
        ({"instrument": "MOON"}, 162, "instrument"),
        ({"location_code": "STK.MOON"}, 162, "location"),
        ({"location_code": "FUT.US"}, 162, "location"),
        ({"scanner_subscription_filter_options": (("moonAbove", "1"),)}, 162, "filter moonAbove"),
        ({"scanner_subscription_filter_options": (("priceAbove", "much"),)}, 162, "filter priceAbove"),
        ({"stock_type_filter": "MOON"}, 162, "stkTypes"),
    ],
)
async def test_what_no_scanner_knows_is_refused(
    start: Start, connect: Connect, fields: dict[str, object], code: int, words: str
) -> None:
    _, client = await scene(start, connect)
    client.send(ScannerSubscriptionRequest(1, wanted("MOST_ACTIVE", **fields)))
    refused = await client.expect(ErrorMessage, lambda m: m.id == 1)
    assert refused.error_code == code and words in refused.error_msg
    client.send(CancelScannerSubscription(1))
    assert (await client.expect(ErrorMessage, lambda m: m.error_code == 365)).id == 1


async def test_a_scan_is_told_anew_every_thirty_seconds_until_it_is_cancelled(
    start: Start, connect: Connect
) -> None:
    simulator, client = await moved(start, connect)
    client.send(ScannerSubscriptionRequest(1, wanted("MOST_ACTIVE")))
    await settled(client)
    begun = simulator.now_ns()
    await simulator.set_clock(begun + 29 * NS_PER_S)
    await settled(client)
    assert len(client.all(ScannerData)) == 1
    simulator.trade("AAPL", 103.0, 50_000)
    await simulator.set_clock(begun + 31 * NS_PER_S)
    await settled(client)
    first, second = client.all(ScannerData)
    assert first.scanner_data_element[0].contract.symbol == "SPY"
    assert second.scanner_data_element[0].contract.symbol == "AAPL"
    client.send(CancelScannerSubscription(1))
    ended = await client.expect(ErrorMessage, lambda m: m.error_code == 162)
    assert ended.error_msg.endswith("API scanner subscription cancelled: 1")
    await simulator.set_clock(begun + 120 * NS_PER_S)
    await settled(client)
    assert len(client.all(ScannerData)) == 2


async def test_bounds_and_permissions(start: Start, connect: Connect) -> None:
    _, client = await moved(start, connect, unsubscribed=("STK=10089",))
    for req_id in range(1, 12):
        client.send(ScannerSubscriptionRequest(req_id, wanted("MOST_ACTIVE")))
    refused = await client.expect(ErrorMessage, lambda m: m.id == 11)
    assert refused.error_code == 322
    assert refused.error_msg.endswith("Only 10 simultaneous API scanner subscriptions are allowed.")
    assert [m.id for m in client.all(ErrorMessage) if m.error_code == 492] == list(range(1, 11))
    client.send(ScannerSubscriptionRequest(10, wanted("MOST_ACTIVE")))
    assert (await client.expect(ErrorMessage, lambda m: m.error_code == 385)).id == 10
    _, other = await scene(start, connect, subscriptions=Subscriptions(scanners=False))
    other.send(ScannerSubscriptionRequest(1, wanted("MOST_ACTIVE")))
    assert (await other.expect(ErrorMessage, lambda m: m.id == 1)).error_code == 162


async def test_the_parameters_name_what_can_be_scanned(start: Start, connect: Connect) -> None:
    _, client = await moved(start, connect, limits=Limits.off())
    client.send(ScannerParametersRequest())
    root = ElementTree.fromstring((await client.expect(ScannerParameters)).xml)
    assert root.tag == "ScanParameterResponse"
    codes = [one.text for one in root.iter("scanCode")]
    places = [(one.findtext("instruments"), one.findtext("locationCode")) for one in root.iter("Location")]
    assert "TOP_PERC_GAIN" in codes and ("STK", "STK.US.MAJOR") in places
    for number, code in enumerate(codes, start=1):
        client.send(ScannerSubscriptionRequest(number, wanted(str(code))), CancelScannerSubscription(number))
    for number, (instrument, place) in enumerate(places, start=100):
        asked = wanted("MOST_ACTIVE", instrument=instrument, location_code=place)
        client.send(ScannerSubscriptionRequest(number, asked), CancelScannerSubscription(number))
    await settled(client)
    unknown = [m for m in client.all(ErrorMessage) if m.error_code == 162 and "cancelled" not in m.error_msg]
    assert unknown == []
