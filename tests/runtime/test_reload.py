"""Limits and rules of the file, taken up by a run that trades: over its channel, on real sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.flight import Flight
from tests.runtime.live import LIMITS, LIVE, LiveScene, enter_live, unlock
from tests.runtime.scene import BOUND_S, Scene, records_of, until

from tws import channel
from tws.channel import RefusedError, ask
from tws.clock import NS_PER_S
from tws.config import load_settings
from tws.desk import NoteAlarm
from tws.errors import TWSError
from tws.model.records import LimitsChanged, Reloaded
from tws.rules import rule_table
from tws.runtime import control, reloading
from tws.runtime.fingerprint import settings_fingerprint
from tws.runtime.plan import RunPlan, plan_run
from tws.runtime.reloading import reread

Fly = Callable[..., Any]


@pytest.fixture
async def fly(scene: Scene, tmp_path: Path) -> AsyncIterator[Fly]:
    """Makes a run whose [risk] has LIMITS, and ends it."""
    flights: list[Flight] = []

    async def make(more: str = "", first: Callable[[Flight], object] = lambda flight: None) -> Flight:
        flight = Flight(scene, tmp_path, "", more)
        rewrite(flight, "[risk]", f"[risk]\n{LIMITS}")
        first(flight)
        flights.append(flight)
        return await flight.up()

    yield make
    for flight in flights:
        if hasattr(flight, "going"):
            await flight.close()


def rewrite(flight: Flight, old: str, new: str) -> None:
    text = flight.path.read_text(encoding="utf-8")
    assert old in text
    flight.path.write_text(text.replace(old, new, 1), encoding="utf-8")


async def told(flight: Flight, do: str = "reload", **values: Any) -> Any:
    """The trader's answer over its channel."""
    note = flight.run.plan.place.note()
    return await asyncio.to_thread(ask, note.control, note.token, do, timeout_s=BOUND_S, **values)


async def refused(flight: Flight, do: str = "reload", **values: Any) -> str:
    with pytest.raises(TWSError) as wrong:
        await told(flight, do, **values)
    assert isinstance(wrong.value, RefusedError)
    return str(wrong.value)


async def test_a_limit_of_the_file_holds_at_once_and_the_journal_says_why(fly: Fly) -> None:
    flight = await fly()
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(10)
    rewrite(flight, "max_order_quantity = 100", "max_order_quantity = 5")
    shown = await told(flight, dry=True)
    assert shown["limits"] == [
        {"name": "max_order_quantity", "old": "100", "new": "5", "loosens": False}
    ] and not shown["changed"]
    assert flight.trader.desk.state.limits.max_order_quantity == 100, "dry"

    answer = await told(flight, operator="ann", reason="a small day")
    assert answer["changed"] and answer["limits"] == shown["limits"] and answer["rules"] == []
    assert await flight.outcome(flight.say("SELL")) == ("closed", "")
    await flight.held(0)
    assert await flight.outcome(flight.say("BUY")) == ("denied", "max_order_quantity")

    records = records_of(flight.trader)
    [reloaded] = [each for each in records if isinstance(each, Reloaded)]
    assert reloaded.changes == ("max_order_quantity from 100 to 5",)
    assert (reloaded.operator, reloaded.reason) == ("ann", "a small day")
    plan = plan_run(load_settings(flight.path), flight.path, flight.folder / "state")
    assert reloaded.configuration == settings_fingerprint(plan.settings) == answer["configuration"]
    limits = [each for each in records if isinstance(each, LimitsChanged)]
    assert limits[-1].configured and limits[-1].limits["max_order_quantity"] == "5"

    assert await told(flight) == {**answer, "changed": False, "limits": []}, "nothing is new any more"
    report = await flight.end()
    assert report.good and report.configuration == answer["configuration"]
    sessions = flight.run.plan.place.sessions.read_text(encoding="utf-8")
    assert '"settings":""' in sessions, "a session of two configurations is evidence for neither"


async def test_a_restart_finds_the_limits_that_were_taken_up(fly: Fly, scene: Scene, tmp_path: Path) -> None:
    flight = await fly()
    rewrite(flight, "max_position = 100", "max_position = 50")
    await told(flight)
    await flight.end()
    trader = await scene.started()
    limits = trader.desk.state.configured
    assert limits is not None and limits.max_position != 50, "that trader has limits of its own"
    [*_, last] = [each for each in records_of(trader) if isinstance(each, LimitsChanged) and each.operator
                  == "tws reload"]  # fmt: skip
    assert last.limits["max_position"] == "50"


