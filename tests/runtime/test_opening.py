"""A run that comes up while its market is closed: how long it counts down, and from when `--for` counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.runtime.flight import Flight
from tests.runtime.scene import BOUND_S, MarketClock, Scene, until

from tws.clock import NS_PER_S, to_ns
from tws.config import load_settings
from tws.model.session import Session, parse_hours, session_at
from tws.runtime.opening import Countdown, Opening
from tws.runtime.parts import TraderParts
from tws.runtime.plan import plan_run
from tws.runtime.run import Run
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market import ManualMarket
from tws.simulator.universe import Universe

NEW_YORK = (
    "20261125:0930-20261125:1600;20261126:CLOSED;20261127:0930-20261127:1300;20261128:CLOSED;"
    "20261129:CLOSED;20261130:0930-20261130:1600"
)
"""Thanksgiving 2026 and the early close behind it, as TWS states hours."""
TOKYO = "20261130:0900-20261130:1130"


def at(text: str) -> int:
    return to_ns(datetime.fromisoformat(text).replace(tzinfo=UTC))


def opening(told: list[Countdown], for_s: float | None = 60.0, **hours: tuple[str, str]) -> Opening:
    stated = {symbol: parse_hours(*each) for symbol, each in hours.items()}

    def sessions(now_ns: int) -> dict[str, Session | None]:
        return {symbol: session_at(each, now_ns) for symbol, each in stated.items()}

    return Opening(sessions, for_s, told.append)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-25 14:29:59", "2026-11-25 14:30:00"),
        ("2026-11-25 21:00:00", "2026-11-27 14:30:00"),  # the eve of a holiday
        ("2026-11-26 15:00:00", "2026-11-27 14:30:00"),  # the holiday
        ("2026-11-27 18:00:00", "2026-11-30 14:30:00"),  # behind an early close: a weekend
    ],
)
def test_it_waits_for_the_session_that_the_broker_states(now: str, opens: str) -> None:
    told: list[Countdown] = []
    way = opening(told, SPY=(NEW_YORK, "America/New_York"))
    now_ns, opens_ns = at(now), at(opens)
    assert not way.over(now_ns, 0.0) and not way.opened
    assert told == [Countdown(symbol="SPY", opens_ns=opens_ns, left_s=(opens_ns - now_ns) // NS_PER_S)]
    assert not way.over(opens_ns - 1, 10_000.0), "nothing counts while it is closed"
    assert told[-1].left_s == 1
    assert not way.over(opens_ns, 20_000.0)
    assert told[-1] == Countdown(symbol="SPY", opens_ns=opens_ns) and way.opened
    assert not way.over(opens_ns, 20_059.9) and way.over(opens_ns, 20_060.0)


def test_a_start_in_the_last_minute_counts_at_once_and_the_close_stops_nothing() -> None:
    told: list[Countdown] = []
    way = opening(told, SPY=(NEW_YORK, "America/New_York"))
    assert not way.over(at("2026-11-27 17:59:30"), 5.0)
    assert told == [Countdown()]
    assert not way.over(at("2026-11-27 18:00:10"), 45.0) and way.over(at("2026-11-27 18:00:30"), 65.0)
    assert told == [Countdown()]


def test_of_several_markets_the_first_that_opens_is_the_one() -> None:
    told: list[Countdown] = []
    way = opening(told, SPY=(NEW_YORK, "America/New_York"), SEVEN=(TOKYO, "Asia/Tokyo"))
    way.over(at("2026-11-28 12:00:00"), 0.0)
    assert (told[0].symbol, told[0].opens_ns) == ("SEVEN", at("2026-11-30 00:00:00"))
    way.over(at("2026-11-30 01:00:00"), 0.0)
    assert told[-1].open and told[-1].symbol == "SEVEN"


def test_without_hours_nothing_is_waited_for() -> None:
    told: list[Countdown] = []
    way = opening(told, 1.0, SPY=("", "America/New_York"))
    assert not way.over(at("2026-11-28 12:00:00"), 0.0)
    assert told == [Countdown(stated=False)] and way.over(at("2026-11-28 12:00:00"), 1.0)


# -- on a TWS


class Dated(Scene):
    """A scene whose market keeps the hours of the exchanges, at a time of its own."""

    def __init__(self, folder: Path, start: str) -> None:
        self._start_ns = at(start)
        super().__init__(folder)
        self.sim = SimulatedTWS(
            SimulatorOptions(market=self.market(), limits=SimLimits.off(), hours="exchange")
        )

    def market(self) -> ManualMarket:
        universe = Universe()
        return ManualMarket([universe.add("SPY"), universe.add("QQQ")], self._start_ns)


class Going:
    """A run on it, and what it told of its way."""

    def __init__(self, scene: Scene, folder: Path, for_s: float | None) -> None:
        self.flight, self.told = Flight(scene, folder), list[Countdown]()
        path = self.flight.path
        plan = plan_run(load_settings(path), path, folder / "state", scene.journal)
        self.run = self.flight.run = Run(plan, parts=TraderParts(clock=MarketClock(scene.sim)))
        self.task = asyncio.create_task(self.run.go(for_s, on_opening=self.told.append))

    async def first(self) -> None:
        await until(lambda: self.told or self.task.done(), "a word of the way")
        if self.task.done():
            self.task.result()
        assert self.run.pilot is not None
        self.flight.pilot, self.flight.trader = self.run.pilot, self.run.trader


@pytest.fixture
async def dated(tmp_path: Path) -> AsyncIterator[list[Dated]]:
    scenes: list[Dated] = []
    yield scenes
    for scene in scenes:
        await scene.close()


async def test_for_counts_from_the_opening_and_ends_by_itself(tmp_path: Path, dated: list[Dated]) -> None:
    scene = Dated(tmp_path, "2026-11-23 14:29:58")
    dated.append(scene)
    await scene.open()
    scene.sim.pause()  # or a busy machine is too late for what is too early
    going = Going(scene, tmp_path, 5.0)
    await going.first()
    opens_ns = at("2026-11-23 14:30:00")
    assert not going.told[0].open and going.told[0].opens_ns == opens_ns
    assert await going.flight.outcome(going.flight.say("BUY")) == ("refused", "session"), "too early"
    scene.sim.resume()
    await until(lambda: going.told[-1].open, "the opening")
    going.flight.requote()
    assert await going.flight.outcome(going.flight.say("BUY")) == ("traded", "")
    await going.flight.held(10)
    async with asyncio.timeout(BOUND_S):
        report = await going.task
    assert report.ended == "the 5 s are over" and report.good
    assert scene.sim.now_ns() >= opens_ns + 5 * NS_PER_S
    assert [each.left_s for each in going.told] == sorted({each.left_s for each in going.told}, reverse=True)


async def test_the_end_is_heard_on_the_way(tmp_path: Path, dated: list[Dated]) -> None:
    scene = Dated(tmp_path, "2026-11-21 15:00:00")  # a Saturday
    dated.append(scene)
    await scene.open()
    going = Going(scene, tmp_path, 60.0)
    await going.first()
    assert going.told[0].opens_ns == at("2026-11-23 14:30:00")
    going.run.end("Ctrl-C")
    async with asyncio.timeout(BOUND_S):
        report = await going.task
    assert (report.ended, report.good, report.flat) == ("Ctrl-C", True, True)
    assert not any(each.open for each in going.told)
