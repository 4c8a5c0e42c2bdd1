"""The formulas of all indicators a second time: plain, over a whole series at once, nothing kept between two
bars but what the formula itself carries on. An answer is a tuple of the outputs in the registry's order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from math import fsum, log, sqrt
from typing import TypeVar

from tws.model.market import Bar

__all__ = ["PLAIN", "Column"]

Column = list[tuple[float, ...] | None]
T = TypeVar("T")
Numbers = Sequence[float | None]


def windows(values: Sequence[T], size: int) -> Iterator[Sequence[T] | None]:
    for end in range(1, len(values) + 1):
        yield values[end - size : end] if end >= size else None


def closes(bars: Sequence[Bar]) -> list[float]:
    return [each.close for each in bars]


def seeded(values: Sequence[float], period: int, weight: float) -> list[float | None]:
    """A mean of the first ones, then so much of each new one."""
    found: list[float | None] = [None] * min(period - 1, len(values))
    if len(values) >= period:
        start = fsum(values[:period]) / period
        found += accumulate(values[period:], lambda e, p: weight * p + (1 - weight) * e, initial=start)
    return found


def late(values: Sequence[float], skipped: int, make: Callable[[Sequence[float]], Numbers]) -> Numbers:
    return [*[None] * min(skipped, len(values)), *make(values[skipped:])]


def ema_of(values: Sequence[float], period: int) -> list[float | None]:
    return seeded(values, period, 2 / (period + 1))


def alone(column: Numbers) -> Column:
    return [None if each is None else (each,) for each in column]


def together(*columns: Numbers) -> Column:
    return [None if None in row else row for row in zip(*columns, strict=True)]  # type: ignore[misc]


def sma(bars: Sequence[Bar], period: int) -> Column:
    return [None if w is None else (fsum(w) / period,) for w in windows(closes(bars), period)]


def ema(bars: Sequence[Bar], period: int) -> Column:
    return alone(ema_of(closes(bars), period))


def wma(bars: Sequence[Bar], period: int) -> Column:
    total = sum(range(1, period + 1))
    return [
        None if w is None else (fsum(place * price for place, price in enumerate(w, 1)) / total,)
        for w in windows(closes(bars), period)
    ]


def rsi(bars: Sequence[Bar], period: int) -> Column:
    changes = [after - before for before, after in pairwise(closes(bars))]
    gains = seeded([max(0.0, change) for change in changes], period, 1 / period)
    losses = seeded([max(0.0, -change) for change in changes], period, 1 / period)
    found: Column = [None] if bars else []
    for gain, loss in zip(gains, losses, strict=True):
        if gain is None or loss is None:
            found.append(None)
        else:
            found.append((100 - 100 / (1 + gain / loss) if loss else 100.0 if gain else 50.0,))
    return found


def macd(bars: Sequence[Bar], fast: int, slow: int, signal: int) -> Column:
    prices = closes(bars)
    quick = late(prices, slow - fast, lambda rest: ema_of(rest, fast))
    lines = [None if f is None or s is None else f - s
             for f, s in zip(quick, ema_of(prices, slow), strict=True)]  # fmt: skip
    begun = [line for line in lines if line is not None]
    signals = [*[None] * (len(lines) - len(begun)), *ema_of(begun, signal)]
    return [
        None if line is None or mean is None else (line, mean, line - mean)
        for line, mean in zip(lines, signals, strict=True)
    ]


def mean_and_deviation(window: Sequence[float], less: int = 0) -> tuple[float, float]:
    mean = fsum(window) / len(window)
    return mean, sqrt(fsum((each - mean) ** 2 for each in window) / (len(window) - less))


def bollinger(bars: Sequence[Bar], period: int, deviations: float) -> Column:
    found: Column = []
    for window in windows(closes(bars), period):
        if window is None:
            found.append(None)
            continue
        mean, deviation = mean_and_deviation(window)
        found.append((mean, mean - deviations * deviation, mean + deviations * deviation))
    return found


def extremes(bars: Sequence[Bar], period: int) -> list[tuple[float, float] | None]:
    return [
        None if window is None else (max(each.high for each in window), min(each.low for each in window))
        for window in windows(bars, period)
    ]


def stochastic(bars: Sequence[Bar], period: int, smooth: int, signal: int) -> Column:
    raw = [
        50.0 if edge[0] == edge[1] else 100 * (each.close - edge[1]) / (edge[0] - edge[1])
        for each, edge in zip(bars, extremes(bars, period), strict=True) if edge is not None
    ]  # fmt: skip
    slow = [fsum(w) / smooth for w in windows(raw, smooth) if w is not None]
    both: Column = [
        None if w is None else (k, fsum(w) / signal) for k, w in zip(slow, windows(slow, signal), strict=True)
    ]
    return [*[None] * (len(bars) - len(both)), *both]


def true_ranges(bars: Sequence[Bar]) -> list[float]:
    return [
        max(now.high - now.low, abs(now.high - before.close), abs(now.low - before.close))
        for before, now in pairwise(bars)
    ]


def atr_of(bars: Sequence[Bar], period: int) -> Numbers:
    return [None, *seeded(true_ranges(bars), period, 1 / period)][: len(bars)]


def atr(bars: Sequence[Bar], period: int) -> Column:
    return alone(atr_of(bars, period))


def decaying(values: Sequence[float], period: int) -> Numbers:
    first = fsum(values[: period - 1])
    rest = accumulate(values[period - 1 :], lambda total, x: total - total / period + x, initial=first)
    return [*[None] * (period - 1), *list(rest)[1:]][: len(values)]


def adx(bars: Sequence[Bar], period: int) -> Column:
    ups, downs = [], []
    for before, now in pairwise(bars):
        up, down = now.high - before.high, before.low - now.low
        ups.append(up if up > max(down, 0) else 0.0)
        downs.append(down if down > max(up, 0) else 0.0)
    sums = [decaying(column, period) for column in (ups, downs, true_ranges(bars))]
    found: Column = [None] * min(len(bars), period)
    strengths: list[float] = []
    index = 0.0
    for plus, minus, span in list(zip(*sums, strict=True))[period - 1 :]:
        assert plus is not None and minus is not None and span is not None
        up, down = (100 * plus / span, 100 * minus / span) if span else (0.0, 0.0)
        if len(strengths) < period:
            strengths.append(100 * abs(up - down) / (up + down) if up + down else 0.0)
            index = fsum(strengths) / period
        elif up + down:
            index = (index * (period - 1) + 100 * abs(up - down) / (up + down)) / period
        found.append((index, up, down) if len(strengths) == period and len(found) >= 2 * period - 1 else None)
    return found


def obv(bars: Sequence[Bar]) -> Column:
    signs = [math.copysign(1, now.close - before.close) if now.close != before.close else 0
             for before, now in pairwise(bars)]  # fmt: skip
    steps = [each.volume * sign for each, sign in zip(bars, [1, *signs], strict=bool(bars))]
    return [(fsum(steps[:end]),) for end in range(1, len(steps) + 1)]


def vwap(bars: Sequence[Bar]) -> Column:
    found: Column = []
    for end in range(1, len(bars) + 1):
        volume = fsum(each.volume for each in bars[:end])
        worth = fsum(
            ((each.high + each.low + each.close) / 3 if each.wap is None else each.wap) * each.volume
            for each in bars[:end]
        )
        found.append((worth / volume,) if volume else None)
    return found


def donchian(bars: Sequence[Bar], period: int) -> Column:
    return [None if edge is None else ((edge[0] + edge[1]) / 2, edge[1], edge[0])
            for edge in extremes(bars, period)]  # fmt: skip


def keltner(bars: Sequence[Bar], period: int, span: int, width: float) -> Column:
    typical = [(each.high + each.low + each.close) / 3 for each in bars]
    middles = late(typical, max(0, span + 1 - period), lambda rest: ema_of(rest, period))
    skipped = max(0, period - span - 1)
    ranges = [*[None] * min(skipped, len(bars)), *atr_of(bars[skipped:], span)]
    return [
        None if middle is None or half is None else (middle, middle - width * half, middle + width * half)
        for middle, half in zip(middles, ranges, strict=True)
    ]


def supertrend(bars: Sequence[Bar], period: int, width: float) -> Column:
    found: Column = []
    lower = upper = 0.0
    side = 0
    for place, (each, span) in enumerate(zip(bars, atr_of(bars, period), strict=True)):
        if span is None:
            found.append(None)
            continue
        low, high = (each.high + each.low) / 2 - width * span, (each.high + each.low) / 2 + width * span
        if side:
            before = bars[place - 1].close
            lower = low if low > lower or before < lower else lower
            upper = high if high < upper or before > upper else upper
        else:
            lower, upper, side = low, high, 1
        if (side > 0 and each.close < lower) or (side < 0 and each.close > upper):
            side = -side
        found.append((lower if side > 0 else upper, side))
    return found


def volatility(bars: Sequence[Bar], period: int, per_year: float) -> Column:
    returns = [log(after) - log(before) for before, after in pairwise(closes(bars))]
    found: Column = [None if w is None else (sqrt(per_year) * mean_and_deviation(w, 1)[1],)
                     for w in windows(returns, period)]  # fmt: skip
    return [None, *found][: len(bars)]


def zscore(bars: Sequence[Bar], period: int) -> Column:
    found: Column = []
    for window in windows(closes(bars), period):
        if window is None:
            found.append(None)
            continue
        mean, deviation = mean_and_deviation(window)
        found.append(((window[-1] - mean) / deviation if len(set(window)) > 1 else 0.0,))
    return found


PLAIN: dict[str, Callable[..., Column]] = {
    each.__name__: each
    for each in (sma, ema, wma, rsi, macd, bollinger, stochastic, atr, adx, obv, vwap, donchian, keltner,
                 supertrend, volatility, zscore)
}  # fmt: skip
