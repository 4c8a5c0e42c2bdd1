"""A stage for named scenarios: the whole trader and the simulated TWS on virtual time, moved by hand.

Real connection, runtime, desk, journal and simulator in one process, joined by a link in memory. The market
says only what a scenario pushes, the weather is calm but for what it does itself. After each scenario the
journal must rebuild the very state, and no exception may have been swallowed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

from tws.clock import NS_PER_S
from tws.config import TWSConfig
from tws.desk import Adjust, Alert, Desk, DeskState
from tws.desk.standing import Discrepancy
from tws.exchange import Event, OrderTicket
from tws.model.contract import Contract, stock
from tws.model.instrument import Instrument
from tws.model.order import Order, Role, Side, TimeInForce, bracket
from tws.model.records import Inferred, decode_records
from tws.risk import Gate, Limits
from tws.runtime import Trader, TraderParts
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market import ManualMarket
from tws.simulator.universe import Universe, Wanted
from tws.world import CALM, Domain, Faults, World

ADDRESS = ("127.0.0.1", 7497)
NOON_NS = 1_760_112_000 * NS_PER_S  # Friday 2025-10-10 12:00 in New York
EVENING_NS = 1_760_154_600 * NS_PER_S  # the same day, 23:50
SPY = stock("SPY")
DARK = Faults(refuse_rate=1.0)


class Stage:
    """One world. `play` is what happens between the start of the trader and its end."""

    def __init__(self, start_ns: int = NOON_NS, **options: Any) -> None:
        self.world = World(1, faults=CALM, start_ns=start_ns)
        self.disk = self.world.disk("journal")
        self.alerts: list[Alert] = []
        self.swallowed: list[str] = []
        universe = Universe()
        self.securities = [universe.add("SPY"), universe.add("QQQ")]
        self.sim = SimulatedTWS(
            SimulatorOptions(market=ManualMarket(self.securities, start_ns), limits=SimLimits.off(),
                             gateway=True, **options),
            clock=self.world.clock,
        )  # fmt: skip
        self.trader: Trader

    def run(
        self, play: Callable[[Stage], Awaitable[None]], before: Callable[[Stage], None] | None = None
    ) -> None:
        """Play it: `before` happens at the broker before the trader's first start."""
        handler = _Swallowed(self.swallowed)
        logging.getLogger("tws").addHandler(handler)
        try:
            self.world.run(self._main(play, before))
        finally:
            logging.getLogger("tws").removeHandler(handler)
        assert self.swallowed == []

    async def _main(
        self, play: Callable[[Stage], Awaitable[None]], before: Callable[[Stage], None] | None
    ) -> None:
        await self.world.spawn(Domain("tws"), self.sim.start(listen=False))
        self.world.network.listen(*ADDRESS, self.sim.protocol_factory)
        self.quote(100.0)
        self.sim.quote("QQQ", bid=49.99, ask=50.01)
        if before is not None:
            before(self)
        await self.world.spawn(Domain("trader"), self._live(play))
        await self.sim.stop()

    async def _live(self, play: Callable[[Stage], Awaitable[None]]) -> None:
        self.trader = self._trader()
        await self.trader.start()
        await play(self)
        await self.trader.stop()
        assert self.rebuilt() == self.state

    def _trader(self) -> Trader:
        parts = TraderParts(clock=self.world.clock, dial=self.world.network.dial, store=self.disk.open(),
                            prefix="w", rng=self.world.rng("back-off"))  # fmt: skip
        config = TWSConfig(host=ADDRESS[0], port=ADDRESS[1], client_id=1, account_id="DU1234567")
        trader = Trader(config, limits=Limits(stale_quote_s=86_400), parts=parts)
        trader.on_alert(self.alerts.append)
        return trader

    # -- what the trader knows

    @property
    def state(self) -> DeskState:
        return self.trader.desk.state

    def rebuilt(self) -> DeskState:
        desk = Desk(Gate(Limits()))
        desk.recover(decode_records(self.disk.records))
        return desk.state

    def standing(self) -> tuple[Discrepancy, ...]:
        return self.trader.discrepancies()

    def blocking(self) -> list[str]:
        return [str(each.kind) for each in self.standing() if each.blocks]

    def inferred(self) -> list[Inferred]:
        return [record for record in decode_records(self.disk.records) if isinstance(record, Inferred)]

    def ours(self, symbol: str = "SPY") -> Decimal:
        return self.state.ours.quantity(self.state.account, self.con_id(symbol))

    def account(self, symbol: str = "SPY") -> Decimal:
        return self.state.account_book.quantity(self.state.account, self.con_id(symbol))

    def con_id(self, symbol: str) -> int:
        return self.sim.con_id(symbol)

    def put(self, strike: float = 560.0) -> Contract:
        """A put on SPY, listed and quoted."""
        universe = self.sim.core.universe
        wanted = Wanted(symbol="SPY", sec_type="OPT", strike=strike, right="P", exchange="SMART")
        found = universe.find(wanted)[0]
        self.sim.core.listed(found)
        self.sim.quote(found.con_id, bid=1.50, ask=1.51)
        return Contract(con_id=found.con_id, symbol="SPY", sec_type="OPT", multiplier="100", strike=strike,
                        right="P", last_trade_date=found.last_trade_date)  # fmt: skip

    # -- what happens

    async def wait(self, seconds: float) -> None:
        """Time passes; SPY is quoted on, each half minute, so that no quote is old."""
        while seconds > 0:
            await asyncio.sleep(min(seconds, 30.0))
            seconds -= 30.0
            self.quote(self.price)

    def quote(self, price: float) -> None:
        self.price = price
        self.sim.quote("SPY", bid=round(price - 0.01, 2), ask=round(price + 0.01, 2))

    async def enter(self, quantity: int = 100, *, limit: float | None = None) -> Any:
        """Buy, with a stop at 95 and a target at 110."""
        await self.trader.quote(SPY)
        return await self.trader.submit(
            bracket(SPY, "BUY", quantity, limit=limit, stop=95, target=110, tif=TimeInForce.GTC)
        )

    def broker(self, events: Sequence[Event]) -> None:
        """Tell the clients what an input of the exchange led to."""
        self.sim.core.tell(events)

    def by_hand(self, side: str, quantity: int, symbol: str = "SPY") -> None:
        """A human trades in TWS itself."""
        ticket = OrderTicket(client_id=0, order_id=0, account="DU1234567", con_id=self.con_id(symbol),
                             side=Side(side), quantity=Decimal(quantity), order_type="MKT")  # fmt: skip
        self.broker(self.sim.exchange.by_hand.place(ticket, self.sim.now_ns()))

    def go_dark(self) -> None:
        """The link is lost, and no dial gets through until `light`."""
        self.world.network.faults = DARK
        self.world.network.cut_all()

    async def light(self) -> None:
        """The way is open again; returns when everything was asked and answered."""
        self.world.network.faults = CALM
        epoch = self.state.epoch
        for _ in range(120):
            await asyncio.sleep(1.0)
            if self.state.epoch > epoch and self.state.reconciled_epoch == self.state.epoch:
                return
        raise AssertionError("the link did not come back")

    async def adjust(self, quantity: int = 0, **more: Any) -> None:
        """`tws adjust`: what a human tells the desk."""
        contract = more.pop("contract", None) or (await self.trader.instrument(SPY)).contract
        fields: dict[str, Any] = {"operator": "ann", "reason": "the broker's notice"} | more
        await self.trader.ask(Adjust(account="DU1234567", instrument=Instrument(contract=contract),
                                     quantity=Decimal(quantity), **fields))  # fmt: skip

    def stops(self) -> list[Order]:
        """Our stops that work at the broker."""
        living = self.state.book.living()
        return [order.order for order in living if order.role is Role.STOP]

    def stops_at_the_broker(self) -> list[tuple[Decimal, Decimal | None]]:
        stops = [one for one in self.sim.exchange.open_orders() if one.ticket.order_type == "STP"]
        return [(one.remaining, one.ticket.stop_price) for one in stops]


class _Swallowed(logging.Handler):
    """An exception that was logged and swallowed fails the scenario."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if record.exc_info or "Traceback" in line:
            self._found.append(line)
