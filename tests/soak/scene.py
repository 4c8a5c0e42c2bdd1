"""A bare connection in a world where every fault of the simulated TWS and of the network is played by lot.

One run: a user wishes for a minute and more, while faults come and go; then they stop. Within a bounded time
all must be well again by itself (state, streams, replies, own orders and fills). Then the link is cut once
more, in calm weather: after that synchronisation nothing at all may differ. Last the user hangs up, and
nothing may be left.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

from tests.soak import checks
from tests.soak.storm import Play, Scenery, draw_options, draw_storm
from tests.soak.user import User
from tests.soak.watching import Harbour, Watching

from tws.config import TWSConfig
from tws.connection import TWSConnection, callbacks
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.world import CALM, Bounds, Domain, World

__all__ = ["Outcome", "Scene", "play"]

ADDRESS = ("127.0.0.1", 7497)
SYMBOLS = ("SPY", "TLT", "SLV")
FAULTY_S = (50.0, 90.0)
CALM_S = 300.0
"""A stream that was never fed is found stale after 120 s; what then still fails is looked at twice."""
LAST_S = 20.0
"""An end may hear of a cut 15 s late, in calm weather too."""
BOUNDS = Bounds(steps=3_000_000, spin=200_000, time_s=1200.0)
"""Far beyond a usual run: a long answer may leave byte by byte, and the longest calm is 90 + 2 * 300 s."""


@dataclass
class Outcome:
    """What a run came to."""

    seed: int | str
    digest: str = ""
    complaints: list[str] = field(default_factory=list)
    met: dict[str, int] = field(default_factory=dict)
    links: int = 0
    orders: int = 0
    fills: int = 0
    streams: int = 0
    replies: int = 0
    steps: int = 0
    seconds: float = 0.0
    tail: list[str] = field(default_factory=list)


class Scene:
    """The parts of one run."""

    connection_class = TWSConnection

    def __init__(self, seed: int | str, *, keep_trace: bool = False, storm: list[Play] | None = None) -> None:
        lot = World(seed, faults=CALM).rng("soak")
        faults = None if lot.random() < 0.6 else CALM
        self.world = World(seed, faults=faults, bounds=BOUNDS, keep_trace=keep_trace)
        self.faulty_s = lot.uniform(*FAULTY_S)
        self.options = draw_options(lot)
        scenery = Scenery(SYMBOLS, free_port=7500)
        self.storm = draw_storm(lot, scenery, self.faulty_s) if storm is None else storm
        self.complaints: list[str] = []
        self.program = Domain("program")
        self.is_calm = False
        self.sim: SimulatedTWS
        self.watching: Watching
        self.harbour: Harbour
        self.user: User

    def run(self) -> Outcome:
        """Play it and judge it."""
        callbacks._FAULTS.clear()  # it counts over the life of a process, and a run must repeat
        callbacks._SLOW.clear()
        logger, listener = logging.getLogger("tws"), _Listener(self._log)
        before = logger.level, logger.propagate
        logger.addHandler(listener)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        try:
            self.world.run(self._main())
        except Exception as error:  # a deadlock, a step too many, what a part of it raised
            self.complaints.append(f"the run failed: {error!r}")
        finally:
            logger.removeHandler(listener)
            logger.setLevel(before[0])
            logger.propagate = before[1]
        return self._outcome()

    def _outcome(self) -> Outcome:
        trace, user = self.world.trace, getattr(self, "user", None)
        return Outcome(
            seed=self.world.seed,
            digest=trace.digest,
            complaints=self.complaints,
            met=dict(self.watching.met),
            links=self.world.network.links,
            orders=len(self.watching.arrived),
            fills=len(self.sim.exchange.executions()),
            streams=len(user.streams) if user else 0,
            replies=len(user.replies) if user else 0,
            steps=self.world.loop.steps,
            seconds=self.world.loop.time(),
            tail=trace.lines,
        )

    async def _main(self) -> None:
        world = self.world
        await world.spawn(Domain("tws"), self._open_tws())
        program = world.spawn(self.program, self._live())
        for number, play in enumerate(self.storm):
            await asyncio.sleep(max(0.0, play.at_s - world.loop.time()))
            world.trace.note(f"storm {number}: {play.name} {play.values}")
            self.sim.faults.play(play.name, **play.values)
        await asyncio.sleep(max(0.0, self.faulty_s - world.loop.time()))
        self._calm_down()
        await program
        await asyncio.sleep(LAST_S)
        core = self.sim.core
        left = len(core.sessions) + len(core.abandoned)
        self.complaints += checks.check_leaks(world, self.program, left)
        await self.sim.stop()

    async def _open_tws(self) -> None:
        world = self.world
        options = SimulatorOptions(
            symbols=SYMBOLS,
            seed=world.rng("market").randint(1, 2**31),
            start_ns=world.clock.now_ns(),
            **self.options,
        )
        self.sim = SimulatedTWS(options)
        self.watching = Watching(self.sim, world.trace.note)
        await self.sim.start(listen=False)
        self.harbour = Harbour(self.sim, world.network, ADDRESS, self.watching)
        self.sim.faults.bind(self.harbour)

    def _calm_down(self) -> None:
        """Faults stop, and the human at TWS answers what is open, and logs in anew after a wrong login."""
        self.sim.faults.clear()
        self.sim.answer_dialog(True)
        self.sim.faults.release()
        self.harbour.come_home()
        self.world.heal()
        if self.watching.met["wrong-account"]:
            self.sim.faults.cut()
        self.is_calm = True

    # -- the program

    async def _live(self) -> None:
        world = self.world
        connection = self.connection_class(
            TWSConfig(host=ADDRESS[0], port=ADDRESS[1], client_id=checks.CLIENT),
            guard="off",
            dial=world.network.dial,
            clock=world.clock,
            rng=world.rng("back-off"),
        )
        self.user = User(connection, world.rng("user"), SYMBOLS, world.trace.note, lambda: self.is_calm)
        await self.user.run()
        await self._converge("after the faults stopped", asked=False)
        world.trace.note("the link is cut once more")
        world.network.cut_all()
        await self._converge("after a last cut", asked=True)
        self.complaints += checks.check_streams(self.user, self.sim)
        self.user.close_some()
        await asyncio.sleep(1.0)
        self.complaints += checks.check_served(self.user, self.watching)
        await self.user.finish()
        self.complaints += checks.check_pace(self.watching)
        self.complaints += checks.check_arrivals(self.user, self.watching)
        self.complaints += checks.check_ids(self.user)
        self.complaints += self._unended()

    async def _converge(self, when: str, *, asked: bool) -> None:
        """Wait until all is well, as long as it may take."""
        loop, user = self.world.loop, self.user
        marks = {stream: stream.count for _, stream in user.streams}
        deadline = loop.time() + CALM_S
        while True:
            await asyncio.sleep(0.4 + (1.0 - loop.time() % 1.0))  # between two beats of the market
            found = checks.open_points(
                user.connection, user, marks, self.sim.exchange, self.watching, asked=asked
            )
            if not found:
                self.world.trace.note(f"all is well {when}")
                return
            if loop.time() > deadline:
                self.complaints += [f"{CALM_S:.0f} s {when}: {line}" for line in found]
                return

    def _unended(self) -> list[str]:
        """After the user has hung up every reply and every stream has an end."""
        replies = [f"a reply has no end: {name}" for name, reply in self.user.replies if not reply.done()]
        return replies + [
            f"a stream has no end: {name}" for name, stream in self.user.streams if not stream.closed
        ]

    def _log(self, line: str) -> None:
        """Logs become lines of the trace; one with a traceback is an exception that somebody swallowed."""
        self.world.trace.note(line)
        if "Traceback" in line:
            self.complaints.append(f"swallowed: {line}")


class _Listener(logging.Handler):
    """Hands each line of the package's log on."""

    def __init__(self, take: Any) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(f"{record.levelname}: {record.getMessage()}")


def play(seed: int | str, **options: Any) -> Outcome:
    """One run."""
    return Scene(seed, **options).run()
