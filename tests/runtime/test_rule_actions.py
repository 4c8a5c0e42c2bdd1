"""Every action of a rule in a run over a real socket, from TOML and from Python: what it makes of the orders
at the broker.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.runtime.flight import Flight
from tests.runtime.scene import FastScene, Scene, until
from tests.runtime.test_ruling import rule, tally

from tws.clock import NS_PER_S
from tws.model.sizing import Allocation, RiskFraction, Shares
from tws.rules import (
    Alert,
    AnyAction,
    BreakEven,
    CancelEntries,
    DisableRule,
    DoubleDown,
    EnableRule,
    Enter,
    Exit,
    Ignore,
    MoveStop,
    Reverse,
    Rule,
    ScaleIn,
    SetCooldown,
    Trail,
    atr,
    number,
    parse_actions,
    parse_rules,
    percent,
    rules_toml,
    word,
)
from tws.rules import actions as all_actions
from tws.rules.verbs import VERBS

Fly = Callable[..., Any]
Check = Callable[[Flight], Awaitable[None]]


def stops(flight: Flight) -> list[tuple[str, float, float]]:
    """Kind, shares and price of the stops at the broker; where one trails, its price now."""
    return sorted(
        (view.ticket.order_type, float(view.remaining), float(view.trail_stop or view.ticket.stop_price or 0))
        for view in flight.rests()
        if view.ticket.order_type in ("STP", "TRAIL")
    )


def held_with(quantity: int, stop: float, target: float) -> Check:
    """So much is held, with one stop and one target there."""

    async def check(flight: Flight) -> None:
        side = "SELL" if quantity > 0 else "BUY"
        await flight.held(quantity)
        await until(lambda: stops(flight) == [("STP", abs(quantity), stop)], f"a stop at {stop}")
        await until(lambda: flight.limits() == [(side, abs(quantity), target)], f"a target at {target}")

    return check


def stopped_at(low: float, high: float) -> Check:
    """Ten are held, with a stop between these prices."""

    async def check(flight: Flight) -> None:
        def there() -> bool:
            (stop,) = stops(flight)
            return stop[:2] == ("STP", 10) and low <= stop[2] <= high

        await until(there, f"a stop between {low} and {high}")
        await flight.held(10)

    return check


async def trails_by_percent(flight: Flight) -> None:
    """At the broker alone, which goes on with it."""
    await until(lambda: [each[:2] for each in stops(flight)] == [("TRAIL", 10)], "it trails")
    flight.requote(102, 102.02)
    flight.scene.sim.trade("SPY", 102.0)
    await until(lambda: stops(flight) == [("TRAIL", 10, 100.98)], "one percent below the best price")


async def trails_by_atr(flight: Flight) -> None:
    far = 2 * (flight.pilot.markets.atr("SPY") or 0)
    await until(lambda: [each[:2] for each in stops(flight)] == [("TRAIL", 10)], "it trails")
    (stop,) = (each.ticket for each in flight.rests() if each.ticket.order_type == "TRAIL")
    assert stop.trailing_percent is None
    assert 0.5 * far <= float(stop.stop_price or 0) <= 2 * far, "the ATR moves on meanwhile"


async def entered_by_limit(flight: Flight) -> None:
    await flight.held(10)
    (entry,) = [each for each in flight.scene.sim.exchange.completed_orders()
                if each.order.ticket.order_ref == first_entry(flight)]  # fmt: skip
    assert (entry.order.ticket.order_type, entry.order.ticket.limit_price) == ("LMT", Decimal("100.01"))


def first_entry(flight: Flight) -> str:
    state = flight.trader.desk.state
    (group,) = state.open_groups
    return next(order.intent_id for order in state.orders_of(group) if order.role == "entry")


async def gone(flight: Flight) -> None:
    await flight.held(0)
    await until(lambda: not flight.rests(), "nothing works")


async def thirteen(flight: Flight) -> None:
    await flight.held(13)
    await until(lambda: flight.guarded() == 13, "all of it protected")


async def doubles(flight: Flight) -> None:
    await until(lambda: ("BUY", 10, 99.25) in flight.limits(), "a quarter of the way from 100.01 to 97.00")


async def cancelled(flight: Flight) -> None:
    """The double down that waits goes, the protection stays."""
    await until(lambda: [each[0] for each in flight.limits()] == ["SELL"], "no entry waits")
    await until(lambda: stops(flight) == [("STP", 10, 97.0)], "the stop stays")


async def nothing(flight: Flight) -> None:
    assert not tally(flight, "second").fired, "ignored, by the rule of higher priority"
    assert tally(flight, "second").last == "held back: outranked"
    await flight.held(0)


async def paused(flight: Flight) -> None:
    assert 3500 < flight.pilot.rules.engine.cooldowns(flight.scene.sim.now_ns())["SPY"] <= 3600


async def ended(flight: Flight) -> None:
    assert flight.pilot.rules.engine.cooldowns(flight.scene.sim.now_ns()) == {}


async def awake(flight: Flight) -> None:
    assert tally(flight, "second").enabled
    flight.say("BUY", model="act")
    await until(lambda: tally(flight, "second").fired, "from the next event on")


async def asleep(flight: Flight) -> None:
    fired = tally(flight, "second").fired
    flight.say("BUY", model="act")
    await until(lambda: tally(flight, "act").fired == 2, "the next event")
    assert not tally(flight, "second").enabled and tally(flight, "second").fired == fired


async def told(flight: Flight) -> None:
    report = await flight.end()
    assert any("alert of act, SPY: it is time" in line for line in report.fate_lines)


class Row(NamedTuple):
    """An action in both forms; what is there before it fires; what must come of it.

    `before`: flat; long (ten at 100.01, stop 97.00); up (long, and the market at 101.50); doubled (long, with
    a double down that waits). `second` is another rule on the same event.
    """

    text: str
    value: tuple[AnyAction, ...]
    check: Check
    before: str = "flat"
    second: Rule | None = None


HIT = word("signal.model", "act")
OTHER = Rule(name="second", when=HIT, then=(Alert("second"),))
FIVE = Decimal(5)

ROWS = [
    Row("enter long shares 5 stop 2% target 4%",
        (Enter("long", Shares(FIVE), percent(2), percent(4)),), held_with(5, 98.0, 104.02)),
    Row("enter short cash 1000 stop 1% target 3%",
        (Enter("short", Allocation(Decimal(1000)), percent(1), percent(3)),), held_with(-10, 100.99, 96.99)),
    Row("enter signal risk 0.01% stop 3%",
        (Enter("signal", RiskFraction(Decimal("0.0001")), percent(3)),), held_with(33, 97.0, 103.02)),
    Row("enter long limit", (Enter("long", limit=True),), entered_by_limit),
    Row("exit", (Exit(),), gone, "long"),
    Row("reverse shares 5 stop 2% target 4%",
        (Reverse(Shares(FIVE), percent(2), percent(4)),), held_with(-5, 101.99, 95.99), "long"),
    Row("scale in shares 3", (ScaleIn(Shares(Decimal(3))),), thirteen, "long"),
    Row("double down at 25%", (DoubleDown(25),), doubles, "long"),
    Row("move stop 1% from entry", (MoveStop(percent(1), "entry"),), stopped_at(99.0, 99.01), "long"),
    Row("move stop 2% from price", (MoveStop(percent(2), "price"),), stopped_at(99.46, 99.47), "up"),
    Row("move stop 1 atr from price", (MoveStop(atr(1), "price"),), stopped_at(98.0, 101.49), "up"),
    Row("trail 1%", (Trail(percent(1)),), trails_by_percent, "up"),
    Row("trail 2 atr", (Trail(atr(2)),), trails_by_atr, "up"),
    Row("break even", (BreakEven(),), stopped_at(100.01, 100.01), "up"),
    Row("break even plus 0.5%", (BreakEven(percent(0.5)),), stopped_at(100.5, 100.52), "up"),
    Row("cancel entries", (CancelEntries(),), cancelled, "doubled"),
    Row("ignore", (Ignore(),), nothing, second=Rule(name="second", when=HIT, then=(Enter("long"),))),
    Row("cooldown 1h", (SetCooldown(3600),), paused),
    Row("cooldown 0s", (SetCooldown(0),), ended),
    Row("enable second", (EnableRule("second"),), awake,
        second=Rule(name="second", when=HIT, then=(Alert("second"),), enabled=False)),
    Row("disable second", (DisableRule("second"),), asleep, second=OTHER),
    Row('alert "it is time"', (Alert("it is time"),), told),
    Row("cancel entries + exit + cooldown 1h", CancelEntries() + Exit() + SetCooldown(3600), gone, "doubled"),
]  # fmt: skip


def rules_of(row: Row) -> tuple[Rule, ...]:
    """The row's rule, and those that make what is there before."""
    once = number("since.fire") > 86_400
    before = [
        Rule(name="enter", when=word("signal.model", "enter"), then=(Enter("signal"),)),
        Rule(name="double", when=word("signal.model", "double") & once, then=(DoubleDown(50),)),
    ]
    act = Rule(name="act", when=HIT, then=row.value, priority=1)
    return (*before, act, *([] if row.second is None else [row.second]))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = FastScene(tmp_path)
    await made.open()
    yield made
    await made.close()


