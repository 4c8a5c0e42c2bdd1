"""One simulated world: virtual loop, clock, network, disk and trace, all from one seed.

It knows nothing of the connection or the simulator, which meet in it only as protocol factories and
as a `dial`. Each part draws from a stream of chance of its own, named after it, so that a new draw in
one does not shift those of all others.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tws.clock import NS_PER_S
from tws.errors import SimulationError
from tws.world.domain import Domain
from tws.world.faults import CALM, Faults
from tws.world.loop import BOUNDS, Bounds, VirtualLoop
from tws.world.network import Network
from tws.world.store import Disk, DiskFaults
from tws.world.trace import Trace

__all__ = ["World", "WorldClock"]

_T = TypeVar("_T")
_START_NS = 1_760_103_000 * NS_PER_S  # Friday 2025-10-10 13:30 UTC, the opening in New York


class WorldClock:
    """`tws.clock.Clock` on virtual time: both of its hands follow the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start_ns: int = _START_NS) -> None:
        self._loop = loop
        self._start_ns = start_ns

    def now_ns(self) -> int:
        """Nanoseconds UTC: the start plus the loop's time."""
        return self._start_ns + round(self._loop.time() * NS_PER_S)

    def monotonic(self) -> float:
        """The loop's time."""
        return self._loop.time()


class World:
    """A world by its `seed`. `faults` None: drawn by the seed.

    `ties` draws the order of equal deadlines; `bounds` say when a run counts as stuck.
    """

    def __init__(
        self,
        seed: int | str,
        *,
        faults: Faults | None = None,
        start_ns: int = _START_NS,
        keep_trace: bool = False,
        ties: bool = True,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self.seed = seed
        self.loop = VirtualLoop(ties=self.rng("ties") if ties else None, bounds=bounds)
        self.trace = Trace(self.loop.time, keep_all=keep_trace)
        self.loop.on_step = self.trace.step
        self.clock = WorldClock(self.loop, start_ns)
        drawn = Faults.draw(self.rng("faults")) if faults is None else faults
        self.network = Network(self.loop, self.rng("network"), drawn, self.trace)
        self._disks: list[Disk] = []
        self.trace.note(f"world {seed} with {drawn}")

    def rng(self, name: str) -> random.Random:
        """A stream of chance for the part `name`, the same in every run of this seed."""
        return random.Random(f"{self.seed}/{name}")  # a text seeds by SHA-512, whatever PYTHONHASHSEED says

    def disk(self, name: str = "disk", faults: DiskFaults | None = None) -> Disk:
        """A new disk."""
        disk = Disk(self.loop, self.rng(name), faults, self.trace)
        self._disks.append(disk)
        return disk

    def spawn(self, domain: Domain, main: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Start `main` as a task of `domain`."""
        task: asyncio.Task[_T] = self.loop.create_task(main, name=domain.name, context=domain.context.copy())
        return task

    def crash(self, domain: Domain) -> None:
        """Kill a domain as kill -9 does: links and stores turn inert first, then nothing of it runs again."""
        if not domain.alive:
            raise SimulationError(f"{domain} is dead already")
        self.trace.note(f"crash of {domain.name}")
        self.network.kill(domain)
        for disk in self._disks:
            if disk.store is not None and disk.store.domain is domain:
                disk.crash()
        self.loop.kill(domain)

    def crash_after(self, domain: Domain, callbacks: int) -> asyncio.Future[None]:
        """Kill a domain once so many more of its callbacks have run, at an await; done when it is dead."""
        return self._after(domain, callbacks, self.crash)

    def sleep_after(self, domain: Domain, callbacks: int) -> asyncio.Future[None]:
        """Let a domain sleep once so many more of its callbacks have run, at an await; done when it sleeps.

        Its links stand, as a kernel keeps them: what it wrote arrives, what comes waits for it, and beyond
        the window its peers wait too. `wake` lets it go on.
        """

        def sleep(domain: Domain) -> None:
            self.trace.note(f"{domain.name} sleeps")
            domain.asleep = True

        return self._after(domain, callbacks, sleep)

    def wake(self, domain: Domain) -> None:
        """Let a domain that sleeps go on."""
        self.trace.note(f"{domain.name} wakes with {len(domain.held)} callbacks due")
        self.loop.wake(domain)

    def _after(
        self, domain: Domain, callbacks: int, strike: Callable[[Domain], None]
    ) -> asyncio.Future[None]:
        done: asyncio.Future[None] = self.loop.create_future()

        def blown() -> None:
            strike(domain)
            if not done.done():
                done.set_result(None)

        domain.blown, domain.fuse = blown, callbacks
        return done

    def heal(self) -> None:
        """Faults of network and disks stop: from now on the system must converge."""
        self.trace.note("faults stop")
        self.network.faults = CALM
        for disk in self._disks:
            disk.faults = DiskFaults()

    def run(self, main: Coroutine[Any, Any, _T]) -> _T:
        """Run the world to the end of `main`. Raises SimulationError for a run that went wrong."""
        return self.loop.run(main)
