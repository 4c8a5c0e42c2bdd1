"""`Hosted`: one strategy in Python within a trader, from its markets to its signals.

    hosted = Hosted(strategy, HostRules(bar_seconds=10), folder)     # folder: the trader's own
    await hosted.open(trader, markets)   # its symbols are followed, its state restored
    signals = hosted.step(now_ns)        # tells it of fills, takes what it wished; never waits
                                         # timed=False: no time went by, so only what is new is looked at
    await hosted.close()                 # on_stop, and the state to the disk

Sessions, bars and quotes come from the run's `Markets`, of which it is a reader; they are immutable. Each has
its own `Stage` (thread) and its own file of state; what one does wrong stays with it. Its signals bear its
name as their model, so that gate, limits, journal and profit know whose they are. What it is told: the
session, the past for its indicators, then `on_start`, fills that came while it was away, and from there on
bars, ticks, fills and signals in the order in which the desk saw them.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.errors import ConfigError
from tws.indicators import Studies
from tws.log import get_logger
from tws.marketdata import BarDone
from tws.model.contract import Contract
from tws.model.market import Quote
from tws.model.order import Role
from tws.model.session import Session
from tws.model.signal import Signal
from tws.positions.book import PositionBook
from tws.positions.holding import Move
from tws.runtime.earnings import Earned, earned, owner_of
from tws.runtime.market import Markets
from tws.runtime.stage import Job, Stage, StageBounds
from tws.runtime.strategystate import StrategyState, read_state, state_file, write_state
from tws.runtime.trader import Trader
from tws.runtime.warming import named
from tws.strategy.base import Fill, Strategy
from tws.strategy.playing import (
    KEPT,
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
"""So long it waits for the past, by the machine's time. A strategy that waits longer trades another day than
it was started for."""
WARM_BARS = 100
"""Bars of the past at least, for indicators that are asked for only in a hook."""
AWAY_S = 86_400
"""How much older than the state a fill may be that was not told: the broker tells those of a day late."""

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
    """One symbol: its contract, and the fills of it that were looked at."""

    contract: Contract
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
        self._followed: dict[str, _Followed] = {}
        self._saved: StrategyState | None = None
        self._saved_ns = 0
        self._open = self._begun = self._closed = False
        self._moves = 0

    @property
    def disabled(self) -> str:
        """Why it plays no more; "" while it does."""
        return self._stage.disabled

    # -- the face

    async def open(self, trader: Trader, markets: Markets) -> None:
        """Have its symbols followed, ask for their past. Raises what asking TWS raises, and DataError for a
        state that can't be restored.
        """
        self._trader, self._markets, now_ns = trader, markets, trader.clock.now_ns()
        ring = trader.bell.ring
        self._stage = Stage(
            self.player, self.rules.bounds, trader.clock, blocked=self.rules.blocked, ring=ring
        )
        self._saved = read_state(self._file, self.player.strategy.state_version)
        self._saved_ns = now_ns
        ticked = type(self.player.strategy).on_tick is not Strategy.on_tick
        count = max(WARM_BARS, Studies(self.player.strategy.studies).settled)
        for symbol in self.symbols:
            await markets.follow(symbol, self.rules.bar_seconds, (), max(KEPT, count))
            self._followed[symbol] = _Followed(markets.instrument(symbol).contract)
            if self.rules.warm:
                markets.want_past(symbol, count)
        self._stage.start()
        if (saved := self._saved) is not None:
            restore = _restoring(self.player, saved)
            self._stage.tell(Job("restore", restore, must=True))
        for symbol in self.symbols:
            if (session := markets.session(symbol, now_ns)) is not None:
                self.on_session(symbol, session, now_ns)
            markets.read(symbol, self, ring=ring if ticked else None)
        self._until_s = trader.clock.monotonic() + WARM_S
        self._open = True

    def step(self, now_ns: int, *, timed: bool = True) -> list[Signal]:
        """One look: fills are told, what was wished is given."""
        if self._begun:
            if timed or self._moves != self._trader.moves:
                self._moves = self._trader.moves
                self._tell_fills(now_ns)
            if now_ns - self._saved_ns >= SAVE_S * NS_PER_S:
                self._saved_ns = now_ns
                self._stage.tell(Job("save", lambda: self._save(now_ns)))
        elif self._is_warm():
            self._begin(now_ns)
        return self._stage.look()

    def hear(self, signal: Signal) -> None:
        """Tell it of a signal of somebody else (`on_signal`)."""
        if self._begun:
            self._stage.tell(Heard(self._trader.clock.now_ns(), signal))

    async def close(self) -> None:
        """End it: fills that it was not told of, `on_stop`, its state. Safe twice, and before `open`."""
        if not self._open or self._closed:
            return
        self._closed = True
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
        if not self._open:
            return f"{self.name} never began"
        made = [
            f"{each.symbol} {each.realized:.2f} {each.currency}"
            + (f", holds {each.quantity} for {each.open_cost:.2f}" if each.quantity else "")
            for each in self.earned()
        ]
        return f"{self.health().line()}; realised {'; '.join(made) or 'nothing'}"

    # -- markets (tws.runtime.market.Reader)

    def on_session(self, symbol: str, session: Session, now_ns: int) -> None:
        self._stage.tell(InSession(now_ns, symbol, session))

    def on_bar(self, done: BarDone, now_ns: int) -> None:
        """Bars of before the beginning are at hand then."""
        if self._begun:
            quote = self._markets.quote(done.symbol)
            self._stage.tell(BarMade(now_ns, done.symbol, done.bar, quote))

    def on_quote(self, quote: Quote, now_ns: int) -> None:
        if self._begun:
            self._stage.tell(Ticked(now_ns, quote.symbol, quote))

    # -- the beginning

    def _is_warm(self) -> bool:
        """Whether the past has come, or was waited for long enough."""
        late = [symbol for symbol in self.symbols if not self._markets.warming.settled(symbol)]
        if late and self._trader.clock.monotonic() < self._until_s:
            return False
        if late:
            log.warning("a strategy begins without a past", strategy=self.name, symbols=named(late),
                        reason=f"it did not come within {WARM_S:g} s")
        return True

    def _begin(self, now_ns: int) -> None:
        self._begun = True
        for symbol, each in self._followed.items():
            each.position = self._trader.position(symbol)
            bars = self._markets.bars(symbol)
            if bars:
                self._stage.tell(Warmed(now_ns, symbol, bars))
        positions = {symbol: each.position for symbol, each in self._followed.items()}
        self._stage.tell(Began(now_ns, positions))
        for symbol in self.symbols:
            if (quote := self._markets.quote(symbol)) is not None:
                self.on_quote(quote, now_ns)
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
