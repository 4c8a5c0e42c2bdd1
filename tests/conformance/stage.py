"""The simulated TWS that every client meets, and its truth.

All clients see the same market to the tick: it begins at the same instant of market time, says nothing by
itself, and moves only when a scenario quotes or prints. Market time runs `SPEED` times as fast as the
wall's, so that five-second bars and expiring orders take no patience. What the broker knows is asked of the
exchange, not of the wire.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE, Security, Universe

__all__ = ["ACCOUNT", "ACCOUNTS", "SPEED", "START", "Stage"]

SPEED = 5.0
START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
"""A Monday, 10:00 in New York."""
NS_PER_S = 1_000_000_000
UNPACED = Limits(messages_per_s=None)
"""Clients that pace nothing by themselves send more than fifty messages a second here; that this ends their
session is tried in tests/simulator."""
ACCOUNT = "DU1234567"
ACCOUNTS = (ACCOUNT, "DU7654321")


class Manual(ManualMarket):
    """A market by hand that has a past: the simulator invents the days before, the same for every client."""

    universe: Universe | None = None

    def opening(self, con_id: int) -> float | None:
        return self._price(con_id)

    def previous_close(self, con_id: int) -> float | None:
        return self._price(con_id)

    def _price(self, con_id: int) -> float | None:
        known = next((one for one in self.listings if one.con_id == con_id), None)
        if known is None and self.universe is not None:
            known = self.universe.get(con_id)
        return None if known is None else known.price


class Stage:
    """One simulated TWS for one client."""

    def __init__(self, **options: Any) -> None:
        start_ns = int(START.timestamp()) * NS_PER_S
        market = Manual(UNIVERSE, start_ns)
        given = {"accounts": ACCOUNTS, "market": market, "speed": SPEED, "limits": UNPACED} | options
        self.sim = SimulatedTWS(SimulatorOptions(**given))
        market.universe = self.sim.core.universe
        self.port = 0

    async def start(self) -> None:
        _, self.port = await self.sim.start()
        for security in UNIVERSE:
            if security.sec_type == "STK":
                step = float(security.tick)
                self.quote(security.symbol, security.price, security.price + 2 * step)

    async def stop(self) -> None:
        await self.sim.stop()

    @property
    def exchange(self) -> Any:
        return self.sim.exchange

    @property
    def universe(self) -> Any:
        return self.sim.core.universe

    def now_s(self) -> float:
        """Market time, epoch seconds."""
        return self.sim.now_ns() / NS_PER_S

    # -- the market -------------------------------------------------------------------------------

    def security(self, name: str | int) -> Security:
        """By symbol (a stock) or conId."""
        found = self.universe.get(name) if isinstance(name, int) else self.universe.symbol(name)
        assert found is not None, f"the universe has no {name}"
        return found

    def quote(
        self, name: str | int, bid: float, ask: float, bid_size: int = 1000, ask_size: int = 1000
    ) -> None:
        """The market is now this."""
        self.sim.quote(name, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)

    def trade(self, name: str | int, price: float, size: int = 100) -> None:
        """A print."""
        self.sim.trade(name, price, size)

    # -- what the broker knows --------------------------------------------------------------------

    def order(self, order_id: int, client_id: int) -> Any:
        """The order as it stands or ended, None when there is none."""
        for view in self.exchange.open_orders():
            if (view.order_id, view.client_id) == (order_id, client_id):
                return view
        for done in self.exchange.completed_orders():
            if (done.order.order_id, done.order.client_id) == (order_id, client_id):
                return done.order
        return None

    def executions(self, order_id: int, client_id: int) -> list[Any]:
        """ExecutionReports of an order."""
        return [
            row
            for row in self.exchange.executions()
            if (row.executed.order_id, row.executed.client_id) == (order_id, client_id)
        ]

    def positions(self, account: str = ACCOUNT) -> dict[int, Any]:
        """Open positions by conId."""
        return {row.con_id: row for row in self.exchange.positions(account) if row.quantity}

    def value(self, key: str, account: str = ACCOUNT) -> float:
        """An account value of the base currency."""
        for row in self.exchange.account_values(account):
            if row.key == key and row.currency in ("USD", "BASE", ""):
                return float(row.value)
        raise AssertionError(f"the broker has no {key}")
