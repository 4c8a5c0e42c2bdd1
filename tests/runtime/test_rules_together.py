"""Several rules on one event, in a run over a real socket: who goes first, and what the trace says of the
others.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.runtime.flight import Flight
from tests.runtime.scene import until
from tests.runtime.test_rules_command import tws
from tests.runtime.test_ruling import rule, tally

from tws.model.sizing import Shares
from tws.rules import percent
from tws.rules.ready import Plan, standard
from tws.runtime.rulecontrol import RuleWish, answered

Fly = Callable[..., Any]

ENTER = rule("enter", "model == enter", "enter signal")


async def explained(flight: Flight, name: str) -> str:
    """What the control channel answers about a rule."""
    answer = await answered(flight.run, RuleWish(what="explain", rule=name, symbol="SPY", event="signal"))
    return str(answer["text"])


@pytest.mark.parametrize(
    ("one", "two", "held", "first"),
    [
        (("enter long", 1), ("enter short", 0), 10, "one"),
        (("enter long", 0), ("enter short", 1), -10, "two"),
        (("enter long", 0), ("enter short", 0), 10, "one"),
        (("enter long", -5), ("enter short", -4), -10, "two"),
        (("ignore", 1), ("enter short", 0), 0, "one"),
        (("cancel entries", 1), ("enter long", 0), 0, "one"),
    ],
)
async def test_of_two_that_contradict_one_trades_and_the_other_says_why_not(
    fly: Fly, one: tuple[str, int], two: tuple[str, int], held: int, first: str
) -> None:
    flight = await fly(
        more=rule("one", "wish == BUY and position.side == flat", one[0], priority=one[1])
        + rule("two", "confidence >= 0.5 and position.side == flat", two[0], priority=two[1])
        + rule("note", "wish == BUY", 'alert "both"', priority=-100)
    )
    await flight.outcome(flight.say("BUY"))
    await flight.held(held)
    other = "two" if first == "one" else "one"
    assert (tally(flight, first).fired, tally(flight, other).fired) == (1, 0)
    assert (tally(flight, other).held, tally(flight, other).last) == (1, "held back: outranked")
    assert tally(flight, "note").fired == 1, "an alert stands beside whoever trades"
    text = await explained(flight, other)
    assert f"{other} was held back though its condition holds: outranked by {first}" in text
    assert "  true: all of these" in text and "true: position.side == flat" in text
    assert f"{first} fired, on a signal of SPY" in await explained(flight, first)
    assert (await flight.end()).good


@pytest.mark.parametrize("exits", [True, False])
async def test_an_exit_and_an_addition_on_one_signal(fly: Fly, exits: bool) -> None:
    flight = await fly(
        more=ENTER
        + rule("out", "model == both", "exit", priority=1 if exits else 0)
        + rule("more", "model == both", "scale in shares 3", priority=0 if exits else 1)
    )
    await flight.outcome(flight.say("BUY", model="enter"))
    await flight.held(10)
    await until(lambda: flight.guarded() == 10, "its stop")
    flight.say("BUY", model="both")
    await flight.held(0 if exits else 13)
    assert "outranked by out" in await explained(flight, "more") or not exits
    assert "outranked by more" in await explained(flight, "out") or exits
    assert (await flight.end()).good


async def test_who_is_held_back_outranks_nobody(fly: Fly) -> None:
    """A pause, or executions that are used up, let the next one go."""
    flight = await fly(
        more=rule("paused", "wish == BUY", 'cancel entries', priority=2, cooldown_s=3600)
        + rule("spent", "wish == BUY", "cancel entries", priority=1, per_day=1)
        + rule("last", "wish == BUY and position.side == flat", "enter signal")
    )
    assert await flight.outcome(flight.say("BUY")) == ("refused", "no rule fired")
    assert await flight.outcome(flight.say("BUY")) == ("refused", "no rule fired")
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    assert "its own cooldown" in await explained(flight, "paused")
    assert "executions per day, 1 of 1" in await explained(flight, "spent")
    code, text = await tws(flight, "rules", "explain", "spent", "--event", "signal")
    assert code == 0 and "spent was held back though its condition holds: executions per day, 1 of 1" in text
    assert (await flight.end()).good


@pytest.mark.parametrize(("high", "low", "left"), [("1h", "0s", True), ("0s", "1h", False)])
async def test_of_two_cooldowns_that_of_the_higher_priority_stays(
    fly: Fly, high: str, low: str, left: bool
) -> None:
    flight = await fly(
        more=rule("low", "wish == BUY", f"cooldown {low}")
        + rule("high", "wish == BUY", f"cooldown {high}", priority=1)
        + rule("free", "wish == BUY and cooldown <= 0s", "enter signal", priority=-1)
    )
    await flight.outcome(flight.say("BUY"))
    await flight.held(10)
    rules = flight.pilot.rules
    assert ("SPY" in rules.engine.cooldowns(flight.scene.sim.now_ns())) is left
    assert tally(flight, "low").fired == tally(flight, "high").fired == 1
    assert (await flight.end()).good


async def test_the_ready_made_rules_trade(fly: Fly) -> None:
    """Entry, same side ignored, opposite reverses, SELL closes: from Python, as they come."""
    plan = Plan(size=Shares(Decimal(5)), stop=percent(3), target=percent(3), cooldown_s=1, last_s=1)
    flight = await fly(rules=standard(plan))
    assert await flight.outcome(flight.say("BUY", 0.4)) == ("refused", "threshold")
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(5)
    assert await flight.outcome(flight.say("BUY")) == ("refused", "ignored by a rule")
    assert await flight.outcome(flight.say("SHORT")) == ("traded", "")
    await flight.held(-5)
    assert await flight.outcome(flight.say("SELL")) == ("refused", "no rule fired"), "SELL closes a long"
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(5)
    assert await flight.outcome(flight.say("SELL")) == ("closed", "")
    await flight.held(0)
    report = await flight.end()
    assert report.good and {each.rule: each.fired for each in report.rules} == {
        "flatten": 0, "close": 1, "reverse": 2, "same_side": 1, "enter": 1,
    }  # fmt: skip
