"""Each indicator against a naive recomputation of its formula, and against TA-Lib where it is installed."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.indicators import Atr, Bollinger, Ema, Macd, Rsi, Sma, Vwap
from tws.model.market import Bar

prices = st.lists(st.floats(0.01, 10_000, allow_nan=False).map(lambda x: round(x, 4)), max_size=80)
periods = st.integers(1, 20)


def near(left: float | None, right: float | None, scale: float = 1.0) -> bool:
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9 * max(1.0, scale))


def bar(high: float, low: float, close: float, volume: float = 1.0, wap: float | None = None) -> Bar:
    return Bar(time_ns=0, seconds=10, open=close, high=high, low=low, close=close, volume=volume, wap=wap)


def walk(count: int, seed: int = 5) -> list[float]:
    rng = random.Random(seed)
    values, price = [], 100.0
    for _ in range(count):
        price = max(1.0, price + rng.gauss(0, 0.5))
        values.append(round(price, 2))
    return values


def bars_of(values: list[float], seed: int = 6) -> list[Bar]:
    rng = random.Random(seed)
    return [bar(value + rng.random(), value - rng.random(), value, rng.randint(1, 500)) for value in values]


@given(prices, periods)
def test_sma_is_the_mean_of_the_window(values: list[float], period: int) -> None:
    indicator = Sma(period)
    for index, value in enumerate(values):
        window = values[max(0, index + 1 - period) : index + 1]
        expected = math.fsum(window) / period if len(window) == period else None
        assert near(indicator.update(value), expected)
        assert indicator.value is None or near(indicator.value, expected)


@given(prices, periods)
def test_bollinger_is_mean_and_population_deviation_of_the_window(values: list[float], period: int) -> None:
    indicator = Bollinger(period, 2.0)
    for index, value in enumerate(values):
        window = values[max(0, index + 1 - period) : index + 1]
        bands = indicator.update(value)
        if len(window) < period:
            assert bands is None
            continue
        assert bands is not None
        mean, half = statistics.fmean(window), 2 * statistics.pstdev(window)
        assert near(bands.middle, mean)
        # A square root doubles the digits that rounding takes, hence the looser scale.
        assert math.isclose(bands.upper - bands.lower, 2 * half, rel_tol=1e-6, abs_tol=1e-6)


def naive_seeded(values: list[float], period: int, weight: float) -> list[float | None]:
    result: list[float | None] = [None] * len(values)
    for index in range(period - 1, len(values)):
        before = result[index - 1] if index else None
        if before is None:
            result[index] = math.fsum(values[:period]) / period
        else:
            result[index] = weight * values[index] + (1 - weight) * before
    return result


@given(prices, periods)
def test_ema_follows_its_recursion(values: list[float], period: int) -> None:
    indicator = Ema(period)
    expected = naive_seeded(values, period, 2 / (period + 1))
    assert all(near(indicator.update(v), e) for v, e in zip(values, expected, strict=True))


@given(prices, periods)
def test_rsi_follows_wilder(values: list[float], period: int) -> None:
    indicator = Rsi(period)
    found = [indicator.update(value) for value in values]
    changes = [after - before for before, after in itertools.pairwise(values)]
    gains = naive_seeded([max(0.0, change) for change in changes], period, 1 / period)
    losses = naive_seeded([max(0.0, -change) for change in changes], period, 1 / period)
    assert found[:1] in ([], [None])
    for value, gain, loss in zip(found[1:], gains, losses, strict=True):
        if gain is None or loss is None:
            assert value is None
        else:
            assert value is not None and 0 <= value <= 100
            # Averages that decayed to dust keep their ratio only roughly.
            if gain + loss > 1e-6:
                assert math.isclose(value, 100 * gain / (gain + loss), rel_tol=1e-6, abs_tol=1e-6)


@given(st.lists(st.tuples(*[st.floats(1, 1000).map(lambda x: round(x, 2))] * 3), max_size=50), periods)
def test_atr_follows_wilder(rows: list[tuple[float, float, float]], period: int) -> None:
    sorted_rows = [tuple(sorted(row)) for row in rows]  # low, close, high
    indicator = Atr(period)
    found = [indicator.update(bar(high, low, close)) for low, close, high in sorted_rows]
    ranges = [
        max(high - low, abs(high - before[1]), abs(low - before[1]))
        for before, (low, _, high) in itertools.pairwise(sorted_rows)
    ]
    expected = [None, *naive_seeded(ranges, period, 1 / period)][: len(rows)]
    assert all(near(value, wanted, 1000) for value, wanted in zip(found, expected, strict=True))


@given(st.lists(st.floats(1, 1000).map(lambda x: round(x, 2)), max_size=80))
def test_macd_is_the_difference_of_two_averages(values: list[float]) -> None:
    indicator = Macd(3, 7, 4)
    fast, slow = naive_seeded(values, 3, 2 / 4), naive_seeded(values, 7, 2 / 8)
    lines = [f - s for f, s in zip(fast, slow, strict=True) if f is not None and s is not None]
    signals = naive_seeded(lines, 4, 2 / 5)
    found = [indicator.update(value) for value in values]
    assert all(value is None for value in found[:9])
    for value, line, signal in zip(found[6:], lines, signals, strict=True):
        if signal is None:
            assert value is None
        else:
            assert value is not None
            assert near(value.line, line, 1000) and near(value.signal, signal, 1000)
            assert value.histogram == value.line - value.signal


def test_vwap_weighs_by_volume_and_begins_anew_on_reset() -> None:
    indicator = Vwap()
    assert indicator.update(bar(10, 8, 9, volume=0)) is None
    assert indicator.update(bar(10, 8, 9, volume=100)) == 9
    assert indicator.update(bar(10, 8, 9, volume=300, wap=13.0)) == 12
    indicator.reset()
    assert indicator.value is None
    assert indicator.update(bar(2, 2, 2, volume=1)) == 2
    with pytest.raises(ValueError, match="volume"):
        indicator.update(bar(2, 2, 2, volume=-1))


def test_a_wild_price_leaves_nothing_behind() -> None:
    """A running sum that subtracts would keep the rounding error of 1e15 for ever."""
    sma, bands = Sma(5), Bollinger(5)
    for value in [1e15, 0.1, 0.2, 0.3, 0.4, 0.5]:
        sma.update(value)
        result = bands.update(value)
    assert sma.value == pytest.approx(0.3, rel=1e-14)
    assert result is not None
    assert result.upper - result.middle == pytest.approx(2 * statistics.pstdev([0.1, 0.2, 0.3, 0.4, 0.5]))


def test_a_market_that_stands_still_is_neutral() -> None:
    rsi = Rsi(3)
    assert [rsi.update(7.0) for _ in range(5)] == [None, None, None, 50.0, 50.0]


@pytest.mark.parametrize("make", [lambda: Sma(2), lambda: Ema(2), lambda: Rsi(2), lambda: Bollinger(2)])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_no_nan_enters(make: Callable[[], Sma], bad: float) -> None:
    indicator, twin = make(), make()
    for value in (1.0, 2.0, 3.0, 4.0):
        indicator.update(value)
        twin.update(value)
        with pytest.raises(ValueError, match="finite"):
            indicator.update(bad)
    assert indicator.update(5.0) == twin.update(5.0)


def test_a_bar_with_nan_changes_nothing() -> None:
    indicator = Atr(1)
    indicator.update(bar(2, 1, 1.5))
    with pytest.raises(ValueError, match="finite"):
        indicator.update(bar(math.nan, 1, 1.5))
    assert indicator.update(bar(3, 1, 2)) == 2


@pytest.mark.parametrize("period", [0, -3])
def test_a_window_has_at_least_one_value(period: int) -> None:
    for make in (Sma, Ema, Rsi, Atr, Bollinger):
        with pytest.raises(ValueError, match="at least 1"):
            make(period)


def test_the_work_per_value_does_not_grow_with_the_window() -> None:
    """Counted, not timed: joins of moments per value stay below three, whatever the period."""
    from tws.indicators import window

    joins = 0
    original = window.Moments.joined

    class Counting(window.Window):
        pass

    def counted(self: window.Moments, other: window.Moments) -> window.Moments:
        nonlocal joins
        joins += 1
        return original(self, other)

    window.Moments.joined = counted  # type: ignore[method-assign]
    try:
        for size in (10, 1000):
            joins = 0
            moving = Counting(size)
            for value in range(10_000):
                moving.update(float(value))
            assert joins <= 3 * 10_000
    finally:
        window.Moments.joined = original  # type: ignore[method-assign]


class TestAgainstTaLib:
    """The oracle that others trade by. Skipped where it is not installed; it is no dependency of ours."""

    @pytest.fixture
    def oracle(self) -> object:
        return pytest.importorskip("talib")

    def compare(self, ours: list[float | None], theirs: object) -> None:
        for left, right in zip(ours, theirs, strict=True):  # type: ignore[call-overload]
            assert (left is None) == math.isnan(right)
            assert left is None or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)

    def test_averages(self, oracle: object) -> None:
        numpy = pytest.importorskip("numpy")
        values = walk(400)
        for ours, theirs in ((Sma(20), "SMA"), (Ema(20), "EMA")):
            self.compare([ours.update(v) for v in values], getattr(oracle, theirs)(numpy.array(values), 20))

    def test_rsi(self, oracle: object) -> None:
        numpy = pytest.importorskip("numpy")
        values, rsi = walk(400), Rsi(14)
        self.compare([rsi.update(v) for v in values], oracle.RSI(numpy.array(values), 14))  # type: ignore[attr-defined]

    def test_atr(self, oracle: object) -> None:
        numpy = pytest.importorskip("numpy")
        bars, atr = bars_of(walk(400)), Atr(14)
        columns = [numpy.array([getattr(b, name) for b in bars]) for name in ("high", "low", "close")]
        self.compare([atr.update(b) for b in bars], oracle.ATR(*columns, 14))  # type: ignore[attr-defined]

    def test_bollinger(self, oracle: object) -> None:
        numpy = pytest.importorskip("numpy")
        values, bands = walk(400), Bollinger(20, 2.0)
        found = [bands.update(v) for v in values]
        upper, middle, lower = oracle.BBANDS(numpy.array(values), 20, 2.0, 2.0)  # type: ignore[attr-defined]
        for name, theirs in (("upper", upper), ("middle", middle), ("lower", lower)):
            self.compare([None if b is None else getattr(b, name) for b in found], theirs)

    def test_macd_once_the_beginnings_are_forgotten(self, oracle: object) -> None:
        numpy = pytest.importorskip("numpy")
        values, macd = walk(800), Macd()
        found = [macd.update(v) for v in values]
        line, signal, _ = oracle.MACD(numpy.array(values), 12, 26, 9)  # type: ignore[attr-defined]
        for index in range(500, 800):
            value = found[index]
            assert value is not None
            assert math.isclose(value.line, line[index], abs_tol=1e-9)
            assert math.isclose(value.signal, signal[index], abs_tol=1e-9)
