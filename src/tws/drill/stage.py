"""Where a moment of the drill is played: a simulated TWS on a socket of this machine, and a real trader.

Two symbols, SPY at 100 and QQQ at 50, whose markets the moment moves by hand. Journal and safety file lie on
disk in a folder of the moment's own. Nothing is taken from what the trader believes without holding it
against the broker's books; what does not hold is a complaint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import structs

from tws.clock import SystemClock
from tws.config import TWSConfig
from tws.desk import KillReport, Verdict
from tws.errors import JournalError, RequestTimeoutError
from tws.exchange import OrderView
from tws.journal import SQLiteStore
from tws.model.contract import stock
from tws.model.order import OrderType, TimeInForce, bracket
from tws.risk import Limits
from tws.runtime import Trader, TraderParts
from tws.safety import SafetyFile
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.hours import Day, day_of
from tws.simulator.market import ManualMarket
from tws.simulator.server import SYNTHETIC_DAY
from tws.simulator.universe import Universe

__all__ = ["OPERATOR", "PATIENCE_S", "PRICES", "BadDisk", "Stage", "the_day"]

PATIENCE_S = 60.0
"""How long a moment waits for what must come; what takes longer has failed. The stop's own bound is the 10 s
of its answer (RISK.md); what is set up before and looked at after may be slow on a machine that is busy.
"""

PRICES = {"SPY": 100.0, "QQQ": 50.0}
OPERATOR = "drill"


class MarketClock(SystemClock):
    """The simulator's market time."""

    def __init__(self, simulator: SimulatedTWS) -> None:
        self._simulator = simulator

    def now_ns(self) -> int:
        return self._simulator.now_ns()


