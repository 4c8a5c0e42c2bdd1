"""Moving-average crossover: the fast average passes the slow one.

A wish comes when the sign of fast - slow turns and the two then differ by at least `threshold` of
the price; equality keeps the old side, so that two averages that lie on each other do not chatter. The
first side that is seen is no crossing. Source: any textbook of technical analysis.
"""

from __future__ import annotations

from tws.clock import NS_PER_S
from tws.indicators import Sma
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal, Wish

__all__ = ["MovingAverageCrossover"]


class _Pair:
    """Both averages of one symbol, and the side on which the fast one was last seen (+1, -1, 0 not yet)."""

    __slots__ = ("fast", "side", "slow")

    def __init__(self, fast: int, slow: int) -> None:
        self.fast, self.slow = Sma(fast), Sma(slow)
        self.side = 0


class MovingAverageCrossover:
    """`fast` and `slow` count bars; `threshold` is the least distance, as a fraction of the price.

    BUY when the fast average passes above the slow one, SHORT when it passes below. A session's change
    keeps the averages: they speak of bars, whenever those were.
    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        *,
        fast: int = 12,
        slow: int = 36,
        threshold: float = 0.0,
        confidence: float = 0.6,
        name: str = "crossover",
    ) -> None:
        if not 0 < fast < slow:
            raise ValueError(f"a crossover of {fast} and {slow} bars: the fast one must be the shorter")
        if threshold < 0 or not 0 <= confidence <= 1:
            raise ValueError(f"threshold {threshold} must be 0 or more, confidence {confidence} in 0..1")
        self.name = name
        self.symbols = symbols
        self._fast, self._slow = fast, slow
        self._threshold = threshold
        self._confidence = confidence
        self._pairs: dict[str, _Pair] = {symbol: _Pair(fast, slow) for symbol in symbols}
        self._sessions: dict[str, Session] = {}

    def on_session(self, symbol: str, session: Session) -> None:
        if symbol in self.symbols:
            self._sessions[symbol] = session

    def on_bar(self, symbol: str, bar: Bar) -> tuple[Signal, ...]:
        pair = self._pairs.get(symbol)
        if pair is None:
            return ()
        fast, slow = pair.fast.update(bar.close), pair.slow.update(bar.close)
        if fast is None or slow is None:
            return ()
        distance = fast - slow
        if not abs(distance) > self._threshold * abs(bar.close):
            return ()
        before, pair.side = pair.side, 1 if distance > 0 else -1
        if not before or before == pair.side:
            return ()
        end_ns = bar.time_ns + bar.seconds * NS_PER_S
        session = self._sessions.get(symbol)
        if session is not None and not session.open_ns <= bar.time_ns < end_ns <= session.close_ns:
            return ()  # pre-market and after-hours bars move the averages and wish nothing
        wish = Wish.BUY if pair.side > 0 else Wish.SHORT
        return (
            Signal(
                signal_id=f"{self.name}:{symbol}:{end_ns // NS_PER_S}",
                symbol=symbol,
                wish=wish,
                time_ns=end_ns,
                confidence=self._confidence,
                price=bar.close,
                model=self.name,
            ),
        )
