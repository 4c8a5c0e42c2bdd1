"""`Strategy`: what a user writes. A class with hooks; what a hook answers or yields are signals.

    class Momentum(Strategy):
        symbols = ("SPY",)
        studies = ("ema(50)",)                      # known from the first bar on; others begin when asked for

        def on_bar(self, symbol, bar):
            if bar.close > (self.sma(symbol, 20) or bar.close):
                yield self.signal(symbol, Wish.BUY, confidence=0.6)

A strategy has no clock, no network and no thread: `tws.strategy.playing.Player` tells it one event after the
other, and within a hook all it may ask stands still (`now`, `quote`, `bar`, `indicator`, `position`). So the
same class, told the same events, wishes the same, whether they are of today or of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from tws.clock import to_datetime
from tws.errors import TWSError
from tws.model.contract import Contract
from tws.model.market import Bar, Quote
from tws.model.order import Role
from tws.model.session import Session
from tws.model.signal import Signal, Wish

__all__ = ["Answer", "Fill", "Strategy", "View"]

Answer: TypeAlias = Signal | Iterable[Signal] | None
"""What a hook answers: nothing, a signal, or several (a hook that yields answers those)."""


class Fill(Struct, frozen=True, kw_only=True):
    """Shares of the strategy's that were bought (`quantity` above zero) or sold.

    `position` is what is ours of the symbol after it. `role` is that of the order: ENTRY, STOP, TARGET, or
    CLOSE. `fill_id` is the same for a fill that is told again after a restart.
    """

    symbol: str
    quantity: Decimal
    price: Decimal
    time_ns: int
    role: Role
    position: Decimal
    fill_id: str


class View(Protocol):
    """What a strategy may ask within a hook."""

    @property
    def now_ns(self) -> int: ...
    def signal(
        self, symbol: str, wish: Wish, confidence: float, price: float | None, signal_id: str
    ) -> Signal: ...
    def quote(self, symbol: str) -> Quote | None: ...
    def bar(self, symbol: str, back: int) -> Bar | None: ...
    def bars(self, symbol: str, count: int) -> list[Bar]: ...
    def indicator(self, symbol: str, spec: str, back: int) -> float | None: ...
    def position(self, symbol: str) -> Decimal: ...
    def session(self, symbol: str) -> Session | None: ...


class Strategy:
    """Subclass it. `symbols` are stocks, where `contracts` says nothing else; `studies` the indicators that
    are to be known of each before the first bar; `name` the strategy's in journal and limits ("": that of the
    class, in small letters).

    Each hook may answer or yield signals. One that raises loses its own event alone; after several of them
    the strategy is disabled, its trades stay protected (docs/design/strategies.md).
    """

    name: str = ""
    symbols: tuple[str, ...] = ()
    contracts: Mapping[str, Contract] = MappingProxyType({})
    """What its symbols mean, such as {"ES": future("ES", "202612", "CME")}; what `[contracts]` of the file
    says goes before it."""
    studies: tuple[str, ...] = ()
    state_version: int = 1
    """Raise it when `save` changes its shape: a state of another version is put aside, not restored."""

    _view: View | None = None

    # -- hooks

    def on_start(self) -> Answer:
        """Before anything else, after `restore`. Positions and what waits of the past are known."""

    def on_bar(self, symbol: str, bar: Bar) -> Answer:
        """A bar is complete, and in the indicators."""

    def on_tick(self, symbol: str, quote: Quote) -> Answer:
        """The market moved. Of moves that come faster than this hook answers, the last one is told."""

    def on_signal(self, signal: Signal) -> Answer:
        """Somebody else's signal was heard."""

    def on_fill(self, fill: Fill) -> Answer:
        """Shares of this strategy were filled. Each fill is told once. After a restart those come that were
        filled meanwhile; after a crash those since the last save once more, as the state of then wants.
        """

    def on_stop(self) -> Answer:
        """The end; the state is saved after it. Signals are too late here."""

    # -- state

    def save(self) -> Any:
        """What is to be known after a restart, as JSON can hold it; None: nothing."""
        return None

    def restore(self, value: Any) -> None:
        """What `save` gave before the restart. Told before `on_start`, and only where there is something."""

    # -- what it may ask

    @property
    def now(self) -> datetime:
        """Market time of the event, UTC."""
        return to_datetime(self.now_ns)

    @property
    def now_ns(self) -> int:
        """The same in nanoseconds since the epoch."""
        return self._asked.now_ns

    def signal(
        self, symbol: str, wish: Wish, *, confidence: float = 1.0, price: float | None = None,
        signal_id: str = "",
    ) -> Signal:
        """A signal of this strategy, dated now. Its id follows from the event, so that an event that is told
        again after a restart wishes nothing twice; `signal_id` gives another one.
        """
        return self._asked.signal(symbol, wish, confidence, price, signal_id)

    def quote(self, symbol: str) -> Quote | None:
        """The last known market; None before the first."""
        return self._asked.quote(symbol)

    def bar(self, symbol: str, back: int = 0) -> Bar | None:
        """The last bar, or one before it."""
        return self._asked.bar(symbol, back)

    def bars(self, symbol: str, count: int) -> list[Bar]:
        """At most `count` of the last bars, oldest first; 500 are kept."""
        return self._asked.bars(symbol, count)

    def indicator(self, symbol: str, spec: str, back: int = 0) -> float | None:
        """An indicator in words, such as "bollinger(20, 2).upper", at the last bar or (`back` 1) the one
        before it; None until it is known. One that is asked for the first time has seen the bars that are
        kept. Raises ConfigError for what is no indicator.
        """
        return self._asked.indicator(symbol, spec, back)

    def sma(self, symbol: str, period: int) -> float | None:
        """The simple moving average of the last `period` closes."""
        return self.indicator(symbol, f"sma({period})")

    def ema(self, symbol: str, period: int) -> float | None:
        """The exponential moving average."""
        return self.indicator(symbol, f"ema({period})")

    def atr(self, symbol: str, period: int = 14) -> float | None:
        """The average true range, in currency."""
        return self.indicator(symbol, f"atr({period})")

    def position(self, symbol: str) -> Decimal:
        """Shares of ours, negative when short."""
        return self._asked.position(symbol)

    def session(self, symbol: str) -> Session | None:
        """The session that is open, or the next one, as the broker states it: `open_ns`, `close_ns`,
        `holds(now_ns)`. None: none is stated.
        """
        return self._asked.session(symbol)

    @property
    def _asked(self) -> View:
        if self._view is None:
            raise TWSError(f"{type(self).__name__} is asked before it was started: ask within a hook")
        return self._view
