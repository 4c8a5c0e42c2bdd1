"""The two sample strategies on hand-made bars."""

from __future__ import annotations

import pytest

from tws.clock import NS_PER_S
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Wish
from tws.strategy import MovingAverageCrossover, OpeningRangeBreakout, SignalSource

OPEN = 1_700_000_000 * NS_PER_S
SESSION = Session(OPEN, OPEN + 1000 * NS_PER_S)


def bar(index: int, high: float, low: float, close: float) -> Bar:
    return Bar(time_ns=OPEN + index * 10 * NS_PER_S, seconds=10, open=low, high=high, low=low, close=close)


def breakout(**settings: object) -> OpeningRangeBreakout:
    source = OpeningRangeBreakout(("SPY",), range_s=30, **settings)  # type: ignore[arg-type]
    source.on_session("SPY", SESSION)
    return source


def feed(source: SignalSource, bars: list[Bar], symbol: str = "SPY") -> list[tuple[Wish, int]]:
    found = [signal for one in bars for signal in source.on_bar(symbol, one)]
    return [(signal.wish, (signal.time_ns - OPEN) // NS_PER_S) for signal in found]


RANGE = [bar(0, 101, 100, 100), bar(1, 102, 100, 101), bar(2, 101, 99, 100)]  # 99..102


def test_breakout_wishes_each_side_once_by_the_close() -> None:
    bars = [
        *RANGE,
        bar(3, 103, 101, 102),
        bar(4, 104, 101, 103),
        bar(5, 106, 101, 105),
        bar(6, 103, 98, 98),
        bar(7, 99, 90, 91),
    ]
    assert feed(breakout(), bars) == [(Wish.BUY, 50), (Wish.SHORT, 70)]


def test_breakout_confidence_grows_with_the_distance() -> None:
    source = breakout()
    for one in RANGE:
        source.on_bar("SPY", one)
    (signal,) = source.on_bar("SPY", bar(3, 105, 101, 103.5))
    assert signal.confidence == pytest.approx(0.75)
    assert (signal.price, signal.model, signal.signal_id) == (
        103.5,
        "opening-range",
        f"opening-range:SPY:{(OPEN // NS_PER_S) + 40}",
    )


def test_breakout_ignores_what_lies_outside_the_session() -> None:
    early = bar(-1, 200, 1, 200)
    after = bar(100, 300, 200, 300)
    assert feed(breakout(), [early, *RANGE, after]) == []
    assert feed(breakout(), [early, *RANGE, bar(3, 103, 101, 103)]) == [(Wish.BUY, 40)]


def test_breakout_without_a_range_or_a_session_is_silent() -> None:
    assert feed(breakout(), [bar(5, 103, 101, 103)]) == []
    flat = [bar(0, 100, 100, 100), bar(3, 103, 101, 103)]
    assert feed(breakout(), flat) == []
    assert feed(OpeningRangeBreakout(("SPY",), range_s=30), [*RANGE, bar(3, 103, 101, 103)]) == []
    assert feed(breakout(), [*RANGE, bar(3, 103, 101, 103)], symbol="IBM") == []


def test_breakout_margin_widens_the_range() -> None:
    assert feed(breakout(margin=0.5), [*RANGE, bar(3, 104, 101, 103.5), bar(4, 104, 101, 103.6)]) == [
        (Wish.BUY, 50)
    ]


def test_a_new_session_begins_anew_and_the_same_one_does_not() -> None:
    source = breakout()
    feed(source, [*RANGE, bar(3, 103, 101, 103)])
    source.on_session("SPY", SESSION)
    assert feed(source, [bar(4, 104, 101, 104)]) == []
    source.on_session("SPY", Session(OPEN + 40 * NS_PER_S, SESSION.close_ns))
    assert feed(source, [bar(4, 101, 100, 100), bar(7, 103, 101, 103)]) == [(Wish.BUY, 80)]


def closes(values: list[float]) -> list[Bar]:
    return [bar(index, value, value, value) for index, value in enumerate(values)]


def test_crossover_wishes_at_each_change_of_side_and_not_at_the_first() -> None:
    source = MovingAverageCrossover(("SPY",), fast=2, slow=3)
    values = [10, 10, 10, 11, 12, 9, 7, 8, 12]
    expected, side = [], 0
    for index in range(2, len(values)):
        distance = sum(values[index - 1 : index + 1]) / 2 - sum(values[index - 2 : index + 1]) / 3
        now = (distance > 1e-9) - (distance < -1e-9)
        if now and now != side:
            if side:
                expected.append((Wish.BUY if now > 0 else Wish.SHORT, (index + 1) * 10))
            side = now
    assert feed(source, closes([float(v) for v in values])) == expected
    assert [wish for wish, _ in expected] == [Wish.SHORT, Wish.BUY]


def test_crossover_does_not_chatter_within_its_threshold() -> None:
    values = [100.0, 100.0, 100.0, 101.0, 99.5, 100.5, 99.5, 100.5, 90.0]
    chatty = feed(MovingAverageCrossover(("SPY",), fast=1, slow=3), closes(values))
    calm = feed(MovingAverageCrossover(("SPY",), fast=1, slow=3, threshold=0.005), closes(values))
    assert len(chatty) > len(calm) == 1


def test_crossover_outside_the_session_moves_averages_and_wishes_nothing() -> None:
    source = MovingAverageCrossover(("SPY",), fast=1, slow=2)
    source.on_session("SPY", Session(OPEN + 40 * NS_PER_S, OPEN + 100 * NS_PER_S))
    assert feed(source, closes([1.0, 2.0, 1.0, 2.0, 1.0])) == [(Wish.SHORT, 50)]


@pytest.mark.parametrize(("fast", "slow"), [(0, 5), (5, 5), (6, 5)])
def test_a_crossover_that_cannot_cross_is_refused(fast: int, slow: int) -> None:
    with pytest.raises(ValueError, match="shorter"):
        MovingAverageCrossover(("SPY",), fast=fast, slow=slow)