async def warmed(flight: Flight) -> None:
    """Until there is an ATR, trades make bars."""
    sim, step = flight.scene.sim, 0
    while flight.pilot.markets.atr("SPY") is None:
        step += 1
        at_ns = sim.now_ns()
        sim.trade("SPY", 100 + step % 2 / 10)
        await until(lambda: sim.now_ns() > at_ns + NS_PER_S // 2, "time goes by")  # noqa: B023 - waited for


async def prepare(flight: Flight, row: Row) -> None:
    """What is there before the rule fires."""
    if "atr" in row.text:
        await warmed(flight)
    if row.before == "flat":
        return
    await flight.outcome(flight.say("BUY", model="enter"))
    await flight.held(10)
    await until(lambda: stops(flight) == [("STP", 10, 97.0)], "its stop")
    if row.before == "up":
        flight.requote(101.5, 101.52)
        flight.scene.sim.trade("SPY", 101.51)  # a stop looks at trades
        await until(lambda: flight.pilot.markets.quote("SPY").bid == 101.5, "the market has risen")
    elif row.before == "doubled":
        await flight.outcome(flight.say("BUY", model="double"))
        await until(lambda: ("BUY", 10, 98.5) in flight.limits(), "a double down waits")


FORMS = [(row, "toml") for row in ROWS] + [(row, "python") for row in ROWS[::4]]
"""Both forms are the same actions, as the first line of the test says: some by the other road are enough."""


@pytest.mark.parametrize(("row", "form"), FORMS, ids=[f"{row.text}-{form}" for row, form in FORMS])
async def test_an_action_does_what_its_row_says(row: Row, form: str, fly: Fly) -> None:
    assert parse_actions(row.text) == row.value
    rules = rules_of(row)
    given = {"more": rules_toml(rules)} if form == "toml" else {"rules": rules}
    flight = await fly("bar_seconds = 1\nmax_age_s = 3600", **given)
    await prepare(flight, row)
    flight.say("BUY", model="act")
    await until(lambda: tally(flight, "act").fired, "it fires")
    assert not tally(flight, "act").last, tally(flight, "act")
    await row.check(flight)


async def test_a_stop_that_can_not_be_moved_yet_is_moved_as_soon_as_it_can(fly: Fly) -> None:
    """The second change is denied while the first is out; the rule fires once and never again."""
    moves = rule("move", "model == move", "move stop 2% from entry + move stop 1% from entry")
    flight = await fly(more=rule("enter", "model == enter", "enter signal") + moves)
    await flight.outcome(flight.say("BUY", model="enter"))
    await flight.held(10)
    await until(lambda: stops(flight) == [("STP", 10, 97.0)], "its stop")
    flight.say("BUY", model="move")
    await until(lambda: "a change of it is out" in tally(flight, "move").last, "it fires")
    await stopped_at(99.0, 99.01)(flight)
    assert tally(flight, "move").fired == 1
    assert (await flight.end()).good


def test_the_table_has_every_action() -> None:
    base = all_actions.Action
    found = (each for each in vars(all_actions).values() if inspect.isclass(each))
    kinds = {each for each in found if issubclass(each, base) and each is not base}
    assert {type(action) for row in ROWS for action in row.value} == kinds
    assert {row.text.split()[0] for row in ROWS} == set(VERBS)
    for row in ROWS:
        assert parse_rules([{"name": "a", "when": "event == timer", "then": row.text},
                            {"name": "second", "when": "event == timer", "then": "ignore"}])  # fmt: skip