async def test_what_a_human_set_stays_while_the_file_s_limits_are_the_same(fly: Fly) -> None:
    flight = await fly()
    await told(flight, "limits", operator="ann", reason="less", changes={"max_position": "20"})
    answer = await told(flight)
    assert answer["limits"] == [] and flight.trader.desk.state.limits.max_position == 20
    rewrite(flight, "max_order_quantity = 100", "max_order_quantity = 50")
    answer = await told(flight)
    assert {each["name"]: each["loosens"] for each in answer["limits"]} == {
        "max_order_quantity": False, "max_position": True,
    }, "the file is the newer word now, as at a restart"  # fmt: skip
    assert flight.trader.desk.state.limits.max_position == 100


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("port = ", "client_id = 2\nport = ", "connection.client_id"),
        ('symbols = ["SPY"]', 'symbols = ["QQQ"]', "signals.0.symbols"),
        ("shares = 10", "shares = 11", "signals.0.shares"),
        ('file = "signals.jsonl"', 'file = "other.jsonl"', "signals.0.file"),
        ("[risk]", '[run]\nat_end = "flatten"\n[risk]', "run.at_end"),
        ("[risk]", "[paper]\nallow_delayed = true\n[risk]", "paper.allow_delayed"),
    ],
)
async def test_what_only_a_start_takes_up_is_named_and_nothing_changes(
    fly: Fly, old: str, new: str, named: str
) -> None:
    flight = await fly()
    (flight.folder / "other.jsonl").touch()
    rewrite(flight, "max_position = 100", "max_position = 50")
    rewrite(flight, old, new)
    said = await refused(flight)
    assert named in said and "Restart to take it up" in said
    assert flight.trader.desk.state.limits.max_position == 100
    assert not any(isinstance(each, Reloaded) for each in records_of(flight.trader))


@pytest.mark.parametrize(
    ("new", "named"),
    [
        ("max_positon = 50", "Did you mean max_position?"),
        ("max_position = -1", "(line 6)"),
        ("max_position = [", "no TOML"),
        ("max_position = 50\nmessage_reserve = 40", "message_reserve"),
    ],
)
async def test_a_broken_file_changes_nothing(fly: Fly, new: str, named: str) -> None:
    flight = await fly()
    rewrite(flight, "max_position = 100", new)
    said = await refused(flight)
    assert named in said, said
    assert flight.trader.desk.state.limits.max_position == 100
    assert await flight.outcome(flight.say("BUY")) == ("traded", ""), "it trades on"


STRATEGY = """
from tws import Strategy

class Quiet(Strategy):
    symbols = ("QQQ",)
"""
PYTHON = '[[strategies]]\nkind = "python"\nfile = "quiet.py"\nclass = "Quiet"\nwarm_up = false\n'


async def test_a_strategy_s_file_is_compared_and_not_run(fly: Fly, tmp_path: Path) -> None:
    file = tmp_path / "quiet.py"
    file.write_text(STRATEGY, encoding="utf-8")

    def allow(flight: Flight) -> None:
        rewrite(flight, 'allow = ["SPY"]', 'allow = ["SPY", "QQQ"]')

    flight = await fly(PYTHON, allow)
    rewrite(flight, "max_position = 100", "max_position = 50")
    answer = await told(flight)
    assert answer["changed"] and answer["stays"] == ["strategy quiet (Quiet of quiet.py)"]
    file.write_text(f"{STRATEGY}\nopen('ran', 'w').close()\nraise SystemExit(3)\n", encoding="utf-8")
    rewrite(flight, "max_position = 50", "max_position = 40")
    said = await refused(flight)
    assert "strategies.0.file = 'other code': was the code that runs" in said and "Restart" in said
    assert not Path("ran").exists() and flight.trader.desk.state.limits.max_position == 50


# -- rules

RULE = """
[[rules]]
name = "go"
when = "confidence >= {least}"
then = "enter signal"
"""


