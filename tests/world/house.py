"""A whole house in a world: the real trader (runtime, desk, connection) and the simulated TWS.

One run is: a day in miniature under the faults that the seed drew (`tests.world.mix`), with a user who
places brackets, cancels and flattens, and with the trader killed or stopped now and then. Then faults stop,
and within a bounded time the trader must by itself know every order and protect every share, then be flat
when asked, and once more after a last cut. The checkers hold what it believes against what happened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import Any

from tests.soak.checks import check_leaks
from tests.soak.checks import check_pace as check_tws_pace
from tests.soak.watching import Harbour, Watching
from tests.world import checks
from tests.world.lookout import Lookout
from tests.world.mix import SYMBOLS, End, Mix
from tests.world.money import cash_of, check_money
from tests.world.outcome import Listener, Outcome
from tests.world.pause import paused_market
from tests.world.people import Human, wish
from tests.world.vault import Vault
from tests.world.witness import OURS, Witness

from tws.config import TWSConfig
from tws.connection import callbacks
from tws.desk import DeskState
from tws.errors import JournalError, SimulationError, TWSError
from tws.model.records import FlattenPhase, OrderState
from tws.risk import Limits
from tws.runtime import Trader, TraderParts
from tws.runtime.kill import ANSWER_S, PATIENCE_S
from tws.runtime.stopping import carry_on
from tws.safety import SafetyFile
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.world import Bounds, Disk, Domain, World, current_domain

__all__ = ["House", "Outcome", "judge", "play"]

ADDRESS = ("127.0.0.1", 7497)
ACCOUNT = "DU1234567"
CONVERGE_S = 600.0
"""An order is proven absent in two rounds 10 s apart; many such waits fit, no stall."""
LATE_S = 15.0
"""A fill after a cancel may strike 10 s after the storm that planned it."""
WAKING_S = 8.0
"""How long a latch stands after the trader woke: several wishes for an entry fall into it."""
LAST_S = 20.0
"""The last fees; and an end may hear of a cut 15 s late, in calm weather too."""
BOUNDS = Bounds(steps=1_000_000, spin=200_000, time_s=5 * CONVERGE_S)
"""Far beyond a usual run of two thousand steps: a long answer may leave byte by byte."""
PLAINLY_HELD = frozenset(("execution-bust", "split", "half-bracket", "order-vanishes"))
"""Faults after which the broker's executions alone do not say what a trade holds, or what guards it."""
OTHERS = frozenset(("manual-order", "transfer"))
"""Faults by which somebody else moves the account."""
TOO_SLOW = f"the journal has not committed within {PATIENCE_S:g} s"
UNSURE = (OrderState.UNKNOWN, OrderState.APPROVED, OrderState.SENT, OrderState.PENDING_CANCEL)


