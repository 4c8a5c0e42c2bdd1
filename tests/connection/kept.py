"""A kept connection on virtual time: a simulated TWS behind a network in memory, hours in a second.

    def test_...():
        house = House(Keep(heartbeat_s=10))
        house.run(scene)                       # async def scene(house): ...

A scene finds the connection open and synchronised. `told` holds each event with its moment; when the scene is
over, the connection is closed and no task of it may be left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tws.clock import SystemClock, to_ns
from tws.config import TWSConfig
from tws.connection import Keep, TWSConnection
from tws.connection.keeping.events import ConnectionEvent, ConnectionState, EventKind
from tws.connection.streaming.streams import QuoteStream
from tws.model.contract import Contract
from tws.model.order import Order, OrderType, Side
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.session import Session
from tws.world import CALM, Faults, World

__all__ = ["CLIENT_ID", "PORT", "SPY", "House", "WallClock", "buy"]

PORT, CLIENT_ID = 7497, 7
SPY = Contract(con_id=756733, symbol="SPY")


def buy(price: str, ref: str = "mine", quantity: int = 10) -> Order:
    """A limit buy under an orderRef."""
    return Order(
        side=Side.BUY,
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(price),
        order_ref=ref,
    )


class WallClock(SystemClock):
    """The machine's clock inside a world: it follows virtual time, and a test may let it jump."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ahead_ns = 0

    def now_ns(self) -> int:
        return self._world.clock.now_ns() + self.ahead_ns

    def monotonic(self) -> float:
        return self._world.loop.time()


class Doors:
    """What the simulator's faults ask of its listening socket, in a network that has none."""

    def __init__(self, house: House) -> None:
        self._house = house

    def listen(self, on: bool) -> None:
        house = self._house
        if on and not house.listener.is_open:
            house.listener = house.world.network.listen("127.0.0.1", PORT, house.sim.protocol_factory)
        elif not on:
            house.listener.close()

    def move(self, port: int, moved: Callable[[int], None]) -> None:
        raise NotImplementedError("no test here moves the port")


class House:
    """World, simulated TWS and connection, from Friday's opening in New York on. `options` are the
    simulator's.
    """

    def __init__(
        self,
        keep: Keep | None = None,
        *,
        seed: int = 1,
        weather: Faults = CALM,
        config: dict[str, Any] | None = None,
        start: datetime = datetime(2025, 10, 10, 13, 30, tzinfo=UTC),
        **options: Any,
    ) -> None:
        self.world = World(seed, faults=weather, start_ns=to_ns(start))
        self.loop = self.world.loop
        self.wall = WallClock(self.world)
        self.keep = keep or Keep()
        self.told: list[tuple[float, ConnectionEvent]] = []
        self._config = TWSConfig(**({"port": PORT, "client_id": CLIENT_ID} | (config or {})))
        self._options = SimulatorOptions(**({"symbols": ("SPY",), "start_ns": to_ns(start)} | options))

    def run(self, scene: Callable[[House], Awaitable[None]]) -> House:
        """Play a scene to its end; what it left running fails the run."""
        self.loop.run(self._play(scene))
        return self

    async def _play(self, scene: Callable[[House], Awaitable[None]]) -> None:
        self.sim = SimulatedTWS(self._options, clock=self.world.clock)
        self.sim.faults.bind(Doors(self))
        await self.sim.start(listen=False)
        self.listener = self.world.network.listen("127.0.0.1", PORT, self.sim.protocol_factory)
        self.connection = TWSConnection(
            self._config,
            guard="off",
            keep=self.keep,
            dial=self.world.network.dial,
            clock=self.wall,
            rng=self.world.rng("back-off"),
        )
        self.connection.on_event(lambda event: self.told.append((self.loop.time(), event)))
        before = asyncio.all_tasks()
        try:
            assert await self.connection.connect()
            await self.connection.wait_ready()
            await scene(self)
        finally:
            self.connection.disconnect()
            await self.connection.wait_closed()
            await asyncio.sleep(0)
            left = [task.get_name() for task in asyncio.all_tasks() - before]
            self.listener.close()
            await self.sim.stop()
        assert not left, f"tasks are left: {left}"
        assert self.connection.state is ConnectionState.CLOSED

    # -- for scenes

    async def until(self, true: Callable[[], object], most_s: float = 600.0, step_s: float = 0.01) -> float:
        """Wait in steps; the moment at which it came true."""
        end_s = self.loop.time() + most_s
        while not true():
            assert self.loop.time() < end_s, f"not within {most_s} virtual seconds: {self.connection.state}"
            await asyncio.sleep(step_s)
        return self.loop.time()

    async def until_session(self, number: int, most_s: float = 600.0) -> float:
        """Wait for a later session that is synchronised."""
        connection = self.connection

        def ready() -> bool:
            return connection.session >= number and connection.state is ConnectionState.READY

        return await self.until(ready, most_s, 0.01 if most_s <= 600 else 1.0)

    async def until_state(self, state: ConnectionState, times: int = 1) -> float:
        """Wait until a state was gone into so often, however short it lasted."""
        return await self.until(lambda: self.states().count(state) >= times)

    async def fed(self, stream: QuoteStream, more: int = 1) -> None:
        """Wait until TWS has fed the stream again."""
        count = stream.count
        await self.until(lambda: stream.count >= count + more)

    def events(self, kind: EventKind) -> list[ConnectionEvent]:
        return [event for _, event in self.told if event.kind is kind]

    def states(self) -> list[ConnectionState]:
        """The states gone through, by their events."""
        return [event.state for event in self.events(EventKind.STATE) if event.state is not None]

    def lines(self, con_id: int = SPY.con_id) -> int:
        """How many market data lines TWS feeds for a contract."""
        return len(self.sim.core.lines.get(con_id, ()))

    @property
    def session(self) -> Session:
        """The one session that TWS has with us."""
        (session,) = self.sim.sessions
        return session
