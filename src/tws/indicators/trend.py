"""ADX and Supertrend: how strong a trend is, and which way."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from tws.indicators.inputs import range_of
from tws.indicators.kept import Kept
from tws.indicators.ranges import Atr
from tws.indicators.wilder import Wilder
from tws.model.market import Bar

__all__ = ["Adx", "AdxValue", "Supertrend", "SupertrendValue"]


class _Movement(Struct, frozen=True, gc=False, array_like=True):
    """Wilder's decaying sums: of moves up, of moves down, of true ranges."""

    plus: float = 0.0
    minus: float = 0.0
    span: float = 0.0


class _Range(Struct, frozen=True, gc=False, array_like=True):
    high: float
    low: float
    close: float


class AdxValue(Struct, frozen=True, gc=False):
    """`adx`: how strong the trend is, 0 to 100; `plus`, `minus`: how much of the range went up and down."""

    adx: float
    plus: float
    minus: float


class Adx(Kept):
    """Average directional index: Wilder's average of 100 * |DI+ - DI-| / (DI+ + DI-).

    DI± = 100 * (decaying sum of the moves up, or down) / (that of the true ranges); a sum decays by 1/n of
    itself a bar. Of a bar's rise of the high and fall of the low the larger alone counts. None before
    bar 2 n. A market without any range gives DI 0 and leaves the index as it is. Source: J. W. Wilder, "New
    Concepts in Technical Trading Systems", 1978; equal to TA-Lib's ADX, PLUS_DI and MINUS_DI.
    """

    __slots__ = ("_adx", "_bars", "_before", "_sums", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_adx", "_bars", "_before", "_sums", "value")
    _bars: int
    _before: _Range | None
    _sums: _Movement
    value: AdxValue | None

    def __init__(self, period: int = 14) -> None:
        if period < 2:
            raise ValueError(f"ADX({period}): at least 2")
        self._adx = Wilder(period)
        self._bars = 0  # counted up to the period, where the index begins
        self._before = None
        self._sums = _Movement()
        self.period = period
        self.warm_up = 2 * period
        self.settled = 2 * self._adx.settled
        self.value = None

    def update(self, bar: Bar) -> AdxValue | None:
        now = _Range(*range_of(bar))
        before, self._before = self._before, now
        if before is None:
            return None
        self._move(before, now)
        if self._bars < self.period - 1:
            self._bars += 1
            return None
        sums = self._sums
        plus = minus = 0.0
        if sums.span:
            plus, minus = 100.0 * (sums.plus / sums.span), 100.0 * (sums.minus / sums.span)
        either, last = plus + minus, self._adx.value
        if either or last is None:
            last = self._adx.update(100.0 * (abs(plus - minus) / either) if either else 0.0)
        if last is not None:
            self.value = AdxValue(last, plus, minus)
        return self.value

    def _move(self, before: _Range, now: _Range) -> None:
        up, down = now.high - before.high, before.low - now.low
        plus = up if up > 0 and up > down else 0.0
        minus = down if down > 0 and down > up else 0.0
        span = max(now.high, before.close) - min(now.low, before.close)
        sums, decay = self._sums, 0.0
        if self._bars >= self.period - 1:
            decay = 1.0 / self.period
        self._sums = _Movement(
            sums.plus - sums.plus * decay + plus,
            sums.minus - sums.minus * decay + minus,
            sums.span - sums.span * decay + span,
        )


class SupertrendValue(Struct, frozen=True, gc=False):
    """`level`: the price where the trend would turn; `side`: 1 in a trend up (the level below), -1 down."""

    level: float
    side: int


class _Lines(Struct, frozen=True, gc=False, array_like=True):
    """The two lines as they stand, and the close that they were drawn at."""

    lower: float
    upper: float
    close: float


class Supertrend(Kept):
    """A stop that follows: (high + low) / 2 minus k * ATR(n) in a trend up, plus it in a trend down.

    The lower line does not fall while the closes stay above it, nor the upper one rise while they stay below.
    The trend turns when a close crosses its line; it begins up. None before bar n + 1. Source: O. Seban,
    "Tout le monde mérite d'être riche", 2008; equal to TA-Lib's SUPERTREND.
    """

    __slots__ = ("_atr", "_lines", "_width", "period", "settled", "value", "warm_up")
    KEPT: ClassVar[tuple[str, ...]] = ("_atr", "_lines", "value")
    _lines: _Lines | None
    value: SupertrendValue | None

    def __init__(self, period: int = 10, width: float = 3.0) -> None:
        self._atr = Atr(period)
        self._width = width
        self._lines = None
        self.period = period
        self.warm_up = period + 1
        self.settled = self._atr.settled
        self.value = None

    def update(self, bar: Bar) -> SupertrendValue | None:
        atr = self._atr.update(bar)
        if atr is None:
            return None
        middle, half = (bar.high + bar.low) / 2.0, self._width * atr
        lower, upper = middle - half, middle + half
        before = self._lines
        if before is not None:
            if lower < before.lower <= before.close:
                lower = before.lower
            if upper > before.upper >= before.close:
                upper = before.upper
        self._lines = _Lines(lower, upper, bar.close)
        rising = self.value is None or self.value.side > 0
        rising = bar.close >= lower if rising else bar.close > upper
        self.value = SupertrendValue(lower, 1) if rising else SupertrendValue(upper, -1)
        return self.value