async def test_a_rule_of_the_file_is_exchanged(fly: Fly) -> None:
    flight = await fly(RULE.format(least="0.95"))
    assert await flight.outcome(flight.say("BUY", 0.9)) == ("refused", "no rule fired")
    rewrite(flight, "0.95", "0.5")
    assert (await told(flight, dry=True))["rules"] == [
        {"name": "rules.go.when", "old": "signal.confidence >= 0.95", "new": "signal.confidence >= 0.5"}
    ]
    assert await flight.outcome(flight.say("BUY", 0.9)) == ("refused", "no rule fired"), "dry"
    assert (await told(flight))["changed"]
    assert await flight.outcome(flight.say("BUY", 0.9)) == ("traded", "")
    await flight.held(10)
    [reloaded] = [each for each in records_of(flight.trader) if isinstance(each, Reloaded)]
    assert reloaded.changes == ("rules.go.when from signal.confidence >= 0.95 to signal.confidence >= 0.5",)


async def test_rules_come_and_go_and_a_broken_one_changes_nothing(fly: Fly) -> None:
    flight = await fly()
    assert await flight.outcome(flight.say("BUY")) == ("traded", ""), "without rules the section says what"
    await flight.held(10)
    await flight.outcome(flight.say("SELL"))
    await flight.held(0)
    text = flight.path.read_text(encoding="utf-8")
    flight.path.write_text(text + RULE.format(least="0.5, or so"), encoding="utf-8")
    assert "rules.go.when" in await refused(flight)
    flight.path.write_text(text + RULE.format(least="0.95"), encoding="utf-8")
    [came] = (await told(flight))["rules"]
    assert (came["name"], came["old"], came["new"]) == (
        "rules.go", "", "when signal.confidence >= 0.95 then enter signal"
    )  # fmt: skip
    assert await flight.outcome(flight.say("BUY", 0.9)) == ("refused", "no rule fired")
    flight.path.write_text(text, encoding="utf-8")
    [gone] = (await told(flight))["rules"]
    assert gone["new"] == "" and flight.pilot.rules is None
    assert await flight.outcome(flight.say("BUY", 0.9)) == ("traded", "")


async def test_the_age_of_a_quote_that_rules_may_use_is_the_new_limit_s(fly: Fly) -> None:
    flight = await fly(RULE.format(least="0.5 and spread < 1"))
    rewrite(flight, "stale_quote_s = 3600", "stale_quote_s = 1")
    await told(flight)
    quote = flight.pilot.markets.quote("SPY")
    assert quote is not None
    await until(lambda: flight.scene.sim.now_ns() > quote.time_ns + NS_PER_S, "an old quote")
    assert await flight.outcome(flight.say("BUY")) == ("refused", "no rule fired")


# -- a journal that is slow


class SlowDisk:
    """Of a run's own journal: no commit ends before `let_go`."""

    def __init__(self, flight: Flight) -> None:
        self._store = flight.trader._life._store
        assert self._store is not None
        self._real = self._store.commit
        self._free = asyncio.Event()
        self.waiting = 0
        self._store.commit = self._commit  # type: ignore[method-assign]

    def _commit(self) -> asyncio.Future[None]:
        async def later() -> None:
            self.waiting += 1
            await self._free.wait()
            await self._real()

        return asyncio.ensure_future(later())

    def let_go(self) -> None:
        self._free.set()


def both_changed(flight: Flight) -> None:
    rewrite(flight, "max_position = 100", "max_position = 50")
    rewrite(flight, "0.95", "0.5")


def in_force(flight: Flight) -> tuple[int, float]:
    """The limit and the rule that hold: of the desk, and of the engine that judges signals."""
    limits, rules = flight.trader.desk.state.limits, flight.pilot.rules
    assert limits is not None and rules is not None
    return int(limits.max_position or 0), float(rule_table(rules.engine.rules[0])["when"].split()[-1])


def told_by_the_journal(flight: Flight) -> bool:
    return any(isinstance(each, Reloaded) for each in records_of(flight.trader))


async def test_what_a_slow_journal_has_to_write_is_told_and_holds_whole(fly: Fly, monkeypatch: Any) -> None:
    monkeypatch.setattr(reloading, "COMMIT_S", 0.05)
    flight = await fly(RULE.format(least="0.95"))
    disk = SlowDisk(flight)
    both_changed(flight)
    answer = await told(flight)
    assert answer["changed"] and "as soon as the journal has written it" in answer["note"]
    assert in_force(flight)[1] == 0.95, "no rule holds that the journal does not know"
    assert "on its way" in await refused(flight)
    disk.let_go()
    await until(lambda: in_force(flight) == (50, 0.5), "both")
    assert told_by_the_journal(flight)
    assert (await told(flight))["rules"] == [], "the plan as well"
    assert await flight.outcome(flight.say("BUY", 0.9)) == ("traded", "")


