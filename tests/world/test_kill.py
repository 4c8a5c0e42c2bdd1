"""The emergency stop under weather: lost links, a misbehaving TWS, a disk that fails, crashes; by seed.

Named scenario: INCIDENTS.md 20. A user trades wildly until the seed pulls the stop; afterwards no entry may
leave, whatever wakes up late, and when the weather has calmed all that is ours is flat, by the market's own
books and by the answer that the stop gives.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.world.house import House
from tests.world.people import wish

from tws.desk import kill_report
from tws.desk.state import KillSwitch
from tws.exchange import OrderTicket
from tws.model.order import Role
from tws.model.records import Intended, KillMoved, decode_records
from tws.model.stop import KillState
from tws.runtime import Trader

SEEDS = 12  # some seconds of one core; each draws its own weather


class KillHouse(House):
    """A house whose user pulls the stop once, and goes on wishing for entries."""

    def __init__(self, seed: int | str, **options: Any) -> None:
        super().__init__(seed, **options)
        self.pulled_s = self.world.rng("stop").uniform(3.0, 30.0)
        self.latched_rows: int | None = None

    async def _use(self, trader: Trader, rng: Any) -> None:
        wanted = self.world.loop.create_task(self._pull(trader))
        try:
            while not (self.healed or self.leaving):
                await asyncio.sleep(rng.uniform(0.2, 5.0))
                await wish(trader, rng, self.world.trace.note, ("enter", "enter", "enter", "cancel"))
        finally:
            await wanted

    async def _pull(self, trader: Trader) -> None:
        await asyncio.sleep(max(0.0, self.pulled_s - self.world.loop.time()))
        began_s, slept_s = self.world.loop.time(), self.slept_s
        report = await trader.kill(reason="pulled by the seed", operator="ann", flatten=True)
        took_s = self.world.loop.time() - began_s - (self.slept_s - slept_s)
        self.world.trace.note(f"stop answers {report.verdict} after {took_s:.1f} s")
        if took_s > 10.5:
            self.complaints.append(f"the first answer came after {took_s:.1f} s")

    def _watch_arrivals(self) -> None:
        super()._watch_arrivals()
        exchange = self.simulator.exchange
        place = exchange.place

        def watched(ticket: OrderTicket, now_ns: int) -> Any:
            if self._is_late_entry(ticket):
                self.complaints.append(f"entry {ticket.order_ref} arrived after the stop was on disk")
            return place(ticket, now_ns)

        exchange.place = watched  # type: ignore[method-assign]

    def _is_late_entry(self, ticket: OrderTicket) -> bool:
        """Intended after the stop was durable, and no exit."""
        stopped = False
        for record in decode_records(self.disk.records):
            stopped = stopped or (isinstance(record, KillMoved) and record.state is KillState.HALTED)
            if stopped and isinstance(record, Intended) and record.intent_id == ticket.order_ref:
                return record.role is Role.ENTRY
        return False

    async def _flatten(self, trader: Trader) -> None:
        """The weather is calm: nobody flattens any more but the stop."""
        await self.human.help(trader)

    def _held(self, trader: Trader) -> list[str]:
        """The stop has to come to its end as well."""
        state = trader.desk.state.kill.state
        running = [] if state is KillState.LATCHED else [f"the stop is {state}"]
        return super()._held(trader) + running

    def _judge(self) -> None:
        super()._judge()
        if self.state is None:
            return
        report = kill_report(self.state, self.world.clock.now_ns())
        if report.state is not KillState.LATCHED or not report.flat:
            self.complaints.append(f"the stop ended as {report.sentences()}")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_stop_holds_in_any_weather(seed: int) -> None:
    outcome = KillHouse(f"kill {seed}").run()
    assert not outcome.complaints, "\n".join([*outcome.complaints, *outcome.tail[-60:]])


def _found(first: int) -> bool:
    """Whether some seed complains; `first` did once, and is played first."""
    return any(KillHouse(f"kill {seed}").run().complaints for seed in (first, *range(120)))


def test_a_stop_that_lets_entries_through_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KillSwitch, "stopped", lambda self, symbol, strategy: "")
    assert _found(0)


def test_a_stop_that_looks_only_once_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What turns up after the command is neither cancelled nor closed."""
    monkeypatch.setattr("tws.desk.desk.enforce", lambda turn: None)
    assert _found(30)
