"""Rules in a run over a real socket: quotes as events, what is remembered over a restart, a reload."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.flight import Flight
from tests.runtime.scene import Scene, until

from tws.errors import DataError, NoContractError
from tws.rules import parse_rule
from tws.runtime import engine
from tws.runtime.report import RuleTally
from tws.runtime.rulefile import read_memory

Fly = Callable[..., Any]


def rule(name: str, when: str, then: str, **more: object) -> str:
    """One rule of a file."""
    table = {"name": name, "when": when, "then": then, **more}
    return "[[rules]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


def tally(flight: Flight, name: str) -> RuleTally:
    """How a rule stands now."""
    rules = flight.pilot.rules
    assert rules is not None
    return next(each for each in rules.tallies(flight.scene.sim.now_ns()) if each.rule == name)


def memory_file(flight: Flight) -> Path:
    return flight.run.plan.place.folder / "rules.json"


# -- quotes


async def test_a_quote_that_moved_is_an_event_once(fly: Fly) -> None:
    """However often it moved since the last look; and of no quote that stands still."""
    flight = await fly(more=rule("dear", "event == quote and bid >= 101", 'alert "dear"')
                       + rule("clock", "event == timer", 'alert "tick"'))  # fmt: skip
    looks, step = [], flight.pilot.step

    async def counted(now_ns: int, *, timed: bool) -> None:
        looks.extend([now_ns] if timed else [])
        await step(now_ns, timed=timed)

    flight.pilot.step = counted  # type: ignore[method-assign]  # it is done all the same
    markets = flight.pilot.markets
    before, begun = markets.ticks("SPY"), len(looks)
    for cents in range(40):
        flight.requote(101 + cents / 100, 101.5 + cents / 100)
    await until(lambda: markets.ticks("SPY") >= before + 80, "every tick")
    await until(lambda: tally(flight, "dear").fired, "the rule")
    await until(lambda: len(looks) > begun + 3, "looks")
    fired, at = tally(flight, "dear").fired, tally(flight, "clock").fired
    assert 1 <= fired < len(looks) - begun
    await until(lambda: tally(flight, "clock").fired >= at + 2, "time goes on")
    assert tally(flight, "dear").fired == fired, "the quote stands still"
    flight.requote(99.99, 100.01)
    flight.requote(105, 105.02)
    await until(lambda: tally(flight, "dear").fired > fired, "it moved again")


async def test_a_quote_takes_profit(scene: Scene, fly: Fly) -> None:
    flight = await fly(
        more=rule("enter", "wish == BUY and position.side == flat", "enter signal")
        + rule("take", "event == quote and position.profit_percent >= 1", "cancel entries + exit")
    )
    await flight.outcome(flight.say("BUY"))
    await flight.held(10)
    flight.requote(100.5, 100.52)
    flight.requote(101.5, 101.52)
    await flight.held(0)
    assert tally(flight, "take").fired >= 1
    assert (await flight.end()).good


async def test_a_rule_that_fires_on_two_symbols_at_one_instant_enters_both(scene: Scene, fly: Fly) -> None:
    source = 'file = "signals.jsonl"\nsymbols = ["SPY", "QQQ"]'
    flight = await fly(source=source, more=rule("in", "event == timer and ask > 0", "enter long", per_day=1))
    await until(lambda: tally(flight, "in").today == 2, "both")
    await until(lambda: scene.broker_position("SPY") == 10 == scene.broker_position("QQQ"), "ten of each")
    assert not flight.pilot.denied
    assert (await flight.end()).good


async def test_a_rule_whose_wish_the_desk_did_not_take_leaves_the_next_event_its_own(
    fly: Fly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both symbols hear of the time in one look, while the desk takes no command."""
    source = 'file = "signals.jsonl"\nsymbols = ["SPY", "QQQ"]'
    when = "event == timer and price of SPY > 900"
    flight = await fly(source=source, more=rule("off", when, "cancel entries", cooldown_s=3600))
    monkeypatch.setattr(engine, "MAX_COMMANDS", 0)
    flight.requote(1000, 1001)
    await until(lambda: len(tally(flight, "off").symbols) == 2, "both")
    assert len({each.last_fired for each in tally(flight, "off").symbols.values()}) == 1
    monkeypatch.undo()