class BadDisk(SQLiteStore):
    """The journal of a trader whose disk is full, or whose database is held locked, from a moment on."""

    full = False
    locked = False

    def commit(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        if self.locked:
            return loop.create_future()  # it waits for the lock, for ever
        if self.full:
            failed: asyncio.Future[None] = loop.create_future()
            failed.set_exception(JournalError(self.path, "full", "the disk is full", "Free space"))
            return failed
        return super().commit()


def the_day() -> Day:
    """A day whose exchange hours are known."""
    day = day_of(SYNTHETIC_DAY)
    assert day is not None
    return day


class Stage:
    """See the module. Use it as an async context manager."""

    def __init__(self, folder: Path, *, start_ns: int | None = None) -> None:
        """`start_ns` begins market time there, within the exchange's hours; None: now, and always open."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.complaints: list[str] = []
        self.notes: list[str] = []
        self.safety = SafetyFile(folder / "safety")
        universe = Universe()
        begins_ns = SystemClock().now_ns() if start_ns is None else start_ns
        market = ManualMarket([universe.add(symbol) for symbol in PRICES], begins_ns)
        options = SimulatorOptions(market=market, start_ns=start_ns)
        if start_ns is not None:
            options = structs.replace(options, hours="exchange")
        self.tws = SimulatedTWS(options)
        self.trader: Trader
        self.port = 0
        self._traders: list[Trader] = []

    async def __aenter__(self) -> Stage:
        _, self.port = await self.tws.start()
        for symbol in PRICES:
            self.quote(symbol)
        return self

    async def __aexit__(self, *_: object) -> None:
        for trader in self._traders:
            await trader.stop()
        await self.tws.stop()
        self.safety.close()

    def quote(self, symbol: str, ask_size: int = 1000) -> None:
        """A market of two cents."""
        price = PRICES[symbol]
        self.tws.quote(symbol, bid=price - 0.01, ask=price + 0.01, ask_size=ask_size)

    async def start(self, name: str = "", safety: SafetyFile | None = None, **parts: Any) -> Trader:
        """Bring a trader up; the first one is the stage's own."""
        config = TWSConfig(port=self.port, client_id=1, request_timeout=PATIENCE_S)
        parts.setdefault("journal", self.folder / f"journal{name}.sqlite3")
        trader = Trader(config, limits=Limits(stale_quote_s=86_400), parts=TraderParts(
            clock=MarketClock(self.tws), safety=safety or self.safety, **parts))
        self._traders.append(trader)
        if len(self._traders) == 1:
            self.trader = trader
        await trader.start()
        return trader

    async def hold(self, symbol: str = "SPY", quantity: int = 100) -> None:
        """A position with its stop and target at the broker, good till they are cancelled."""
        price = PRICES[symbol]
        await self.trader.quote(stock(symbol))
        trade = await self.trader.submit(bracket(
            stock(symbol), "BUY", quantity, stop=round(price * 0.97, 2), target=round(price * 1.03, 2),
            tif=TimeInForce.GTC))
        if trade.denial is not None:
            raise AssertionError(f"the drill's own entry was denied: {trade.denial.reason}")
        await trade.entry_filled(PATIENCE_S)
        await self.until(lambda: len(self.ours(symbol)) == 2, "stop and target at the broker")

    async def wait_entry(self, symbol: str = "QQQ", quantity: int = 50) -> None:
        """An entry that works below the market."""
        price = PRICES[symbol]
        await self.trader.quote(stock(symbol))
        await self.trader.submit(bracket(
            stock(symbol), "BUY", quantity, limit=round(price * 0.98, 2), stop=round(price * 0.95, 2),
            target=round(price * 1.03, 2)))
        await self.until(lambda: len(self.ours(symbol)) == 3, "a working entry at the broker")

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Return once it is so. Raises RequestTimeoutError when it does not come."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not true():  # noqa: ASYNC110 - the broker's books set no event
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise RequestTimeoutError(f"did not come within {PATIENCE_S:g} s: {what}") from None

    # -- the broker's books

    def held(self, symbol: str = "SPY") -> Decimal:
        """What the account holds."""
        con_id = self.tws.con_id(symbol)
        rows = self.tws.exchange.positions()
        return sum((row.quantity for row in rows if row.con_id == con_id), Decimal(0))

    def ours(self, symbol: str = "") -> list[OrderView]:
        """The open orders that carry our reference, on one symbol or on all."""
        con_id = self.tws.con_id(symbol) if symbol else 0
        views = self.tws.exchange.open_orders()
        return [each for each in views if each.ticket.order_ref and con_id in (0, each.con_id)]

    # -- judging

    def check(self, good: object, complaint: str) -> None:
        """Note what does not hold."""
        if not good:
            self.complaints.append(complaint)

    def answered(self, report: KillReport) -> None:
        """The answer that was given, for the drill's own report."""
        self.notes.append(report.sentences()[0])

    def flat(self, report: KillReport, symbols: Sequence[str] = tuple(PRICES)) -> None:
        """FLAT was said, and is so; the latch is on disk."""
        self.answered(report)
        self.check(report.verdict is Verdict.FLAT, f"it answered {report.verdict}: {report.reason}")
        self.is_flat(symbols)
        self.check(self.safety.latched, "no latch is on disk")

    def is_flat(self, symbols: Sequence[str] = tuple(PRICES)) -> None:
        """The broker holds nothing, and no order of ours."""
        for symbol in symbols:
            self.check(self.held(symbol) == 0, f"the broker still holds {self.held(symbol)} {symbol}")
        for view in self.ours():
            self.check(False, f"{view.ticket.order_type} {view.ticket.order_ref} still works at the broker")

    def protected(self, symbol: str, quantity: int) -> None:
        """The shares are held, and a stop of just that size guards them at the broker."""
        self.check(self.held(symbol) == quantity, f"{self.held(symbol)} {symbol} are held, not {quantity}")
        stops = [view for view in self.ours(symbol) if view.ticket.order_type == OrderType.STOP]
        covered = sum((view.remaining for view in stops), Decimal(0))
        self.check(covered == quantity, f"stops for {covered} {symbol} work at the broker, not {quantity}")
