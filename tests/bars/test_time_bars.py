"""Bars against a plain recomputation, and the corners: gaps, late prints, volume apart from price."""

from __future__ import annotations

import math
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.bars import TimeBars, spans_missed
from tws.clock import NS_PER_S
from tws.model.market import Bar

START = 1_700_000_000 * NS_PER_S

prints = st.lists(
    st.tuples(
        st.integers(0, 200 * NS_PER_S),
        st.floats(0.01, 1000, allow_nan=False),
        st.integers(0, 10_000).map(float),
    ),
    max_size=60,
).map(lambda rows: sorted((START + offset, price, size) for offset, price, size in rows))


def build(rows: list[tuple[int, float, float]], seconds: int) -> list[Bar]:
    builder = TimeBars(seconds)
    done = [builder.trade(*row) for row in rows]
    return [bar for bar in [*done, builder.flush()] if bar is not None]


@given(prints, st.sampled_from([1, 5, 10, 60]))
def test_bars_equal_those_of_a_plain_grouping(rows: list[tuple[int, float, float]], seconds: int) -> None:
    span = seconds * NS_PER_S
    expected = []
    for begin, group in groupby(rows, key=lambda row: row[0] // span * span):
        cells = list(group)
        values = [price for _, price, _ in cells]
        expected.append((begin, values[0], max(values), min(values), values[-1], len(cells)))
    found = build(rows, seconds)
    assert [(b.time_ns, b.open, b.high, b.low, b.close, b.count) for b in found] == expected
    assert sum(bar.volume for bar in found) == sum(size for _, _, size in rows)
    for bar in found:
        assert bar.seconds == seconds
        assert (bar.wap is None) == (bar.volume == 0)
        if bar.wap is not None:
            assert bar.low * (1 - 1e-12) <= bar.wap <= bar.high * (1 + 1e-12)


def test_a_print_at_the_end_of_a_span_opens_the_next_one() -> None:
    builder = TimeBars(10)
    begin = START - START % (10 * NS_PER_S)
    assert builder.trade(begin, 1.0, 1) is None
    assert builder.trade(begin + 10 * NS_PER_S - 1, 2.0, 1) is None
    done = builder.trade(begin + 10 * NS_PER_S, 3.0, 1)
    assert done is not None
    assert (done.time_ns, done.close, done.volume) == (begin, 2.0, 2)


def test_a_gap_gives_no_bars_and_is_counted() -> None:
    builder = TimeBars(10)
    begin = START - START % (10 * NS_PER_S)
    builder.trade(begin, 1.0, 1)
    first = builder.trade(begin + 50 * NS_PER_S, 2.0, 1)
    second = builder.flush()
    assert first is not None and second is not None
    assert (second.open, second.low) == (2.0, 2.0)
    assert builder.missed == 4
    assert spans_missed(first, second) == 4
    assert spans_missed(first, first) == 0


def test_time_alone_completes_a_bar_once() -> None:
    builder = TimeBars(10)
    begin = START - START % (10 * NS_PER_S)
    builder.trade(begin, 1.0, 1)
    assert builder.advance(begin + 10 * NS_PER_S - 1) is None
    assert builder.advance(begin + 10 * NS_PER_S) is not None
    assert builder.advance(begin + 60 * NS_PER_S) is None


def test_a_late_print_never_changes_a_bar_that_was_given_out() -> None:
    builder = TimeBars(10)
    begin = START - START % (10 * NS_PER_S)
    builder.trade(begin, 1.0, 1)
    builder.advance(begin + 10 * NS_PER_S)
    assert builder.trade(begin + 9 * NS_PER_S, 99.0, 1) is None
    builder.trade(begin + 21 * NS_PER_S, 2.0, 1)
    builder.trade(begin + 19 * NS_PER_S, 99.0, 1)
    last = builder.flush()
    assert last is not None and last.high == 2.0
    assert builder.late == 2


def test_no_number_that_is_none_enters_a_bar() -> None:
    builder = TimeBars(10)
    for price, size in [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan), (1.0, -1.0)]:
        assert builder.trade(START, price, size) is None
    builder.volume(START, math.nan)
    assert builder.rejected == 5
    assert builder.flush() is None


def test_volume_apart_from_price_counts_in_its_own_span() -> None:
    builder = TimeBars(10)
    begin = START - START % (10 * NS_PER_S)
    builder.trade(begin, 5.0, 0)
    builder.volume(begin + 1, 300)
    done = builder.volume(begin + 10 * NS_PER_S, 700)
    assert done is not None and (done.volume, done.wap, done.count) == (300, 5.0, 1)
    assert builder.flush() is None


@pytest.mark.parametrize("seconds", [0, -1, 7, 86_401])
def test_a_length_that_cuts_days_unevenly_is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match="divide a day"):
        TimeBars(seconds)
