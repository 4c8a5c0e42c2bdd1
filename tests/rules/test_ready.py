"""The ready-made rules mean what traders mean: signals, fills and the clock against a position."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.rules.values import NOON

from tws.clock import NS_PER_S
from tws.model.market import Quote
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.rules import (
    BreakEven,
    CancelEntries,
    DoubleDown,
    Engine,
    Enter,
    Exit,
    Filled,
    Given,
    Holding,
    Ignore,
    QuoteMoved,
    Reverse,
    ScaleIn,
    SetCooldown,
    SignalCame,
    TimePassed,
    Trail,
    atr,
    parse_rule,
    rule_table,
)
from tws.rules.ready import Plan, break_even, double_down, scale_in, standard, trail

FLAT = Holding()
LONG = Holding(quantity=100, entry_price=50.0, stop_price=44.0, entered_ns=NOON)
SHORT = Holding(quantity=-100, entry_price=50.0, stop_price=56.0, entered_ns=NOON)
CLOSE = NOON + 4 * 3600 * NS_PER_S
ENTER = (Enter("signal", None, atr(6), atr(3)), SetCooldown(180.0))
REVERSE = (Reverse(None, atr(6), atr(3)), SetCooldown(180.0))
CLOSING = (CancelEntries(), Exit())


def scene(holding: Holding | None = FLAT, price: float = 50.0) -> Given:
    return Given(
        holdings={} if holding is None else {"CVNA": holding},
        quotes={"CVNA": Quote(bid=price - 0.01, ask=price + 0.01)},
        indicators={("CVNA", "atr(14)"): (1.0,)},
        sessions={"CVNA": Session(NOON - 9000 * NS_PER_S, CLOSE)},
        zones={"CVNA": "America/New_York"},
    )


def signal(wish: Wish, confidence: float = 0.85) -> SignalCame:
    return SignalCame(Signal(signal_id="1", symbol="CVNA", wish=wish, confidence=confidence, time_ns=NOON))


def wishes(engine: Engine, event: Any, given: Given, now_ns: int = NOON) -> tuple[Any, ...]:
    return tuple(action for each in engine.evaluate(event, given, now_ns).fired for action in each.actions)


@pytest.mark.parametrize(
    ("wish", "holding", "expected"),
    [
        (Wish.BUY, FLAT, ENTER),
        (Wish.SHORT, FLAT, ENTER),
        (Wish.SELL, FLAT, ()),
        (Wish.NEUTRAL, FLAT, ()),
        (Wish.BUY, LONG, (Ignore(),)),
        (Wish.SHORT, SHORT, (Ignore(),)),
        (Wish.SHORT, LONG, REVERSE),
        (Wish.BUY, SHORT, REVERSE),
        (Wish.SELL, LONG, CLOSING),
        (Wish.SELL, SHORT, ()),
        (Wish.CLOSE, FLAT, ()),
        (Wish.CLOSE, LONG, CLOSING),
        (Wish.CLOSE, SHORT, CLOSING),
        (Wish.NEUTRAL, LONG, ()),
        (Wish.BUY, None, ()),
        (Wish.BUY, Holding(entering=True), ()),
    ],
)
def test_a_signal_against_a_position(wish: Wish, holding: Holding | None, expected: tuple[Any, ...]) -> None:
    assert wishes(Engine(standard()), signal(wish), scene(holding)) == expected


def test_a_signal_below_the_threshold_does_nothing() -> None:
    engine = Engine(standard(Plan(confidence=0.9)))
    assert wishes(engine, signal(Wish.BUY, 0.89), scene()) == ()
    assert wishes(engine, signal(Wish.SHORT, 0.89), scene(LONG)) == ()
    assert wishes(engine, signal(Wish.BUY, 0.9), scene()) == ENTER


def test_three_minutes_pass_between_entries_unless_a_stop_out_ends_them() -> None:
    engine = Engine(standard())
    assert wishes(engine, signal(Wish.BUY), scene()) == ENTER
    assert wishes(engine, signal(Wish.BUY), scene(), NOON + 179 * NS_PER_S) == ()
    stop = Filled(symbol="CVNA", side="SELL", role="stop", quantity=100, price=44, left=0)
    assert wishes(engine, stop, scene(), NOON + 179 * NS_PER_S) == ()
    assert wishes(engine, signal(Wish.BUY), scene(), NOON + 179 * NS_PER_S) == ENTER
    assert wishes(engine, signal(Wish.BUY), scene(), NOON + 359 * NS_PER_S) == ENTER


def test_the_last_minute_flattens_once_and_opens_nothing() -> None:
    engine, timer = Engine(standard()), TimePassed("CVNA")
    assert wishes(engine, timer, scene(LONG), CLOSE - 61 * NS_PER_S) == ()
    assert wishes(engine, signal(Wish.BUY), scene(), CLOSE - 60 * NS_PER_S) == ()
    assert wishes(engine, timer, scene(FLAT), CLOSE - 60 * NS_PER_S) == ()
    assert wishes(engine, timer, scene(LONG), CLOSE - 60 * NS_PER_S) == CLOSING
    assert wishes(engine, timer, scene(LONG), CLOSE - 59 * NS_PER_S) == ()
    assert wishes(engine, timer, scene(LONG), CLOSE) == (), "no session, no figure"
    morning, evening = CLOSE + 17 * 3600 * NS_PER_S, CLOSE + 20 * 3600 * NS_PER_S
    tomorrow = replace(scene(LONG), sessions={"CVNA": Session(morning, evening)}, zones={})
    assert wishes(engine, timer, tomorrow, evening - 61 * NS_PER_S) == ()
    assert wishes(engine, timer, tomorrow, evening - 30 * NS_PER_S) == CLOSING, "once a session, zone or none"
    assert wishes(engine, timer, tomorrow, evening - 29 * NS_PER_S) == ()


def test_a_working_entry_is_cancelled_at_the_close_too() -> None:
    entering = Holding(entering=True)
    assert wishes(Engine(standard()), TimePassed("CVNA"), scene(entering), CLOSE - NS_PER_S) == CLOSING


def test_scaling_in_wants_profit() -> None:
    engine = Engine([*standard(), scale_in(Plan(), profit_atr=1.5)])
    assert wishes(engine, signal(Wish.BUY), scene(LONG, 51.4)) == (Ignore(),)
    assert wishes(engine, signal(Wish.BUY), scene(LONG, 51.52)) == (ScaleIn(None),)
    assert wishes(engine, signal(Wish.SHORT), scene(SHORT, 48.48)) == (ScaleIn(None),)
    added = Holding(quantity=200, entry_price=50.0, adds=1)
    assert wishes(engine, signal(Wish.BUY), scene(added, 52)) == (Ignore(),)


def test_the_double_down_is_asked_for_once_when_the_entry_has_filled() -> None:
    engine = Engine([double_down()])
    fill = Filled(symbol="CVNA", side="BUY", role="entry", quantity=100, price=50, left=100)
    part = Holding(quantity=50, entry_price=50.0, entering=True)
    assert wishes(engine, fill, scene(part)) == ()
    assert wishes(engine, fill, scene(LONG)) == (DoubleDown(50.0),)
    doubled = Holding(quantity=100, entry_price=50.0, doubled=True)
    assert wishes(engine, fill, scene(doubled)) == ()


def test_break_even_and_trailing_come_once_a_trade() -> None:
    for rule, action in ((break_even(2), BreakEven()), (trail(2, atr(1)), Trail(atr(1)))):
        engine, quote = Engine([rule]), QuoteMoved("CVNA")
        entry = Filled(symbol="CVNA", side="BUY", role="entry", quantity=1, price=50, left=1)
        wishes(engine, entry, scene(LONG))
        assert wishes(engine, quote, scene(LONG, 52), NOON + 1) == ()
        assert wishes(engine, quote, scene(LONG, 52.01), NOON + 2) == (action,)
        assert wishes(engine, quote, scene(LONG, 53), NOON + 3) == ()
        wishes(engine, entry, scene(LONG), NOON + 4)
        assert wishes(engine, quote, scene(LONG, 53), NOON + 5) == (action,)


def test_they_are_ordinary_rules() -> None:
    for rule in (*standard(), scale_in(Plan()), double_down(), break_even(1, atr(0.5)), trail(1, atr(2))):
        assert parse_rule(rule_table(rule)) == rule
