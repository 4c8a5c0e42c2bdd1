"""The end of a day over a real socket, by the hours that the simulated broker states: early closes, holidays,
different hours, the change of clocks; and what is on its way just then. The market's clock is set by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.runtime.flight import Flight
from tests.runtime.scene import Scene, records_of, until
from tests.runtime.test_linked import story

from tws.clock import Clock, to_ns
from tws.demo.lockstep import MarketClock
from tws.model.contract import stock
from tws.model.records import FlattenMoved, FlattenPhase
from tws.model.session import parse_hours
from tws.runtime.closing import day_close
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.hours import NEW_YORK, TEMPLATES, US_STOCK, ZONE_ID, Template, day_of, hours_text
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market import ManualMarket
from tws.simulator.universe import Universe

SHORT_DAY = "SHORT_DAY"
"""A market that closes half an hour before the others."""
TEMPLATES[SHORT_DAY] = Template(ZONE_ID, ((9.5, 15.5),), ((9.5, 15.5),))
RUN = "[run]\nflatten_before_close_s = 60"


def at(text: str) -> int:
    """A time of New York, in ns."""
    return to_ns(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK))


class Evening(Scene):
    """SPY and QQQ in the exchanges' hours, from a moment on; QQQ closes at 15:30."""

    def __init__(self, folder: Path, now: str) -> None:
        super().__init__(folder)
        universe = Universe()
        listed = [universe.add("SPY"), replace(universe.add("QQQ"), hours=SHORT_DAY)]
        market = ManualMarket(listed, at(now))
        self.sim = SimulatedTWS(SimulatorOptions(market=market, hours="exchange", limits=SimLimits.off()))

    def clock(self) -> Clock:
        return MarketClock(self.sim)


class Day:
    """A run in an evening's scene, and what is asked of it."""

    def __init__(self, scene: Evening, folder: Path, section: str = "") -> None:
        self.scene, self.sim = scene, scene.sim
        source = 'file = "signals.jsonl"\nsymbols = ["SPY", "QQQ"]'
        self.flight = Flight(scene, folder, section, RUN, source)
        self._size = 1000

    async def up(self) -> Day:
        await self.flight.up()
        self.trader = self.flight.trader
        return self

    async def holds(self, symbol: str = "SPY", wish: str = "BUY") -> None:
        """Ten shares, behind their stop."""
        now_ns = self.sim.now_ns()
        self.quote()
        markets = self.flight.pilot.markets
        await until(lambda: markets.quote(symbol).time_ns >= now_ns, "the quote")  # type: ignore[union-attr]
        name = self.flight.say(wish, symbol=symbol)
        assert await self.flight.outcome(name) == ("traded", "")
        await self.held(10 if wish == "BUY" else -10, symbol)
        await until(lambda: self.stops(symbol) == 10, "the stop works")
        await self.looked()

    async def held(self, quantity: int, symbol: str = "SPY") -> None:
        await until(
            lambda: self.scene.broker_position(symbol) == quantity == self.trader.position(symbol),
            f"{quantity} {symbol} held",
        )

    async def flat(self, symbol: str = "SPY") -> None:
        """By the broker's books too, with no order left."""
        await self.held(0, symbol)
        con_id = self.sim.con_id(symbol)
        await until(
            lambda: con_id not in {view.con_id for view in self.sim.exchange.open_orders()}
            and symbol not in self.trader.desk.state.flattens,
            f"{symbol} is flat",
        )

    async def clock(self, text: str) -> None:
        """Set the market's clock, with fresh quotes."""
        await self.sim.set_clock(at(text))
        self.quote()

    def quote(self, **more: Any) -> None:
        """The same prices, and a size that is news."""
        self._size += 1
        sizes = {"bid_size": self._size, "ask_size": self._size} | more
        self.sim.quote("SPY", bid=99.99, ask=100.01, **sizes)
        self.sim.quote("QQQ", bid=49.99, ask=50.01, **sizes)

    async def looked(self) -> None:
        """It has looked at the ends of days since, and the desk has turned."""
        seen = self.flight.pilot.closing._looked_ns
        await until(lambda: self.flight.pilot.closing._looked_ns > seen, "a look at the end of the day")
        await self.trader.engine.turned()

    def stops(self, symbol: str = "SPY") -> int:
        con_id = self.sim.con_id(symbol)
        views = self.sim.exchange.open_orders()
        return int(sum(v.remaining for v in views if v.con_id == con_id and v.ticket.order_type == "STP"))

    def begun(self) -> list[tuple[str, str]]:
        """The ends of days that were carried out: key and symbol, each time that one began."""
        first = (FlattenPhase.CANCELLING, FlattenPhase.ARMED)
        found: list[tuple[str, str]] = []
        last: dict[str, FlattenPhase] = {}
        for each in records_of(self.trader):
            if isinstance(each, FlattenMoved):
                before = last.get(each.symbol, FlattenPhase.FLAT)
                if each.key and each.phase in first and before is FlattenPhase.FLAT:
                    found.append((each.key, each.symbol))
                last[each.symbol] = each.phase
        return found


