"""The corners that no comparison of formulas shows: bad input, drift, work per value, restarts."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.indicators.series import bar, bars_of, walk

from tws.indicators import (
    KINDS,
    Atr,
    Bollinger,
    Ema,
    Macd,
    Obv,
    Rsi,
    Sma,
    Spec,
    Stochastic,
    Volatility,
    Vwap,
    Wma,
    ZScore,
    build,
    window,
)
from tws.indicators.registry import Indicator
from tws.model.market import Bar

NAMES = sorted(KINDS)
BAD = [math.nan, math.inf, -math.inf, 1.7976931348623157e308]


def made(name: str) -> Indicator:
    """The indicator with its defaults."""
    return build(Spec(name, tuple(each.default for each in KINDS[name].parameters)))


def fed(name: str, each: Bar) -> Any:
    return each.close if KINDS[name].by == "close" else each


@pytest.mark.parametrize("name", NAMES)
def test_the_first_value_comes_when_the_warm_up_says(name: str) -> None:
    indicator = made(name)
    bars = bars_of(walk(indicator.warm_up))
    for each in bars[:-1]:
        assert indicator.update(fed(name, each)) is None and indicator.value is None
    value = indicator.update(fed(name, bars[-1]))
    assert value is not None and indicator.value == value


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"supertrend", "obv", "vwap"}))
def test_a_settled_indicator_has_forgotten_where_it_began(name: str) -> None:
    """Two markets, far apart at first and then the same, give the same within a few thousandths."""
    one, other = made(name), made(name)
    assert one.settled >= one.warm_up
    same = bars_of(walk(one.settled))
    low, high = bars_of(walk(30)), bars_of([price + 20 for price in walk(30, 9)])
    for indicator, first in ((one, low), (other, high)):
        for each in [*first, *same]:
            indicator.update(fed(name, each))
    both = [msgspec.to_builtins(each.value) for each in (one, other)]
    outputs = KINDS[name].outputs
    for output in outputs or ("",):
        left, right = (each[output] if output else each for each in both)
        assert left == pytest.approx(right, rel=0.005, abs=0.05), output


def states(indicator: Indicator) -> bytes:
    return msgspec.json.encode(indicator.save())


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", NAMES)
def test_no_nan_enters_and_nothing_has_changed(name: str, bad: float) -> None:
    indicator = made(name)
    for each in bars_of(walk(50)):
        indicator.update(fed(name, each))
        before = states(indicator)
        spoilt = [bad]
        if KINDS[name].by == "bar":
            fields = {"obv": ("close", "volume")}.get(name, ("high", "low", "close"))
            fields = (*fields, "volume") if name == "vwap" else fields
            spoilt = [msgspec.structs.replace(each, **{field: bad}) for field in fields]
        for wrong in spoilt:
            with pytest.raises(ValueError, match="finite"):
                indicator.update(wrong)
        assert states(indicator) == before


@pytest.mark.parametrize("name", ["atr", "adx", "stochastic", "donchian", "keltner", "supertrend", "vwap"])
def test_a_bar_that_contradicts_itself_is_refused(name: str) -> None:
    indicator = made(name)
    for wrong in (bar(2, 1, 3), bar(2, 1, 0.5), bar(1, 2, 1.5)):
        with pytest.raises(ValueError, match="outside"):
            indicator.update(wrong)


@pytest.mark.parametrize("make", [Vwap, Obv])
def test_a_negative_volume_is_refused(make: Callable[[], Indicator]) -> None:
    with pytest.raises(ValueError, match="volume"):
        make().update(bar(2, 2, 2, volume=-1))


def test_a_price_without_a_logarithm_is_refused() -> None:
    volatility = Volatility(2)
    volatility.update(1.0)
    for price in (0.0, -37.63):
        with pytest.raises(ValueError, match="above 0"):
            volatility.update(price)
    volatility.update(2.0)
    assert volatility.update(4.0) == 0.0


def test_vwap_weighs_by_volume_and_begins_anew_on_reset() -> None:
    indicator = Vwap()
    assert indicator.update(bar(10, 8, 9, volume=0)) is None
    assert indicator.update(bar(10, 8, 9, volume=100)) == 9
    assert indicator.update(bar(10, 8, 9, volume=300, wap=13.0)) == 12
    indicator.reset()
    assert indicator.value is None
    assert indicator.update(bar(2, 2, 2, volume=1)) == 2


def test_a_wild_price_leaves_nothing_behind() -> None:
    """A running sum that subtracts would keep the rounding error of 1e15 for ever."""
    sma, wma, bands = Sma(5), Wma(5), Bollinger(5)
    for value in [1e15, 0.1, 0.2, 0.3, 0.4, 0.5]:
        sma.update(value)
        wma.update(value)
        result = bands.update(value)
    assert sma.value == pytest.approx(0.3, rel=1e-14)
    assert wma.value == pytest.approx((0.1 + 0.4 + 0.9 + 1.6 + 2.5) / 15, rel=1e-14)
    assert result is not None
    assert result.upper - result.middle == pytest.approx(2 * statistics.pstdev([0.1, 0.2, 0.3, 0.4, 0.5]))


@pytest.mark.slow
def test_nothing_drifts_over_a_million_bars_with_a_large_offset() -> None:
    """Prices of a million with cents: the last values equal those of the last window, recomputed."""
    count, period = 1_000_000, 20
    prices = [1e6 + (place * 7919 % 10_007) / 100 for place in range(count)]
    sma, wma, bands, zscore = Sma(period), Wma(period), Bollinger(period), ZScore(period)
    vwap, obv = Vwap(), Obv()
    for place, price in enumerate(prices):
        sma.update(price)
        wma.update(price)
        bands.update(price)
        zscore.update(price)
        each = bar(price, price, price, volume=0.1 + place % 3)
        vwap.update(each)
        obv.update(each)
    last = prices[-period:]
    mean, deviation = math.fsum(last) / period, statistics.pstdev(last)
    assert sma.value == pytest.approx(mean, rel=1e-12)
    assert wma.value == pytest.approx(
        math.fsum(n * price for n, price in enumerate(last, 1)) / (period * (period + 1) / 2), rel=1e-12
    )
    assert bands.value is not None and zscore.value is not None
    assert (bands.value.upper - bands.value.lower) / 4 == pytest.approx(deviation, rel=1e-9)
    assert zscore.value == pytest.approx((last[-1] - mean) / deviation, rel=1e-9)
    volumes = [0.1 + place % 3 for place in range(count)]
    worth = math.fsum(price * volume for price, volume in zip(prices, volumes, strict=True))
    assert vwap.value == pytest.approx(worth / math.fsum(volumes), rel=1e-14)
    steps = [volumes[0]] + [
        volumes[place] * ((prices[place] > prices[place - 1]) - (prices[place] < prices[place - 1]))
        for place in range(1, count)
    ]
    assert obv.value == pytest.approx(math.fsum(steps), rel=1e-9)


def test_a_market_that_stands_still_is_neutral() -> None:
    rsi, stochastic, zscore = Rsi(3), Stochastic(3, 1, 1), ZScore(3)
    assert [rsi.update(7.0) for _ in range(5)] == [None, None, None, 50.0, 50.0]
    assert [zscore.update(7.1) for _ in range(4)] == [None, None, 0.0, 0.0]
    found = [stochastic.update(bar(7, 7, 7)) for _ in range(4)]
    assert found[1] is None and found[2] is not None and (found[2].k, found[2].d) == (50.0, 50.0)


@pytest.mark.parametrize("period", [0, -3])
def test_a_window_has_at_least_one_value(period: int) -> None:
    for make in (Sma, Ema, Wma, Rsi, Atr, Bollinger, Volatility, ZScore):
        with pytest.raises(ValueError, match="at least"):
            make(period)
    with pytest.raises(ValueError, match="shorter"):
        Macd(26, 12)


@pytest.mark.parametrize("kind", [window.Moments, window.Weighted, window.Extremes])
def test_the_work_per_value_does_not_grow_with_the_window(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: joins per value stay below three, whatever the period; so does what is kept."""
    joins = 0
    original = kind.joined

    def counted(self: Any, other: Any) -> Any:
        nonlocal joins
        joins += 1
        return original(self, other)

    monkeypatch.setattr(kind, "joined", counted)
    for size in (10, 1000):
        joins = 0
        moving = window.Window(size, kind)
        for value in range(10_000):
            moving.update(kind(1, float(value), 0.0) if kind is not window.Extremes else kind(value, value))
            assert len(moving._block) + len(moving._tails) < 2 * size
        assert joins <= 3 * 10_000


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 90), name=st.sampled_from(NAMES), seed=st.integers(0, 1000))
def test_a_restart_changes_no_bit(cut: int, name: str, seed: int) -> None:
    bars = bars_of(walk(120, seed))
    one = made(name)
    for each in bars[:cut]:
        one.update(fed(name, each))
    other = made(name)
    other.restore(json.loads(states(one)))
    assert other.value == one.value
    for each in bars[cut:]:
        assert other.update(fed(name, each)) == one.update(fed(name, each))


@pytest.mark.parametrize("name", NAMES)
def test_a_state_that_is_none_is_refused(name: str) -> None:
    for wrong in ({}, [], None, "x", {"value": 3}, dict.fromkeys(made(name).save(), "x")):
        with pytest.raises(ValueError, match="state"):
            made(name).restore(wrong)


def test_a_state_of_another_length_is_refused() -> None:
    long = Sma(20)
    for value in walk(30):
        long.update(value)
    with pytest.raises(ValueError, match="another length"):
        Sma(5).restore(long.save())
