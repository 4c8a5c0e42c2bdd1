"""A reversal that is cut by a lost link, at each of its steps: what the broker saw, and what comes after the
reconnect; and the same with the program killed, after its restart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.runtime.brokerlog import BrokerLog
from tests.runtime.flight import Flight
from tests.runtime.scene import Scene, until

CUTS = {
    "before the cancel": ("before", "cancel 2"),
    "after the cancel": ("after", "cancel 2"),
    "the close partly filled": ("after", "fill 4: 4 at 99.99"),
    "flat, the entry unsent": ("after", "fill 4: 10 at 99.99"),
}


@pytest.fixture
async def flight(scene: Scene, tmp_path: Path) -> AsyncIterator[Flight]:
    made = Flight(scene, tmp_path)
    yield made
    await made.close()


@pytest.fixture
def log(scene: Scene) -> BrokerLog:
    return BrokerLog(scene)


async def cut_while_reversing(flight: Flight, log: BrokerLog, step: str) -> str:
    """Ten are held; SHORT is said, and the link goes at that step."""
    flight.say("BUY")
    await log.saw("2 Submitted")
    if flight.process is None:
        await flight.held(10)
    if "partly" in step:
        log.note("the market goes to 100.00, 4 at the bid")
        flight.requote(bid_size=4)
    when, line = CUTS[step]
    (log.cut_before if when == "before" else log.cut_after)(line)
    name = flight.say("SHORT")
    await until(lambda: log.is_cut, f"the cut {step}")
    return name


async def reversed_after_all(flight: Flight) -> None:
    await flight.held(-10)
    state = flight.trader.desk.state
    await until(lambda: not state.reversals, "the reversal is at its end")
    await until(lambda: flight.guarded() == 10, "the short has its stop")


def the_rest_is_bid_for(flight: Flight, log: BrokerLog) -> None:
    log.note("the market goes to 100.00")
    flight.requote(bid_size=1000)


@pytest.mark.parametrize("step", CUTS)
async def test_the_link_comes_back(flight: Flight, log: BrokerLog, step: str) -> None:
    await flight.up()
    name = await cut_while_reversing(flight, log, step)
    state = flight.trader.desk.state
    await until(lambda: not state.link_up, "the news of the lost link")
    log.heal()
    if "partly" in step:
        await until(lambda: state.link_up and state.reconciled_epoch == state.epoch, "all is known again")
        the_rest_is_bid_for(flight, log)
    await reversed_after_all(flight)
    assert await flight.outcome(name) == ("traded", "")
    log.equals(f"Reversal cut {step}")
    assert (await flight.end()).good


@pytest.mark.parametrize("step", CUTS)
async def test_the_program_is_killed_and_comes_back(flight: Flight, log: BrokerLog, step: str) -> None:
    await flight.up_apart()
    await cut_while_reversing(flight, log, step)
    await flight.kill()
    log.note("the program is killed")
    if "partly" in step:
        the_rest_is_bid_for(flight, log)
    log.heal()
    await until(lambda: flight.scene.sim.is_listening, "TWS can be dialled")
    await flight.up()
    await reversed_after_all(flight)
    log.equals(f"Reversal cut {step}", notes=False)
    assert (await flight.end()).good
