"""What rules may ask while a run trades (`tws.rules.Context`): positions from the desk, all else from the
followed markets.
"""

from __future__ import annotations

from tws.model.market import Bar, Quote
from tws.model.session import Session
from tws.rules import Holding
from tws.runtime.market import Markets
from tws.runtime.stances import Stances

__all__ = ["RuleScene"]


class RuleScene:
    """The scene at `now_ns`, which whoever asks moves on; a quote older than `stale_ns` is not known."""

    def __init__(self, markets: Markets, stances: Stances, stale_ns: int) -> None:
        self.now_ns = 0
        self.stale_ns = stale_ns
        self._markets = markets
        self._stances = stances

    def holding(self, symbol: str) -> Holding | None:
        entered_ns = self._stances.entered_ns(symbol)
        bars = None if entered_ns is None else self._markets.bars_since(symbol, entered_ns)
        return self._stances.holding(symbol, bars)

    def quote(self, symbol: str) -> Quote | None:
        """The quote, unless it is older than an entry's may be."""
        quote = self._markets.quote(symbol)
        return quote if quote is not None and self.now_ns - quote.time_ns <= self.stale_ns else None

    def bar(self, symbol: str, back: int) -> Bar | None:
        return self._markets.bar(symbol, back)

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        return self._markets.study(symbol, spec, back)

    def session(self, symbol: str) -> Session | None:
        return self._markets.session(symbol, self.now_ns)

    def zone(self, symbol: str) -> str | None:
        return self._markets.zone(symbol)
