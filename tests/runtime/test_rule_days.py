"""Executions per day in a run over a real socket: they end with the session, and outlive a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.flight import Flight
from tests.runtime.scene import FastScene, Scene, until
from tests.runtime.test_ruling import rule, tally

from tws.clock import NS_PER_S

Fly = Callable[..., Any]
RULES = rule("twice", "event == timer", 'alert "x"', per_day=2)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = FastScene(tmp_path)
    await made.open()
    yield made
    await made.close()


async def spent(flight: Flight) -> None:
    """It fired twice, and is held back from there on."""
    await until(lambda: tally(flight, "twice").held, "it is held back")
    row = tally(flight, "twice")
    assert (row.today, row.per_day, row.last) == (2, 2, "held back: executions per day")


async def test_a_new_session_is_a_new_day_and_a_restart_is_none(scene: Scene, fly: Fly) -> None:
    flight = await fly(more=RULES)
    await spent(flight)
    session = flight.pilot.markets.session("SPY", scene.sim.now_ns())
    assert session is not None
    await scene.sim.set_clock(session.close_ns + NS_PER_S)
    await until(lambda: tally(flight, "twice").fired == 4, "twice more")
    await flight.end()
    again = await fly(more=RULES)
    await spent(again)
    assert tally(again, "twice").fired == 0, "a restart is no new day"
    await again.end()
