"""What the caller of the engine must know: one small protocol, asked lazily, each figure at most once an
event.

`Engine.needs` says which of it rules ever ask for. None means "not known", and whoever fills the context
decides what is: a quote that is too old, a position that is not reconciled yet. `Given` holds the same as
plain values.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct, field

from tws.model.market import Bar, Quote
from tws.model.session import Session

__all__ = ["Context", "Given", "Holding"]


class Holding(Struct, frozen=True, kw_only=True):
    """Our position in one symbol as rules see it. `quantity` is signed, 0 when flat; prices in currency."""

    quantity: float = 0.0
    entry_price: float | None = None
    """Average price of the entry."""
    stop_price: float | None = None
    """Where its stop stands now."""
    entered_ns: int | None = None
    """Market time of the first fill of the entry."""
    bars_held: int | None = None
    """Bars ended since then."""
    adds: int = 0
    """Scale-ins and double downs that filled."""
    doubled: bool = False
    """A double down was asked for in this trade."""
    entering: bool = False
    """An order that opens or enlarges is working."""


class Context(Protocol):
    """What rules may ask. The answers must not change during one `evaluate`; an answer that raises is the
    fault of every rule that needs it, and of no other.
    """

    def holding(self, symbol: str) -> Holding | None:
        """The position, `Holding()` when flat."""

    def quote(self, symbol: str) -> Quote | None:
        """The quote, if it is fresh enough to be trusted."""

    def bar(self, symbol: str, back: int) -> Bar | None:
        """The bar that ended last (`back` 0), the one before it (1), and so on."""

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        """The value at the last ended bar (`back` 0) or the one before it (1); see `Studies`."""

    def session(self, symbol: str) -> Session | None:
        """The session that is open, else the next one (`model.session.session_at`)."""

    def zone(self, symbol: str) -> str | None:
        """The zone of the exchange, as the broker names it (timeZoneId)."""


class Given(Struct, frozen=True, kw_only=True):
    """A context of plain values: bars newest first, indicators by (symbol, spec), newest first."""

    holdings: dict[str, Holding] = field(default_factory=dict)
    quotes: dict[str, Quote] = field(default_factory=dict)
    bars: dict[str, tuple[Bar, ...]] = field(default_factory=dict)
    indicators: dict[tuple[str, str], tuple[float | None, ...]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)

    def holding(self, symbol: str) -> Holding | None:
        return self.holdings.get(symbol)

    def quote(self, symbol: str) -> Quote | None:
        return self.quotes.get(symbol)

    def bar(self, symbol: str, back: int) -> Bar | None:
        return next(iter(self.bars.get(symbol, ())[back : back + 1]), None)

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        return next(iter(self.indicators.get((symbol, spec), ())[back : back + 1]), None)

    def session(self, symbol: str) -> Session | None:
        return self.sessions.get(symbol)

    def zone(self, symbol: str) -> str | None:
        return self.zones.get(symbol)