@pytest.fixture
async def evening(tmp_path: Path) -> AsyncIterator[Any]:
    """Makes a run at a moment, and ends it."""
    before: set[asyncio.Task[Any] | None] = {*asyncio.all_tasks()}
    scenes: list[Evening] = []
    days: list[Day] = []

    async def make(now: str, section: str = "") -> Day:
        scene = scenes[0] if scenes else Evening(tmp_path, now)
        if not scenes:
            scenes.append(scene)
            await scene.open()
        days.append(Day(scene, tmp_path, section))
        return await days[-1].up()

    yield make
    for day in days:
        await day.flight.close()
    for scene in scenes:
        await scene.close()
    before = before | {asyncio.current_task()}
    await until(lambda: asyncio.all_tasks() <= before, "the end of every task")


async def test_the_last_minute_of_a_day(evening: Any) -> None:
    day = await evening("2026-11-23 15:50:00")
    await day.holds()
    await day.clock("2026-11-23 15:58:55")
    await day.looked()
    assert day.trader.position("SPY") == 10, "not before its last minute"
    await day.clock("2026-11-23 15:59:01")
    await day.flat()
    assert day.begun() == [("eod 2026-11-23", "SPY")]
    assert story(day.trader) == [
        "BUY entry 10", "SELL target 10", "SELL stop 10",
        "cancel SELL target 10", "cancel SELL stop 10", "SELL close 10",
    ]  # fmt: skip
    report = await day.flight.end("protected")
    assert report.good and report.flat


async def test_an_early_close(evening: Any) -> None:
    """The day after Thanksgiving: 13:00, as the contract's hours say."""
    day = await evening("2026-11-27 12:50:00")
    await day.holds()
    await day.clock("2026-11-27 12:59:01")
    await day.flat()
    assert day.begun() == [("eod 2026-11-27", "SPY")]


async def test_contracts_with_different_closes(evening: Any) -> None:
    """Each in its own last minute, once."""
    day = await evening("2026-11-23 15:20:00")
    await day.holds("SPY")
    await day.holds("QQQ")
    await day.clock("2026-11-23 15:29:01")
    await day.flat("QQQ")
    await day.looked()
    assert day.trader.position("SPY") == 10, "SPY trades for half an hour more"
    await day.clock("2026-11-23 15:59:01")
    await day.flat("SPY")
    assert day.begun() == [("eod 2026-11-23", "QQQ"), ("eod 2026-11-23", "SPY")]


async def test_a_day_on_which_the_clocks_have_changed(evening: Any) -> None:
    """Friday's close is at 20:00 UTC, Monday's at 21:00: the hours are those of New York."""
    day = await evening("2026-10-30 15:50:00")
    await day.holds()
    await day.clock("2026-10-30 15:59:01")
    await day.flat()
    await day.clock("2026-11-02 14:59:01")  # 19:59 UTC
    await day.holds()
    await day.looked()
    assert day.trader.position("SPY") == 10
    await day.clock("2026-11-02 15:59:01")
    await day.flat()
    assert day.begun() == [("eod 2026-10-30", "SPY"), ("eod 2026-11-02", "SPY")]


