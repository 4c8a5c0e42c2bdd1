"""The quote board: merging counts, order of waiting, bars fed before anything merges."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tws.clock import NS_PER_S
from tws.marketdata import QuoteBoard
from tws.model.market import TickField

NAN = math.nan
T0 = 1_700_000_000 * NS_PER_S
BID, ASK, LAST = TickField.BID, TickField.ASK, TickField.LAST
LAST_SIZE, VOLUME = TickField.LAST_SIZE, TickField.VOLUME


def test_ticks_become_the_last_known_quote() -> None:
    board = QuoteBoard()
    line = board.add(1, "SPY")
    line.tick(BID, 99.9, 3, T0)
    line.tick(ASK, 100.1, 4, T0 + 1)
    line.tick(TickField.BID_SIZE, NAN, 7, T0 + 2)
    line.tick(TickField.CLOSE, 98.0, 0, T0 + 3)
    line.tick(68, 100.0, 5, T0 + 4)  # delayed last
    quote = board.quote(1)
    assert quote is not None
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (99.9, 7, 100.1, 4)
    assert (quote.last, quote.last_size, quote.close) == (100.0, 5, 98.0)
    assert (quote.symbol, quote.con_id, quote.time_ns) == ("SPY", 1, T0 + 4)
    assert board.quote(2) is None


def test_no_data_is_none_and_not_a_price() -> None:
    board = QuoteBoard()
    line = board.add(1, "SPY")
    line.tick(BID, 99.9, 3, T0)
    line.tick(BID, -1.0, 0, T0)
    line.tick(ASK, 0.0, 0, T0)
    line.tick(LAST, -1.0, 0, T0)
    quote = board.quote(1)
    assert quote is not None
    assert (quote.bid, quote.bid_size, quote.ask, quote.last) == (None, None, None, None)
    assert line.bars.flush() is None


def test_each_dirty_line_is_taken_once_the_longest_waiting_first() -> None:
    board = QuoteBoard()
    lines = [board.add(index, f"S{index}") for index in range(3)]
    for index in (2, 0, 1, 2, 2):
        lines[index].tick(BID, 10.0 + index, 1, T0)
    assert (board.dirty, board.merged) == (3, 2)
    assert [quote.con_id for quote in board.take(2)] == [2, 0]
    lines[2].tick(BID, 20.0, 1, T0)
    assert [(quote.con_id, quote.bid) for quote in board.take()] == [(1, 11.0), (2, 20.0)]
    assert board.take() == []
    assert board.merged == 2


def test_a_field_that_means_nothing_here_makes_nothing_dirty() -> None:
    board = QuoteBoard()
    line = board.add(1, "SPY")
    line.tick(TickField.HIGH, 1.0, NAN, T0)
    assert (board.dirty, line.ticks) == (0, 1)


def test_add_is_the_same_line_and_remove_forgets_it() -> None:
    board = QuoteBoard()
    line = board.add(1, "SPY")
    assert board.add(1, "SPY") is line
    line.tick(BID, 1.0, 1, T0)
    board.remove(1)
    board.remove(1)
    line.tick(LAST, 2.0, 1, T0)  # it was on its way
    assert board.take() == [] and board.quote(1) is None


def test_bars_see_every_tick_that_quotes_merge() -> None:
    board = QuoteBoard(bar_seconds=10)
    line = board.add(1, "SPY")
    for offset, price in enumerate([100.0, 105.0, 95.0, 101.0]):
        line.tick(LAST, price, 1, T0 + offset)
    assert [quote.last for quote in board.take()] == [101.0]
    board.advance(T0 + 10 * NS_PER_S)
    (done,) = board.take_bars()
    assert (done.con_id, done.symbol) == (1, "SPY")
    assert (done.bar.open, done.bar.high, done.bar.low, done.bar.close) == (100.0, 105.0, 95.0, 101.0)
    assert board.take_bars() == []


def test_volume_of_a_bar_is_the_growth_of_the_day_and_counts_nothing_twice() -> None:
    board = QuoteBoard(bar_seconds=10)
    line = board.add(1, "SPY")
    line.tick(VOLUME, NAN, 1000, T0)  # the base: traded before we looked
    line.tick(LAST, 100.0, 200, T0)
    line.tick(LAST_SIZE, NAN, 200, T0)
    line.tick(VOLUME, NAN, 1200, T0)
    line.tick(VOLUME, NAN, 1500, T0)  # a print at the same price: no price tick comes
    line.tick(VOLUME, NAN, 10, T0)  # a new day
    line.tick(VOLUME, NAN, 15, T0)
    board.advance(T0 + 10 * NS_PER_S)
    (done,) = board.take_bars()
    assert done.bar.volume == 200 + 300 + 5
    assert line.bars.rejected == 0
    assert done.bar.wap == 100.0


def test_without_a_day_volume_the_sizes_of_prints_count() -> None:
    board = QuoteBoard(bar_seconds=10)
    line = board.add(1, "SPY")
    line.tick(LAST, 100.0, 200, T0)
    line.tick(LAST_SIZE, NAN, 200, T0)
    line.tick(LAST, 101.0, 50, T0)
    board.advance(T0 + 10 * NS_PER_S)
    assert board.take_bars()[0].bar.volume == 250


ticks = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([BID, ASK, LAST]), st.floats(1, 100), st.booleans()),
    max_size=60,
)


@given(ticks)
def test_taken_plus_merged_equals_ticks_and_the_last_state_wins(
    rows: list[tuple[int, int, float, bool]],
) -> None:
    board = QuoteBoard()
    lines = [board.add(index, f"S{index}") for index in range(3)]
    latest: dict[tuple[int, int], float] = {}
    taken = 0
    for con_id, field, price, read in rows:
        lines[con_id].tick(field, price, 1, T0)
        latest[con_id, field] = price
        if read:
            taken += len(board.take(1))
    taken += len(board.take())
    assert taken + board.merged == len(rows)
    for con_id in range(3):
        quote = board.quote(con_id)
        assert quote is not None
        found = {BID: quote.bid, ASK: quote.ask, LAST: quote.last}
        assert {field: price for field, price in found.items() if price is not None} == {
            field: price for (which, field), price in latest.items() if which == con_id
        }
