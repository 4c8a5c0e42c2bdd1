"""Each figure that a condition may ask about, read from one scene; and the sentences that tell about it."""

from __future__ import annotations

import pytest
from tests.rules.values import NOON

from tws.clock import NS_PER_S
from tws.model.market import Bar, Quote
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.rules import (
    Alert,
    Engine,
    Event,
    Filled,
    Given,
    Holding,
    Rule,
    SignalCame,
    TimePassed,
    parse_condition,
)
from tws.rules.fields import FIELDS

SIGNAL = SignalCame(
    Signal(
        signal_id="1",
        symbol="SPY",
        wish=Wish.SHORT,
        time_ns=NOON - 3 * NS_PER_S,
        confidence=0.7,
        price=99.5,
        model="m",
    )
)
FILL = Filled(symbol="SPY", side="SELL", role="target", quantity=30, price=101.25, left=70)
TIMER = TimePassed("SPY")
BARS = tuple(
    Bar(time_ns=0, seconds=10, open=1 + n, high=3 + n, low=0.5 + n, close=2 + n, volume=10 + n)
    for n in range(4)
)
KNOWN = Given(
    holdings={
        "SPY": Holding(
            quantity=100,
            entry_price=100.0,
            stop_price=90.0,
            entered_ns=NOON - 90 * NS_PER_S,
            bars_held=9,
            adds=1,
            doubled=True,
            entering=True,
        )
    },
    quotes={"SPY": Quote(bid=95.0, ask=105.0, last=96.0, volume=5000.0, time_ns=NOON - 2 * NS_PER_S)},
    bars={"SPY": BARS},
    indicators={("SPY", "atr(14)"): (2.0,), ("SPY", "ema(20)"): (7.0, 3.0)},
    sessions={"SPY": Session(NOON - 60 * NS_PER_S, NOON + 30 * NS_PER_S)},
    zones={"SPY": "America/New_York"},
)
SHORT = Given(
    holdings={"SPY": Holding(quantity=-5, entry_price=100.0, stop_price=110.0)}, quotes=KNOWN.quotes
)

HOLDS = [
    (SIGNAL, "event == signal and symbol == SPY and wish == SHORT and model == m and confidence == 0.7"),
    (SIGNAL, "signal.price == 99.5 and signal.age == 3s"),
    (FILL, "fill.side == SELL and fill.role == target and fill.quantity == 30 and fill.price == 101.25"),
    (FILL, "event == fill and fill.left == 70"),
    (TIMER, "bar.open == 1 and bar.high == 3 and bar.low == 0.5 and bar.close == 2 and bar.volume == 10"),
    (TIMER, "change(3) == -60 and change(1) < -33%"),
    (TIMER, "price == 100 and bid == 95 and ask == 105 and spread == 10 and spread_percent == 10%"),
    (TIMER, "volume == 5000 and quote_age == 2s"),
    (TIMER, "position.side == long and position.size == 100 and position.bars == 9 and position.held == 90s"),
    (TIMER, "position.profit_percent == -5% and position.profit_atr == -2.5 and position.way_to_stop == 50%"),
    (TIMER, "position.adds == 1 and position.doubled and position.entering"),
    (TIMER, "time == 12:00 and weekday == wed"),
    (TIMER, "session.open and session.after_open == 1m and session.before_close == 30s"),
    (TIMER, "cooldown == 0s and since.entry > 7d and since.stop_out > 7d and since.fire > 7d"),
    (TIMER, "ema(20) == 7 and ema(20) crosses above 3 and ema(20) crosses above bar.close"),
]
UNKNOWN = [
    *((TIMER, name) for name in FIELDS if name.startswith(("signal.", "fill."))),
    *(
        (TIMER, name)
        for name in FIELDS
        if FIELDS[name].source in ("bar", "quote", "position", "session", "zone")
    ),
]


def fires(event: Event, context: Given, text: str) -> bool:
    engine = Engine([Rule(name="r", when=parse_condition(text), then=(Alert("x"),))])
    return bool(engine.evaluate(event, context, NOON).fired)


@pytest.mark.parametrize(("event", "text"), HOLDS)
def test_each_figure(event: Event, text: str) -> None:
    for leaf in text.split(" and "):
        assert fires(event, KNOWN, leaf), leaf
        assert not fires(event, KNOWN, f"not {leaf}"), leaf


def test_every_name_is_tried() -> None:
    tried = " ".join(text.replace("wish", "signal.wish") for _, text in HOLDS)
    missing = [name for name in FIELDS if name not in tried and name.partition(".")[2] not in tried.split()]
    assert not missing


@pytest.mark.parametrize(("event", "name"), UNKNOWN)
def test_what_is_not_known_is_neither(event: Event, name: str) -> None:
    kind, unit = FIELDS[name].kind, FIELDS[name].unit
    bound = {"s": "1s", "clock": "10:00"}.get(unit, "1")
    word = (FIELDS[name].words or ("x",))[0]
    leaf = name if kind == "flag" else f"{name} == {word}" if kind == "word" else f"{name} >= {bound}"
    assert not fires(event, Given(), leaf)
    assert not fires(event, Given(), f"not {leaf}")


