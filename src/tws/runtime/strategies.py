"""`Hosted`: one strategy in Python within a trader, from its markets to its signals.

    hosted = Hosted(strategy, HostRules(bar_seconds=10), folder)     # folder: the trader's own
    await hosted.open(trader)            # contracts, markets, state, warm-up
    signals = hosted.step(now_ns)        # feeds it what happened, takes what it wished; never waits
                                         # timed=False: no time went by, so only what is new is looked at
    await hosted.close()                 # on_stop, and the state to the disk

Each has its own `Feed`, its own `Stage` (thread) and its own file of state; what one does wrong stays with
it. Its signals bear its name as their model, so that gate, limits, journal and profit know whose they are.
What it is told: the session, the past for its indicators, then `on_start`, fills that came while it was away,
and from there on bars, ticks, fills and signals in the order in which the desk saw them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.errors import ConfigError, MissingExtraError, TWSError
from tws.indicators import Studies
from tws.log import get_logger
from tws.marketdata import BarCache, Feed, Series, warm_up
from tws.model.contract import Contract, ContractDetails
from tws.model.market import BAR_SECONDS, Bar
from tws.model.order import Role
from tws.model.session import Session, parse_hours, session_at
from tws.model.signal import Signal
from tws.positions.book import PositionBook
from tws.positions.holding import Move
from tws.runtime.earnings import Earned, earned, owner_of
from tws.runtime.stage import Job, Stage, StageBounds
from tws.runtime.strategystate import StrategyState, read_state, state_file, write_state
from tws.runtime.trader import Trader
from tws.strategy.base import Fill, Strategy
from tws.strategy.playing import (
    BarMade,
    Began,
    Ended,
    Filled,
    Heard,
    InSession,
    Player,
    Positioned,
    Ticked,
    Warmed,
)

__all__ = ["HostHealth", "HostRules", "Hosted"]

SAVE_S = 60
"""A crash costs a strategy a minute of its own thoughts at most; its orders and fills are in the journal."""
WARM_S = 60.0
"""So long the past may take. A strategy that waits longer trades another day than it was started for."""
WARM_BARS = 100
"""Bars of the past at least, for indicators that are asked for only in a hook."""
AWAY_S = 86_400
"""How much older than the state a fill may be that was not told: the broker tells those of a day late."""

_BAR_SIZES = {seconds: name for name, seconds in BAR_SECONDS.items() if seconds <= 3600}

log = get_logger("tws.runtime")


class HostRules(Struct, frozen=True, kw_only=True):
    """`symbols` () are the strategy's own; `warm` whether TWS is asked for the past; `blocked` plays
    on the caller's thread, for virtual time, and tells how many seconds the last task took.
    """

    name: str = ""
    symbols: tuple[str, ...] = ()
    bar_seconds: int = 10
    bounds: StageBounds = StageBounds()
    warm: bool = True
    patience_s: float = 2.0
    blocked: Callable[[], float] | None = None


class HostHealth(Struct, frozen=True, kw_only=True):
    """How a strategy does. `state`: warming up, running, blocked for ... s, disabled: why, stopped."""

    name: str
    state: str
    events: int
    signals: int
    errors: int
    slow: int
    merged: int
    lost: int
    waiting: int
    last_error: str = ""

    def line(self) -> str:
        """One line for a human."""
        words = [f"{self.name} {self.state}: {self.events} events, {self.signals} signals"]
        words += [f"{self.errors} errors, the last: {self.last_error}"] if self.errors else []
        words += [f"blocked {self.slow} times"] if self.slow else []
        words += [f"{self.lost} bars or signals lost"] if self.lost else []
        return ", ".join(words)


class _Followed(Struct):
    """One symbol: its contract, its hours, and the fills of it that were looked at."""

    contract: Contract
    sessions: tuple[Session, ...]
    session: Session | None = None
    position: Decimal = Decimal(0)
    seen: set[str] = set()


class Hosted:
    """Raises ConfigError for a strategy without symbols, or whose `studies` are none."""

    def __init__(self, strategy: Strategy, rules: HostRules, folder: Path) -> None:
        self.player = Player(strategy, name=rules.name, symbols=rules.symbols)
        self.name, self.symbols, self.rules = self.player.name, self.player.symbols, rules
        if not self.symbols:
            cure = 'Write symbols = ("SPY",) into the class, or symbols = ["SPY"] into the configuration'
            raise ConfigError("strategies.symbols", [], f"{self.name} names no symbol", cure)
        self._folder = folder
        self._file = state_file(folder, self.name)
        self._feed = Feed(rules.bar_seconds)
        self._followed: dict[str, _Followed] = {}
        self._saved: StrategyState | None = None
        self._saved_ns = 0
        self._warming: asyncio.Task[None] | None = None
        self._begun = self._closed = False
        self._moves = 0
        self._up = True

    @property
    def disabled(self) -> str:
        """Why it plays no more; "" while it does."""
        return self._stage.disabled

    # -- the face

    async def open(self, trader: Trader) -> None:
        """Look its symbols up, follow their markets, begin to warm up. Raises what asking TWS raises, and
        DataError for a state that can't be restored.
        """
        self._trader, now_ns = trader, trader.clock.now_ns()
        ring, board = trader.bell.ring, self._feed.board
        self._stage = Stage(
            self.player, self.rules.bounds, trader.clock, blocked=self.rules.blocked, ring=ring
        )
        board.on_bar = ring
        if type(self.player.strategy).on_tick is not Strategy.on_tick:
            board.on_move = lambda symbol: ring()
        self._saved = read_state(self._file, self.player.strategy.state_version)
        self._saved_ns = now_ns
        for symbol in self.symbols:
            details = await trader.details(trader.contract(symbol))
            self._follow(symbol, details, now_ns)
        trader.watchlist.on_details(self._learn)
        self._stage.start()
        if (saved := self._saved) is not None:
            restore = _restoring(self.player, saved)
            self._stage.tell(Job("restore", restore, must=True))
        self._tell_sessions(now_ns)
        self._warming = asyncio.create_task(self._warm_all(), name=f"warm-up of {self.name}")

    def step(self, now_ns: int, *, timed: bool = True) -> list[Signal]:
        """One look: what happened is told, what was wished is given."""
        self._keep_up(now_ns)
        if timed:
            self._tell_sessions(now_ns)
        self._tell_bars(now_ns)
        if self._begun:
            if timed or self._moves != self._trader.moves:
                self._moves = self._trader.moves
                self._tell_fills(now_ns)
            self._tell_ticks(now_ns)
            if now_ns - self._saved_ns >= SAVE_S * NS_PER_S:
                self._saved_ns = now_ns
                self._stage.tell(Job("save", lambda: self._save(now_ns)))
        elif self._warming is not None and self._warming.done():
            self._begin(now_ns)
        return self._stage.look()

    def hear(self, signal: Signal) -> None:
        """Tell it of a signal of somebody else (`on_signal`)."""
        if self._begun:
            self._stage.tell(Heard(self._trader.clock.now_ns(), signal))

    async def close(self) -> None:
        """End it: fills that it was not told of, `on_stop`, its state. Safe twice, and before `open`."""
        if self._warming is None or self._closed:
            return
        self._closed = True
        self._warming.cancel()
        await asyncio.gather(self._warming, return_exceptions=True)
        now_ns = self._trader.clock.now_ns()
        last: list[Any] = []
        if self._begun:
            self._tell_fills(now_ns)
            last = [Ended(now_ns), Job("save", lambda: self._save(now_ns))]
        await self._stage.stop(last, self.rules.patience_s)

    def health(self) -> HostHealth:
        """How it does, now."""
        stage, busy_s = self._stage, self._stage.busy_s
        state = "running" if self._begun else "warming up"
        if busy_s > self.rules.bounds.warn_s:
            state = f"blocked for {busy_s:.0f} s"
        if stage.disabled:
            state = f"disabled: {stage.disabled}"
        elif self._closed:
            state = "stopped"
        return HostHealth(
            name=self.name, state=state, events=stage.events, signals=stage.signals, errors=stage.errors,
            slow=stage.slow, merged=stage.merged, lost=stage.lost, waiting=stage.waiting,
            last_error=stage.last_error,
        )

    def earned(self) -> list[Earned]:
        """What it has made, contract by contract, since the journal began."""
        return earned(self._trader.desk.state, self.name)

    def line(self) -> str:
        """How it did and what it made, in one line."""
        if self._warming is None:
            return f"{self.name} never began"
        made = [
            f"{each.symbol} {each.realized:.2f} {each.currency}"
            + (f", holds {each.quantity} for {each.open_cost:.2f}" if each.quantity else "")
            for each in self.earned()
        ]
        return f"{self.health().line()}; realised {'; '.join(made) or 'nothing'}"

    # -- markets

    def _follow(self, symbol: str, details: ContractDetails, now_ns: int) -> None:
        contract, clock = details.contract, self._trader.clock
        tick = self._feed.add(contract.con_id, symbol, (), now_ns).tick
        self._trader.watchlist.tap(
            contract.con_id, lambda field, price, size: tick(field, price, size, clock.now_ns())
        )
        self._trader.watchlist.follow(contract)
        sessions = parse_hours(details.liquid_hours, details.time_zone_id)
        self._followed[symbol] = _Followed(contract, sessions)

    def _learn(self, details: ContractDetails) -> None:
        """Hours that were stated anew."""
        for each in self._followed.values():
            if each.contract.con_id == details.contract.con_id:
                each.sessions = parse_hours(details.liquid_hours, details.time_zone_id)

    def _tell_sessions(self, now_ns: int) -> None:
        for symbol, each in self._followed.items():
            session = session_at(each.sessions, now_ns)
            if session is not None and session != each.session:
                each.session = session
                self._feed.on_session(each.contract.con_id, session)
                self._stage.tell(InSession(now_ns, symbol, session))

    def _keep_up(self, now_ns: int) -> None:
        """While the link is lost no bar is whole."""
        up = self._trader.desk.state.link_up
        if up is not self._up:
            self._up = up
            if up:
                self._feed.board.resume(now_ns)
            else:
                self._feed.board.interrupt("the link is lost", now_ns)

    def _tell_bars(self, now_ns: int) -> None:
        for done in self._feed.step(now_ns):
            if self._begun:
                quote = self._feed.board.quote(done.con_id)
                self._stage.tell(BarMade(now_ns, done.symbol, done.bar, quote))
            else:
                self._stage.tell(Warmed(now_ns, done.symbol, (done.bar,)))

    def _tell_ticks(self, now_ns: int) -> None:
        for quote in self._feed.board.take():
            self._stage.tell(Ticked(now_ns, quote.symbol, quote))

    # -- the beginning

    async def _warm_all(self) -> None:
        results = await asyncio.gather(
            *(self._warm(symbol, each.contract) for symbol, each in self._followed.items()),
            return_exceptions=True,
        )
        for symbol, wrong in zip(self._followed, results, strict=True):
            if isinstance(wrong, Exception):
                log.error("a warm-up failed", strategy=self.name, symbol=symbol, reason=repr(wrong))

    async def _warm(self, symbol: str, contract: Contract) -> None:
        """Give the indicators the past; where there is none to be had, begin without, and say so."""
        feed, clock, why = self._feed, self._trader.clock, ""
        studies, seam = feed.studies(contract.con_id), feed.seam(contract.con_id)
        size = _BAR_SIZES.get(self.rules.bar_seconds)
        if not self.rules.warm:
            why = "not asked for"
        elif size is None:
            why = f"TWS has no bars of {self.rules.bar_seconds} s"
        else:
            count = max(WARM_BARS, Studies(self.player.strategy.studies).settled)
            try:
                cache = BarCache(self._folder / "bars", self._trader.connection)
                async with asyncio.timeout(WARM_S):
                    await warm_up(cache, Series(contract=contract, bar_size=size), studies, seam,
                                  clock.now_ns, count=count)
            except (TWSError, MissingExtraError, TimeoutError, OSError, ValueError) as wrong:
                why = str(wrong) or type(wrong).__name__
        if not seam.joined:
            if self.rules.warm:
                log.warning("indicators begin without a past", strategy=self.name, symbol=symbol, reason=why)
            for bar in seam.past([], seam.first_ns):
                studies.update(bar)
        bars = _kept(studies)
        if bars:
            self._stage.tell(Warmed(clock.now_ns(), symbol, bars))

    def _begin(self, now_ns: int) -> None:
        self._begun = True
        for symbol, each in self._followed.items():
            each.position = self._trader.position(symbol)
        positions = {symbol: each.position for symbol, each in self._followed.items()}
        self._stage.tell(Began(now_ns, positions))
        self._tell_ticks(now_ns)
        since_ns = now_ns if self._saved is None else self._saved.saved_ns - AWAY_S * NS_PER_S
        for each in self._followed.values():  # what is older was told, or is none of this strategy's life
            fills = self._fills_of(each.contract)
            each.seen = {name for name, move in fills.items() if move.time_ns < since_ns}

    # -- fills

    def _fills_of(self, contract: Contract) -> dict[str, Move]:
        """All fills of ours of a contract, in the order in which they were heard."""
        state = self._trader.desk.state
        holding = state.ours.holdings.get(PositionBook.key(state.account, contract.con_id))
        return {} if holding is None else holding.fills

    def _tell_fills(self, now_ns: int) -> None:
        for symbol, each in self._followed.items():
            fills = self._fills_of(each.contract)
            if len(fills) == len(each.seen) and (not fills or next(reversed(fills)) in each.seen):
                continue
            for name, move in fills.items():
                if name not in each.seen:
                    self._tell_fill(symbol, name, move, now_ns)
            each.seen = set(fills)  # a fill that was taken back is forgotten
        for symbol, each in self._followed.items():
            position = self._trader.position(symbol)
            if position != each.position:
                each.position = position
                self._stage.tell(Positioned(now_ns, symbol, position))

    def _tell_fill(self, symbol: str, name: str, move: Move, now_ns: int) -> None:
        order, strategy = owner_of(self._trader.desk.state, move.owner)
        if strategy not in ("", self.name):
            return
        fill = Fill(
            symbol=symbol,
            quantity=move.quantity,
            price=move.price,
            time_ns=move.time_ns,
            role=order.role if order is not None else Role.CLOSE,
            position=move.left.quantity,
            fill_id=name,
        )
        self._stage.tell(Filled(now_ns, fill))

    # -- state, on the strategy's own thread

    def _save(self, now_ns: int) -> None:
        state = StrategyState(
            version=self.player.strategy.state_version,
            strategy=self.name,
            saved_ns=now_ns,
            told=list(self.player.told),
            value=self.player.save(),
        )
        write_state(self._file, state)


def _restoring(player: Player, saved: StrategyState) -> Callable[[], object]:
    return lambda: player.restore(saved.value, saved.told)


def _kept(studies: Studies) -> tuple[Bar, ...]:
    """The bars that are at hand, oldest first."""
    bars: list[Bar] = []
    while (bar := studies.bar(len(bars))) is not None:
        bars.append(bar)
    return tuple(reversed(bars))