# -- what is remembered


ONCE = rule("once", "signal.wish == BUY and position.side == flat", "enter signal", per_day=1)
SLOW = rule("slow", "event == timer", 'alert "x"', cooldown_s=3600)
PAUSE = rule("pause", "event == timer and cooldown <= 0s", "cooldown 1h")


async def test_it_is_on_the_disk_before_an_order_leaves(fly: Fly) -> None:
    flight = await fly(more=ONCE)
    submit, kept = flight.trader.submit, []

    async def watched(wish: Any, **more: Any) -> Any:
        memory = read_memory(memory_file(flight))
        kept.append(memory is not None and memory.fires["once"]["SPY"].count)
        return await submit(wish, **more)

    flight.trader.submit = watched  # type: ignore[method-assign]  # it is done all the same
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    assert kept == [1]


async def test_pauses_and_executions_go_on_after_a_restart(scene: Scene, fly: Fly) -> None:
    flight = await fly(more=ONCE + SLOW + PAUSE)
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await until(lambda: tally(flight, "slow").fired == 1 == tally(flight, "pause").fired, "all fired")
    await flight.end()
    flight.file.write_text("", encoding="utf-8")
    again = await fly(more=ONCE + SLOW + PAUSE)
    again._said = 10
    once = tally(again, "once")
    assert (once.today, once.per_day, once.fired, once.last_symbol) == (1, 1, 0, "SPY")
    assert await again.outcome(again.say("BUY")) == ("refused", "no rule fired")
    await until(lambda: tally(again, "slow").held, "it is held back")
    slow = tally(again, "slow")
    assert slow.fired == 0 and 0 < slow.cooldown_s <= 3600 and slow.last_fired
    assert tally(again, "pause").fired == 0 and "cooldown" in tally(again, "pause").last
    assert "executions per day" in tally(again, "once").last
    await again.end()


def torn(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def flipped(raw: bytes) -> bytes:
    """One execution of today less."""
    assert b'"count":1' in raw
    return raw.replace(b'"count":1', b'"count":0')


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (torn, "can't be read"),
        (flipped, "checksum"),
        (lambda raw: b"", "can't be read"),
        (lambda raw: b"\0" * len(raw), "can't be read"),
        (lambda raw: b"{}", "missing required field"),
        (lambda raw: raw.replace(b'"version":1', b'"version":9'), "version 9"),
        (lambda raw: b"[" * 100_000, "can't be read"),
        (lambda raw: raw + raw, "can't be read"),
    ],
)
async def test_half_a_memory_is_no_memory(
    scene: Scene, fly: Fly, damage: Callable[[bytes], bytes], says: str
) -> None:
    """It is refused before anything is dialled, with the file and what to do; then it does as told."""
    flight = await fly(more=ONCE)
    await flight.outcome(flight.say("BUY"))
    await flight.end()
    file = memory_file(flight)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    dialled = len(scene.all_refs())
    await until(lambda: not scene.sim.sessions, "TWS hears of the end")
    with pytest.raises(DataError, match=says) as caught:
        await fly(more=ONCE)
    assert str(file) in str(caught.value) and "put a copy back; or remove it" in str(caught.value)
    assert not scene.sim.sessions and len(scene.all_refs()) == dialled
    file.write_bytes(whole)
    again = await fly(more=ONCE)
    assert tally(again, "once").today == 1
    await again.end()
    file.unlink()
    anew = await fly(more=ONCE)
    assert tally(anew, "once").today == 0
    await anew.end()