async def test_a_caller_that_waits_no_longer_leaves_no_half(fly: Fly, monkeypatch: Any) -> None:
    flight = await fly(RULE.format(least="0.95"))
    disk = SlowDisk(flight)
    both_changed(flight)
    monkeypatch.setattr(channel, "PATIENCE_S", 0.5)
    assert "was not done within" in await refused(flight)
    disk.let_go()
    await until(lambda: in_force(flight) == (50, 0.5), "both")
    await until(lambda: flight.run.reloading is None, "its end")
    monkeypatch.setattr(channel, "PATIENCE_S", 30.0)
    assert not (await told(flight))["changed"]


async def test_what_the_desk_has_not_come_to_is_taken_back_whole(fly: Fly, monkeypatch: Any) -> None:
    monkeypatch.setattr(reloading, "COMMIT_S", 0.05)
    flight = await fly(RULE.format(least="0.95"))
    disk = SlowDisk(flight)
    asked = asyncio.create_task(flight.trader.ask(NoteAlarm(subject="s", text="t")))
    await until(lambda: disk.waiting, "a commit under way")
    both_changed(flight)
    assert "nothing was changed" in await refused(flight)
    disk.let_go()
    await asked
    await until(lambda: flight.run.reloading is None, "its end")
    assert in_force(flight) == (100, 0.95) and not told_by_the_journal(flight)
    assert (await told(flight))["changed"], "and it is free for another one"
    assert in_force(flight) == (50, 0.5)


# -- a live account


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Flight]:
    """A run on a live account, unlocked for its configuration."""
    scene = LiveScene(tmp_path)
    await scene.open()
    flight = Flight(scene, tmp_path)
    unlock(enter_live(flight))
    await flight.up()
    yield flight
    await flight.close()
    await scene.close()


async def test_on_live_tightening_is_at_once_and_loosening_wants_its_unlock(live: Flight) -> None:
    rewrite(live, "max_position = 100", "max_position = 50")
    answer = await told(live)
    assert answer["changed"] and "another configuration" in answer["note"]
    rewrite(live, "max_position = 50", "max_position = 200")
    said = await refused(live)
    assert "max_position" in said and "another configuration" in said and LIVE not in said
    assert live.trader.desk.state.limits.max_position == 5, "a tenth of it (graduation)"
    assert "paper sessions" in await refused(live, "unlock", account=LIVE, operator="ann", seconds=60.0)
    unlock(live)
    answer = await told(live)
    assert answer["changed"] and answer["note"] == ""
    assert live.trader.desk.state.limits.max_position == 20


async def test_the_file_of_an_unlock_is_read_while_the_trader_goes_on(
    fly: Fly, monkeypatch: pytest.MonkeyPatch
) -> None:
    flight, threads = await fly(), []

    def watched(plan: RunPlan) -> RunPlan:
        threads.append(threading.get_ident())
        return reread(plan)

    monkeypatch.setattr(control, "reread", watched)
    await refused(flight, "unlock", account=LIVE, operator="ann", seconds=60.0)
    assert threads and threading.get_ident() not in threads


async def test_on_live_a_rule_wants_its_unlock(live: Flight) -> None:
    text = live.path.read_text(encoding="utf-8")
    live.path.write_text(text + RULE.format(least="0.95"), encoding="utf-8")
    assert "rules.go" in await refused(live) and live.pilot.rules is None
    unlock(live)
    assert (await told(live))["changed"]
    assert await live.outcome(live.say("BUY", 0.9)) == ("refused", "no rule fired")


async def test_on_live_no_word_of_the_moment_loosens_what_was_unlocked(live: Flight) -> None:
    by = {"operator": "ann", "reason": "a test"}
    await told(live, "limits", changes={"max_position": "3"}, **by)
    await told(live, "limits", changes={"max_position": "10"}, **by)
    said = await refused(live, "limits", changes={"max_position": "11"}, **by)
    assert "max_position from 10 to 11" in said and "tws reload" in said
    assert live.trader.desk.state.limits.max_position == 10
