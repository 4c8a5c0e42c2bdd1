"""`tws rules` and `tws status --rules` on a running trader, as commands, over its control channel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.crash.process import in_process
from tests.runtime.flight import Flight
from tests.runtime.scene import Scene, records_of, until
from tests.runtime.test_ruling import rule, tally

from tws.model.records import RuleSwitched

Fly = Callable[..., Any]

RULES = (
    rule("enter", "confidence >= 0.5 and wish == BUY and position.side == flat",
         "enter signal + cooldown 1h", per_day=3)
    + rule("loud", "event == timer", 'alert "x"', cooldown_s=600, priority=5)
    + rule("asleep", "event == timer", 'alert "y"', enabled=False)
)


async def tws(flight: Flight, *words: str) -> tuple[int, str]:
    """A command beside the run, on a thread of its own; its exit code and what it wrote."""
    return await asyncio.to_thread(in_process, *words, "--state", str(flight.folder / "state"))


async def test_rules_are_listed_switched_and_explained_while_they_trade(scene: Scene, fly: Fly) -> None:
    flight = await fly(more=RULES)
    by = ("--operator", "ann", "--reason", "too many")
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(10)
    assert await flight.outcome(flight.say("BUY", 0.2)) == ("refused", "threshold")
    assert await flight.outcome(flight.say("BUY", 0.7)) == ("refused", "no rule fired")

    code, text = await tws(flight, "rules", "explain", "enter", "--symbol", "SPY", "--event", "signal")
    assert code == 0 and "enter did not fire, on a signal of SPY" in text
    assert "true: signal.confidence >= 0.5: signal.confidence is 0.7" in text
    assert "false: position.side == flat: position.side is long" in text

    await until(lambda: tally(flight, "loud").fired, "the timer")
    code, text = await tws(flight, "status", "--rules", "--json")
    (answer,) = json.loads(text).values()
    rows = {row["rule"]: row for row in answer["rules"]["rules"]}
    assert list(rows) == ["loud", "enter", "asleep"], "the highest priority first"
    enter, loud, asleep = rows["enter"], rows["loud"], rows["asleep"]
    assert (enter["fired"], enter["today"], enter["per_day"], enter["last_symbol"]) == (1, 1, 3, "SPY")
    assert enter["symbols"]["SPY"]["today"] == 1 and enter["last_fired"]
    assert 0 < loud["cooldown_s"] <= 600
    assert (asleep["enabled"], asleep["disabled"]) == (False, "it begins disabled")
    assert 0 < answer["rules"]["cooldowns"]["SPY"] <= 3600

    assert (await tws(flight, "rules", "disable", "enter", *by)) == (0, "enter is disabled\n")
    assert (await tws(flight, "rules", "enable", "asleep", *by)) == (0, "asleep is enabled\n")
    await until(lambda: tally(flight, "asleep").fired, "it is awake")
    code, text = await tws(flight, "rules", "list")
    assert code == 0 and "rule enter: DISABLED (ann: too many): fired 1" in text
    code, text = await tws(flight, "status", "--rules")
    assert "  rule enter: DISABLED (ann: too many)" in text and "cooldown of SPY" in text
    rows = [r for r in records_of(flight.trader) if isinstance(r, RuleSwitched)]
    assert [(r.rule, r.enabled, r.operator, r.reason) for r in rows] == [
        ("enter", False, "ann", "too many"), ("asleep", True, "ann", "too many"),
    ]  # fmt: skip
    await flight.end()

    again = await fly(more=RULES)
    assert "ann: too many" in tally(again, "enter").disabled, "over a restart too"
    assert tally(again, "asleep").enabled
    await again.end()
    mended = RULES.replace("confidence >= 0.5", "confidence >= 0.6")
    last = await fly(more=mended)
    assert tally(last, "enter").enabled, "written otherwise it is another rule"
    assert tally(last, "enter").today == 1
    await last.end()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("disable", "entr", "--operator", "ann", "--reason", "x"), "no rule 'entr'. Did you mean enter?"),
        (("explain", "entr"), "Did you mean enter?"),
        (("enable", "enter", "--operator", "", "--reason", "x"), "operator"),
        (("enable", "enter", "--operator", "ann", "--reason", " "), "reason"),
        (("disable", "enter"), "--operator"),
    ],
)
async def test_what_can_not_be_done_is_said_and_nothing_switched(
    fly: Fly, words: tuple[str, ...], says: str
) -> None:
    flight = await fly(more=RULES)
    code, text = await tws(flight, "rules", *words)
    assert code == 2 and says in text, text
    assert tally(flight, "enter").enabled
    assert not [r for r in records_of(flight.trader) if isinstance(r, RuleSwitched)]
    await flight.end()
    code, text = await tws(flight, "rules", "list")
    assert code == 2 and "does not run" in text and "enabled = false" in text


async def test_a_run_without_rules_says_so(fly: Fly) -> None:
    flight = await fly()
    assert await tws(flight, "rules", "list") == (0, "the run has no rules\n")
    code, text = await tws(flight, "rules", "explain", "enter")
    assert code == 2 and "this run has no rules" in text
    await flight.end()


async def test_rules_that_switch_rules_are_in_the_journal_once(fly: Fly) -> None:
    b = rule("b", "event == timer", 'alert "b"', priority=1)
    flight = await fly(more=rule("off", "event == timer", 'disable "b"') + b)
    await until(lambda: tally(flight, "off").fired >= 2, "it fires each second")
    rows = [r for r in records_of(flight.trader) if isinstance(r, RuleSwitched)]
    assert [(r.rule, r.enabled, r.operator, r.reason) for r in rows] == [("b", False, "", "by the rule off")]
    assert tally(flight, "b").fired == 1, "the switch holds from the next event on"
    await flight.end()
