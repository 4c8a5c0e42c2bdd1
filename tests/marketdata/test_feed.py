"""What a strategy knows of its markets: the corners that the warm-up over a socket does not show."""

from __future__ import annotations

import json
import math

import msgspec
import pytest

from tws.clock import NS_PER_S
from tws.errors import ConfigError
from tws.marketdata import Feed
from tws.model.market import TickField
from tws.model.session import Session

S, NAN = NS_PER_S, math.nan
T0 = 1_700_000_000 * S
LAST = TickField.LAST


def test_a_cold_contract_has_its_indicators_from_its_own_bars_alone() -> None:
    feed = Feed(10)
    line = feed.add(1, "SPY", ["sma(2)"], T0, cold=True)
    waiting = feed.add(2, "IBM", ["sma(2)"], T0)
    for second in range(0, 40, 5):
        for each in (line, waiting):
            each.tick(LAST, 100.0 + second, 1.0, T0 + second * S)
    taken = feed.step(T0 + 40 * S)
    assert [(done.symbol, done.bar.close) for done in taken] == [("SPY", 105 + at) for at in (0, 10, 20, 30)]
    assert (feed.indicator(1, "sma(2)"), feed.indicator(1, "sma(2)", 1)) == (130, 120)
    assert feed.indicator(2, "sma(2)") is None and feed.bar(2) is None  # it waits for its past
    bars = [feed.bar(1, back) for back in range(5)]
    assert [bar and bar.close for bar in bars] == [135, 125, 115, 105, None]
    price = feed.price(1, T0 + 41 * S)
    assert price is not None and (price.price, price.age_s) == (135, 6)
    with pytest.raises(ValueError, match="2 back"):
        feed.indicator(1, "sma(2)", 2)
    with pytest.raises(KeyError):
        feed.indicator(1, "sma(3)")


def test_a_contract_that_is_watched_gets_what_it_lacks() -> None:
    feed = Feed(10)
    line = feed.add(1, "SPY", ["sma(2)"], T0, cold=True)
    assert feed.add(1, "SPY", ["sma(1)"], T0 + 5 * S) is line
    line.tick(LAST, 100.0, 1.0, T0)
    feed.step(T0 + 10 * S)
    assert (feed.indicator(1, "sma(1)"), feed.indicator(1, "sma(2)")) == (100, None)
    with pytest.raises(ConfigError, match="Did you mean sma"):
        feed.add(1, "SPY", ["smaa(1)"], T0)


def test_bars_and_vwap_belong_to_the_session() -> None:
    feed = Feed(10)
    line = feed.add(1, "SPY", ["vwap"], T0, cold=True)
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
    line = feed.add(1, "SPY", ["sma(1)"], T0, cold=True)
    line.tick(LAST, 100.0, 1.0, T0)
    line.tick(LAST, 101.0, 1.0, T0 + 10 * S)  # a bar is completed and not taken
    feed.remove(1)
    feed.remove(1)
    assert feed.step(T0 + 60 * S) == [] and feed.price(1, T0) is None
    with pytest.raises(KeyError):
        feed.bar(1)


def test_a_restart_keeps_indicators_and_bars() -> None:
    feed, again = Feed(10), Feed(10)
    line = feed.add(1, "SPY", ["ema(2)"], T0, cold=True)
    for second in range(0, 60, 10):
        line.tick(LAST, 100.0 + second, 1.0, T0 + second * S)
    feed.step(T0 + 60 * S)
    again.add(1, "SPY", ["ema(2)"], T0 + 60 * S, cold=True)
    again.add(2, "IBM", ["ema(2)"], T0 + 60 * S, cold=True)
    again.restore(json.loads(msgspec.json.encode(feed.save())))
    assert [again.bar(1, back) for back in range(7)] == [feed.bar(1, back) for back in range(7)]
    assert [again.indicator(1, "ema(2)", back) for back in (0, 1)] == [
        feed.indicator(1, "ema(2)", back) for back in (0, 1)
    ]
    assert again.bar(2) is None
    with pytest.raises(ValueError, match="state"):
        again.restore({"1": {"bars": 7}})
