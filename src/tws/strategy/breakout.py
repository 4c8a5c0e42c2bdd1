"""Opening-range breakout: the first close beyond the range of the session's first minutes.

The range is the highest high and lowest low of the bars that lie within the first `range_s` seconds of
the session. After it, the first bar that closes above the high wishes BUY, the first that closes
below the low wishes SHORT; each side once a session. A bar that began before the session, or that
reaches beyond its close, counts for nothing.
Source: T. Crabel, "Day Trading with Short Term Price Patterns and Opening Range Breakout", 1990.
"""

from __future__ import annotations

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal, Wish

__all__ = ["OpeningRangeBreakout"]


class _Day(Struct):
    """What is known of one symbol's session."""

    session: Session
    high: float = float("-inf")
    low: float = float("inf")
    bars: int = 0
    went_long: bool = False
    went_short: bool = False


class OpeningRangeBreakout:
    """`symbols` to watch; `range_s` seconds of opening range; `margin` beyond it, as a fraction of its width.

    Confidence grows from 0.5 at the edge of the range to 1.0 at a whole width beyond it.
    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        *,
        range_s: int = 900,
        margin: float = 0.0,
        name: str = "opening-range",
    ) -> None:
        if range_s <= 0 or margin < 0:
            raise ValueError(f"an opening range of {range_s} s, margin {margin}: must not be negative")
        self.name = name
        self.symbols = symbols
        self._range_ns = range_s * NS_PER_S
        self._margin = margin
        self._days: dict[str, _Day] = {}

    def on_session(self, symbol: str, session: Session) -> None:
        day = self._days.get(symbol)
        if symbol in self.symbols and (day is None or day.session != session):
            self._days[symbol] = _Day(session)

    def on_bar(self, symbol: str, bar: Bar) -> tuple[Signal, ...]:
        day = self._days.get(symbol)
        end_ns = bar.time_ns + bar.seconds * NS_PER_S
        if day is None or bar.time_ns < day.session.open_ns or end_ns > day.session.close_ns:
            return ()
        if end_ns <= day.session.open_ns + self._range_ns:
            day.high, day.low = max(day.high, bar.high), min(day.low, bar.low)
            day.bars += 1
            return ()
        return self._judge(symbol, day, bar, end_ns)

    def _judge(self, symbol: str, day: _Day, bar: Bar, end_ns: int) -> tuple[Signal, ...]:
        width = day.high - day.low
        if not day.bars or width <= 0:
            return ()  # nothing traded while the range was taken, or at one price only: no range to break
        above = bar.close - day.high - self._margin * width
        below = day.low - bar.close - self._margin * width
        if above > 0 and not day.went_long:
            day.went_long = True
            wish, beyond = Wish.BUY, above
        elif below > 0 and not day.went_short:
            day.went_short = True
            wish, beyond = Wish.SHORT, below
        else:
            return ()
        confidence = min(1.0, 0.5 + 0.5 * beyond / width)
        return (
            Signal(
                signal_id=f"{self.name}:{symbol}:{end_ns // NS_PER_S}",
                symbol=symbol,
                wish=wish,
                time_ns=end_ns,
                confidence=confidence,
                price=bar.close,
                model=self.name,
            ),
        )
