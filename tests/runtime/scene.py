"""A simulated TWS whose market is moved by hand, and traders on it over real sockets.

Whatever a test leaves running ends with it, and no task may be left then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tws import Limits, TWSConfig
from tws.clock import Clock, SystemClock
from tws.desk import Timing
from tws.exchange import Habits
from tws.model.contract import stock
from tws.model.order import Bracket, bracket
from tws.model.records import Record, decode_records
from tws.runtime import Trader, TraderParts
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market import ManualMarket
from tws.simulator.universe import Universe

BOUND_S = 120.0
"""Whoever waits so long waits for ever, however busy the machine is; pytest's own bound comes after it."""
SPEED = 20.0
"""Seconds of a fast market in one of life: fifteen bars, which an ATR wants, are there in a second."""
SPY = stock("SPY")


async def until(true: Callable[[], object], what: str = "") -> None:
    """Return once it is so; fail after `BOUND_S`."""
    try:
        async with asyncio.timeout(BOUND_S):
            while not true():  # noqa: ASYNC110 - what is waited for sets no event
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"did not come: {what or true}")


class MarketClock(SystemClock):
    """The simulator's market time."""

    def __init__(self, simulator: SimulatedTWS) -> None:
        self._simulator = simulator

    def now_ns(self) -> int:
        return self._simulator.now_ns()


class Scene:
    """One simulated TWS, SPY at 99.99 to 100.01, and the traders of a test."""

    def __init__(self, folder: Path, habits: Habits | None = None) -> None:
        self.folder = folder
        self.journal = folder / "journal.sqlite3"
        self.traders: list[Trader] = []
        self.port = 0
        # a hundred orders at once are part of these tests, and the connection keeps no pace of its own yet
        self.sim = SimulatedTWS(
            SimulatorOptions(market=self.market(), limits=SimLimits.off(), habits=habits or Habits())
        )

    def market(self) -> ManualMarket:
        universe = Universe()
        names = ("SPY", "QQQ", "IWM")  # nobody quotes IWM until a test does
        return ManualMarket([universe.add(name) for name in names], SystemClock().now_ns())

    async def open(self) -> None:
        _, self.port = await self.sim.start()
        self.sim.quote("SPY", bid=99.99, ask=100.01)
        self.sim.quote("QQQ", bid=49.99, ask=50.01)

    def clock(self) -> Clock:
        """What a trader goes by."""
        return MarketClock(self.sim)

    def trader(self, *, limits: Limits | None = None, timeout_s: float = BOUND_S, **parts: Any) -> Trader:
        """A trader that has not started."""
        account, client_id = parts.pop("account_id", ""), parts.pop("client_id", 1)
        config = TWSConfig(port=self.port, client_id=client_id, account_id=account, request_timeout=timeout_s,
                           connection_timeout=BOUND_S)
        parts.setdefault("journal", self.journal)
        trader = Trader(config, limits=limits or Limits(stale_quote_s=3600),
                        parts=TraderParts(clock=self.clock(), **parts))
        self.traders.append(trader)
        return trader

    async def started(self, **parts: Any) -> Trader:
        trader = self.trader(**parts)
        await trader.start()
        await trader.quote(SPY)
        return trader

    async def close(self) -> None:
        for trader in self.traders:
            await trader.stop()
        await self.sim.stop()

    def parts(self) -> TraderParts:
        """What a run goes by on this market."""
        return TraderParts(clock=self.clock())

    # -- the broker's side

    def open_refs(self) -> list[str]:
        return sorted(view.ticket.order_ref for view in self.sim.exchange.open_orders())

    def all_refs(self) -> list[str]:
        """Every order that ever reached the broker."""
        ended = self.sim.exchange.completed_orders()
        return sorted([*self.open_refs(), *(done.order.ticket.order_ref for done in ended)])

    def broker_position(self, symbol: str = "SPY") -> int:
        con_id = self.sim.con_id(symbol)
        return int(sum(row.quantity for row in self.sim.exchange.positions() if row.con_id == con_id))


class FastClock:
    """The time of a market that runs faster than life (of a `SystemClock` that would be a sleep's end)."""

    def __init__(self, sim: SimulatedTWS) -> None:
        self.now_ns = sim.now_ns
        self.monotonic = monotonic


class FastScene(Scene):
    """A market that runs `SPEED` times as fast."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        options = SimulatorOptions(market=self.market(), limits=SimLimits.off(), speed=SPEED)
        self.sim = SimulatedTWS(options)

    def parts(self) -> TraderParts:
        return TraderParts(clock=FastClock(self.sim), timing=Timing().scaled(SPEED))


def records_of(trader: Trader) -> list[Record]:
    """What is on disk now."""
    store = trader._life._store
    assert store is not None
    return list(decode_records(store.read()))


def working(quantity: int = 10, symbol: str = "SPY", limit: float = 99.0) -> Bracket:
    """A bracket that waits below the market."""
    return bracket(stock(symbol), "BUY", quantity, limit=limit, target=limit + 3, stop=limit - 3)


def at_market(quantity: int = 10, symbol: str = "SPY", price: float = 100.0) -> Bracket:
    """A bracket that fills at once."""
    return bracket(stock(symbol), "BUY", quantity, target=price + 3, stop=price - 3)
