"""Signals into brackets while a trader runs: from files and from the built-in strategies, by the market's
clock.

Each strategy has its own gate, its own bars and its own symbols. A look (`step`) takes what is new in the
files, feeds completed bars to the strategies, and acts on each signal that its gate lets through: BUY and
SHORT become a bracket, SELL closes what we hold of the symbol. The risk gate has the last word. A wish in a
symbol whose trade still lives, that of an earlier run too, is refused here: scaling in and reversing are not
part of a run yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.config.run import SignalsSection, StrategySection, TradingSection
from tws.config.strategies import PythonStrategySection
from tws.desk import Flatten
from tws.indicators import Atr
from tws.log import get_logger
from tws.marketdata import QuoteBoard
from tws.model.contract import stock
from tws.model.instrument import Instrument
from tws.model.session import Session, parse_hours, session_at
from tws.model.signal import Signal, Wish
from tws.runtime.strategies import Hosted
from tws.runtime.trade import Trade
from tws.runtime.trader import Trader
from tws.signals import FileSignals, FollowedSignals
from tws.strategy import (
    Allocation,
    GateRules,
    MovingAverageCrossover,
    OpeningRangeBreakout,
    Reason,
    Refusal,
    Shares,
    SignalGate,
    SignalSource,
    TradePlan,
    bracket_for,
)

__all__ = ["Fates", "Pilot"]

ATR_BARS = 14
HOURS_AGAIN_S = 3600
"""How often a contract's hours are asked for anew once all that were stated are past."""

log = get_logger("tws.runtime")


class Fates(Struct, kw_only=True):
    """What became of the signals of a run, counted."""

    heard: int = 0
    traded: int = 0
    closed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)


class _Strategy:
    """One strategy: where its signals come from, and how they are traded."""

    def __init__(self, section: TradingSection, folder: Path, hosted: Mapping[str, Hosted]) -> None:
        self.section = section
        self.hosted: Hosted | None = None
        self.source: SignalSource | None = None
        self.feed: FollowedSignals | FileSignals | None = None
        if isinstance(section, SignalsSection):
            path = folder / section.file
            self.feed = FileSignals(path) if path.suffix.lower() == ".csv" else FollowedSignals(path)
            self.name = section.name
        elif isinstance(section, StrategySection):
            kinds = {"breakout": OpeningRangeBreakout, "crossover": MovingAverageCrossover}
            self.source = kinds[section.kind](section.symbols)
            self.name = self.source.name
        elif isinstance(section, PythonStrategySection):
            self.name = section.name or ""
            self.hosted = hosted[self.name]
        self.board = QuoteBoard(bar_seconds=section.bar_seconds)
        self.atr = {symbol: Atr(ATR_BARS) for symbol in section.symbols}
        self.gate = SignalGate(
            GateRules(
                symbols=section.symbols,
                threshold=section.threshold,
                max_age_s=section.max_age_s,
                cooldown_s=section.cooldown_s,
                open_margin_s=section.open_margin_s,
                close_margin_s=section.close_margin_s,
            )
        )

    def plan(self, instrument: Instrument) -> TradePlan:
        """How one of its symbols is traded."""
        section = self.section
        sizing = Allocation(section.allocation) if section.shares is None else Shares(section.shares)
        return TradePlan(
            instrument=instrument,
            sizing=sizing,
            stop_atr=section.stop_atr,
            target_atr=section.target_atr,
            stop_fraction=section.stop_fraction,
            target_fraction=section.target_fraction,
            multiplier=Decimal(instrument.contract.multiplier or 1),
        )


