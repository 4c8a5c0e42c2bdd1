"""What a strategy knows of its markets: the corners that the warm-up over a socket does not show."""

from __future__ import annotations

import math

import pytest

from tws.bars import NEVER_NS
from tws.clock import NS_PER_S
from tws.errors import ConfigError
from tws.marketdata import Feed
from tws.model.market import Bar, TickField
from tws.model.session import Session

S, NAN = NS_PER_S, math.nan
T0 = 1_700_000_000 * S
LAST = TickField.LAST


def test_indicators_begin_with_the_bars_that_are_heard() -> None:
    feed = Feed(10)
    line = feed.add(1, "SPY", ["sma(2)"], T0)
    waiting = feed.add(2, "IBM", ["sma(2)"], T0)
    feed.cold(1)
    feed.cold(1)
    for second in range(0, 40, 5):
        for each in (line, waiting):
            each.tick(LAST, 100.0 + second, 1.0, T0 + second * S)
    taken = feed.step(T0 + 40 * S)
    assert [(done.bar.close, done.symbol) for done in taken] == [
        (105 + at, symbol) for at in (0, 10, 20, 30) for symbol in ("SPY", "IBM")
    ]
    assert (feed.indicator(1, "sma(2)"), feed.indicator(1, "sma(2)", 1)) == (130, 120)
    assert feed.indicator(2, "sma(2)") == 130 and not feed.seam(2).joined  # its past may come yet
    bars = [feed.bar(1, back) for back in range(5)]
    assert [bar and bar.close for bar in bars] == [135, 125, 115, 105, None]
    price = feed.price(1, T0 + 41 * S)
    assert price is not None and (price.price, price.age_s) == (135, 6)
    with pytest.raises(ValueError, match="2 back"):
        feed.indicator(1, "sma(2)", 2)
    with pytest.raises(KeyError):
        feed.indicator(1, "sma(3)")


def test_the_board_looks_at_its_lines_when_a_bar_ends_and_not_before() -> None:
    board = Feed(10).board
    line, other = board.add(1, "SPY", T0), board.add(2, "IBM", T0)
    assert board.next_ns == NEVER_NS
    line.tick(LAST, 100.0, 1.0, T0 + 3 * S)
    other.tick(LAST, 50.0, 1.0, T0 + 11 * S)
    assert board.next_ns == T0 + 10 * S
    board.advance(T0 + 12 * S)
    assert ([done.symbol for done in board.take_bars()], board.next_ns) == (["SPY"], T0 + 20 * S)
    other.tick(LAST, 51.0, 1.0, T0 + 30 * S)  # a print ends a bar itself
    board.advance(T0 + 30 * S)
    assert ([done.bar.close for done in board.take_bars()], board.next_ns) == ([50.0], T0 + 40 * S)
    board.advance(T0 + 40 * S)
    assert ([done.bar.close for done in board.take_bars()], board.next_ns) == ([51.0], NEVER_NS)


def test_a_contract_that_is_watched_gets_what_it_lacks() -> None:
    feed = Feed(10)
    line = feed.add(1, "SPY", ["sma(2)"], T0)
    assert feed.add(1, "SPY", ["sma(1)"], T0 + 5 * S) is line
    line.tick(LAST, 100.0, 1.0, T0)
    feed.step(T0 + 10 * S)
    assert (feed.indicator(1, "sma(1)"), feed.indicator(1, "sma(2)")) == (100, None)
    with pytest.raises(ConfigError, match="Did you mean sma"):
        feed.add(1, "SPY", ["smaa(1)"], T0)


def test_bars_and_vwap_belong_to_the_session() -> None:
    feed = Feed(10)
    line = feed.add(1, "SPY", ["vwap"], T0)
    for second in (1, 11, 21, 31):
        if second == 21:
            feed.step(T0 + 20 * S)
            feed.on_session(1, Session(T0 + 25 * S, T0 + 1000 * S))
        line.tick(LAST, 100.0 + second, 10.0, T0 + second * S)
    feed.step(T0 + 45 * S)
    bar = feed.bar(1)
    assert bar is not None and (bar.time_ns, bar.open, bar.gap) == (T0 + 25 * S, 131, 0)
    assert feed.indicator(1, "vwap") == 131
    assert line.bars.outside == 1


def test_one_that_is_removed_is_forgotten() -> None:
    feed = Feed(10)
    line = feed.add(1, "SPY", ["sma(1)"], T0)
    line.tick(LAST, 100.0, 1.0, T0)
    line.tick(LAST, 101.0, 1.0, T0 + 10 * S)  # a bar is completed and not taken
    feed.remove(1)
    feed.remove(1)
    assert feed.step(T0 + 60 * S) == [] and feed.price(1, T0) is None
    with pytest.raises(KeyError):
        feed.bar(1)


def test_bars_of_real_time_bars_wait_for_their_last_part_and_not_for_ever() -> None:
    """It comes when its five seconds are over, which is when the bar is, too. Ticks build nothing then."""
    feed = Feed(10)
    line = feed.add(1, "SPY", ["sma(1)"], T0, part_seconds=5)
    parts = [
        Bar(time_ns=T0 + 5 * at * S, seconds=5, open=at, high=at, low=at, close=at, volume=10.0, count=1)
        for at in range(1, 5)
    ]
    line.tick(LAST, 100.0, 1.0, T0 + 6 * S)
    line.part(parts[1])
    assert feed.step(T0 + 20 * S) == [] and feed.board.next_ns > T0 + 20 * S
    line.part(parts[2])
    (done,) = feed.step(T0 + 20 * S + 1)
    assert (done.bar.time_ns, done.bar.open, done.bar.close, done.bar.volume) == (T0 + 10 * S, 2, 3, 20)
    assert done.bar.is_whole
    line.part(parts[3])
    assert feed.step(T0 + 31 * S) == []
    (done,) = feed.step(T0 + 33 * S)
    assert not done.bar.is_whole and feed.indicator(1, "sma(1)") == 4