async def test_what_can_not_be_kept_opens_nothing_and_closes(scene: Scene, fly: Fly) -> None:
    exits = rule("out", "wish == SELL", "exit", cooldown_s=1)
    flight = await fly(more=rule("in", "wish in (BUY, SHORT)", "enter signal", cooldown_s=0.001) + exits)
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(10)
    blocked = memory_file(flight).with_name("rules.json.tmp")
    blocked.mkdir()
    assert await flight.outcome(flight.say("SELL")) == ("closed", ""), "no device may trap a position"
    await flight.held(0)
    await until(lambda: flight.trader.flat("SPY"), "its orders have ended")
    assert await flight.outcome(flight.say("BUY")) == ("refused", "rules not kept")
    blocked.rmdir()
    assert await flight.outcome(flight.say("SHORT")) == ("traded", "")
    assert (await flight.end()).good


# -- other rules while it runs


async def test_other_rules_take_over_and_what_was_counted_goes_on(scene: Scene, fly: Fly) -> None:
    flight = await fly(more=ONCE + SLOW)
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await until(lambda: tally(flight, "slow").fired == 1, "it fired")
    rules = flight.pilot.rules
    assert rules is not None
    await rules.switch("slow", False, "ann", "too loud")
    new = parse_rule({"name": "new", "when": "event == timer and price of QQQ > 1 and obv > -1e9",
                      "then": 'alert "new"'})  # fmt: skip
    once, slow = rules.engine.rules
    done = (await flight.pilot.other_rules((once, slow, new)))()
    assert (done.added, done.changed, done.removed) == (("new",), (), ())
    flight.scene.sim.quote("QQQ", bid=49.99, ask=50.02)
    scene.sim.trade("SPY", 100.0)
    await until(lambda: tally(flight, "new").fired, "it sees the market of QQQ, and its own indicator")
    assert (tally(flight, "once").today, tally(flight, "once").fired) == (1, 1)
    assert not tally(flight, "slow").enabled and "ann: too loud" in tally(flight, "slow").disabled
    louder = parse_rule({"name": "slow", "when": "event == timer", "then": 'alert "y"', "cooldown_s": 3600})
    done = (await flight.pilot.other_rules((louder, once)))()
    assert (done.added, done.changed, done.removed) == ((), ("slow",), ("new",))
    await until(lambda: tally(flight, "slow").held, "written otherwise it is on again, and still pauses")
    assert await flight.outcome(flight.say("BUY")) == ("refused", "no rule fired")
    assert (await flight.end()).good


async def test_rules_that_can_not_be_followed_leave_all_as_it_was(fly: Fly) -> None:
    flight = await fly(more=SLOW)
    (slow,) = flight.pilot.rules.engine.rules
    wrong = parse_rule({"name": "wrong", "when": "price of NOSUCH > 1", "then": "exit"})
    with pytest.raises(NoContractError):
        await flight.pilot.other_rules((slow, wrong))
    with pytest.raises(ValueError, match="two rules are named slow"):
        await flight.pilot.other_rules((slow, slow))
    assert flight.pilot.rules.engine.rules == (slow,)
    assert (await flight.end()).good


async def test_rules_come_to_a_run_without_any_and_go(fly: Fly) -> None:
    flight = await fly()
    closing = parse_rule({"name": "close", "when": "wish == SHORT and position.side == long", "then": "exit"})
    await flight.outcome(flight.say("BUY"))
    await flight.held(10)
    (await flight.pilot.other_rules((closing,)))()
    assert await flight.outcome(flight.say("SHORT")) == ("closed", ""), "by the rule, and not reversed"
    await flight.held(0)
    assert await flight.outcome(flight.say("BUY")) == ("refused", "no rule fired")
    (await flight.pilot.other_rules(()))()
    await until(lambda: flight.trader.flat("SPY"), "its orders have ended")
    assert await flight.outcome(flight.say("SHORT")) == ("traded", "")
    assert (await flight.end()).good
