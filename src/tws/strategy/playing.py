"""`Player`: tells a strategy its events one after the other, and gives what it wishes. Pure.

    player = Player(strategy, name="momentum")
    player.restore(value)                                # before `Began`, where there is a state
    for event in (Began(...), BarMade(...), Filled(...), Ended(...)):
        signals = player.play(event)                     # raises what the hook raised

The player keeps what the strategy may ask for: quotes, positions, and for each symbol the bars with their
indicators. An indicator that is asked for the first time is fed with the bars that are kept, so that it is
known at once. What an event changes here it changes before the hook runs and whatever the hook does, so a
hook that raises loses no bar of an indicator. Live and in a backtest the events come from elsewhere; the
player is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.errors import TWSError
from tws.indicators import Studies
from tws.model.market import Bar, Quote
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.strategy.base import Answer, Fill, Strategy

__all__ = ["BarMade", "Began", "Ended", "Event", "Filled", "Heard", "InSession", "Player", "Positioned",
           "Ticked", "Warmed"]

KEPT = 500
"""Bars at hand for each symbol, as in `marketdata.Feed`: more than an hour of 10-second bars."""
MOST_SIGNALS = 100
"""Signals that one event may give: a hook that yields without end must come to an end."""
MOST_STUDIES = 100
"""Indicators of one symbol: a strategy that asks for another period at each bar must not fill the memory."""
MOST_TOLD = 1_000
"""Fills that are remembered as told: a state is a minute old at most, and no desk fills so many in that."""


class Began(Struct, frozen=True):
    """The strategy begins, with these positions."""

    now_ns: int
    positions: dict[str, Decimal]


class InSession(Struct, frozen=True):
    """The session of a symbol that is open, or comes next."""

    now_ns: int
    symbol: str
    session: Session


class Warmed(Struct, frozen=True):
    """Bars of the past, for the indicators alone."""

    now_ns: int
    symbol: str
    bars: tuple[Bar, ...]


class BarMade(Struct, frozen=True):
    """A bar is complete; `quote` is the market at that moment."""

    now_ns: int
    symbol: str
    bar: Bar
    quote: Quote | None = None


class Ticked(Struct, frozen=True):
    """The market moved."""

    now_ns: int
    symbol: str
    quote: Quote


class Heard(Struct, frozen=True):
    """A signal of somebody else."""

    now_ns: int
    signal: Signal


class Filled(Struct, frozen=True):
    """A fill of this strategy's."""

    now_ns: int
    fill: Fill


class Positioned(Struct, frozen=True):
    """What is ours of a symbol is other than the fills say: a split, an adjustment by hand."""

    now_ns: int
    symbol: str
    position: Decimal


class Ended(Struct, frozen=True):
    """The end."""

    now_ns: int


Event: TypeAlias = Began | InSession | Warmed | BarMade | Ticked | Heard | Filled | Positioned | Ended


class _Market:
    """One symbol: its bars and indicators."""

    def __init__(self, specs: Iterable[str]) -> None:
        self.quote: Quote | None = None
        self.bars = Studies(specs, KEPT)
        self.asked: dict[str, Studies] = dict.fromkeys(specs, self.bars)
        self.session: Session | None = None

    def on_session(self, session: Session) -> None:
        self.session = session
        for studies in self._all():
            studies.on_session(session)

    def update(self, bar: Bar) -> bool:
        """Whether the kept bars took it; an indicator that refuses it says so in its own counts."""
        for studies in self._all()[1:]:
            studies.update(bar)
        return self.bars.update(bar)

    def kept(self, count: int) -> list[Bar]:
        found = (self.bars.bar(back) for back in range(min(count, KEPT) - 1, -1, -1))
        return [bar for bar in found if bar is not None]

    def studies(self, spec: str) -> Studies:
        """Those that hold an indicator; new ones have seen the bars that are kept."""
        found = self.asked.get(spec)
        if found is None:
            if len(self.asked) >= MOST_STUDIES:
                raise TWSError(f"{spec} would be indicator {MOST_STUDIES + 1} of one symbol: ask for fewer")
            found = Studies([spec])
            if self.session is not None:
                found.on_session(self.session)
            for bar in self.kept(KEPT):
                found.update(bar)
            self.asked[spec] = found
        return found

    def _all(self) -> list[Studies]:
        return [self.bars, *(each for each in self.asked.values() if each is not self.bars)]


