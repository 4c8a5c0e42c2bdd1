"""A strategy as its player plays it: what it may ask, what becomes of its answers, that it repeats."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tws.clock import NS_PER_S
from tws.errors import ConfigError, TWSError
from tws.indicators import Ema, Sma
from tws.model.market import Bar, Quote
from tws.model.order import Role
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.strategy.base import Fill, Strategy
from tws.strategy.playing import (
    MOST_SIGNALS,
    BarMade,
    Began,
    Ended,
    Event,
    Filled,
    Heard,
    InSession,
    Player,
    Positioned,
    Ticked,
    Warmed,
)

S = NS_PER_S
CLOSES = [100 + (number * 37 % 23) / 10 for number in range(200)]


def bar(number: int, seconds: int = 10) -> Bar:
    close = CLOSES[number]
    return Bar(time_ns=number * seconds * S, seconds=seconds, open=close, high=close + 1, low=close - 1,
               close=close, volume=10)


def made(number: int, quote: Quote | None = None) -> BarMade:
    return BarMade((number + 1) * 10 * S, "SPY", bar(number), quote)


def fill(name: str, quantity: int, position: int) -> Filled:
    return Filled(7 * S, Fill(symbol="SPY", quantity=Decimal(quantity), price=Decimal(100), time_ns=7 * S,
                              role=Role.ENTRY, position=Decimal(position), fill_id=name))


class Above(Strategy):
    """BUY above the average."""

    symbols = ("SPY",)

    def on_bar(self, symbol: str, bar: Bar) -> Iterator[Signal]:
        average = self.sma(symbol, 20)
        if average and bar.close > average:
            yield self.signal(symbol, Wish.BUY, confidence=0.6)


class Noted(Strategy):
    """Writes down what it is told and what it may ask then."""

    symbols = ("SPY", "QQQ")
    studies = ("ema(5)",)

    def __init__(self) -> None:
        self.notes: list[Any] = []

    def on_start(self) -> None:
        self.notes.append(("start", self.now_ns, self.position("SPY"), self.bar("SPY")))

    def on_bar(self, symbol: str, bar: Bar) -> None:
        average = self.indicator(symbol, "ema(5)")
        self.notes.append(("bar", self.bar(symbol) == bar, self.quote(symbol), average))

    def on_tick(self, symbol: str, quote: Quote) -> None:
        self.notes.append(("tick", self.quote(symbol) is quote))

    def on_signal(self, signal: Signal) -> Signal:
        return self.signal(signal.symbol, Wish.SELL)

    def on_fill(self, fill: Fill) -> None:
        self.notes.append(("fill", fill.fill_id, self.position(fill.symbol)))

    def on_stop(self) -> None:
        self.notes.append(("stop", self.now.isoformat()))

    def save(self) -> Any:
        return self.notes

    def restore(self, value: Any) -> None:
        self.notes = list(value)


def played(strategy: Strategy, events: list[Event]) -> list[Signal]:
    player = Player(strategy)
    return [signal for event in events for signal in player.play(event)]


def test_a_bar_is_in_the_indicators_when_its_hook_runs() -> None:
    average, expected = Sma(20), []
    for number in range(200):
        value = average.update(CLOSES[number])
        if value is not None and CLOSES[number] > value:
            expected.append((number + 1) * 10 * S)
    signals = played(Above(), [Began(0, {}), *map(made, range(200))])
    assert [signal.time_ns for signal in signals] == expected != []
    assert {(each.model, each.symbol, each.wish, each.confidence) for each in signals} == {
        ("above", "SPY", Wish.BUY, 0.6)
    }


def test_the_same_events_give_the_same_signals() -> None:
    events: list[Event] = [Began(0, {}), *map(made, range(100))]
    first = played(Above(), events)
    assert first == played(Above(), events)
    assert len({signal.signal_id for signal in first}) == len(first)
    # A run that begins later and hears the same bar wishes the same by the same id: it acts once.
    later = played(Above(), [Warmed(0, "SPY", tuple(map(bar, range(50)))), *map(made, range(50, 100))])
    assert [signal.signal_id for signal in later] == [s.signal_id for s in first if s.time_ns > 500 * S]


def test_what_may_be_asked_in_each_hook() -> None:
    strategy, quote = Noted(), Quote(symbol="SPY", bid=1.0, ask=2.0, time_ns=6 * S)
    session = Session(0, 10_000 * S)
    signals = played(strategy, [
        InSession(0, "SPY", session),
        Warmed(0, "SPY", tuple(map(bar, range(5)))),
        Began(50 * S, {"SPY": Decimal(5)}),
        made(5, quote),
        Ticked(61 * S, "SPY", quote),
        fill("a", 3, 8),
        Heard(62 * S, Signal(signal_id="x", symbol="QQQ", wish=Wish.BUY, time_ns=0, model="other")),
        Ended(63 * S),
    ])  # fmt: skip
    average = Ema(5)
    values = [average.update(close) for close in CLOSES[:6]]
    assert strategy.notes == [
        ("start", 50 * S, Decimal(5), bar(4)),
        ("bar", True, quote, values[5]),
        ("tick", True),
        ("fill", "a", Decimal(8)),
        ("stop", "1970-01-01T00:01:03+00:00"),
    ]
    (signal,) = signals
    assert (signal.symbol, signal.wish, signal.model) == ("QQQ", Wish.SELL, "noted")
    assert signal.signal_id == "noted:QQQ:on other/x"


def test_an_indicator_that_is_asked_for_late_has_seen_what_is_kept() -> None:
    strategy = Noted()
    player = Player(strategy)
    for number in range(60):
        player.play(made(number))
    average, band = Ema(9), None
    for number in range(60):
        average.update(CLOSES[number])
    assert strategy.ema("SPY", 9) == average.value
    band = strategy.indicator("SPY", "bollinger(20, 2).upper")
    before = strategy.indicator("SPY", "ema(9)")
    player.play(made(60))
    assert strategy.ema("SPY", 9) == average.update(CLOSES[60])
    assert strategy.indicator("SPY", "ema(9)", back=1) == before
    assert strategy.indicator("SPY", "bollinger(20, 2).upper", back=1) == band
    assert [each.close for each in strategy.bars("SPY", 3)] == CLOSES[58:61]


def test_a_fill_is_told_once_also_after_a_restart() -> None:
    strategy = Noted()
    player = Player(strategy)
    for event in (fill("a", 5, 5), fill("a", 5, 5), fill("b", -5, 0)):
        player.play(event)
    again = Noted()
    second = Player(again)
    second.restore(player.save(), player.told)
    for event in (fill("a", 5, 5), fill("b", -5, 0), fill("c", 1, 1)):
        second.play(event)
    assert [note[1] for note in again.notes] == ["a", "b", "c"]
    assert again.position("SPY") == 1


def test_a_position_may_change_without_a_fill() -> None:
    strategy = Noted()
    player = Player(strategy)
    for event in (Began(0, {"SPY": Decimal(5)}), Positioned(1, "SPY", Decimal(20))):
        player.play(event)
    assert (strategy.position("SPY"), strategy.position("QQQ")) == (20, 0)


def test_a_hook_that_raises_loses_no_bar() -> None:
    class Fragile(Strategy):
        symbols = ("SPY",)
        studies = ("sma(3)",)

        def on_bar(self, symbol: str, bar: Bar) -> None:
            raise ZeroDivisionError

    player = Player(Fragile())
    for number in range(5):
        with pytest.raises(ZeroDivisionError):
            player.play(made(number))
    assert player.strategy.sma("SPY", 3) == pytest.approx(sum(CLOSES[2:5]) / 3)


def test_a_signal_that_is_passed_on_is_the_strategys_own() -> None:
    class Passing(Noted):
        def on_signal(self, signal: Signal) -> Signal:
            return signal

    heard = Signal(signal_id="x", symbol="QQQ", wish=Wish.BUY, time_ns=0, model="other")
    assert [each.model for each in played(Passing(), [Heard(0, heard)])] == ["passing"]


def test_answers_that_are_none() -> None:
    class Odd(Strategy):
        symbols = ("SPY",)
        answer: Any = None

        def on_bar(self, symbol: str, bar: Bar) -> Any:
            return self.answer

    strategy = Odd()
    player = Player(strategy)
    strategy.answer = ["BUY"]
    with pytest.raises(TypeError, match="str, neither"):
        player.play(made(0))
    strategy.answer = (strategy.signal("SPY", Wish.BUY) for _ in iter(int, 1))
    with pytest.raises(TWSError, match=str(MOST_SIGNALS)):
        player.play(made(1))
    strategy.answer = [strategy.signal("SPY", Wish.BUY), strategy.signal("SPY", Wish.SELL)]
    assert len({signal.signal_id for signal in player.play(made(2))}) == 2


def test_what_is_asked_wrongly_is_named() -> None:
    strategy = Noted()
    with pytest.raises(TWSError, match="within a hook"):
        _ = strategy.now_ns
    Player(strategy)
    with pytest.raises(TWSError, match="IBM is none of the symbols of noted, which are SPY, QQQ"):
        strategy.position("IBM")
    with pytest.raises(ConfigError, match="Did you mean"):
        strategy.indicator("SPY", "emma(20)")
    with pytest.raises(ValueError, match="not 2 back"):
        strategy.indicator("SPY", "ema(5)", back=2)
    strategy.studies = ("nonsense(1)",)
    with pytest.raises(ConfigError):
        Player(strategy)


def test_indicators_of_a_strategy_have_a_bound() -> None:
    strategy = Noted()
    player = Player(strategy)
    player.play(made(0))
    with pytest.raises(TWSError, match="ask for fewer"):
        for period in range(1, 1000):
            strategy.sma("SPY", period)


class Pair(Strategy):
    """Wishes for SPY on whichever bar of the two comes."""

    symbols = ("SPY", "QQQ")

    def on_bar(self, symbol: str, bar: Bar) -> Signal:
        return self.signal("SPY", Wish.BUY if symbol == "QQQ" else Wish.CLOSE)

    def on_tick(self, symbol: str, quote: Quote) -> Signal:
        return self.signal("SPY", Wish.BUY if symbol == "QQQ" else Wish.CLOSE)


def test_wishes_for_one_symbol_at_the_bars_and_ticks_of_two_at_one_instant_are_two() -> None:
    player = Player(Pair())
    player.play(Began(0, {}))
    quotes = [Quote(con_id=1, symbol=symbol, time_ns=7 * S) for symbol in ("SPY", "QQQ")]
    events: list[Event] = [BarMade(10 * S, symbol, bar(0)) for symbol in ("SPY", "QQQ")]
    events += [Ticked(11 * S, quote.symbol, quote) for quote in quotes]
    ids = [signal.signal_id for event in events for signal in player.play(event)]
    assert len(set(ids)) == 4, ids
