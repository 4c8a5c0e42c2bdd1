"""One connection and one simulated TWS in a calm world, for a test that plays one thing that the soak found.

async def body(house): ...      # house.connection, house.sim, house.harbour, house.user's clock
in_calm(body)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.soak.scene import ADDRESS, SYMBOLS
from tests.soak.watching import Harbour, Watching

from tws.config import TWSConfig
from tws.connection import TWSConnection
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.world import CALM, Bounds, Domain, World

__all__ = ["House", "in_calm"]

BOUNDS = Bounds(steps=500_000, spin=20_000, time_s=1200.0)


class House:
    """The parts. `until` waits in virtual time for what must come about."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.world = World(1, faults=CALM, bounds=BOUNDS)
        self.sim = SimulatedTWS(
            SimulatorOptions(
                **({"symbols": SYMBOLS, "seed": 5, "start_ns": self.world.clock.now_ns()} | options)
            )
        )
        self.watching = Watching(self.sim, self.world.trace.note)
        self.harbour: Harbour
        self.connection = TWSConnection(
            TWSConfig(host=ADDRESS[0], port=ADDRESS[1], client_id=1),
            guard="off",
            dial=self.world.network.dial,
            clock=self.world.clock,
            rng=self.world.rng("back-off"),
        )

    async def main(self, body: Callable[[House], Awaitable[None]]) -> None:
        await self.world.spawn(Domain("tws"), self._open())
        assert await self.connection.connect()
        await self.connection.wait_ready()
        await body(self)
        self.connection.disconnect()
        await self.connection.wait_closed()
        await self.sim.stop()

    async def _open(self) -> None:
        await self.sim.start(listen=False)
        self.harbour = Harbour(self.sim, self.world.network, ADDRESS, self.watching)
        self.sim.faults.bind(self.harbour)

    async def until(self, condition: Callable[[], object], within_s: float = 60.0) -> None:
        """Wait for it, so many virtual seconds at most."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110  # virtual time: nothing is busy
                await asyncio.sleep(0.01)


def in_calm(body: Callable[[House], Awaitable[None]], **options: Any) -> House:
    """Run it; the house, for what is asked afterwards."""
    house = House(options)
    house.world.run(house.main(body))
    return house