class Player:
    """Plays one strategy. `told` are the fills it was told of, the newest last.

    Raises ConfigError for `studies` that are none.
    """

    def __init__(self, strategy: Strategy, *, name: str = "", symbols: tuple[str, ...] = ()) -> None:
        self.strategy = strategy
        self.name = name or strategy.name or type(strategy).__name__.lower()
        self.symbols = symbols or strategy.symbols
        self.now_ns = 0
        self.told: dict[str, None] = {}
        self._markets = {symbol: _Market(strategy.studies) for symbol in self.symbols}
        self._positions: dict[str, Decimal] = {}
        self._mark = self._of = ""  # what the present event, and its symbol, is called in the ids of signals
        self._made: dict[str, int] = {}
        strategy._view = self

    # -- events

    def play(self, event: Event) -> list[Signal]:
        """Take an event in, then run its hook. Raises what the hook raised, and TypeError for an answer that
        is no signal.
        """
        self.now_ns, self._made, self._of = event.now_ns, {}, ""
        strategy = self.strategy
        match event:
            case Began():
                self._mark, self._positions = f"start {event.now_ns // NS_PER_S}", dict(event.positions)
                return self._gathered(strategy.on_start())
            case InSession():
                self._market(event.symbol).on_session(event.session)
            case Warmed():
                for bar in event.bars:
                    self._market(event.symbol).update(bar)
            case BarMade():
                return self._on_bar(event)
            case Ticked():
                self._mark, self._of = f"tick {event.quote.time_ns}", event.symbol
                self._market(event.symbol).quote = event.quote
                return self._gathered(strategy.on_tick(event.symbol, event.quote))
            case Heard():
                self._mark = f"on {event.signal.model}/{event.signal.signal_id}"
                return self._gathered(strategy.on_signal(event.signal))
            case Filled():
                return self._on_fill(event.fill)
            case Positioned():
                self._positions[event.symbol] = event.position
            case Ended():
                self._mark = f"stop {event.now_ns // NS_PER_S}"
                return self._gathered(strategy.on_stop())
        return []

    def _on_bar(self, event: BarMade) -> list[Signal]:
        market, bar = self._market(event.symbol), event.bar
        if event.quote is not None:
            market.quote = event.quote
        if not market.update(bar):
            raise ValueError(f"{event.symbol}: {market.bars.refusal}")
        self._mark, self._of = f"bar {bar.time_ns // NS_PER_S + bar.seconds}", event.symbol
        return self._gathered(self.strategy.on_bar(event.symbol, bar))

    def _on_fill(self, fill: Fill) -> list[Signal]:
        self._positions[fill.symbol] = fill.position
        if fill.fill_id in self.told:
            return []
        self.told[fill.fill_id] = None
        while len(self.told) > MOST_TOLD:
            del self.told[next(iter(self.told))]
        self._mark = f"fill {fill.fill_id}"
        return self._gathered(self.strategy.on_fill(fill))

    def _gathered(self, answer: Answer) -> list[Signal]:
        if answer is None:
            return []
        found: list[Signal] = []
        for signal in (answer,) if isinstance(answer, Signal) else answer:
            if not isinstance(signal, Signal):
                raise TypeError(f"a hook answered {type(signal).__name__}, neither signals nor None")
            if len(found) >= MOST_SIGNALS:
                raise TWSError(f"more than {MOST_SIGNALS} signals of one event")
            found.append(signal if signal.model == self.name else replace(signal, model=self.name))
        return found

    # -- state

    def save(self) -> Any:
        """The strategy's own state; None: it keeps none."""
        return self.strategy.save()

    def restore(self, value: Any, told: Iterable[str] = ()) -> None:
        """Go on where `save` was called. Raises what the strategy raises."""
        self.told = dict.fromkeys(told)
        if value is not None:
            self.strategy.restore(value)

    # -- what the strategy asks (tws.strategy.base.View)

    def signal(
        self, symbol: str, wish: Wish, confidence: float, price: float | None, signal_id: str
    ) -> Signal:
        """A signal of this event; several for one symbol are numbered, and one for another symbol than the
        event's names that, too: bars of two symbols end at one instant.
        """
        self._market(symbol)
        count = self._made[symbol] = self._made.get(symbol, 0) + 1
        mark = self._mark if self._of in ("", symbol) else f"{self._mark} of {self._of}"
        own = f"{self.name}:{symbol}:{mark}" + (f".{count}" if count > 1 else "")
        return Signal(
            signal_id=signal_id or own,
            symbol=symbol,
            wish=Wish(wish),
            time_ns=self.now_ns,
            confidence=confidence,
            price=price,
            model=self.name,
        )

    def quote(self, symbol: str) -> Quote | None:
        return self._market(symbol).quote

    def bar(self, symbol: str, back: int) -> Bar | None:
        return self._market(symbol).bars.bar(back)

    def bars(self, symbol: str, count: int) -> list[Bar]:
        return self._market(symbol).kept(count)

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        if back not in (0, 1):
            raise ValueError(f"an indicator is known at the last bar and the one before it, not {back} back")
        studies = self._market(symbol).studies(spec)
        return studies.previous(spec) if back else studies.value(spec)

    def position(self, symbol: str) -> Decimal:
        self._market(symbol)
        return self._positions.get(symbol, Decimal(0))

    def session(self, symbol: str) -> Session | None:
        return self._market(symbol).session

    def _market(self, symbol: str) -> _Market:
        market = self._markets.get(symbol)
        if market is None:
            known = ", ".join(self.symbols)
            raise TWSError(f"{symbol} is none of the symbols of {self.name}, which are {known}")
        return market