async def test_a_holiday_has_no_end(evening: Any) -> None:
    """What was left over the night before Thanksgiving is closed on Friday, when the market opens."""
    day = await evening("2026-11-25 15:50:00")
    await day.holds()
    await until(lambda: "SPY" in day.flight.pilot.closing._ahead, "the end of Wednesday is seen to come")
    await day.clock("2026-11-26 15:59:30")
    await until(lambda: day.begun() == [("eod 2026-11-25", "SPY")], "the end of Wednesday is made good")
    await day.looked()
    assert day.trader.desk.state.flattens["SPY"].phase is FlattenPhase.ARMED, "nothing trades on that day"
    assert day.stops() == 10 and day.trader.position("SPY") == 10
    assert any("at the end of 2026-11-25" in each for each in day.flight.run.alarms)
    await day.clock("2026-11-27 09:30:01")
    await day.flat()
    assert day.begun() == [("eod 2026-11-25", "SPY")]


async def test_a_reversal_on_its_way(evening: Any) -> None:
    """Seven shares still wait for a buyer when the last minute comes: they are closed, nothing is entered."""
    day = await evening("2026-11-23 15:50:00")
    await day.holds()
    day.quote(bid_size=3)
    name = day.flight.say("SHORT")
    await day.held(7)
    await day.sim.set_clock(at("2026-11-23 15:59:01"))
    await until(lambda: not day.trader.desk.state.reversals, "the reversal is dropped")
    day.quote()
    await day.flat()
    outcome, reason = await day.flight.outcome(name)
    assert (outcome, reason) == ("denied", "reversal")
    assert not any(each.startswith("SELL entry") for each in story(day.trader))
    assert day.begun() == [("eod 2026-11-23", "SPY")]
    assert day.scene.broker_position() == 0


async def test_an_entry_on_its_way(evening: Any) -> None:
    """Three shares have filled, seven wait for a seller: they are cancelled, the three are closed."""
    day = await evening("2026-11-23 15:50:00")
    day.quote(ask_size=3)
    day.flight.say("BUY")
    await day.held(3)
    await day.sim.set_clock(at("2026-11-23 15:59:01"))
    await until(lambda: not day.sim.exchange.open_orders(), "the rest is cancelled")
    day.quote()
    await day.flat()
    bought = sum(r.executed.quantity for r in day.sim.exchange.executions() if r.executed.side == "BOT")
    assert bought == 3, "no more was bought"
    assert day.begun() == [("eod 2026-11-23", "SPY")]


async def test_no_entry_in_the_last_minute(evening: Any) -> None:
    """Whatever the section's own margin (none here): it would stay over night."""
    day = await evening("2026-11-23 15:59:10")
    day.quote()
    assert await day.flight.outcome(day.flight.say("BUY")) == ("refused", "session")
    assert day.begun() == [] and story(day.trader) == []


async def test_a_close_while_the_link_is_away(evening: Any) -> None:
    """The wish waits for the link, and is carried out before the close: once."""
    day = await evening("2026-11-23 15:50:00")
    await day.holds()
    await cut(day)
    await day.clock("2026-11-23 15:59:01")
    await until(lambda: "SPY" in day.trader.desk.state.flattens, "it is to be closed")
    assert day.trader.position("SPY") == 10 and day.stops() == 10
    await mend(day)
    day.quote()
    await day.flat()
    assert day.begun() == [("eod 2026-11-23", "SPY")]


async def test_a_link_that_is_away_until_the_market_is_shut(evening: Any) -> None:
    """The stop stays over night; what was to be closed is closed when the market opens."""
    day = await evening("2026-11-23 15:50:00")
    await day.holds()
    await cut(day)
    await day.clock("2026-11-23 15:59:01")
    await until(lambda: "SPY" in day.trader.desk.state.flattens, "it is to be closed")
    await day.clock("2026-11-23 16:05:00")
    await mend(day)
    armed = FlattenPhase.ARMED
    await until(lambda: day.trader.desk.state.flattens["SPY"].phase is armed, "it waits for the market")
    await until(lambda: day.stops() == 10, "a stop works")
    await until(lambda: any("NOT FLAT" in each for each in day.flight.run.alarms), "the alarm")
    await day.clock("2026-11-24 09:30:01")
    await day.flat()
    assert day.begun() == [("eod 2026-11-23", "SPY")]


