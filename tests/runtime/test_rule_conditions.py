"""Every family of conditions in a run over a real socket, from TOML and from Python: each is judged true,
false or unknown on the events of a short course of trading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.runtime.flight import Flight
from tests.runtime.scene import until

from tws.clock import NS_PER_S
from tws.rules import (
    Alert,
    AnyCondition,
    Enter,
    Exit,
    Rule,
    SetCooldown,
    between,
    change,
    flag,
    indicator,
    number,
    parse_condition,
    rules_toml,
    word,
)
from tws.rules.conditions import Field, Flag, Is
from tws.rules.fields import FIELDS
from tws.rules.index import can_hold, leaves, operands

Fly = Callable[..., Any]

HOUR, DAY = 3600.0, 86_400.0
EVENTS = {
    "flat": parse_condition("event == signal and model == flat"),
    "long": parse_condition("event == signal and model == long"),
    "out": parse_condition("event == signal and model == out"),
    "entry": parse_condition("event == fill and fill.role == entry"),
    "stop": parse_condition("event == fill and fill.role == stop"),
    "bar": parse_condition("event == bar"),
    "quote": parse_condition("event == quote"),
    "timer": parse_condition("event == timer"),
}
"""When a row is asked: on a signal while nothing is held; while ten are, at 100.01 with the market at 101.00;
after the stop-out; on fills, bars, quotes and the timer all along.
"""


class Row(NamedTuple):
    """A condition in both forms, when it is asked, and what it must be: True, False or None (unknown)."""

    on: str
    text: str
    value: AnyCondition
    answer: bool | None


SURE, NOISE = number("price") > 1, indicator("rsi(900)") > 1

ROWS = [
    # the event
    Row("flat", "event == signal", word("event", "signal"), True),
    Row("bar", "event in (bar, fill)", word("event", "bar", "fill"), True),
    Row("quote", "event != quote", ~word("event", "quote"), False),
    Row("timer", "event == timer", word("event", "timer"), True),
    Row("flat", "symbol == SPY", word("symbol", "SPY"), True),
    Row("flat", 'symbol in (QQQ, "BRK B")', word("symbol", "QQQ", "BRK B"), False),
    # its fields
    Row("flat", "wish == BUY", word("wish", "BUY"), True),
    Row("flat", "wish not in (SELL, SHORT)", ~word("wish", "SELL", "SHORT"), True),
    Row("bar", "wish == BUY", word("wish", "BUY"), None),
    Row("flat", 'model == "flat"', word("model", "flat"), True),
    Row("flat", "confidence >= 0.7", number("confidence") >= 0.7, True),
    Row("flat", "confidence > 0.7", number("confidence") > 0.7, False),
    Row("flat", "signal.price == 100.5", number("signal.price").equals(100.5), True),
    Row("long", "signal.price > 0", number("signal.price") > 0, None),
    Row("flat", "signal.age < 1h", number("signal.age") < HOUR, True),
    Row("entry", "fill.side == BUY", word("fill.side", "BUY"), True),
    Row("stop", "fill.role in (stop, target)", word("fill.role", "stop", "target"), True),
    Row("entry", "fill.quantity == 10", number("fill.quantity").equals(10), True),
    Row("entry", "fill.price > 100 and fill.price < 100.02",
        (number("fill.price") > 100) & (number("fill.price") < 100.02), True),
    Row("entry", "fill.left == 10", number("fill.left").equals(10), True),
    Row("stop", "fill.left == 0", number("fill.left").equals(0), True),
    Row("flat", "fill.left > 0", number("fill.left") > 0, None),
    # bars and indicators
    Row("flat", "bar.high >= bar.low", number("bar.high") >= number("bar.low"), True),
    Row("flat", "bar.open > 90 and bar.close < 110",
        (number("bar.open") > 90) & (number("bar.close") < 110), True),
    Row("flat", "bar.volume >= 0", number("bar.volume") >= 0, True),
    Row("flat", "bar.close of QQQ > 0", number("bar.close", "QQQ") > 0, None),
    Row("flat", "sma(2) > 90", indicator("sma(2)") > 90, True),
    Row("flat", "sma(2) > price of QQQ", indicator("sma(2)") > number("price", "QQQ"), True),
    Row("flat", "bollinger(2, 2).upper >= bollinger(2, 2).lower",
        indicator("bollinger(2,2).upper") >= indicator("bollinger(2,2).lower"), True),
    Row("flat", "rsi(900) > 1", NOISE, None),
    Row("flat", "change(1) < 50%", change(1) < 50, True),
    Row("bar", "sma(1) crosses above 1000", indicator("sma(1)").crosses_above(1000), False),
    Row("bar", "rsi(900) crosses below 50", indicator("rsi(900)").crosses_below(50), None),
    # the market
    Row("flat", "price >= 99.9", number("price") >= 99.9, True),
    Row("quote", "bid < ask", number("bid") < number("ask"), True),
    Row("flat", "spread <= 0.03", number("spread") <= 0.03, True),
    Row("flat", "spread_percent > 1%", number("spread_percent") > 1, False),
    Row("flat", "volume >= 0", number("volume") >= 0, True),
    Row("flat", "quote_age >= 0s", number("quote_age") >= 0, True),
    Row("flat", "price of QQQ > price", number("price", "QQQ") > number("price"), False),
    Row("timer", "price of QQQ > 49", number("price", "QQQ") > 49, True),
    # the position
    Row("flat", "position.side == flat", word("position.side", "flat"), True),
    Row("long", "position.side == long", word("position.side", "long"), True),
    Row("long", "position.side of QQQ != flat", ~word("position.side", "flat", symbol="QQQ"), False),
    Row("flat", "position.size == 0", number("position.size").equals(0), True),
    Row("long", "position.size == 10", number("position.size").equals(10), True),
    Row("flat", "position.profit_percent > -100", number("position.profit_percent") > -100, None),
    Row("long", "position.profit_percent > 0.9%", number("position.profit_percent") > 0.9, True),
    Row("long", "position.profit_atr > 100", number("position.profit_atr") > 100, None),
    Row("long", "position.way_to_stop < 0%", number("position.way_to_stop") < 0, True),
    Row("flat", "position.way_to_stop < 0%", number("position.way_to_stop") < 0, None),
    Row("long", "position.bars >= 0", number("position.bars") >= 0, True),
    Row("long", "position.held < 1h", number("position.held") < HOUR, True),
    Row("out", "position.held < 1h", number("position.held") < HOUR, None),
    Row("long", "position.adds == 0", number("position.adds").equals(0), True),
    Row("long", "position.doubled", flag("position.doubled"), False),
    Row("long", "position.entering", flag("position.entering"), False),
    # time and session
    Row("flat", "time between 00:00 and 23:59:59", between("00:00", "23:59:59"), True),
    Row("flat", "time >= 00:00", number("time") >= 0, True),
    Row("flat", "weekday in (mon, tue, wed, thu, fri, sat, sun)",
        word("weekday", "mon", "tue", "wed", "thu", "fri", "sat", "sun"), True),
    Row("flat", "session.open", flag("session.open"), True),
    Row("flat", "session.after_open >= 0s", number("session.after_open") >= 0, True),
    Row("timer", "session.before_close > 0s", number("session.before_close") > 0, True),
    # cooldown and what was
    Row("flat", "cooldown <= 0s", number("cooldown") <= 0, True),
    Row("long", "cooldown > 50m", number("cooldown") > 3000, True),
    Row("out", "cooldown > 0s", number("cooldown") > 0, False),
    Row("flat", "since.fire > 1d", number("since.fire") > DAY, True),
    Row("flat", "since.entry < 1d", number("since.entry") < DAY, False),
    Row("long", "since.entry < 1h", number("since.entry") < HOUR, True),
    Row("long", "since.stop_out > 1d", number("since.stop_out") > DAY, True),
    Row("out", "since.stop_out < 1h", number("since.stop_out") < HOUR, True),
    # joins, with what is not known
    Row("flat", "price > 1 or rsi(900) > 1", SURE | NOISE, True),
    Row("flat", "price > 1 and rsi(900) > 1", SURE & NOISE, None),
    Row("flat", "price < 1 and rsi(900) > 1", (number("price") < 1) & NOISE, False),
    Row("flat", "price < 1 or rsi(900) > 1", (number("price") < 1) | NOISE, None),
    Row("flat", "not rsi(900) > 1", ~NOISE, None),
    Row("flat", "not (price > 1 and not session.open)", ~(SURE & ~flag("session.open")), True),
]  # fmt: skip

TRADES = [
    Rule(name="enter", when=word("signal.model", "enter"), then=Enter("signal") + SetCooldown(HOUR)),
    Rule(name="never", when=word("signal.model", "never"), then=(Exit(),)),
]
"""`enter` buys ten with a stop at 97.00."""


def asked(place: int) -> list[Rule]:
    """A row as two rules: one that fires where the condition is true, one where its opposite is; without one
    that no event of SPY can fire, which a plan refuses.
    """
    row = ROWS[place]
    when = EVENTS[row.on]
    both = (f"r{place}", when & row.value), (f"r{place}.not", when & ~row.value)
    return [Rule(name=name, when=each, then=(Alert(name),)) for name, each in both if can_hold(each, "SPY")]


async def course(flight: Flight) -> None:
    """Flat, ten long, ahead, stopped out; with bars, quotes and time going by."""
    sim = flight.scene.sim
    markets = flight.pilot.markets

    while markets.bar("SPY", 1) is None:  # what change(1) and sma(2) want
        sim.trade("SPY", 100 + sim.now_ns() % 7 / 1000)  # TWS tells changes alone
        now_ns = sim.now_ns()
        await until(lambda: sim.now_ns() > now_ns + NS_PER_S // 5, "time goes by")  # noqa: B023 - waited for
    await flight.outcome(flight.say("BUY", 0.7, model="flat", price=100.5))
    await flight.outcome(flight.say("BUY", model="enter"))
    await flight.held(10)
    await until(lambda: flight.guarded() == 10, "its stop")
    flight.requote(101.0, 101.02)
    sim.trade("SPY", 101.01)
    await until(lambda: markets.quote("SPY").bid == 101.0, "the market has risen")
    await flight.outcome(flight.say("BUY", model="long"))
    flight.requote(96.5, 96.52)
    sim.trade("SPY", 96.5)
    await flight.held(0)
    await until(lambda: all(seen(flight, each) for each in ("bar", "timer", "quote")), "events")
    await until(lambda: flight.trader.flat("SPY"), "its orders have ended")
    await flight.outcome(flight.say("BUY", model="out"))


def seen(flight: Flight, event: str) -> int:
    """How often the rule that only waits for an event has fired."""
    return flight.pilot.rules._counts[f"seen.{event}", "fired"]


@pytest.mark.parametrize("form", ["toml", "python"])
async def test_each_condition_is_what_its_row_says(form: str, fly: Fly) -> None:
    rules = (
        *TRADES,
        *(Rule(name=f"seen.{name}", when=when, then=(Alert("seen"),)) for name, when in EVENTS.items()),
        *(rule for place in range(len(ROWS)) for rule in asked(place)),
    )
    given = {"more": rules_toml(rules)} if form == "toml" else {"rules": rules}
    flight = await fly("bar_seconds = 1", **given)
    await course(flight)
    report = await flight.end()
    assert report.good, report
    fired = {each.rule: each.fired for each in report.rules}
    assert all(fired[f"seen.{name}"] for name in EVENTS), "each event came"
    assert not any(each.failed for each in report.rules)
    wrong = []
    for place, row in enumerate(ROWS):
        found = {(True, False): True, (False, True): False, (False, False): None}.get(
            (bool(fired.get(f"r{place}")), bool(fired.get(f"r{place}.not"))), "both"
        )
        if found is not row.answer:
            wrong.append(f"{row.text}, on {row.on}: {found}, not {row.answer}")
    assert not wrong, "\n".join(wrong)


def test_both_forms_are_equal() -> None:
    for row in ROWS:
        assert parse_condition(row.text) == row.value, row.text


def test_the_table_has_every_name() -> None:
    """And each answer of each family is there."""
    names = set()
    for row in ROWS:
        names |= {leaf.name for leaf in leaves(row.value) if isinstance(leaf, Is | Flag)}
        names |= {each.name for each in operands(row.value) if isinstance(each, Field)}
    assert names == set(FIELDS)
    assert {row.on for row in ROWS} == set(EVENTS)
    assert {row.answer for row in ROWS} == {True, False, None}
