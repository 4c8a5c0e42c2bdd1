"""Every row of INCIDENTS.md's first table, played on the whole house; the page says where else.

What a TWS causes comes from the simulator's own scenario of that row, under a user who trades; the rest (a
database, an event bus, a task that is cancelled, a bad tick) is made here. After each the books are the
broker's own, each share is guarded, and all is flat when asked: the checkers of every seed.
"""

from __future__ import annotations

import ast
import asyncio
import re
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from tests.world.mix import SYMBOLS, End
from tests.world.people import enter, wish
from tests.world.scenario import Scenario

from tws.model.contract import Contract
from tws.model.order import Role, Side, bracket
from tws.model.records import Booked, OrderState
from tws.runtime import Trader
from tws.simulator.faults import scenarios
from tws.world import CALM, DiskFaults, Faults

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "design" / "world.md"
OF_TWS = sorted(name for name in scenarios() if name.startswith("incident-"))


class Incident(Scenario):
    """A user who trades while the simulator plays the scenario of a row."""

    row = ""

    async def _use(self, trader: Trader, rng: Random) -> None:
        if self.starts == 1:
            await enter(trader, SYMBOLS[0], rng)
            self.simulator.faults.load(self.row)
            if self.row == "incident-12":  # it waits for the next connect
                self.world.network.cut_all()
        while not (self.healed or self.leaving):
            await asyncio.sleep(rng.uniform(0.2, 3.0))
            await wish(trader, rng, self.world.trace.note)


@pytest.mark.parametrize("row", OF_TWS)
def test_an_incident_that_tws_causes(row: str) -> None:
    for seed in range(3):
        house = Incident(seed)
        house.row = row
        outcome = house.run()
        assert outcome.complaints == [], (seed, outcome.complaints)
        assert outcome.met, f"{row} was not played"


def test_15_a_journal_that_fails_after_the_broker_accepted_loses_no_trade() -> None:
    class Full(Scenario):
        async def play(self, trader: Trader) -> None:
            if self.starts == 1:
                await self.enter(trader, reach=0.02)
                self.disk.faults = DiskFaults(full_after=len(self.disk.groups))
            while not (self.healed or self.leaving):
                await asyncio.sleep(0.5)
                if trader.failure is not None:
                    raise trader.failure

    house = Full()
    outcome = house.run()
    assert outcome.complaints == []
    assert outcome.starts == 2
    assert outcome.fills >= 1


def test_16_an_old_stops_fill_stays_with_the_old_trade_when_the_new_one_is_reversed() -> None:
    class Reversed(Scenario):
        async def play(self, trader: Trader) -> None:
            contract = Contract(symbol="SLV")
            await self.enter(trader, reach=0.02)
            await asyncio.sleep(1.0)
            network = self.world.network
            network.faults = Faults(refuse_rate=1.0)
            network.cut_all()
            while self.simulator.exchange.positions()[0].quantity:  # noqa: ASYNC110 - the market decides
                await asyncio.sleep(0.1)
            network.faults = CALM
            quote = await trader.quote(contract)
            assert quote.bid is not None and quote.ask is not None
            middle = round((quote.bid + quote.ask) / 2, 2)
            while True:
                trade = await trader.submit(
                    bracket(
                        contract, Side.SELL, 100, stop=round(middle + 0.5, 2), target=round(middle - 0.5, 2)
                    )
                )
                if trade.denial is None:
                    return
                await asyncio.sleep(1.0)

    house = Reversed()
    assert house.run().complaints == []
    assert house.state is not None
    groups = list(house.state.groups.values())
    first, second = groups[0], groups[1]
    assert {first.side, second.side} == {Side.BUY, Side.SELL}
    for record in house.witness.records:
        if isinstance(record, Booked) and record.intent_id in (*first.intents, *second.intents):
            assert record.execution.order_ref == record.intent_id
    exits = [house.state.book.orders[ref] for ref in first.intents]
    assert sum(order.filled for order in exits if order.role is not Role.ENTRY) == 100


def test_17_a_flood_of_facts_waits_in_the_socket_and_none_is_dropped() -> None:
    """The disk takes seconds, TWS says everything many times over, and a lane holds eight facts."""

    class Flood(Scenario):
        longest = 0

        async def _use(self, trader: Trader, rng: Random) -> None:
            lane = trader.engine._lane
            assert lane is not None
            lane.bound = 8
            put = lane.put

            def counted(fact: object) -> None:
                put(fact)  # type: ignore[arg-type]
                self.longest = max(self.longest, len(lane))

            lane.put = counted  # type: ignore[method-assign, assignment]
            self.disk.faults = DiskFaults(sync_min_s=1.0, sync_max_s=3.0)
            for name in ("duplicate-execution", "duplicate-status"):
                self.simulator.faults.play(name, copies=4, count=1000)
            while not self.healed:
                await asyncio.sleep(rng.uniform(0.2, 2.0))
                await wish(trader, rng, self.world.trace.note)

    house = Flood()
    outcome = house.run()
    assert outcome.complaints == []
    assert outcome.fills > 2
    assert house.longest == 8  # met, and never passed


def test_20_what_closes_a_position_is_cancelled_by_nothing_that_ends() -> None:
    """Whoever pulls the emergency stop is cancelled at once, then the whole trader is stopped and started:
    three orders go, and the shares with them.
    """

    class Cancelled(Scenario):
        async def play(self, trader: Trader) -> None:
            if self.starts > 1:
                return
            await self.enter(trader, reach=1.0)
            await asyncio.sleep(1.0)
            stop = trader.kill(reason="a bad day", operator="bob", flatten=True)
            asked = asyncio.get_running_loop().create_task(stop)
            await asyncio.sleep(0.01)
            asked.cancel()
            with suppress(asyncio.CancelledError):
                await asked
            await asyncio.sleep(5.0)
            assert trader.flat()

    for stopped in (False, True):
        ends = [End(kind="stop", at_s=12.0)] if stopped else []
        house = Cancelled(1, *ends)
        outcome = house.run()
        assert outcome.complaints == []
        assert house.states(OrderState.CANCELLED) >= 2


def test_21_one_bad_tick_of_equity_closes_nothing() -> None:
    class BadTick(Scenario):
        async def play(self, trader: Trader) -> None:
            await self.enter(trader, reach=1.0)
            self.simulator.faults.play("bad-equity", count=1)
            await asyncio.sleep(20.0)
            assert trader.position("SLV") == 100
            await self.enter(trader, reach=1.0)

    house = BadTick()
    outcome = house.run()
    assert outcome.complaints == []
    assert outcome.orders >= 6


def test_the_page_names_a_scenario_for_each_row_and_each_exists() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## The incidents")[2]
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 22))
    for number, named in rows:
        places = re.findall(r"`([\w/.]+)::(\w+)(?:\[([\w-]+)\])?`", named)
        assert places, f"row {number} names no test"
        assert any(path.startswith("tests/world/") for path, _, _ in places), (
            f"row {number} is not played here"
        )
        for path, test, parameter in places:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            names = {
                node.name
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert test in names, f"row {number}: {path} has no {test}"
            assert not parameter or parameter in OF_TWS, f"row {number}: {parameter}"