async def test_a_restart_in_the_last_minute(evening: Any) -> None:
    """What the run before it closed is not closed again; what came by other hands is nobody's to close."""
    first = await evening("2026-11-23 15:50:00")
    await first.holds()
    await first.clock("2026-11-23 15:59:01")
    await first.flat()
    await first.flight.end("protected")
    again = await evening("")
    again.quote()
    await again.looked()
    assert again.begun() == [("eod 2026-11-23", "SPY")]


async def test_a_program_that_is_dead_over_a_close_leaves_a_stop(evening: Any) -> None:
    """Exits work until they are cancelled, so that nobody has to be there when the next day begins."""
    day = await evening("2026-11-23 15:50:00")
    await day.holds()
    await day.flight.end("protected")
    await day.clock("2026-11-24 09:31:00")
    assert day.scene.broker_position() == 10 and day.stops() == 10
    day.sim.quote("SPY", bid=96.0, ask=96.02)
    day.sim.trade("SPY", 96.0)
    await until(lambda: day.scene.broker_position() == 0, "it fires on the next day")
    assert not day.sim.exchange.open_orders(), "and takes the target along"


async def test_what_another_configuration_has_traded(evening: Any, tmp_path: Path) -> None:
    """A run that trades QQQ alone closes the SPY that the one before it left."""
    first = await evening("2026-11-23 15:50:00")
    await first.holds()
    await first.flight.end("protected")
    assert first.scene.broker_position() == 10
    path = tmp_path / "trader.toml"
    again = Day(first.scene, tmp_path)
    path.write_text(path.read_text("utf-8").replace('["SPY", "QQQ"]', '["QQQ"]'), "utf-8")
    try:
        await again.flight.up("QQQ")
        again.trader = again.flight.trader
        await again.clock("2026-11-23 15:59:01")
        await again.flat("SPY")
    finally:
        await again.flight.close()


async def test_hours_that_are_not_stated(evening: Any) -> None:
    """Nothing is guessed: what is held stays behind its stop, and a human hears of it."""
    day = await evening("2026-11-23 15:50:00")
    await day.holds()
    details = await day.trader.details(stock("SPY"))
    day.trader._life.hours.learn(replace(details, liquid_hours="", trading_hours=""))
    con_id = day.sim.con_id("SPY")
    await until(lambda: not day.trader.desk.state.hours[con_id].liquid, "no hours")
    await day.looked()
    await day.clock("2026-11-23 15:59:30")
    await until(lambda: any("states no hours of SPY" in each for each in day.flight.run.alarms), "the alarm")
    assert day.begun() == [] and day.stops() == 10
    day.trader._life.hours.learn(details)
    await day.flat()
    assert day.begun() == [("eod 2026-11-23", "SPY")], "as soon as they are"


async def cut(day: Day) -> None:
    day.sim.faults.refuse = True
    day.sim.faults.cut()
    await until(lambda: not day.trader.desk.state.link_up, "the news of the lost link")


async def mend(day: Day) -> None:
    day.sim.faults.refuse = False
    state = day.trader.desk.state
    await until(lambda: state.link_up and state.reconciled_epoch == state.epoch, "the link is back")


@pytest.mark.parametrize(
    "template", [US_STOCK, "US_ETF_OPTION", "GLOBEX", "FX", "TSEJ", "SEHK", "XETRA", "ASX"]
)
def test_the_end_of_each_day_of_two_years(template: str) -> None:
    """From the text that the broker states in the morning, against the calendar that wrote it."""
    zone = TEMPLATES[template].zone
    for offset in range(730):
        morning = date(2026, 1, 1) + timedelta(days=offset)
        now_ns = to_ns(datetime(morning.year, morning.month, morning.day, 1, tzinfo=zone))
        sessions = parse_hours(hours_text(now_ns, "exchange", liquid=True, template=template), zone.key)
        days = (day_of(morning + timedelta(days=each), template=template) for each in range(6))
        expected = next((each.close_ns for each in days if each is not None and each.close_ns > now_ns), None)
        assert day_close(sessions, now_ns) == expected, morning


def test_a_market_that_never_closes_has_no_end_of_day() -> None:
    """The last that is stated ends far ahead, and is stated anew before."""
    now_ns = at("2026-11-23 15:00:00")
    sessions = parse_hours(hours_text(now_ns, "always", liquid=True), ZONE_ID)
    assert day_close(sessions, now_ns) == sessions[-1].close_ns
