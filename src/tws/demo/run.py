"""The day itself: start everything, let market time run in lock-step, flatten at the close, report.

Before each advance of market time the simulator awaits `_Day.step`: what was sent is read, completed bars go
to the robots, once a market second the desk is told the time, and near the close everything is flattened,
once. Ctrl-C ends the trading early: working orders are cancelled, positions closed, and the report tells
what happened so far.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from msgspec import Struct, structs

from tws.clock import NS_PER_S, to_datetime
from tws.config import TWSConfig
from tws.demo.lockstep import Lockstep, MarketClock
from tws.demo.options import SYMBOLS, DemoOptions
from tws.demo.reconcile import reconcile
from tws.demo.report import DemoReport, build_results
from tws.demo.robots import Robots
from tws.desk import Flatten
from tws.errors import ConfigError
from tws.journal import SQLiteStore, read_journal
from tws.marketdata import QuoteBoard
from tws.model.contract import stock
from tws.model.instrument import Instrument
from tws.model.records import decode_record
from tws.model.session import Session, parse_hours, session_at
from tws.runtime import Trader, TraderParts
from tws.simulator import SimulatedTWS, SimulatorOptions

__all__ = ["Progress", "run_demo"]

FLATTEN_BEFORE_S = 60
"""Market seconds before the close at which the day is flattened (AUTOMATION.md: in the last minute)."""

WIND_DOWN_S = 5.0
"""Wall seconds that an interrupted demo gives its cancels and closes."""


class Progress(Struct, frozen=True, kw_only=True):
    """Where the day stands, for whoever watches. `done` runs from 0 to 1; money in dollars."""

    market_time_ns: int
    done: float
    ticks: int
    signals: int
    trades: int
    fills: int
    open_positions: int
    realized: Decimal


async def run_demo(options: DemoOptions, on_progress: Callable[[Progress], object] | None = None) -> DemoReport:
    """Run one day to its end. Raises DataError for an unreadable file, ConfigError for a wrong option."""
    with contextlib.ExitStack() as stack:
        path = options.journal
        if path is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tws-demo-", ignore_cleanup_errors=True))
            path = Path(folder) / "journal.sqlite3"
        elif path.exists():
            raise ConfigError("journal", str(path), "exists already", "A demo writes a new one: name another file")
        day = _Day(options, path, on_progress or (lambda progress: None))
        return await day.run()


class _Day:
    """One run. Everything of it lives on one event loop."""

    def __init__(self, options: DemoOptions, journal: Path, on_progress: Callable[[Progress], object]) -> None:
        self._options = options
        self._journal = journal
        self._tell = on_progress
        self._began = time.monotonic()
        self._ready_s = 0.0
        self._simulator = SimulatedTWS(self._market_options())
        self._board = QuoteBoard(bar_seconds=10)
        self._instruments: dict[str, Instrument] = {}
        self._sessions: dict[str, tuple[Session, ...]] = {}
        self._over = asyncio.Event()
        self._failure: BaseException | None = None
        self._told_s = 0
        self._trader: Trader | None = None
        self._stopping = False

    async def run(self) -> DemoReport:
        host, port = await self._simulator.start()
        interrupted = False
        try:
            self._open_trader(host, port)
            async with self._desk:
                await self._open_day()
                self._ready_s = time.monotonic() - self._began
                try:
                    self._simulator.resume()
                    await self._over.wait()
                except asyncio.CancelledError:
                    interrupted = True
                    current = asyncio.current_task()
                    if current is not None:
                        current.uncancel()
                    await self._wind_down()
                if self._failure is not None:
                    raise self._failure
            return self._report(interrupted)
        finally:
            await self._simulator.stop()

    @property
    def _desk(self) -> Trader:
        if self._trader is None:
            raise RuntimeError("the trader is not built yet")
        return self._trader

    def _market_options(self) -> SimulatorOptions:
        options = self._options
        symbols = options.symbols or (() if options.data else SYMBOLS)
        return SimulatorOptions(
            port=0, seed=options.seed, data=options.data, symbol_map=options.symbol_map, symbols=symbols,
            speed=options.speed, hours="exchange", paused=True, on_step=self._step,
        )

    def _open_trader(self, host: str, port: int) -> None:
        self._store = SQLiteStore(self._journal)
        parts = TraderParts(
            clock=MarketClock(self._simulator), store=self._store,
            prefix=f"d{self._options.seed}", timers=False,
        )
        config = TWSConfig(host=host, port=port, client_id=1)
        self._trader = Trader(config, limits=self._options.limits, parts=parts)
        self._lockstep = Lockstep(self._simulator, self._trader)

    async def _open_day(self) -> None:
        """Look every symbol up, take its hours from the broker, follow its market."""
        trader, clock = self._desk, self._simulator
        for symbol in self._options.symbols or tuple(s.symbol for s in self._simulator.core.market.listings):
            details = await trader.details(stock(symbol))
            instrument = self._instruments[symbol] = await trader.instrument(stock(symbol))
            self._sessions[symbol] = parse_hours(details.liquid_hours, details.time_zone_id)
            line = self._board.add(instrument.contract.con_id, symbol)
            trader.watchlist.tap(
                instrument.contract.con_id,
                lambda field, price, size, line=line: line.tick(field, price, size, clock.now_ns()),  # type: ignore[misc]
            )
            trader.watchlist.follow(instrument.contract)
        self._robots = Robots(trader, self._board, self._instruments, self._sessions, self._options)
        first = next(iter(self._sessions.values()))
        session = session_at(first, clock.now_ns())
        if session is None:
            raise ConfigError("data", "", "no session of the exchange lies in it", "Give a file of a trading day")
        self._session = session
        await self._lockstep.settle()

    async def _step(self) -> None:
        """Called by the simulator before market time moves on."""
        if self._over.is_set():
            return
        try:
            await self._lockstep.settle()
            if not self._stopping:
                await self._play(self._simulator.now_ns())
            if self._desk.failure is not None:
                raise self._desk.failure
        except Exception as error:  # the simulator's driver must not swallow what ends our day
            self._failure = error
            self._over.set()

    async def _play(self, now_ns: int) -> None:
        self._board.advance(now_ns)
        await self._robots.on_bars(self._board.take_bars(), now_ns)
        second = now_ns // NS_PER_S
        if second != self._told_s:
            self._told_s = second
            self._robots.clear_stopped()
            self._desk.tick()
            if now_ns >= self._session.close_ns - FLATTEN_BEFORE_S * NS_PER_S:
                self._desk.engine.post(Flatten(reason="end of day", key=f"eod {to_datetime(now_ns):%Y-%m-%d}"))
            if second % 60 == 0:
                self._tell(self._progress(now_ns))
        await self._lockstep.settle()
        if now_ns >= self._session.close_ns or self._simulator.over.is_set():
            self._over.set()

    async def _wind_down(self) -> None:
        """Ctrl-C: no more entries; cancel and close what is ours, while the market still runs."""
        self._stopping = True
        await self._desk.cancel_all(reason="Ctrl-C")
        await self._desk.flatten(reason="Ctrl-C", timeout_s=WIND_DOWN_S)
        self._over.set()

    def _progress(self, now_ns: int) -> Progress:
        state, session = self._desk.desk.state, self._session
        holdings = list(state.ours.holdings.values())
        span = session.close_ns - session.open_ns
        return Progress(
            market_time_ns=now_ns, done=min(1.0, max(0.0, (now_ns - session.open_ns) / span)),
            ticks=self._ticks(), signals=len(self._robots.outcomes),
            trades=sum(1 for outcome in self._robots.outcomes if outcome.trade is not None),
            fills=sum(len(holding.fills) for holding in holdings),
            open_positions=sum(1 for holding in holdings if holding.quantity),
            realized=sum((state.ours.net_pnl(holding) for holding in holdings), Decimal(0)),
        )

    def _ticks(self) -> int:
        return sum(self._board.add(i.contract.con_id, symbol).ticks for symbol, i in self._instruments.items())

    def _report(self, interrupted: bool) -> DemoReport:
        """After the trader has stopped: the journal is closed and read back from its file."""
        trader, now_ns = self._desk, self._simulator.now_ns()
        rows = list(read_journal(self._journal))
        records = [decode_record(row, number) for number, row in enumerate(rows, 1)]
        tallies = build_results(trader, self._robots, records)
        files = ", ".join(path.name for path in self._options.data)
        return DemoReport(
            seed=self._options.seed, market=files or f"synthetic day, seed {self._options.seed}",
            day=f"{to_datetime(self._session.open_ns):%Y-%m-%d}", interrupted=interrupted,
            market_seconds=max(0, (now_ns - self._session.open_ns) // NS_PER_S),
            wall_seconds=time.monotonic() - self._began, ready_seconds=self._ready_s, messages=self._ticks(),
            signals=len(self._robots.outcomes), checks=reconcile(self._simulator, trader.desk.state, records),
            flat=trader.flat() and not any(row.quantity for row in self._simulator.exchange.positions()),
            journal_records=len(rows), fingerprint=_fingerprint(rows), **structs.asdict(tallies),
        )


def _fingerprint(rows: list[bytes]) -> str:
    """One number for the whole run. The first record names the port, which is any free one, so it stays out."""
    return hashlib.sha256(b"\n".join(rows[1:])).hexdigest()
