"""Every indicator, over random walks and over recorded days, against two others: a plain recomputation of its
formula (`plain`), and TA-Lib where that is installed and has it.

Numbers are equal within 1e-9 of themselves. What is a difference of prices (the lines of MACD, a deviation in
a still market) may besides be off by 1e-12 of the price, one from 0 to 100 by 1e-10: where the true answer is
near nothing, rounding is all that is left (TA-Lib's stochastic is -5e-14 where ours is 0).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.indicators.plain import PLAIN, Column
from tests.indicators.series import RECORDED, bar, bars_of, recorded, recorded_ticks, walk

from tws.indicators import KINDS, Studies, parse_spec
from tws.model.market import Bar

SPECS = [
    "sma(20)", "sma(1)", "ema(20)", "ema(3)", "wma(10)", "rsi(14)", "rsi(2)", "macd(12, 26, 9)",
    "macd(3, 10, 5)", "bollinger(20, 2)", "bollinger(5, 1.5)", "stochastic(14, 3, 3)",
    "stochastic(5, 1, 1)", "atr(14)", "atr(1)", "adx(14)", "adx(2)", "obv", "vwap", "donchian(20)",
    "keltner(20, 10, 2)", "keltner(5, 14, 1.5)", "keltner(8, 7, 1)", "supertrend(10, 3)",
    "supertrend(7, 1)", "volatility(20, 1)", "volatility(2, 589680)", "zscore(20)", "zscore(3)",
]  # fmt: skip


def ours(spec: str, bars: Sequence[Bar]) -> Column:
    """What the streaming indicator says after each bar, through the registry."""
    kind = KINDS[parse_spec(spec).name]
    names = [f"{spec}.{output}" for output in kind.outputs] or [spec]
    studies = Studies(names)
    found: Column = []
    for each in bars:
        assert studies.update(each), studies.refusal
        row = tuple(studies.value(name) for name in names)
        found.append(None if None in row else row)  # type: ignore[arg-type]
    return found


def scale_of(bars: Sequence[Bar]) -> float:
    return max((abs(each.high) for each in bars), default=1.0)


def assert_equal(left: Column, right: Column, slack: float, skip: Sequence[int] = ()) -> int:
    """Answers how many rows of numbers were compared."""
    compared = 0
    assert len(left) == len(right)
    for place, (mine, other) in enumerate(zip(left, right, strict=True)):
        if place in skip:
            continue
        assert (mine is None) == (other is None), place
        if mine is not None and other is not None:
            compared += 1
            for one, two in zip(mine, other, strict=True):
                assert math.isfinite(one)
                assert math.isclose(one, two, rel_tol=1e-9, abs_tol=slack), (place, mine, other)
    return compared


def slack_of(spec: str, bars: Sequence[Bar]) -> float:
    """A deviation of almost equal prices is known no better than the prices are; returns are relative."""
    name = parse_spec(spec).name
    if name in ("macd", "bollinger", "keltner"):
        return 1e-12 * scale_of(bars)
    if name in ("rsi", "stochastic", "adx"):
        return 1e-10
    return {"zscore": 1e-9, "volatility": 1e-12}.get(name, 0.0)


def against_plain(spec: str, bars: Sequence[Bar]) -> int:
    wanted = PLAIN[parse_spec(spec).name](bars, *_numbers(spec))
    return assert_equal(ours(spec, bars), wanted, slack_of(spec, bars))


def _numbers(spec: str) -> list[Any]:
    parsed = parse_spec(spec)
    return [
        int(value) if each.whole else value
        for each, value in zip(KINDS[parsed.name].parameters, parsed.arguments, strict=True)
    ]


@pytest.mark.parametrize("spec", SPECS)
def test_a_walk_against_the_plain_formula(spec: str) -> None:
    assert against_plain(spec, bars_of(walk(600))) > 500


rows = st.lists(
    st.tuples(*[st.integers(100, 10_000)] * 3, st.integers(0, 1000)).map(
        lambda row: (*(each / 100 for each in sorted(row[:3])), row[3])
    ),
    max_size=60,
)


@settings(max_examples=20, deadline=None)
@given(rows)
@pytest.mark.parametrize("spec", [spec for spec in SPECS if "20" not in spec])
def test_any_series_against_the_plain_formula(spec: str, rows: list[tuple[float, float, float, int]]) -> None:
    bars = [bar(high, low, close, volume, at=at) for at, (low, close, high, volume) in enumerate(rows)]
    if parse_spec(spec).name == "rsi":  # averages that decayed to dust keep their ratio only roughly
        bars = bars[:40]
    against_plain(spec, bars)


def test_every_indicator_has_its_plain_formula_and_is_tried() -> None:
    assert set(PLAIN) == set(KINDS) == {parse_spec(spec).name for spec in SPECS}


class TestAgainstTaLib:
    """The oracle that others trade by. Skipped where it is not installed; it is no dependency of ours."""

    @pytest.mark.parametrize("spec", SPECS)
    def test_a_walk(self, spec: str) -> None:
        assert against_talib(spec, bars_of(walk(600))) > 500


NOT_THERE = {"zscore": "no such function", "volatility": "no such function"}


def against_talib(spec: str, bars: Sequence[Bar]) -> int:
    """Skips the test for an indicator that the installed TA-Lib does not have."""
    talib = pytest.importorskip("talib")
    numpy = pytest.importorskip("numpy")
    name, numbers = parse_spec(spec).name, _numbers(spec)
    if name in NOT_THERE:
        pytest.skip(f"TA-Lib: {NOT_THERE[name]}")
    columns = {
        field: numpy.array([float(getattr(each, field)) for each in bars])
        for field in ("high", "low", "close", "volume")
    }
    call = _TALIB[name]
    try:
        answer = call(talib, columns["high"], columns["low"], columns["close"], columns["volume"], *numbers)
    except AttributeError:
        pytest.skip(f"this TA-Lib has no {name}")
    except Exception as error:
        if "Bad Parameter" not in str(error):
            raise
        pytest.skip(f"TA-Lib takes no such number: {spec}")
    wanted: Column = [
        None if any(math.isnan(each) for each in row) else tuple(map(float, row))
        for row in zip(*answer, strict=True)
    ]
    return assert_equal(ours(spec, bars), wanted, slack_of(spec, bars), _flat(name, numbers, bars))


def _supertrend(ta: Any, high: Any, low: Any, close: Any, _: Any, period: int, width: float) -> Any:
    level, side = ta.SUPERTREND(high, low, close, period, width)
    return level, side


_TALIB: dict[str, Callable[..., Any]] = {
    "sma": lambda ta, h, lo, c, v, n: (ta.SMA(c, n) if n > 1 else c,),
    "ema": lambda ta, h, lo, c, v, n: (ta.EMA(c, n),),
    "wma": lambda ta, h, lo, c, v, n: (ta.WMA(c, n),),
    "rsi": lambda ta, h, lo, c, v, n: (ta.RSI(c, n),),
    "macd": lambda ta, h, lo, c, v, fast, slow, signal: ta.MACD(c, fast, slow, signal),
    "bollinger": lambda ta, h, lo, c, v, n, k: _middle_first(ta.BBANDS(c, n, k, k)),
    "stochastic": lambda ta, h, lo, c, v, n, k, d: ta.STOCH(h, lo, c, n, k, 0, d, 0),
    "atr": lambda ta, h, lo, c, v, n: (ta.ATR(h, lo, c, n),),
    "adx": lambda ta, h, lo, c, v, n: tuple(
        call(h, lo, c, n) for call in (ta.ADX, ta.PLUS_DI, ta.MINUS_DI)
    ),
    "obv": lambda ta, h, lo, c, v: (ta.OBV(c, v),),
    "vwap": lambda ta, h, lo, c, v: (ta.VWAP(h, lo, c, v),),
    "donchian": lambda ta, h, lo, c, v, n: _middle_first(ta.DONCHIAN(h, lo, n)),
    "keltner": lambda ta, h, lo, c, v, n, m, k: _middle_first(ta.KC(h, lo, c, n, m, k)),
    "supertrend": _supertrend,
}


def _middle_first(answer: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    upper, middle, lower = answer
    return middle, lower, upper


def _flat(name: str, numbers: list[Any], bars: Sequence[Bar]) -> list[int]:
    """Where ours says 50, the middle, and TA-Lib 0: a market without any range."""
    if name == "rsi":
        wanted = PLAIN["rsi"](bars, *numbers)
        return [place for place, row in enumerate(wanted) if row == (50.0,)]
    if name == "stochastic":
        period, smooth, signal = numbers
        still = [
            end - 1
            for end in range(period, len(bars) + 1)
            if len({price for each in bars[end - period : end] for price in (each.high, each.low)}) == 1
        ]
        return sorted({place + more for place in still for more in range(smooth + signal - 1)})
    return []


@pytest.mark.data
@pytest.mark.parametrize(("symbol", "day"), RECORDED)
def test_recorded_days_against_both(data_folder: Path, symbol: str, day: str) -> None:
    against_both(recorded(data_folder, symbol, day))


@pytest.mark.data
@pytest.mark.parametrize(("symbol", "day"), [each for each in RECORDED if each[0] in ("IBM", "BAC")])
def test_bars_of_recorded_ticks_against_both(data_folder: Path, symbol: str, day: str) -> None:
    """With average prices of their own, which TA-Lib's VWAP knows nothing of."""
    bars = recorded_ticks(data_folder, symbol, day)
    assert against_plain("vwap", bars[:1500]) == 1500
    against_both([replace(each, wap=None) for each in bars])


def against_both(bars: list[Bar]) -> None:
    assert len(bars) > 1000
    for spec in SPECS:
        part = bars[:1500] if parse_spec(spec).name in ("obv", "vwap") else bars  # their formula is quadratic
        assert against_plain(spec, part) > 1000, spec
        try:
            assert against_talib(spec, bars) > 1000, spec
        except pytest.skip.Exception:
            continue