class Pilot:
    """Flies one trader by its sections; `folder` is that of the configuration, for relative paths.

    Raises DataError for a CSV of signals that can't be read.
    """

    def __init__(
        self, trader: Trader, sections: Sequence[TradingSection], folder: Path,
        hosted: Mapping[str, Hosted] | None = None,
    ) -> None:
        self.fates = Fates()
        self._trader = trader
        self._strategies = [_Strategy(section, folder, hosted or {}) for section in sections]
        self._instruments: dict[str, Instrument] = {}
        self._sessions: dict[str, tuple[Session, ...]] = {}
        self._hours_ns: dict[str, int] = {}
        self._live: dict[str, tuple[_Strategy, Trade]] = {}

    async def open(self) -> None:
        """Look every symbol up and follow its market. Raises what asking TWS raises."""
        for strategy in self._strategies:
            for symbol in strategy.section.symbols:
                await self._follow(strategy, symbol)
            if strategy.hosted is not None:
                await strategy.hosted.open(self._trader)

    async def close(self) -> None:
        """Strategies in Python are told of the end and keep their state; safe twice, and before `open`."""
        for strategy in self._strategies:
            if strategy.hosted is not None:
                await strategy.hosted.close()

    async def _follow(self, strategy: _Strategy, symbol: str) -> None:
        trader = self._trader
        details = await trader.details(stock(symbol))
        self._instruments[symbol] = instrument = await trader.instrument(stock(symbol))
        self._sessions[symbol] = parse_hours(details.liquid_hours, details.time_zone_id)
        tick, clock = strategy.board.add(instrument.contract.con_id, symbol).tick, trader.clock
        trader.watchlist.tap(
            instrument.contract.con_id, lambda field, price, size: tick(field, price, size, clock.now_ns())
        )
        trader.watchlist.follow(instrument.contract)

    def session(self, now_ns: int) -> Session | None:
        """The session that holds `now_ns`, or the next, of the first symbol; None when none is stated."""
        return session_at(next(iter(self._sessions.values()), ()), now_ns)

    async def step(self, now_ns: int) -> None:
        """One look. Raises what ended the trader."""
        self._clear_stopped()
        for strategy in self._strategies:
            own = strategy.hosted.step(now_ns) if strategy.hosted is not None else ()
            for signal in [*self._from_file(strategy, now_ns), *self._from_bars(strategy, now_ns), *own]:
                self.fates.heard += 1
                named = replace(signal, model=signal.model or strategy.name)
                await self._act(strategy, named, now_ns)

    def _from_file(self, strategy: _Strategy, now_ns: int) -> Sequence[Signal]:
        feed = strategy.feed
        if isinstance(feed, FollowedSignals):
            for refusal in feed.look(now_ns):
                self.fates.heard += 1
                self._refuse(strategy, refusal)
        return feed.due(now_ns) if feed is not None else ()

    def _from_bars(self, strategy: _Strategy, now_ns: int) -> Sequence[Signal]:
        strategy.board.advance(now_ns)
        signals: list[Signal] = []
        for done in strategy.board.take_bars():
            session = session_at(self._sessions[done.symbol], done.bar.time_ns)
            if session is None:
                continue
            if session.holds(done.bar.time_ns):
                strategy.atr[done.symbol].update(done.bar)
            if strategy.source is not None:
                strategy.source.on_session(done.symbol, session)
                signals += strategy.source.on_bar(done.symbol, done.bar)
        return signals

    async def _act(self, strategy: _Strategy, signal: Signal, now_ns: int) -> None:
        symbol = signal.symbol
        session = await self._session_of(symbol, now_ns)
        if strategy.gate.judge(signal, now_ns, session) is not None:
            self._count(strategy.gate.refusals[-1])
            return
        if signal.wish is Wish.SELL:
            await self._close(signal)
            return
        if self._in_position(symbol):
            self.fates.refused["in position"] += 1
            return
        instrument = self._instruments[symbol]
        quote = strategy.board.quote(instrument.contract.con_id)
        if quote is None:
            self.fates.refused[Reason.NO_QUOTE] += 1
            return
        wish = bracket_for(signal, quote, strategy.atr[symbol].value, strategy.plan(instrument))
        if isinstance(wish, Refusal):
            self._refuse(strategy, wish)
            return
        trade = await self._trader.submit(wish)
        if trade.denial is not None:
            self.fates.denied[trade.denial.limit] += 1
            return
        strategy.gate.entered(symbol, now_ns)
        self._live[symbol] = strategy, trade
        self.fates.traded += 1

    async def _close(self, signal: Signal) -> None:
        """SELL: what we hold long of the symbol is closed, its orders with it; a short is none of SELL's."""
        if self._trader.position(signal.symbol) <= 0:
            self.fates.refused[Reason.NO_ENTRY] += 1
            return
        key = f"signal {signal.model}/{signal.signal_id}"
        await self._trader.ask(Flatten(symbol=signal.symbol, reason=key, key=key))
        self.fates.closed += 1

    def _in_position(self, symbol: str) -> bool:
        """Whether anything of ours lives in the symbol: orders or shares, of this run or an earlier one."""
        return not self._trader.flat(symbol)

    def _clear_stopped(self) -> None:
        """A stop-out ends the cooldown of its symbol."""
        for symbol, (strategy, trade) in list(self._live.items()):
            if trade.over:
                del self._live[symbol]
                if trade.stopped_out:
                    strategy.gate.stopped_out(symbol)

    async def _session_of(self, symbol: str, now_ns: int) -> Session | None:
        sessions = self._sessions.get(symbol, ())
        session = session_at(sessions, now_ns)
        asked_ns = self._hours_ns.get(symbol, 0)
        if session is None and symbol in self._instruments and now_ns - asked_ns >= HOURS_AGAIN_S * NS_PER_S:
            self._hours_ns[symbol] = now_ns
            found = await self._trader.connection.request_contract(self._instruments[symbol].contract)
            self._sessions[symbol] = parse_hours(found.liquid_hours, found.time_zone_id)
            session = session_at(self._sessions[symbol], now_ns)
        return session

    def _refuse(self, strategy: _Strategy, refusal: Refusal) -> None:
        self._count(strategy.gate.keep(refusal))

    def _count(self, refusal: Refusal) -> None:
        self.fates.refused[refusal.reason] += 1
        log.info("signal refused", reason=str(refusal.reason), text=refusal.text)
