"""Which rules an event meets, what is asked for them, and what a runtime must know for them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rules.test_engine import BAR, ZONES, fired, rule
from tests.rules.values import NOON

from tws.clock import NS_PER_S
from tws.model.market import Quote
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.rules import Alert, BarEnded, Engine, Given, Holding, Needs, QuoteMoved, SignalCame, TimePassed

TODAY = Session(NOON - 3600 * NS_PER_S, NOON + 3600 * NS_PER_S)


class Asked(Given, frozen=True, kw_only=True):
    """A context that notes what it is asked for."""

    asked: list[tuple[Any, ...]]

    def quote(self, symbol: str) -> Quote | None:
        self.asked.append(("quote", symbol))
        return Quote(last=5.0)

    def holding(self, symbol: str) -> Holding | None:
        self.asked.append(("holding", symbol))
        return Holding()

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        self.asked.append(("indicator", symbol, spec, back))
        return 1.0


def test_the_context_is_asked_once_and_only_for_what_decides() -> None:
    asked: list[tuple[Any, ...]] = []
    engine = Engine(
        [
            rule("a", Alert("x"), "price > 1 and position.side == long and rsi(14) < 5"),
            rule("b", Alert("x"), "price > 2"),
            rule("c", Alert("x"), "ema(20) of QQQ > price"),
            rule("d", Alert("x"), "symbol == IBM and ema(50) > 1"),
        ]
    )
    engine.evaluate(BAR, Asked(asked=asked), NOON)
    assert asked == [("quote", "SPY"), ("holding", "SPY"), ("indicator", "QQQ", "ema(20)", 0)]


def test_needs_are_told_for_each_symbol() -> None:
    engine = Engine(
        [
            rule("a", when="symbol == SPY and position.profit_atr > 1 and change(5) > 0"),
            rule(
                "b",
                when="symbol == QQQ and ema(20) of SPY crosses above 5 and bar.close crosses above ema(9)",
            ),
            rule("c", when="session.open and weekday == fri and symbol == IBM"),
            rule("d", when="symbol == TLT and rsi(14) > 5", enabled=False),
        ]
    )
    assert engine.needs("SPY") == Needs(
        indicators=("atr(14)", "ema(20)"), bars_back=5, sources=("position", "quote")
    )
    assert engine.needs("QQQ") == Needs(indicators=("ema(9)",), bars_back=1)
    assert engine.needs("IBM") == Needs(sources=("session", "zone"))
    assert engine.needs("TLT") == Needs()
    engine.enable("d")
    assert engine.needs("TLT") == Needs(indicators=("rsi(14)",))
    assert engine.symbols() == ("IBM", "QQQ", "SPY", "TLT")


def test_rules_for_any_symbol_and_for_all_but_some_have_needs_too() -> None:
    engine = Engine(
        [
            rule("all", when="ema(20) > 1"),
            rule("others", when="symbol != SPY and ema(50) > 1"),
            rule("never", when="symbol == SPY and symbol == QQQ and ema(9) > 1"),
            rule("same", when="price of SPY > 1"),
        ]
    )
    assert engine.needs("SPY") == Needs(indicators=("ema(20)",), sources=("quote",))
    assert engine.needs("QQQ") == engine.needs("IBM") == Needs(indicators=("ema(20)", "ema(50)"))


def test_an_event_meets_only_the_rules_it_can_fire() -> None:
    engine = Engine(
        [
            rule("signals", when="confidence >= 0.5"),
            rule("buys", when="wish == BUY"),
            rule("spy", when="symbol == SPY and (confidence > 0 or event == bar)"),
            rule("others", when="symbol != SPY and event == bar"),
            rule("any", when="price > 1"),
        ]
    )
    wish = SignalCame(Signal(signal_id="1", symbol="SPY", wish=Wish.SHORT, time_ns=NOON))
    assert engine.evaluate(wish, Given(), NOON).looked == 3
    assert engine.evaluate(BAR, Given(), NOON).looked == 2
    assert engine.evaluate(BarEnded("QQQ"), Given(), NOON).looked == 2
    assert engine.evaluate(QuoteMoved("SPY"), Given(), NOON).looked == 1
    assert engine.hears("quote", "SPY") and engine.hears("fill", "SPY")
    engine.disable("any")
    assert not engine.hears("quote", "SPY") and not engine.hears("fill", "SPY")
    assert engine.hears("bar", "SPY") and engine.hears("signal", "QQQ") and not engine.hears("timer", "SPY")


@pytest.mark.parametrize(
    ("when", "heard"),
    [
        ("price > 1", True),
        ("spread_percent < 1 and session.open", True),
        ("position.profit_percent > -100", True),
        ("price of QQQ > 1", True),
        ("event == quote and session.open", True),
        ("not event == bar", True),
        ("event == bar and price > 1", False),
        ("session.open", False),
        ("position.side == long", False),
        ("rsi(14) > 1 or bar.close > 1", False),
        ("since.fire > 1s", False),
        ("position.way_to_stop > -500", True),
    ],
)
def test_quotes_are_for_the_rules_about_them(when: str, heard: bool) -> None:
    """What other rules look at is no different after a quote; they fire on all other events as they hold."""
    engine = Engine([rule("r", when=when), rule("other", Alert("x"), "bid > 0")])
    known = Given(
        quotes=dict.fromkeys(ZONES, Quote(bid=99.0, ask=99.5)),
        holdings={"SPY": Holding(quantity=1, entry_price=99.0, stop_price=90.0)},
        indicators={("SPY", "rsi(14)"): (50.0,)},
        sessions={"SPY": TODAY},
    )
    assert ("r" in fired(engine.evaluate(QuoteMoved("SPY"), known, NOON))) is heard
    on_time = "not" in when or "event ==" not in when
    assert ("r" in fired(engine.evaluate(TimePassed("SPY"), known, NOON))) is on_time
