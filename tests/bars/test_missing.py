"""What a bar says of what is missing: gaps, parts not heard, sessions. Short bars merged into long ones."""

from __future__ import annotations

import math
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.bars import MergedBars, TimeBars
from tws.clock import NS_PER_S
from tws.model.market import Bar
from tws.model.session import Session

S = NS_PER_S
T0 = 1_700_000_000 * S - 1_700_000_000 * S % (3600 * S)
"""A full hour."""


def fed(builder: TimeBars, *seconds: float) -> list[Bar]:
    """A print of one share at each of these seconds after T0; the bars that were completed."""
    found = [builder.trade(T0 + int(second * S), 100.0 + second, 1) for second in seconds]
    return [bar for bar in found if bar is not None]


class TestWhole:
    def test_the_bar_in_which_it_begins_to_listen_is_not_whole(self) -> None:
        builder = TimeBars(10, since_ns=T0 + 3 * S)
        first, second = fed(builder, 4, 11, 21)
        assert (first.is_whole, second.is_whole) == (False, True)
        assert builder.partial == 1

    def test_one_that_begins_to_listen_at_an_edge_is_whole(self) -> None:
        (first,) = fed(TimeBars(10, since_ns=T0), 4, 11)
        assert first.is_whole

    def test_an_interruption_spoils_the_bar_it_begins_in_and_the_one_it_ends_in(self) -> None:
        builder = TimeBars(10)
        before = fed(builder, 4, 11)
        builder.interrupt(T0 + 15 * S)
        builder.resume(T0 + 32 * S)
        after = fed(builder, 35, 41, 51)
        assert [bar.is_whole for bar in [*before, *after]] == [True, False, False, True]
        assert [bar.gap for bar in after] == [0, 1, 0]

    def test_an_interruption_within_one_span(self) -> None:
        builder = TimeBars(10)
        fed(builder, 1)
        builder.interrupt(T0 + 3 * S)
        builder.resume(T0 + 4 * S)
        first, second = fed(builder, 5, 12, 25)
        assert (first.is_whole, second.is_whole) == (False, True)

    def test_a_span_that_was_over_before_the_interruption_is_whole(self) -> None:
        builder = TimeBars(10)
        fed(builder, 1)
        builder.interrupt(T0 + 10 * S)  # the print that would have completed it never came
        done = builder.advance(T0 + 30 * S)
        assert done is not None and done.is_whole

    def test_what_comes_while_nobody_should_hear_is_not_whole(self) -> None:
        builder = TimeBars(10)
        builder.interrupt(T0)
        (bar,) = fed(builder, 11, 22)
        assert not bar.is_whole

    def test_a_bar_cut_off_is_not_whole(self) -> None:
        builder = TimeBars(10)
        fed(builder, 1)
        bar = builder.flush()
        assert bar is not None and not bar.is_whole