def test_a_short_is_closed_at_the_ask() -> None:
    assert fires(
        TIMER,
        SHORT,
        "position.side == short and position.profit_percent == -5% and position.way_to_stop == 50",
    )


@pytest.mark.parametrize(
    "holding",
    [
        Holding(),
        Holding(quantity=1),
        Holding(quantity=1, entry_price=100.0, stop_price=101.0),
    ],
    ids=["flat", "no entry price", "a stop on the winning side"],
)
def test_there_is_no_way_to_a_stop(holding: Holding) -> None:
    context = Given(holdings={"SPY": holding}, quotes=KNOWN.quotes)
    assert not fires(TIMER, context, "position.way_to_stop >= 0 or not position.way_to_stop >= 0")


def test_what_tws_writes_for_no_price_is_none() -> None:
    context = Given(quotes={"SPY": Quote(bid=-1.0, ask=0.0, last=4.0)})
    assert fires(TIMER, context, "price == 4")
    assert not fires(TIMER, context, "spread >= 0 or not spread >= 0 or bid < 1 or ask < 1")


def test_outside_the_session_there_is_no_time_to_its_close() -> None:
    context = Given(sessions={"SPY": Session(NOON + 5, NOON + 9)})
    assert fires(TIMER, context, "not session.open")
    assert not fires(TIMER, context, "session.before_close >= 0s or not session.before_close >= 0s")


@pytest.mark.parametrize(
    ("span", "holds"),
    [
        ("11:59 and 12:01", True),
        ("12:00 and 12:00:01", True),
        ("06:00 and 12:00", False),
        ("12:00:01 and 13:00", False),
        ("22:00 and 02:00", False),
        ("22:00 and 12:01", True),
        ("11:00 and 06:00", True),
    ],
)
def test_between_two_times_at_noon(span: str, holds: bool) -> None:
    assert fires(TIMER, KNOWN, f"time between {span}") is holds


def told(text: str, context: Given = KNOWN) -> list[str]:
    engine = Engine([Rule(name="r", when=parse_condition(text), then=(Alert("x"),))])
    engine.evaluate(SIGNAL, context, NOON)
    trace = engine.explain("r")
    assert trace is not None
    return trace.explain().splitlines()


def test_a_trace_tells_figures_bounds_and_what_was_unknown() -> None:
    either = "ema(20) crosses above ema(50) or not session.before_close > 1m"
    text = f"confidence >= 0.5 and ({either}) and bid > 96 and ask > 1"
    assert told(text) == [
        "r did not fire, on a signal of SPY at 2026-11-18 17:00:00 UTC.",
        "  false: all of these",
        "    true: signal.confidence >= 0.5: signal.confidence is 0.7",
        "    true: any of these",
        "      unknown: ema(20) crosses above ema(50): ema(20) is 7, ema(50) is not known (it warms up), "
        "ema(20) one bar before is 3, ema(50) one bar before is not known (it warms up)",
        "      true: not",
        "        false: session.before_close > 60s: session.before_close is 30s",
        "    false: bid > 96: bid is 95",
        "    not asked: ask > 1",
    ]


def test_a_trace_of_a_rule_that_fired() -> None:
    assert told("wish in (BUY, SHORT) and since.entry >= 3m")[0].startswith("r fired, on a signal of SPY")
    assert told("wish in (BUY, SHORT) and since.entry >= 3m")[2:] == [
        "    true: signal.wish in (BUY, SHORT): signal.wish is SHORT",
        "    true: since.entry >= 180s: since.entry is never",
    ]


def test_a_trace_of_a_rule_that_the_event_can_not_fire() -> None:
    engine = Engine([Rule(name="r", when=parse_condition("event == bar"), then=(Alert("x"),))])
    assert engine.explain("r") is None
    engine.evaluate(SIGNAL, KNOWN, NOON)
    assert "such an event can't fire it" in engine.explain("r").explain()  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="no rule"):
        engine.explain("x")


def test_a_trace_is_kept_for_each_symbol_and_kind_and_no_more_than_the_bound() -> None:
    engine = Engine(
        [Rule(name="r", when=parse_condition("price > 1 or confidence > 0.6"), then=(Alert("x"),))]
    )
    engine.evaluate(SIGNAL, KNOWN, NOON)
    for number in range(5_000):
        engine.evaluate(TimePassed(f"S{number % 3}"), KNOWN, NOON + number)
    assert engine.explain("r", "SPY", "signal").explain().startswith("r fired")  # type: ignore[union-attr]
    assert engine.explain("r", "S1").at_ns == NOON + 4_999 - (4_999 - 1) % 3  # type: ignore[union-attr]
    for number in range(3_000):
        engine.evaluate(TimePassed(f"N{number}"), KNOWN, NOON)
    assert engine.explain("r", "SPY", "signal") is None
    assert len(engine._seen) == 2_000
