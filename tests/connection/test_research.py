"""Fundamentals and corporate events as the connection asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace
from tests.connection.peers import config_of, port_of

from tws.connection import SyncConnection, TWSConnection
from tws.errors import NoContractError, NotSubscribedError, RequestError
from tws.model.contract import stock
from tws.model.research import ReportKind
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions, Subscriptions
from tws.simulator.content.company import Company
from tws.simulator.content.reports import REPORTS
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
AAPL = stock("AAPL")
IBM = replace(stock("IBM"), con_id=8314)


@pytest.fixture(params=[176, 200, 225])
async def tws(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedTWS]:
    """With every subscription."""
    options = SimulatorOptions(
        market=ManualMarket(UNIVERSE, T0),
        server_version=request.param,
        paused=True,
        limits=Limits.off(),
        subscriptions=Subscriptions.beside(("fundamentals", "wsh")),
    )
    server = SimulatedTWS(options)
    server.address = await server.start()  # type: ignore[attr-defined]
    yield server
    await server.stop()


async def test_reports(tws: SimulatedTWS, client: TWSConnection) -> None:
    assert set(REPORTS) <= set(get_args(ReportKind))
    company = Company(tws.options.seed, tws.security("AAPL"))
    report = await client.request_fundamentals(AAPL)
    assert report.kind == "ReportSnapshot" and report.xml.startswith("<?xml")
    assert report.root.text_at("CoGeneralInfo/SharesOut") == f"{company.shares}.0"
    earned = report.ratios["TTMEPSXCLX"]
    assert isinstance(earned, float) and earned == pytest.approx(company.earned, abs=1e-5)
    quarters = await client.request_fundamentals(AAPL, "ReportsFinSummary")
    told = {one.attributes["asofDate"]: float(one.text) for one in quarters.root.all("EPS")}
    assert told["2025-09-30"] == company.quarter(date(2025, 9, 30))
    with pytest.raises(RequestError) as missing:
        await client.request_fundamentals(AAPL, "ReportsOwnership")
    assert missing.value.code == 430 and not isinstance(missing.value, NotSubscribedError)


async def test_events(tws: SimulatedTWS, client: TWSConnection) -> None:
    """The calendar's meta data are asked for by themselves, and questions wait for each other."""
    replies = [client.request_wsh_events(IBM, end=date(2026, 3, 31)) for _ in range(3)]
    first, *others = [await reply for reply in replies]
    assert others == [first, first]
    days = [one.day for one in first]
    assert days == sorted(days, key=str) and all(one.con_id == 8314 for one in first)
    earnings = [one for one in first if one.kind == "wshe_ed"]
    company = Company(tws.options.seed, tws.security("IBM"))
    assert company.reports_on(date(2025, 12, 31)) in [one.day for one in earnings]
    assert {one.fields["time_of_day"] for one in earnings} <= {"AFTER MARKET", "BEFORE MARKET"}
    known = await client.request_wsh_meta()
    assert {one.kind for one in first} <= {one.tag for one in known.types}
    few = await client.request_wsh_events(
        filters={"country": "All", "watchlist": ["8314"], "wshe_div": "true"}, limit=2
    )
    assert [one.kind for one in few] == ["wshe_div"] * 2 or not company.dividend
    looked_up = await client.request_wsh_events(AAPL, limit=1)
    assert looked_up[0].con_id == 265598


async def test_what_cannot_be_asked_of_the_calendar(client: TWSConnection) -> None:
    for wrong in ({}, {"contract": IBM, "filters": {}}, {"contract": IBM, "limit": 101}):
        with pytest.raises(ValueError, match=r"filters|limit"):
            client.request_wsh_events(**wrong)  # type: ignore[arg-type]
    with pytest.raises(NoContractError):
        await client.request_wsh_events(stock("NOSUCH"))
    assert await client.request_wsh_events(IBM)  # the failed question before held nothing up
    cancelled = client.request_wsh_events(IBM)
    waiting = client.request_wsh_events(IBM)
    cancelled.cancel()
    assert await waiting


@pytest.mark.parametrize("version", [176, 225])
async def test_without_a_subscription(version: int, journal: Path) -> None:
    server = SimulatedTWS(SimulatorOptions(symbols=("AAPL",), server_version=version))
    server.address = await server.start()  # type: ignore[attr-defined]
    try:
        async with TWSConnection(config_of(port_of(server)), journal=journal) as client:
            for reply, code in (
                (client.request_fundamentals(AAPL), 10358 if version > 176 else 430),
                (client.request_wsh_meta(), 10276),
                (client.request_wsh_events(AAPL), 10276),
            ):
                with pytest.raises(NotSubscribedError) as refused:
                    await reply
                assert refused.value.code == code
    finally:
        await server.stop()


@pytest.mark.parametrize("tws", [225], indirect=True)
async def test_the_blocking_twins(tws: SimulatedTWS, journal: Path) -> None:
    def ask() -> tuple[str, bool, bool]:
        with SyncConnection(config_of(port_of(tws)), journal=journal) as sync:
            return (
                sync.request_fundamentals(AAPL, "RESC").root.name,
                bool(sync.request_wsh_events(IBM)),
                bool(sync.request_wsh_meta().types),
            )

    assert await asyncio.to_thread(ask) == ("REarnEstCons", True, True)
