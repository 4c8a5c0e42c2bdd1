"""A house whose trader is flown by its one configuration file: the real `Pilot` with all its sources, in the
loop of the real `Run`.

    api, file, function, built-in and Python strategies ─▶ Pilot ─▶ Trader ═══ faults ═══ the simulated TWS

The weather is the world's own; beside it the sources speak nonsense (`tests.world.senders`), strategies raise
and block, a human meddles, and the market closes. When the faults stop, the run goes on for a while, then
ends as `tws run` does; from there on the house asks what it asks of every trader, and `tests.world.fates`
what became of every signal.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace
from tests.world.autoconfig import FLATTEN_S, settings_of, write_configuration
from tests.world.automix import TICKERS, AutoMix
from tests.world.commands import Operator, check_commands
from tests.world.fates import check_flights, fates_of
from tests.world.flight import Flight
from tests.world.hook import TOKEN, Door, HookSender, check_hook
from tests.world.house import House, judge
from tests.world.outcome import Outcome
from tests.world.people import UNTOLD, wish
from tests.world.senders import KEY, ApiSender, Called, FileSender
from tests.world.vault import Vault

from tws.errors import TWSError
from tws.risk import Limits
from tws.runtime import Trader, TraderParts
from tws.runtime.opening import Opening
from tws.runtime.pilot import Pilot
from tws.runtime.plan import RunPlan, plan_run
from tws.runtime.run import Run
from tws.safety import SafetyFile
from tws.signals.demo_server import DemoTransport
from tws.signals.function import FunctionSource
from tws.signals.source import Source
from tws.world import current_domain

__all__ = ["AutoHouse", "judge_automation", "play_automation"]

CALM_S = 15.0
"""How long the run trades on in calm weather; and over a close."""
AFTER_S = 3.0
LOOK_S = 0.25
MEDDLES = ("cancel", "flatten", "nothing", "nothing", "kill")


class _EndedError(TWSError):
    """A run that did not come up, or that somebody has stopped; its process ends, and another is started."""


class AutoHouse(House):
    """One run of an `AutoMix`."""

    symbols = TICKERS

    def __init__(self, seed: int | str, mix: AutoMix | None = None, **options: Any) -> None:
        self.auto = mix = AutoMix.draw(seed) if mix is None else mix
        super().__init__(seed, mix, **options)
        self._scratch = tempfile.TemporaryDirectory(prefix="world-")
        self.folder = Path(self._scratch.name)
        self.start_ns = self.world.clock.now_ns()
        owners = mix.owners()
        self.api = ApiSender(self.world, mix)
        self.file = FileSender(self.world, self.folder / "signals.jsonl", TICKERS[0])
        self.called = Called(self.world)
        self.hook = HookSender(self.world) if "hook" in mix.sources else None
        self._functions = tuple(ticker for ticker in TICKERS if owners[ticker] == "function")
        self.path = write_configuration(mix, self.folder)
        self.settings = settings_of(mix, self.path)
        self.operator = Operator(self.world, mix, self.path) if mix.commands else None
        if self.operator is not None and self.vault is None:
            self.vault = Vault(self.world.clock, self.witness)
            self.world.network.watch(self.vault.wrote)
        self.limits = Limits.from_section(self.settings.risk.chosen())
        self.flights: list[Flight] = []
        self.held_at_close: dict[str, bool] = {}
        """Symbols, and whether a flatten is at it."""

    def run(self) -> Outcome:
        with self._scratch:
            return super().run()

    def outcome(self) -> Outcome:
        found = super().outcome()
        found.signals = sum(flight.pilot.book.heard for flight in self.flights)
        found.fates = fates_of(self.flights, self.witness.records)
        found.met |= {f"api {name}": count for name, count in self.api.met.items()}
        if self.hook is not None:
            found.met |= Counter(f"hook {each.kind}" for each in self.hook.calls if each.status)
        if self.operator is not None:
            found.met |= {f"command {name}": count for name, count in self.operator.done.items()}
        return found

    async def _open_tws(self) -> None:
        await super()._open_tws()
        loop = self.world.loop
        if "file" in self.auto.sources:
            self._writing = loop.create_task(self.file.run(), name="file sender")
        if self.hook is not None:
            self._posting = loop.create_task(self.hook.run(), name="hook sender")
        if self.auto.closes_s is not None:
            self._before_close = loop.create_task(self._bell(self.auto.closes_s), name="bell")

    async def _bell(self, closes_s: float) -> None:
        """The market closes: what is held then, though a run flew that was to be flat by now?"""
        await asyncio.sleep(closes_s - FLATTEN_S)
        while (left_s := closes_s - 0.01 - self.world.loop.time()) > 0:
            if not self._flies():
                return
            await asyncio.sleep(min(0.5, left_s))
        assert self.trader is not None
        jobs = self.trader.desk.state.flattens
        held = {symbol: self.human.ours(symbol) for symbol in TICKERS}
        self.held_at_close = {symbol: symbol in jobs for symbol in TICKERS if held[symbol]}

    def _flies(self) -> bool:
        """Whether a run trades, with a trader that knows all there is to know."""
        flight = self.flights[-1] if self.flights else None
        now_s = self.world.loop.time()
        looks = (
            flight is not None and flight.over_s is None and flight.looks and now_s - flight.looks[-1] < 1.0
        )
        return bool(looks) and self._is_up() and not UNTOLD & self.watching.met.keys()

    def _calm_down(self) -> None:
        super()._calm_down()
        self.api.calm_down()

    # One life

    def _plan(self) -> RunPlan:
        return plan_run(self.settings, self.path, self.folder / "state")

    def _parts(self, number: int, safety: SafetyFile | None) -> TraderParts:
        parts = super()._parts(number, safety)
        if self.operator is not None:
            self.operator.mend()
            self.settings = settings_of(self.auto, self.path)
            self.limits = Limits.from_section(self.settings.risk.chosen())
        sources: dict[str, Source] = {}
        if self.hook is not None:
            rng = self.world.rng(f"door {self.starts}")
            symbol = next(ticker for ticker, owner in self.auto.owners().items() if owner == "hook")
            self.hook.door = Door(symbol, current_domain(), self.world.clock, rng)
            sources["hook"] = self.hook.door
        if self._functions:
            rng = self.world.rng(f"function {self.starts}")
            sources["function"] = FunctionSource(
                self.called, self._functions, clock=self.world.clock, rng=rng, name="function"
            )
        return replace(
            parts,
            transport=DemoTransport(self.api),
            environ={"API_KEY": KEY, "WEBHOOK_TOKEN": TOKEN},
            sources=sources,
            blocked=self.world.loop.blocked,
        )

    async def _use(self, trader: Trader, rng: Random) -> None:
        plan, time = self._plan(), self.world.loop.time
        run = Run(plan, parts=trader.parts)
        run.trader = trader
        run.safety = trader.parts.safety  # type: ignore[assignment]  # None without a vault: nobody asks then
        run.pilot = pilot = Pilot(trader, plan, trader.parts.rng)
        flight = Flight(pilot, time(), len(self.witness.records))
        flight.watch(time)
        self.flights.append(flight)
        try:
            await pilot.open()
        except TWSError as error:
            await pilot.close()
            raise (trader.failure or _EndedError(str(error))) from error
        flight.opened_s = time()
        opening = run.opening = Opening(pilot.sessions, None, lambda countdown: None)
        tasks = [asyncio.create_task(run._trade(pilot, opening, None), name="run")]
        if "human" in self.auto.traits:
            tasks.append(asyncio.create_task(self._meddle(trader, rng), name="human"))
        if self.operator is not None:
            tasks.append(asyncio.create_task(self.operator.run(run), name="operator"))
        while not (tasks[0].done() or self._is_over()):  # noqa: ASYNC110 - the world says when
            await asyncio.sleep(LOOK_S)
        stopped = run.ended  # by whom, if not by the world
        run.end("the world says so")
        await tasks[0]
        await run._wind_up()
        if trader.failure is None:
            await pilot.finish(self.world.clock.now_ns())
        if stopped == "tws stop":
            run.report = run._report(pilot, "")
            run._over_down.set()
            await asyncio.sleep(AFTER_S)  # the last answer leaves
        for task in tasks[1:]:
            task.cancel()
        await asyncio.wait(tasks)
        await pilot.close()
        if trader.failure is not None:
            raise trader.failure
        flight.ended(time(), len(self.witness.records))
        if stopped == "tws stop" and not self._is_over():
            raise _EndedError(stopped)

    def _is_over(self) -> bool:
        until_s = max(self.calm_s + CALM_S, (self.auto.closes_s or 0.0) + AFTER_S)
        return self.leaving or (self.healed and self.world.loop.time() > until_s)

    async def _meddle(self, trader: Trader, rng: Random) -> None:
        """A human who thinks that he knows better."""
        while trader.failure is None:
            await asyncio.sleep(rng.uniform(3.0, 15.0))
            await wish(trader, rng, self.world.trace.note, MEDDLES, TICKERS)

    async def _mended(self, trader: Trader, error: TWSError, rng: Random) -> bool:
        if not isinstance(error, _EndedError):
            return await super()._mended(trader, error, rng)
        self.world.trace.note(f"a run has ended: {error}")
        await trader.stop()
        await asyncio.sleep(rng.uniform(1.0, 5.0))
        return True

    # The judgement

    def _judge(self) -> None:
        over = self.watching.over_limit
        over[:] = [line for line in over if not self._asked_before(line)]
        super()._judge()
        if "file" in self.auto.sources:
            self._writing.cancel()
        if self.hook is not None:
            self._posting.cancel()
        self.complaints += [*check_flights(self), *check_hook(self), *check_commands(self)]

    def _asked_before(self, line: str) -> bool:
        """Whether TWS refused a question for the past because the life before, which ended at any moment, had
        just asked the same: the new one does not know, and asks again once that is 15 s ago.
        """
        said = re.match(r"at ([\d.]+) s 162: HistoricalDataRequest", line)
        since_s = self.watching.limits.identical_s or 0.0
        begins = [flight.began_s for flight in self.flights[1:]]
        return said is not None and any(0 <= float(said[1]) - each <= since_s for each in begins)

    def _log(self, line: str) -> None:
        super()._log(line)
        if KEY in line or TOKEN in line:
            self.complaints.append(f"a secret was logged: {line}")


def play_automation(seed: int | str, mix: AutoMix | None = None, **options: Any) -> Outcome:
    """One run. Raises SimulationError for one that did not come to its end."""
    return AutoHouse(seed, mix, **options).run()


def judge_automation(seed: int | str, mix: AutoMix | None = None) -> Outcome:
    """One run; that it did not come to its end is a complaint."""
    return judge(seed, mix, AutoHouse)
