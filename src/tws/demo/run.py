"""The day itself: start everything, let market time run in lock-step, flatten at the close, report.

Before each advance of market time the simulator awaits `_Day._step`: what was sent is read, completed bars
go to the robots, once a market second the desk is told the time, and near the close everything is
flattened, once. Ctrl-C ends the trading early, and so does a file that ends before the close: no signal acts
any more, working orders are cancelled, positions closed, and the report tells what happened so far.
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
from tws.demo.files import check_files
from tws.demo.lockstep import Lockstep, MarketClock
from tws.demo.measure import FLATTEN_BEFORE_S, measure
from tws.demo.options import SYMBOLS, DemoOptions
from tws.demo.reconcile import reconcile
from tws.demo.report import DemoReport, build_results
from tws.demo.robots import Robots
from tws.desk import Flatten
from tws.errors import ConfigError
from tws.journal import SQLiteStore, verify_journal
from tws.marketdata import QuoteBoard
from tws.model.contract import stock
from tws.model.instrument import Instrument
from tws.model.records import decode_record
from tws.model.session import Session, parse_hours, session_at
from tws.runtime import Trader, TraderParts
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.hours import day_of, local_date
from tws.simulator.limits import Limits
from tws.simulator.server import SYNTHETIC_DAY

__all__ = ["Progress", "run_demo"]

WIND_DOWN_S = 5.0
"""Wall seconds that a day which ends early gives its cancels and closes."""


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


async def run_demo(
    options: DemoOptions, on_progress: Callable[[Progress], object] | None = None
) -> DemoReport:
    """Run one day to its end.

    A cancellation of this task (Ctrl-C) while the day runs ends it early and orderly: the report comes,
    with `interrupted` set. Before that it is passed on, and so is a second one.

    Raises DataError for a row that can't be read, ConfigError for a wrong option, and what ended the trader.
    """
    with contextlib.ExitStack() as stack:
        path = options.journal
        if path is None:
            temporary = tempfile.TemporaryDirectory(prefix="tws-demo-", ignore_cleanup_errors=True)
            path = Path(stack.enter_context(temporary)) / "journal.sqlite3"
        elif path.exists():
            raise ConfigError("journal", str(path), "exists already",
                              "A demo writes a new journal: name another file")
        check_files(options.data)
        day = _Day(options, path, on_progress or (lambda progress: None))
        return await day.run()


class _Day:
    """One run. Everything of it lives on one event loop."""

    def __init__(
        self, options: DemoOptions, journal: Path, on_progress: Callable[[Progress], object]
    ) -> None:
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
        self._stopping = False
        self._playing = asyncio.Lock()

    async def run(self) -> DemoReport:
        host, port = await self._simulator.start()
        try:
            self._trader = self._open_trader(host, port)
            self._lockstep = Lockstep(self._simulator, self._trader)
            async with self._trader:
                await self._open_day()
                self._ready_s = time.monotonic() - self._began
                interrupted = await self._trade()
            return self._report(interrupted)
        finally:
            await self._simulator.stop()

    def _market_options(self) -> SimulatorOptions:
        options = self._options
        symbols = options.symbols or (() if options.data else SYMBOLS)
        return SimulatorOptions(
            port=0, seed=options.seed, data=options.data, symbol_map=options.symbol_map, symbols=symbols,
            speed=options.speed, hours="exchange", paused=True, on_step=self._step,
            start_ns=_late_start(options),
            limits=Limits.off(),  # a day in a minute: the robots ask in market time, limits count the loop's
        )

    def _open_trader(self, host: str, port: int) -> Trader:
        parts = TraderParts(clock=MarketClock(self._simulator), store=SQLiteStore(self._journal),
                            prefix=f"d{self._options.seed}", timers=False)
        config = TWSConfig(host=host, port=port, client_id=1)
        return Trader(config, limits=self._options.limits, parts=parts)

    # -- before the open

    async def _open_day(self) -> None:
        """Look every symbol up, take its hours from the broker, follow its market."""
        listings = self._simulator.core.market.listings
        for symbol in self._options.symbols or tuple(listed.symbol for listed in listings):
            await self._follow(symbol)
        self._robots = Robots(self._trader, self._board, self._instruments, self._sessions, self._options)
        self._session = self._session_of_the_day()
        self._first_ns = max(self._session.open_ns, self._simulator.now_ns())
        await self._lockstep.settle()

    async def _follow(self, symbol: str) -> None:
        trader, clock = self._trader, self._simulator
        details = await trader.details(stock(symbol))
        instrument = self._instruments[symbol] = await trader.instrument(stock(symbol))
        self._sessions[symbol] = parse_hours(details.liquid_hours, details.time_zone_id)
        tick = self._board.add(instrument.contract.con_id, symbol).tick
        trader.watchlist.tap(
            instrument.contract.con_id, lambda field, price, size: tick(field, price, size, clock.now_ns())
        )
        trader.watchlist.follow(instrument.contract)

    def _session_of_the_day(self) -> Session:
        """The session on the day with which the market begins."""
        now_ns = self._simulator.now_ns()
        session = session_at(next(iter(self._sessions.values())), now_ns)
        if session is None or local_date(session.open_ns) != local_date(now_ns):
            names = ", ".join(path.name for path in self._options.data)
            raise ConfigError("data", names, f"no session is left on {local_date(now_ns)}, when it begins",
                              "Give a file of a trading day that begins before the close")
        return session

    # -- the day

    async def _trade(self) -> bool:
        """Let market time run until the day is over; whether it was Ctrl-C that ended it."""
        ends = [asyncio.ensure_future(over.wait()) for over in (self._over, self._simulator.over)]
        interrupted = False
        try:
            self._simulator.resume()
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            interrupted = True
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
        finally:
            for end in ends:
                end.cancel()
        self._raise_failure()
        if not self._over.is_set():  # Ctrl-C, or the files ended before the close
            await self._wind_down("Ctrl-C" if interrupted else "end of data")
            self._raise_failure()
        return interrupted

    def _raise_failure(self) -> None:
        failure = self._failure or self._simulator.failure
        if failure is not None:
            raise failure

    async def _step(self) -> None:
        """Called by the simulator before market time moves on."""
        if self._over.is_set():
            return
        try:
            async with self._playing:
                await self._play(self._simulator.now_ns())
            if self._trader.failure is not None:
                raise self._trader.failure
        except Exception as error:  # the simulator's driver must not swallow what ends our day
            self._failure = error
            self._over.set()

    async def _play(self, now_ns: int) -> None:
        """What happens at one instant of the market."""
        second = now_ns // NS_PER_S
        told, self._told_s = self._told_s, second
        if second != told:
            self._trader.tick()
            if now_ns >= self._session.close_ns - FLATTEN_BEFORE_S * NS_PER_S:
                day = f"eod {to_datetime(now_ns):%Y-%m-%d}"
                self._trader.engine.post(Flatten(reason="end of day", key=day))
        await self._lockstep.settle()
        self._board.advance(now_ns)
        if second != told:
            self._robots.clear_stopped()
        if not self._stopping and await self._robots.on_bars(self._board.take_bars(), now_ns):
            await self._lockstep.settle()
        if second != told and second % 60 == 0:
            self._tell(self._progress(now_ns))
        if now_ns >= self._session.close_ns:
            self._simulator.pause()
            self._over.set()

    async def _wind_down(self, reason: str) -> None:
        """No more entries; cancel and close what is ours, while the market still runs if it does."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WIND_DOWN_S):
                async with self._playing:  # a signal that acts just now has its orders before they are closed
                    pass
                await self._trader.flatten(reason=reason, timeout_s=WIND_DOWN_S)
                self._over.set()
                await self._lockstep.settle()
        self._over.set()

    # -- what is told

    def _progress(self, now_ns: int) -> Progress:
        ours, session = self._trader.desk.state.ours, self._session
        holdings = list(ours.holdings.values())
        span = session.close_ns - self._first_ns
        return Progress(
            market_time_ns=now_ns, done=min(1.0, max(0.0, (now_ns - self._first_ns) / span)),
            ticks=self._ticks(), signals=len(self._robots.outcomes),
            trades=sum(1 for outcome in self._robots.outcomes if outcome.trade is not None),
            fills=sum(holding.counted for holding in holdings),
            open_positions=sum(1 for holding in holdings if holding.quantity),
            realized=sum((ours.net_pnl(holding) for holding in holdings), Decimal(0)),
        )

    def _ticks(self) -> int:
        instruments = self._instruments.items()
        return sum(self._board.add(each.contract.con_id, symbol).ticks for symbol, each in instruments)

    def _report(self, interrupted: bool) -> DemoReport:
        """After the trader has stopped: the journal is closed and read back from its file."""
        trader, now_ns = self._trader, self._simulator.now_ns()
        rows: list[bytes] = []
        proof = verify_journal(self._journal, look=lambda row, payload: rows.append(payload))
        records = [decode_record(row, number) for number, row in enumerate(rows, 1)]
        tallies = build_results(trader, self._robots, records)
        files = ", ".join(path.name for path in self._options.data)
        positions = self._simulator.exchange.positions()
        return DemoReport(
            seed=self._options.seed, market=files or f"synthetic day, seed {self._options.seed}",
            day=f"{to_datetime(self._session.open_ns):%Y-%m-%d}", interrupted=interrupted,
            market_seconds=max(0, (now_ns - self._first_ns) // NS_PER_S),
            wall_seconds=time.monotonic() - self._began, ready_seconds=self._ready_s,
            messages=self._ticks(), signals=len(self._robots.outcomes),
            checks=reconcile(self._simulator, trader.desk.state, records),
            flat=trader.flat() and not any(row.quantity for row in positions),
            journal_records=proof.records, head=str(proof.head), fingerprint=_fingerprint(rows),
            measures=measure(trader, records, self._ready_s),
            **structs.asdict(tallies),
        )


def _late_start(options: DemoOptions) -> int | None:
    """Where a synthetic day begins of which only the end is played."""
    day = day_of(SYNTHETIC_DAY)
    if options.last_minutes is None or options.data or day is None:
        return None
    return max(day.open_ns, day.close_ns - options.last_minutes * 60 * NS_PER_S)


def _fingerprint(rows: list[bytes]) -> str:
    """One number for the whole run. The first record names the port, which is any free one: it stays out."""
    return hashlib.sha256(b"\n".join(rows[1:])).hexdigest()
