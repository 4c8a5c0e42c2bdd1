"""`HostedTWS`: a simulated TWS on a thread of its own, with a face for tests of any colour.

A daemon thread runs an event loop, on which one `SimulatedTWS` lives. Each method here runs there and
returns when it is done, so a test that has called `quote` knows that the market stands so. Calls are bounded
by `PATIENCE_S`; they never wait for a client, so a coroutine may make them too.

What the broker knows (`orders`, `executions`, `positions`) is the exchange's own truth, not what some
client was told: a test compares its program with it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tws.clock import SystemClock
from tws.config import TWSConfig
from tws.errors import RequestTimeoutError, SimulationError
from tws.exchange import CompletedOrder, Executed, OrderView
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE

__all__ = ["PATIENCE_S", "HostedTWS"]

T = TypeVar("T")

PATIENCE_S = 10.0
"""How long a call waits for the simulator's thread, and `wait_until` for its condition, unless told."""
POLL_S = 0.005


class HostedTWS:
    """A simulated TWS for tests. Use it as a context manager; `start` and `stop` are the same by hand.

    Keywords are fields of `SimulatorOptions`. Unless they name a market (`market`, `data`, `symbols`, `seed`
    or `speed`), the market is silent: nothing is quoted until `quote`. Raises ConfigError for a wrong option.
    """

    def __init__(self, **options: Any) -> None:
        moving = {"market", "data", "symbols", "symbol_map", "seed", "speed", "start_ns"} & options.keys()
        if not moving:
            options["market"] = ManualMarket(UNIVERSE, SystemClock().now_ns())
        self.options = SimulatorOptions(**options)
        self.options.check()
        self.host = ""
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._simulator: SimulatedTWS | None = None

    # -- life -------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen; `host` and `port` are then known. Raises OSError when the port is taken."""
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="simulated-tws", daemon=True)
        self._thread.start()
        try:
            self.host, self.port = self._run(self._open())
        except BaseException:
            self._end_thread()
            raise
        return self

    async def _open(self) -> tuple[str, int]:
        self._simulator = SimulatedTWS(self.options)
        return await self._simulator.start()

    def stop(self) -> None:
        """Close every session and end the thread. Safe twice.

        Raises what ended the market, if something did: a test must not pass on a broken simulator.
        """
        simulator, self._simulator = self._simulator, None
        if simulator is None or self._loop is None:
            return
        try:
            self._run(simulator.stop())
        finally:
            self._end_thread()
        if simulator.failure is not None:
            raise simulator.failure

    def _end_thread(self) -> None:
        loop, self._loop = self._loop, None
        thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        if not thread.is_alive():
            loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # beside the caller's loop, so that its clients may say goodbye while the simulator closes
        await asyncio.to_thread(self.stop)

    # -- onto the thread --------------------------------------------------------------------------

    def call(self, function: Callable[[SimulatedTWS], T]) -> T:
        """Run a function of the `SimulatedTWS` on its own thread and return what it returns.

        The door to all that has no method here: `tws.call(lambda sim: sim.exchange.positions())`.
        """

        async def run() -> T:
            return function(self._running())

        return self._run(run())

    def _running(self) -> SimulatedTWS:
        if self._simulator is None:
            raise SimulationError("this simulated TWS does not run: use it in a `with`, or call start()")
        return self._simulator

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise SimulationError("this simulated TWS does not run: use it in a `with`, or call start()")
        if threading.current_thread() is self._thread:
            work.close()
            raise SimulationError("call() inside call(): the simulator is at hand there already")
        answer = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return answer.result(PATIENCE_S)
        except TimeoutError:
            answer.cancel()
            raise RequestTimeoutError(f"the simulated TWS did nothing for {PATIENCE_S:.0f} s") from None

    def wait_until(self, true: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
        """Wait (blocking) until `true()` is; for tests of programs that run on threads of their own.

        Raises RequestTimeoutError after `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        while not true():
            if time.monotonic() > deadline:
                raise RequestTimeoutError(f"the condition did not come true within {timeout_s:g} s")
            time.sleep(POLL_S)

    # -- for the program under test ---------------------------------------------------------------

    @property
    def account(self) -> str:
        """The first account."""
        return self.options.accounts[0]

    def config(self, **changes: Any) -> TWSConfig:
        """A `TWSConfig` that leads here; `changes` are further fields of it."""
        return TWSConfig(**{"host": self.host, "port": self.port, "connection_timeout": 5.0, **changes})

    # -- the market -------------------------------------------------------------------------------

    def quote(
        self, symbol: str, *, bid: float, ask: float, bid_size: int = 1000, ask_size: int = 1000
    ) -> None:
        """Set a market: prices in its currency, sizes in lots; price 0 empties a side."""
        self.call(lambda sim: sim.quote(symbol, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size))

    def trade(self, symbol: str, price: float, size: int = 100) -> None:
        """Print a trade. It triggers stops, and fills nothing by itself."""
        self.call(lambda sim: sim.trade(symbol, price, size))

    # -- misbehaviour -----------------------------------------------------------------------------

    def play(self, fault: str, /, **arguments: Any) -> None:
        """Play a fault by its name (docs/design/faults.md), such as `play("cut")`."""
        self.call(lambda sim: sim.faults.play(fault, **arguments))

    def load_faults(self, path: Path) -> None:
        """Play the faults of a file at their times. Raises ConfigError naming file, line and field."""
        self.call(lambda sim: sim.faults.load(path))

    def clear_faults(self) -> None:
        """End every fault that still acts."""
        self.call(lambda sim: sim.faults.clear())

    # -- what the broker knows --------------------------------------------------------------------

    def orders(self) -> tuple[OrderView, ...]:
        """The living orders of all clients, oldest first."""
        return self.call(lambda sim: sim.exchange.open_orders())

    def completed_orders(self) -> tuple[CompletedOrder, ...]:
        """Orders that ended, in the order of their end."""
        return self.call(lambda sim: tuple(sim.exchange.completed_orders()))

    def executions(self) -> tuple[Executed, ...]:
        """Every execution so far, oldest first."""
        return self.call(lambda sim: tuple(report.executed for report in sim.exchange.executions()))

    def position(self, symbol: str, account: str = "") -> Decimal:
        """Signed holding of a symbol in an account (the first unless named); 0 when there is none."""

        def find(sim: SimulatedTWS) -> Decimal:
            row = sim.exchange.position(account or self.account, sim.con_id(symbol))
            return Decimal(0) if row is None else row.quantity

        return self.call(find)

    def sessions(self) -> int:
        """How many clients are connected."""
        return self.call(lambda sim: len(sim.sessions))
