"""Streams that fall silent: found in an open market, left alone in a closed one, with growing patience."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime

import pytest
from tests.connection.kept import SPY, House

from tws.connection import Keep
from tws.connection.keeping.events import EventKind
from tws.connection.keeping.watch import PATIENCE_MOST_S

BEFORE_THE_CLOSE = datetime(2025, 10, 10, 19, 59, tzinfo=UTC)
"""Of a Friday in New York."""


def moments(house: House) -> list[float]:
    """When a stream was found stale."""
    return [at_s for at_s, event in house.told if event.kind is EventKind.STREAM]


@pytest.mark.parametrize("stale_s", [20.0, 120.0])
def test_a_silent_stream_is_asked_for_anew_with_growing_patience(stale_s: float) -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.connection.request_contract_details(SPY)
        await house.fed(stream)
        house.sim.faults.play("stale-stream", lasts="3h")
        await asyncio.sleep(2.5 * 3600)
        assert house.lines() == 1, "each old line is cancelled"
        await asyncio.sleep(3600)
        await house.fed(stream)
        assert stream.gap is None

    found = moments(House(Keep(stale_s=stale_s)).run(scene))
    waits = [later - sooner for sooner, later in itertools.pairwise(found)]
    assert waits[0] == pytest.approx(2 * stale_s, abs=2)
    assert all(later >= sooner - 2 for sooner, later in itertools.pairwise(waits))
    assert max(waits) == pytest.approx(PATIENCE_MOST_S, abs=2)


def test_hours_that_nobody_knows_are_asked_for() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.fed(stream)
        assert house.connection.details_of(SPY) is None
        house.sim.faults.play("stale-stream", lasts="10m")
        await asyncio.sleep(150)
        assert house.connection.details_of(SPY) is not None

    assert len(moments(House().run(scene))) == 1


def test_a_closed_market_may_be_silent() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.connection.request_contract_details(SPY)
        await house.fed(stream)
        line = stream.request_id
        await asyncio.sleep(8 * 3600)
        assert stream.request_id == line

    assert moments(House(hours="exchange", start=BEFORE_THE_CLOSE).run(scene)) == []


def test_data_end_the_patience() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.connection.request_contract_details(SPY)
        await house.fed(stream)
        for _ in range(2):
            house.sim.faults.play("stale-stream", lasts="130s")
            await asyncio.sleep(130)
            await house.fed(stream)

    first, second = moments(House().run(scene))
    assert second - first < 140, "the second silence was given no more time than the first"


def test_a_stream_that_is_closed_is_forgotten() -> None:
    async def scene(house: House) -> None:
        for _ in range(20):
            stream = house.connection.stream_quotes(SPY)
            await house.fed(stream)
            stream.close()
            await asyncio.sleep(2)
        assert len(house.connection._engine.keeper._watch._watched) <= 1
        assert house.lines() == 0

    House().run(scene)
