"""Scanners as the connection asks them: once, followed, refused, and through a lost link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.connection.peers import config_of, port_of, until

from tws.clock import NS_PER_S
from tws.connection import PacingOptions, SyncConnection, TWSConnection
from tws.errors import NotSubscribedError, PacingError, RequestError
from tws.model.scanner import Scan, ScanLocation
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions, Subscriptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
ACTIVE = Scan("MOST_ACTIVE")


@pytest.fixture(params=[176, 200, 225])
async def tws(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedTWS]:
    """SPY has traded most, then AAPL; AAPL rose."""
    options = SimulatorOptions(
        market=ManualMarket(UNIVERSE, T0), server_version=request.param, paused=True, limits=Limits.off()
    )
    server = SimulatedTWS(options)
    server.address = await server.start()  # type: ignore[attr-defined]
    for symbol, price, size in (("SPY", 560.0, 900), ("AAPL", 100.0, 100), ("AAPL", 104.0, 100)):
        server.trade(symbol, price, size)
    yield server
    await server.stop()


async def names(client: TWSConnection, scan: Scan) -> list[str]:
    rows = await client.request_scan(scan)
    assert [row.rank for row in rows] == list(range(len(rows)))
    return [row.contract.symbol for row in rows]


async def test_a_scan_once(tws: SimulatedTWS, client: TWSConnection) -> None:
    (spy, apple) = await client.request_scan(ACTIVE)
    assert (spy.contract.con_id, spy.contract.exchange, spy.contract.sec_type) == (756733, "SMART", "STK")
    assert (apple.contract.symbol, apple.market_name) == ("AAPL", "NMS")
    details = await client.request_contract(apple.contract)
    assert details.contract.con_id == apple.contract.con_id
    assert await names(client, Scan("TOP_OPEN_PERC_GAIN", rows=1)) == ["AAPL"]
    assert await names(client, Scan("MOST_ACTIVE", above_price=105.0)) == ["SPY"]
    assert await names(client, Scan("MOST_ACTIVE", below_price=105.0, above_volume=150)) == ["AAPL"]
    assert await names(client, Scan("MOST_ACTIVE", stock_type="CORP")) == ["AAPL"]
    assert await names(client, Scan("MOST_ACTIVE", filters=(("volumeAbove", "500"),))) == ["SPY"]
    assert await names(client, Scan("MOST_ACTIVE", above_market_cap=1e15)) == []
    await client.request_current_time()
    assert not tws.core.desk._scanners._open  # each was cancelled


async def test_what_cannot_be_scanned(client: TWSConnection) -> None:
    for rows in (0, 51):
        with pytest.raises(ValueError, match="1 to 50"):
            client.request_scan(Scan("MOST_ACTIVE", rows=rows))
    with pytest.raises(RequestError, match="disabled") as refused:
        await client.request_scan(Scan("BEST_TIP"))
    assert refused.value.code == 162 and not isinstance(refused.value, NotSubscribedError)


async def test_a_followed_scan(tws: SimulatedTWS, client: TWSConnection) -> None:
    async with client.stream_scanner(ACTIVE) as stream, client.stream_scanner(Scan("HALTED")) as halted:
        assert [row.contract.symbol for row in await anext(stream)] == ["SPY", "AAPL"]
        assert await anext(halted) == () == halted.last
        tws.trade("AAPL", 104.0, 5000)
        tws.halt("SPY")
        await tws.set_clock(T0 + 31 * NS_PER_S)
        assert [row.contract.symbol for row in await anext(stream)] == ["AAPL", "SPY"]
        assert [row.contract.symbol for row in await anext(halted)] == ["SPY"]
        assert stream.last is not None and len(stream.last) == 2
    await client.request_current_time()
    assert not tws.core.desk._scanners._open


async def test_a_followed_scan_outlives_the_link(tws: SimulatedTWS, journal: Path) -> None:
    options = {"journal": journal, "pacing": PacingOptions.off()}
    async with TWSConnection(config_of(port_of(tws)), **options) as client:
        stream = client.stream_scanner(ACTIVE)
        assert len(await anext(stream)) == 2
        tws.sessions[0].cut()
        await until(lambda: stream.gap is not None)
        assert [row.contract.symbol for row in await anext(stream)] == ["SPY", "AAPL"]
        assert stream.gap is None and len(stream.gaps) == 1


async def test_what_there_is_to_scan(client: TWSConnection) -> None:
    known = await client.request_scanner_parameters()
    assert "TOP_PERC_GAIN" in {one.code for one in known.scans}
    (stocks,) = [one for one in known.instruments if one.code == "STK"]
    assert {"PRICE", "STKTYPE"} <= set(stocks.filters) <= {one.id for one in known.filters}
    places = {one.code: one for one in known.locations}
    assert places["STK.NASDAQ"] == ScanLocation(
        code="STK.NASDAQ", name="NASDAQ", instruments=("STK",), inside="STK.US.MAJOR"
    )
    assert places["STK.US.MAJOR"].inside == "STK.US" and places["STK.US"].inside == ""
    (price,) = [one for one in known.filters if one.id == "PRICE"]
    assert [one.code for one in price.fields] == ["priceAbove", "priceBelow"]
    (kinds,) = [one for one in known.filters if one.id == "STKTYPE"]
    assert "inc:CORP" in kinds.fields[0].choices
    assert known.xml.startswith("<?xml")


@pytest.mark.parametrize("tws", [225], indirect=True)
async def test_ten_at_a_time(tws: SimulatedTWS, journal: Path) -> None:
    """The eleventh is refused here, in the words of a TWS that would refuse it."""
    async with TWSConnection(config_of(port_of(tws)), journal=journal) as client:
        replies = [client.request_scan(ACTIVE) for _ in range(10)]
        with pytest.raises(PacingError) as refused:
            client.request_scan(ACTIVE)
        assert refused.value.code == 322
        assert [len(await reply) for reply in replies] == [2] * 10
        assert len(await client.request_scan(ACTIVE)) == 2


@pytest.mark.parametrize("tws", [200], indirect=True)
async def test_the_blocking_twins(tws: SimulatedTWS, journal: Path) -> None:
    def ask() -> tuple[int, int, bool]:
        with SyncConnection(config_of(port_of(tws)), journal=journal) as sync:
            with sync.stream_scanner(ACTIVE) as stream:
                rows = stream.next(5)
            return len(sync.request_scan(ACTIVE)), len(rows), bool(sync.request_scanner_parameters().scans)

    assert await asyncio.to_thread(ask) == (2, 2, True)


async def test_a_login_without_scanners(journal: Path) -> None:
    options = SimulatorOptions(symbols=("SPY",), subscriptions=Subscriptions(scanners=False))
    server = SimulatedTWS(options)
    server.address = await server.start()  # type: ignore[attr-defined]
    try:
        async with TWSConnection(config_of(port_of(server)), journal=journal) as client:
            with pytest.raises(NotSubscribedError):
                await client.request_scan(ACTIVE)
    finally:
        await server.stop()


async def test_rows_that_are_not_precise_come_all_the_same(journal: Path) -> None:
    """492 is a notice."""
    options = SimulatorOptions(symbols=("SPY",), unsubscribed=("STK",))
    server = SimulatedTWS(options)
    server.address = await server.start()  # type: ignore[attr-defined]
    try:
        async with TWSConnection(config_of(port_of(server)), journal=journal) as client:
            heard: list[int] = []
            client.set_callbacks(on_error=lambda number, code, text: heard.append(code))
            assert await names(client, Scan("LOW_OPT_IMP_VOLAT")) == ["SPY"]
            assert 492 in heard
    finally:
        await server.stop()
