"""The worked examples of linked orders, over a real socket: what the broker saw is what the page shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.runtime.brokerlog import BrokerLog
from tests.runtime.flight import Flight
from tests.runtime.scene import Scene, until

from tws.exchange import ChildrenWork, Habits

Fly = Callable[..., Flight]


@pytest.fixture
async def fly(scene: Scene, tmp_path: Path) -> AsyncIterator[Fly]:
    """Makes runs on the scene, and ends what a test left flying."""
    flights: list[Flight] = []

    def make(section: str = "") -> Flight:
        flights.append(Flight(scene, tmp_path, section))
        return flights[-1]

    yield make
    for flight in flights:
        await flight.close()


@pytest.fixture
def log(scene: Scene) -> BrokerLog:
    return BrokerLog(scene)


def at(flight: Flight, log: BrokerLog, price: float, **more: int) -> None:
    """The market goes there: a quote of a cent on either side, and a trade."""
    sizes = "".join(f", {size} at the {name.removesuffix('_size')}" for name, size in more.items())
    log.note(f"the market goes to {price:.2f}{sizes}")
    flight.requote(round(price - 0.01, 2), round(price + 0.01, 2), **more)
    flight.scene.sim.trade("SPY", price)


async def entered(flight: Flight, log: BrokerLog) -> None:
    """Ten are held, stop and target work."""
    flight.say("BUY")
    await log.saw("2 Submitted")
    if flight.process is None:
        await flight.held(10)


async def all_over(flight: Flight) -> None:
    """Nothing is held, nothing works, and our book says so too."""
    exchange, trader = flight.scene.sim.exchange, flight.trader
    await until(lambda: not exchange.open_orders() and trader.flat(), "the end of the trade")
    await flight.held(0)


def moved(flight: Flight) -> bool:
    """No exit waits for its change any more."""
    groups = flight.trader.desk.state.groups.values()
    living = flight.trader.desk.state.book.living()
    return not any(group.aim and group.aim.waiting for group in groups) and not any(
        order.changing for order in living
    )


async def test_full_target(fly: Fly, log: BrokerLog) -> None:
    flight = await fly().up()
    await entered(flight, log)
    at(flight, log, 103.04)
    await all_over(flight)
    log.equals("Full target")
    assert (await flight.end()).good


async def test_full_target_with_a_double_down_unfilled(fly: Fly, log: BrokerLog) -> None:
    flight = await fly("double_down = true").up()
    await entered(flight, log)
    await log.saw("4 Submitted")
    at(flight, log, 103.04)
    await all_over(flight)
    log.equals("Full target, the double down unfilled")
    assert (await flight.end()).good


async def test_full_target_with_a_double_down_filled(fly: Fly, log: BrokerLog) -> None:
    flight = await fly("double_down = true").up()
    await entered(flight, log)
    await log.saw("4 Submitted")
    at(flight, log, 98.49)
    await flight.held(20)
    await log.saw("change 2: SELL 10 LMT 102.26", "5 Submitted")
    await until(lambda: moved(flight), "TWS has taken the change")
    at(flight, log, 102.28)
    await all_over(flight)
    log.equals("Full target, the double down filled")
    assert (await flight.end()).good


async def test_partial_double_down(fly: Fly, log: BrokerLog) -> None:
    flight = await fly("double_down = true").up()
    await entered(flight, log)
    await log.saw("4 Submitted")
    at(flight, log, 98.49, ask_size=4)
    await log.saw("9 Submitted")
    at(flight, log, 98.49)
    await flight.held(20)
    await log.saw("change 2: SELL 10 LMT 102.26", "change 8: SELL 4 LMT 102.26")
    await until(lambda: moved(flight), "TWS has taken the changes")
    at(flight, log, 96.9)
    await all_over(flight)
    log.equals("Partial double-down")
    assert (await flight.end()).good


async def test_partial_double_down_where_children_work_for_the_filled_part(
    tmp_path: Path,
) -> None:
    """The other reading of C2: TWS cuts the children to what has filled, and they stay."""
    scene = Scene(tmp_path, Habits(children=ChildrenWork.FOR_FILLED_PART))
    await scene.open()
    log, flight = BrokerLog(scene), Flight(scene, tmp_path, "double_down = true")
    try:
        await flight.up()
        await entered(flight, log)
        await log.saw("4 Submitted")
        at(flight, log, 98.49, ask_size=4)
        await log.saw("7 Submitted")
        at(flight, log, 98.49)
        await flight.held(20)
        await log.saw("change 2: SELL 10 LMT 102.26", "change 5: SELL 4 LMT 102.26")
        await until(lambda: moved(flight), "TWS has taken the changes")
        at(flight, log, 96.9)
        await all_over(flight)
        log.equals("Partial double-down, children that work for the filled part")
        assert (await flight.end()).good
    finally:
        await flight.close()
        await scene.close()


async def test_partial_double_down_then_the_program_killed(fly: Fly, log: BrokerLog) -> None:
    flight = fly("double_down = true")
    await flight.up_apart()
    await entered(flight, log)
    await log.saw("4 Submitted")
    flight.freeze()  # or it might answer the fill before it is killed
    at(flight, log, 98.49, ask_size=4)
    await flight.kill()
    log.note("the program is killed, and comes back")
    await flight.up()
    await log.saw("9 Submitted")
    await until(lambda: moved(flight), "TWS has taken the changes")
    log.equals("Partial double-down, the program killed")
    assert (await flight.end()).good


async def test_reversal_with_a_double_down_waiting(fly: Fly, log: BrokerLog) -> None:
    flight = await fly("double_down = true").up()
    await entered(flight, log)
    await log.saw("4 Submitted")
    flight.say("SHORT")
    await flight.held(-10)
    await log.saw("9 Submitted", "11 Submitted")
    log.equals("Reversal with a double down waiting")
    assert (await flight.end()).good


async def test_partial_stop(fly: Fly, log: BrokerLog) -> None:
    flight = await fly().up()
    await entered(flight, log)
    at(flight, log, 96.5, bid_size=4)
    await flight.held(6)
    at(flight, log, 96.5)
    await all_over(flight)
    log.equals("Partial stop")
    assert (await flight.end()).good


async def test_scale_in_then_stop_out(fly: Fly, log: BrokerLog) -> None:
    flight = await fly('scale_in_profit = "0.5%"').up()
    await entered(flight, log)
    at(flight, log, 101.01)
    await until(lambda: flight.pilot.markets.quote("SPY").bid > 100.9, "the market has risen")
    flight.say("BUY")
    await flight.held(20)
    await log.saw("change 2: SELL 10 LMT 103.52", "5 Submitted")
    await until(lambda: moved(flight), "TWS has taken the change")
    at(flight, log, 96.9)
    await all_over(flight)
    log.equals("Scale-in, then stop-out")
    assert (await flight.end()).good


async def test_reversal_while_the_stop_is_filling(fly: Fly, log: BrokerLog) -> None:
    flight = await fly().up()
    await entered(flight, log)
    at(flight, log, 96.5, bid_size=4)
    await flight.held(6)
    name = flight.say("SHORT")
    await log.saw("4 PreSubmitted")
    at(flight, log, 96.5)
    await flight.held(-10)
    assert await flight.outcome(name) == ("traded", "")
    await log.saw("6 Submitted")
    log.equals("Reversal while the stop is filling")
    assert (await flight.end()).good


async def test_opposite_signal_during_a_disconnect(fly: Fly, log: BrokerLog) -> None:
    flight = await fly().up()
    await entered(flight, log)
    log.cut()
    state = flight.trader.desk.state
    await until(lambda: not state.link_up, "the news of the lost link")
    outcome, reason = await flight.outcome(flight.say("SHORT"))
    assert outcome == "denied" and reason in ("reversal", "not sent")
    log.note("SHORT is denied, and forgotten")
    log.heal()
    await until(lambda: state.link_up and state.reconciled_epoch == state.epoch, "the link is back")
    flight.requote()
    assert await flight.outcome(flight.say("SHORT")) == ("traded", "")
    await flight.held(-10)
    await log.saw("6 Submitted")
    log.equals("Opposite signal during a disconnect")
    assert (await flight.end()).good


async def test_trailing_that_has_moved_then_program_dead(fly: Fly, log: BrokerLog) -> None:
    flight = fly('trail = "2%"')
    await flight.up_apart()
    await entered(flight, log)
    at(flight, log, 102.01)
    (stop,) = [each for each in flight.scene.sim.exchange.open_orders() if each.ticket.order_type == "TRAIL"]
    log.note(f"3 stands at {stop.trail_stop}")
    await flight.kill()
    log.note("the program is dead")
    at(flight, log, 99.9)
    assert flight.scene.broker_position() == 0, "the broker alone has closed it"
    log.note("the program is back")
    await flight.up()
    await all_over(flight)
    log.equals("Trailing that has moved, then the program dead")
    assert (await flight.end()).good


async def test_break_even_reached_while_the_program_is_dead(fly: Fly, log: BrokerLog) -> None:
    flight = fly('break_even_after = "1%"\nbreak_even_offset = "0.05%"')
    await flight.up_apart()
    await entered(flight, log)
    await flight.kill()
    log.note("the program is dead")
    at(flight, log, 101.02)
    at(flight, log, 100.05)
    assert flight.scene.broker_position() == 0, "the broker alone has closed it"
    log.note("the program is back")
    await flight.up()
    await all_over(flight)
    log.equals("Break-even reached while the program is dead")
    assert (await flight.end()).good