class House:
    """The parts of one run. `trader` is the present life's, once it has started."""

    trader_class = Trader
    symbols = SYMBOLS
    limits = Limits()

    def __init__(self, seed: int | str, mix: Mix | None = None, *, keep_trace: bool = False) -> None:
        self.mix = mix = Mix.draw(seed) if mix is None else mix
        self.world = World(
            seed,
            faults=mix.network,
            bounds=BOUNDS,
            keep_trace=keep_trace,
            **({} if mix.start_ns is None else {"start_ns": mix.start_ns}),
        )
        self.disk = self.world.disk("journal", mix.disk)
        self.witness = Witness(ACCOUNT, self.world.trace.note, self._journal_failed)
        self.disk.on_kept = self.witness.remember
        self.lookout: Lookout | None = None
        self.world.loop.on_step = self._stepped
        self.complaints: list[str] = []
        self.trader: Trader | None = None
        self.state: DeskState | None = None
        self.lives = self.starts = 0
        self.healed = self.leaving = False
        self.calm_s = 0.0
        has_vault = any(end.kind == "sleep" for end in mix.ends)
        self.vault = Vault(self.world.clock, self.witness) if has_vault else None
        if self.vault is not None:
            self.world.network.watch(self.vault.wrote)
        self.sleepers: list[Domain] = []
        self.left: dict[Domain, Disk] = {}  # what a sleeper goes on writing to, once it was replaced
        """Lives in whose place another one trades."""
        self.slept_s = 0.0
        self.domain = Domain("nobody")
        self.simulator: SimulatedTWS
        self.watching: Watching
        self.harbour: Harbour
        self.human: Human
        self.cash: Decimal
        """What the broker says at first."""

    # The run

    def run(self) -> Outcome:
        """Play it and judge it."""
        callbacks._FAULTS.clear()  # it counts over the life of a process, and a run must repeat
        callbacks._SLOW.clear()
        logger, listener = logging.getLogger("tws"), Listener(self._log)
        before = logger.level, logger.propagate
        logger.addHandler(listener)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            self.world.run(self._main())
        finally:
            logger.removeHandler(listener)
            logger.setLevel(before[0])
            logger.propagate = before[1]
        return self.outcome()

    def outcome(self) -> Outcome:
        """What it came to, as far as it came."""
        trace = self.world.trace
        return Outcome(
            seed=self.world.seed,
            mix=self.mix,
            digest=trace.digest,
            complaints=self.complaints + self.witness.complaints,
            met=dict(self.watching.met),
            fills=len(self.simulator.exchange.executions()),
            orders=len(self.witness.places),
            lives=self.lives,
            starts=self.starts,
            links=self.world.network.links,
            records=len(self.witness.records),
            steps=self.world.loop.steps,
            seconds=self.world.loop.time(),
            tail=trace.lines,
        )

    async def _main(self) -> None:
        world = self.world
        await world.spawn(Domain("tws"), self._open_tws())
        storm = world.loop.create_task(self._storm(), name="storm")
        life = None
        for end in self.mix.ends:
            life = await self._one_life(life or self._begin_life(), end)
        life = life or self._begin_life()
        await storm
        await asyncio.sleep(max(0.0, self.mix.faulty_s - world.loop.time()))
        self._calm_down()
        await life
        await asyncio.sleep(LAST_S)
        self._judge()
        await self.simulator.stop()

    def _stepped(self, now_s: float, label: str) -> None:
        """Each step of the loop: no timer of ours may shift the order of others."""
        self.world.trace.step(now_s, label)
        if self.lookout is not None and now_s >= self.lookout.next_s:
            if PLAINLY_HELD & self.watching.met.keys():
                self.lookout = None
            else:
                self.lookout.look(now_s, self._is_up(), bool(OTHERS & self.watching.met.keys()))

    def _is_up(self) -> bool:
        """Whether a trader runs that could set right what is wrong."""
        trader = self.trader
        if trader is None or trader.failure is not None or self.domain.asleep or not self.domain.alive:
            return False
        state = trader.desk.state
        return state.link_up and state.reconciled_epoch == state.epoch

    def _begin_life(self) -> asyncio.Task[None]:
        self.domain = Domain(f"trader {self.lives}")
        self.lives += 1
        return self.world.spawn(self.domain, self._live(self.lives - 1))

    async def _one_life(self, life: asyncio.Task[None], end: End) -> asyncio.Task[None] | None:
        """Up to its end; the life when it goes on after all."""
        world = self.world
        await asyncio.sleep(max(0.0, end.at_s - world.loop.time()))
        if end.kind == "sleep":
            return await self._sleep(life, end)
        if end.kind == "kill":
            await world.crash_after(self.domain, end.steps)
        else:
            self.leaving = True
            await life
        self.trader, self.leaving = None, False
        await asyncio.sleep(end.down_s)
        return None

    async def _sleep(self, life: asyncio.Task[None], end: End) -> asyncio.Task[None] | None:
        """The trader's machine sleeps, somebody else acts, and it wakes (invariant 8)."""
        assert self.vault is not None
        world, sleeper = self.world, self.domain
        await world.sleep_after(sleeper, end.steps)
        self.slept_s += end.down_s + end.wake_s
        await asyncio.sleep(end.down_s)
        if end.act == "latch":
            self.vault.latch()
            await self._wake(sleeper, end.wake_s)
            await asyncio.sleep(WAKING_S)
            self.vault.free()
            return life
        self.vault.end_lease()
        world.network.cut(sleeper)  # so that its client id is free for another
        self.sleepers.append(sleeper)
        self.left[sleeper] = self.disk
        self.trader, self.disk = None, self._copy()
        world.loop.create_task(self._wake(sleeper, end.wake_s))
        return None

    async def _wake(self, sleeper: Domain, wake_s: float) -> None:
        await asyncio.sleep(wake_s)
        if sleeper.alive:
            self.world.wake(sleeper)

    def _copy(self) -> Disk:
        """The journal as it is on disk, on another machine; what its sleeping writer may add is lost."""
        copy = self.world.disk(f"journal {self.lives}", self.disk.faults)
        copy.groups, copy.on_kept = list(self.disk.groups), self.disk.on_kept
        self.disk.on_kept = lambda group: None
        return copy

    async def _storm(self) -> None:
        for play in self.mix.plays:
            await asyncio.sleep(max(0.0, play.at_s - self.world.loop.time()))
            self.world.trace.note(f"storm: {play.name} {play.values}")
            self.simulator.faults.play(play.name, **play.values)

    async def _open_tws(self) -> None:
        world = self.world
        seed = world.rng("market").randint(1, 2**31)
        start_ns, hours = world.clock.now_ns(), {"symbols": self.symbols}
        if self.mix.hours:
            market = paused_market(seed, self.symbols, self.mix.hours, start_ns)
            hours = {"market": market, "hours": "exchange"}
        options = SimulatorOptions(
            accounts=(ACCOUNT,), seed=seed, start_ns=start_ns, **hours, **self.mix.options
        )
        self.simulator = SimulatedTWS(options)
        self.watching = Watching(self.simulator, world.trace.note)
        self.human = Human(self.simulator, self.watching, world.trace.note, self.symbols)
        await self.simulator.start(listen=False)
        self.harbour = Harbour(self.simulator, world.network, ADDRESS, self.watching)
        self.simulator.faults.bind(self.harbour)
        self.witness.attach(self.simulator.exchange)
        self.cash = cash_of(self.simulator.exchange, ACCOUNT)
        self.lookout = Lookout(self.simulator.exchange, self.witness, self.mix.disk.sync_max_s)

    def _calm_down(self) -> None:
        for sleeper in self.sleepers:
            self.world.crash(sleeper)
        self.human.calm_down()
        self.harbour.come_home()
        self.world.heal()
        if self.watching.met["wrong-account"]:
            self.simulator.faults.play("cut")  # the login is the right one again
        self.healed, self.calm_s = True, self.world.loop.time()

    # One life of the trader

    async def _live(self, number: int) -> None:
        rng = self.world.rng(f"life {number}")
        over = False
        while not over:
            trader = await self._start(number, rng)
            if trader is None:
                return
            try:
                await self._day(trader, rng)
                over = True
            except TWSError as error:
                if self._is_replaced():
                    return
                if not await self._mended(trader, error, rng):
                    raise

    async def _mended(self, trader: Trader, error: TWSError, rng: Random) -> bool:
        """Whether what ended a trader is a human's to mend, and was mended; then it begins again."""
        if not self._disk_failed(error):
            return False
        await trader.stop()
        await self._free_disk(rng)
        return True

    async def _day(self, trader: Trader, rng: Random) -> None:
        if not self._is_replaced():
            self.trader = trader
        await self._use(trader, rng)
        if not self.leaving:
            await self._converge(trader)
            self.state = trader.desk.state
        await trader.stop()
        self.trader = None

    async def _start(self, number: int, rng: Random) -> Trader | None:
        """A trader that is up; None when it was to leave meanwhile, or never came up."""
        domain = current_domain()
        while not self.leaving and not self._is_replaced():
            assert domain is not None
            safety = None if self.vault is None else self.vault.open(domain, self.starts)
            parts = self._parts(number, safety)
            self.starts += 1
            config = TWSConfig(host=ADDRESS[0], port=ADDRESS[1], client_id=OURS, account_id=ACCOUNT)
            trader = self.trader_class(config, limits=self.limits, parts=parts)
            trader.on_alert(lambda alert: None if self._is_replaced(domain) else self.human.alerted(alert))
            try:
                await trader.start()
                if safety is not None:
                    await carry_on(trader, safety, ANSWER_S)
                return trader
            except TWSError as error:
                self.world.trace.note(f"start failed: {error}")
                if self.world.loop.time() > self.mix.faulty_s + CONVERGE_S:
                    self.complaints.append(f"no start though the weather is calm: {error}")
                    return None
                if isinstance(error, JournalError) and error.kind == "full":
                    await self._free_disk(rng)
                await asyncio.sleep(rng.uniform(1.0, 5.0))
        return None

    def _parts(self, number: int, safety: SafetyFile | None) -> TraderParts:
        """What the next start of the life `number` is built from."""
        return TraderParts(
            clock=self.world.clock,
            dial=self.world.network.dial,
            store=self.disk.open(),
            prefix="w",
            rng=self.world.rng(f"back-off {number}.{self.starts}"),
            safety=safety,
        )

    def _is_replaced(self, domain: Domain | None = None) -> bool:
        """Whether another life trades in the place of this one, which slept."""
        return (domain or current_domain()) in self.sleepers

    def _disk_failed(self, error: TWSError) -> bool:
        """The two ways in which a disk ends a trader: it is full, or too slow for a stop to wait; as it also
        seems to be when the machine slept in a commit.
        """
        if isinstance(error, JournalError) and error.kind == "full":
            return True
        return str(error) == TOO_SLOW and (self.mix.disk.sync_max_s > PATIENCE_S or self.slept_s > 0.0)

    def _journal_failed(self) -> bool:
        failure = self.trader.failure if self.trader is not None else None
        return isinstance(failure, TWSError) and self._disk_failed(failure)

    async def _free_disk(self, rng: Random) -> None:
        await asyncio.sleep(rng.uniform(1.0, 5.0))
        self.world.trace.note("a human frees the disk")
        self.disk.free()

    async def _use(self, trader: Trader, rng: Random) -> None:
        """Until the storm is over, or this life."""
        while not (self.healed or self.leaving):
            await asyncio.sleep(rng.uniform(0.2, 5.0))
            await wish(trader, rng, self.world.trace.note)

    # The calm

    async def _converge(self, trader: Trader) -> None:
        """The trader must know everything and guard everything by itself, be flat when asked, and stay right
        when the link is lost once more and all is asked for again."""
        await self._until("known and guarded", trader, self._unknowns, self.human.help)
        exchange, state = self.simulator.exchange, trader.desk.state
        self.complaints += check_money(exchange, state, self.cash, self.watching.met)
        self.complaints += checks.check_permanent_ids(exchange, state)
        await self._until("flat", trader, self._held, self._flatten)
        await asyncio.sleep(max(0.0, self.calm_s + LATE_S - self.world.loop.time()))
        epoch = trader.desk.state.epoch
        self.world.network.cut_all()  # its end may hear of it late
        while trader.failure is None and trader.desk.state.epoch == epoch:  # noqa: ASYNC110 - the link decides
            await asyncio.sleep(1.0)
        await self._until("known again", trader, self._held, self._flatten)
        await asyncio.sleep(5.0)  # the last fees

    async def _until(
        self,
        what: str,
        trader: Trader,
        open_points: Callable[[Trader], list[str]],
        act: Callable[[Trader], Awaitable[None]],
    ) -> None:
        deadline = self.world.loop.time() + CONVERGE_S
        while True:
            if trader.failure is not None:
                raise trader.failure  # what it believes is older than what it did
            found = open_points(trader)
            if not found:
                break
            if self.world.loop.time() > deadline:
                self.complaints.append(f"not {what} {CONVERGE_S:.0f} s after the faults stopped: {found}")
                return
            try:
                await act(trader)
            except TWSError as error:
                self.world.trace.note(f"{what}: {error}")
                if trader.failure is not None:
                    raise trader.failure from error
            await asyncio.sleep(1.0)
        self.world.trace.note(f"all is {what}")

    async def _flatten(self, trader: Trader) -> None:
        await self.human.help(trader)
        await trader.flatten(timeout_s=30.0)

    def _unknowns(self, trader: Trader) -> list[str]:
        """What the trader does not know, or has not set right, by itself."""
        state = trader.desk.state
        found = self._out_of_step(trader)
        found += [
            f"{order.intent_id} {order.state}" for order in state.book.living() if order.state in UNSURE
        ]
        found += [f"{intent_id} owes fills" for intent_id in state.book.owing]
        for symbol, job in state.flattens.items():
            if job.phase is not FlattenPhase.NOT_FLAT:
                found.append(f"flatten of {symbol} is {job.phase}")
        if not PLAINLY_HELD & self.watching.met.keys():
            found += checks.check_protection(self.simulator.exchange, state)
        return found

    def _held(self, trader: Trader) -> list[str]:
        """What keeps it from being flat and done."""
        living = [f"{order.intent_id} {order.state}" for order in trader.desk.state.book.living()]
        found = [] if trader.flat() else [f"not flat, living {living}"]
        found += [f"trade {group_id} is open" for group_id in trader.desk.state.open_groups]
        return found + self._out_of_step(trader)

    def _out_of_step(self, trader: Trader) -> list[str]:
        state = trader.desk.state
        found = [] if state.link_up else [f"link {state.link}"]
        if state.reconciled_epoch != state.epoch:
            found.append(f"reconciled in epoch {state.reconciled_epoch} of {state.epoch}")
        found += [f"{symbol} is to be explained" for symbol in self.human.unexplained(trader)]
        return found + [f"{key} differs" for key in state.differs]

    # The judgement

    def _judge(self) -> None:
        exchange, records = self.simulator.exchange, self.witness.records
        if self.state is None:
            self.complaints.append("no life of the trader came to an end")
            return
        core = self.simulator.core
        self.complaints += checks.check_fills(exchange, records, self.watching.busted)
        self.complaints += checks.check_books(exchange, self.state)
        self.complaints += checks.check_permanent_ids(exchange, self.state)
        self.complaints += check_money(exchange, self.state, self.cash, self.watching.met)
        self.complaints += checks.check_memory(self.state, records)
        self.complaints += checks.check_end(exchange)
        self.complaints += checks.check_pace(records)
        self.complaints += check_tws_pace(self.watching)
        self.complaints += check_leaks(self.world, self.domain, len(core.sessions) + len(core.abandoned))

    def _log(self, line: str) -> None:
        """Logs become lines of the trace; one with a traceback is an exception that somebody swallowed."""
        self.world.trace.note(line)
        if "Traceback" in line:
            self.complaints.append(f"swallowed: {line}")


def play(seed: int | str, mix: Mix | None = None, **options: Any) -> Outcome:
    """One run. Raises SimulationError for one that did not come to its end."""
    return House(seed, mix, **options).run()


def judge(seed: int | str, mix: Mix | None = None, kind: type[House] = House) -> Outcome:
    """One run; that it did not come to its end is a complaint."""
    house = kind(seed, mix)
    try:
        return house.run()
    except SimulationError as error:
        house.complaints.append(f"the run failed: {error}")
        return house.outcome()