class TestGaps:
    def test_a_bar_says_how_many_spans_lie_empty_before_it(self) -> None:
        builder = TimeBars(10)
        bars = fed(builder, 1, 55, 61, 95, 101)
        assert [bar.gap for bar in bars] == [0, 4, 0, 2]
        assert builder.missed == 6

    @given(st.lists(st.integers(0, 600), max_size=40).map(sorted), st.sampled_from([5, 10, 60]))
    def test_spans_and_gaps_make_up_all_of_the_time(self, seconds: list[int], length: int) -> None:
        builder = TimeBars(length)
        bars = fed(builder, *seconds, 10_000)
        for before, after in pairwise(bars):
            assert after.time_ns == before.time_ns + (1 + after.gap) * length * S
        wanted = [begin for begin, _ in groupby(seconds, key=lambda second: second // length)]
        assert [bar.time_ns for bar in bars] == [T0 + begin * length * S for begin in wanted]


class TestSessions:
    """A session from 9:30 to 16:15 of some clock, with bars of an hour."""

    OPEN, CLOSE = T0 + 1800 * S, T0 + 1800 * S + 6 * 3600 * S + 2700 * S

    def builder(self) -> TimeBars:
        builder = TimeBars(3600)
        builder.on_session(Session(self.OPEN, self.CLOSE))
        return builder

    def test_bars_count_from_the_opening_and_end_at_the_close(self) -> None:
        builder = self.builder()
        bars = []
        for minute in range(0, 500, 5):
            done = builder.trade(T0 + minute * 60 * S, 1.0, 1)
            bars += [] if done is None else [done]
        assert [bar.time_ns for bar in bars] == [self.OPEN + hour * 3600 * S for hour in range(7)]
        assert builder.outside == 6 + (500 - 435) // 5
        assert bars[-1].count == 9  # the last 45 minutes
        assert all(bar.is_whole and bar.gap == 0 for bar in bars)

    def test_the_close_completes_the_last_bar(self) -> None:
        builder = self.builder()
        builder.trade(self.CLOSE - 1, 5.0, 1)
        assert builder.advance(self.CLOSE - 1) is None
        assert builder.advance(self.CLOSE) is not None

    def test_a_print_after_the_close_completes_it_too_and_is_left_out(self) -> None:
        builder = self.builder()
        builder.trade(self.CLOSE - 1, 5.0, 1)
        done = builder.trade(self.CLOSE, 9.0, 1)
        assert done is not None and done.high == 5.0
        assert builder.outside == 1 and builder.flush() is None

    def test_the_night_is_no_gap_but_a_late_first_trade_is(self) -> None:
        builder = self.builder()
        builder.trade(self.OPEN, 5.0, 1)
        builder.advance(self.CLOSE)
        day = 86_400 * S
        builder.on_session(Session(self.OPEN + day, self.CLOSE + day))
        builder.trade(self.OPEN + day + 2 * 3600 * S, 6.0, 1)
        bar = builder.flush()
        assert bar is not None and bar.gap == 2
        builder.on_session(Session(self.OPEN + 2 * day, self.CLOSE + 2 * day))
        builder.trade(self.OPEN + 2 * day, 6.0, 1)
        bar = builder.flush()
        assert bar is not None and bar.gap == 0

    def test_hours_that_are_told_late_make_no_bar_whole_that_lacks_what_the_one_before_it_holds(self) -> None:
        builder = TimeBars(3600)
        builder.trade(self.OPEN + 60 * S, 5.0, 1)  # by the clock: until half past
        builder.on_session(Session(self.OPEN, self.CLOSE))
        bars = [builder.trade(self.OPEN + minute * 60 * S, 6.0, 1) for minute in (40, 70, 130)]
        assert [bar.is_whole for bar in bars if bar is not None] == [True, False, True]


def part(at: int, price: float = 10.0, volume: float = 2.0, count: int = 1, **more: object) -> Bar:
    plain = Bar(time_ns=T0 + at * S, seconds=5, open=price, high=price + 1, low=price - 1, close=price + 0.5,
                volume=volume, wap=price, count=count)  # fmt: skip
    return replace(plain, **more)


class TestMerged:
    def test_a_bar_is_given_out_with_its_last_part(self) -> None:
        builder = MergedBars(15)
        assert builder.part(part(0, 10)) == () and builder.part(part(5, 30, volume=4)) == ()
        (bar,) = builder.part(part(10, 20))
        assert (bar.time_ns, bar.seconds, bar.open, bar.high, bar.low, bar.close) == (T0, 15, 10, 31, 9, 20.5)
        assert (bar.volume, bar.count, bar.wap) == (8, 3, (10 * 2 + 30 * 4 + 20 * 2) / 8)
        assert bar.is_whole and bar.gap == 0

    def test_a_lost_part_is_seen(self) -> None:
        builder = MergedBars(15)
        builder.part(part(0))
        (bar,) = builder.part(part(10))
        assert not bar.is_whole
        builder.part(part(15))
        first, second = builder.part(part(40, 7))  # parts 20 to 35 are lost
        assert not first.is_whole and (second.open, second.is_whole, second.gap) == (7, False, 0)
        assert builder.partial == 3

    def test_one_that_begins_within_a_span_is_not_whole(self) -> None:
        builder = MergedBars(10)
        (first,) = builder.part(part(5))
        builder.part(part(10))
        (second,) = builder.part(part(15))
        assert (first.is_whole, second.is_whole) == (False, True)

    def test_a_part_without_a_trade_is_heard_and_adds_nothing(self) -> None:
        builder = MergedBars(15)
        builder.part(part(0, 99, volume=0, count=0))
        builder.part(part(5, 10))
        (bar,) = builder.part(part(10, 99, volume=0, count=0))
        assert (bar.open, bar.high, bar.low, bar.close) == (10, 11, 9, 10.5)
        assert bar.is_whole
        assert [builder.part(part(at, 99, volume=0, count=0)) for at in (15, 20, 25)] == [()] * 3
        builder.part(part(30))
        builder.part(part(35))
        (bar,) = builder.part(part(40))
        assert bar.gap == 1 and bar.is_whole

    def test_bars_of_quotes_have_no_volume_and_count_all_the_same(self) -> None:
        builder = MergedBars(10, trades=False)
        builder.part(part(0, 10, volume=-1, count=-1, wap=None))
        (bar,) = builder.part(part(5, 11, volume=0, count=0, wap=None))
        assert (bar.open, bar.close, bar.volume, bar.count, bar.wap) == (10, 11.5, 0, 0, None)

    def test_an_average_price_that_one_part_does_not_state_is_not_known(self) -> None:
        builder = MergedBars(10)
        builder.part(part(0))
        (bar,) = builder.part(part(5, wap=None))
        assert bar.wap is None and bar.volume == 4

    def test_time_alone_completes_what_was_lost(self) -> None:
        builder = MergedBars(10)
        builder.part(part(0))
        assert builder.advance(T0 + 10 * S - 1) is None
        bar = builder.advance(T0 + 10 * S)
        assert bar is not None and not bar.is_whole
        assert builder.part(part(5)) == () and builder.late == 1

    def test_a_part_twice_counts_once(self) -> None:
        builder = MergedBars(10)
        builder.part(part(0))
        builder.part(part(0))
        (bar,) = builder.part(part(5))
        assert bar.volume == 4 and builder.late == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"close": math.nan},
            {"volume": math.inf},
            {"volume": -1.0},
            {"wap": math.nan},
            {"high": 1.0},
            {"low": 50.0},
            {"seconds": 10},
            {"is_final": False},
        ],
    )
    def test_a_part_that_is_not_sound_is_rejected(self, wrong: dict[str, object]) -> None:
        builder = MergedBars(10)
        assert builder.part(part(0, **wrong)) == ()  # type: ignore[arg-type]
        assert builder.rejected == 1 and builder.flush() is None

    def test_an_interrupted_part_makes_an_interrupted_bar(self) -> None:
        builder = MergedBars(10)
        builder.part(part(0, is_whole=False))
        (bar,) = builder.part(part(5))
        assert not bar.is_whole

    @pytest.mark.parametrize(("seconds", "parts"), [(12, 5), (5, 10), (10, 0), (7, 7)])
    def test_lengths_that_do_not_divide_are_refused(self, seconds: int, parts: int) -> None:
        with pytest.raises(ValueError, match="divide"):
            MergedBars(seconds, parts)

    @given(st.lists(st.tuples(st.integers(0, 300), st.floats(1, 100), st.integers(1, 9)), max_size=60))
    def test_ticks_by_way_of_short_bars_give_the_bars_of_the_ticks(
        self, rows: list[tuple[int, float, int]]
    ) -> None:
        direct, short, merged = TimeBars(30), TimeBars(5), MergedBars(30)
        wanted, found = [], []
        for second, price, size in [*sorted(rows), (10_000, 1.0, 1)]:
            wanted.append(direct.trade(T0 + second * S, price, size))
            done = short.trade(T0 + second * S, price, size)
            if done is not None:
                found += merged.part(done)
        found += [merged.flush()]
        pairs = zip([bar for bar in wanted if bar], [bar for bar in found if bar], strict=True)
        for one, other in pairs:
            for name in ("time_ns", "open", "high", "low", "close", "count", "gap"):
                assert getattr(one, name) == getattr(other, name)
            assert one.wap is not None and other.wap is not None and one.volume == other.volume
            assert math.isclose(one.wap, other.wap, rel_tol=1e-12)
