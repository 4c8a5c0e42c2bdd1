"""The engine: priority, pauses, counts, switches, faults that stay with their rule, a memory that goes on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.values import NOON, Scene, scene_conditions, scenes

from tws.clock import NS_PER_S
from tws.model.market import Quote
from tws.model.signal import Signal, Wish
from tws.rules import (
    Alert,
    AnyAction,
    BarEnded,
    Barrier,
    Decisions,
    DisableRule,
    EnableRule,
    Engine,
    Event,
    Exit,
    Filled,
    Given,
    Memory,
    Rule,
    SetCooldown,
    SignalCame,
    TimePassed,
    parse_condition,
)
from tws.rules.conditions import AllOf
from tws.rules.engine import MAX_FAULTS
from tws.rules.memory import MAX_SYMBOLS, remember

ZONES = {"SPY": "America/New_York", "QQQ": "America/New_York"}
ALWAYS = parse_condition("event in (signal, fill, bar, quote, timer)")
BAR = BarEnded("SPY")
EXIT = Exit()


def rule(name: str, then: Any = EXIT, when: str = "", **more: Any) -> Rule:
    condition = parse_condition(when) if when else ALWAYS
    return Rule(name=name, when=condition, then=then if isinstance(then, tuple) else (then,), **more)


def fired(decisions: Decisions) -> list[str]:
    return [each.rule for each in decisions.fired]


def held(decisions: Decisions) -> list[tuple[str, Barrier]]:
    return [(each.rule, each.barrier) for each in decisions.held]


def test_the_first_of_the_highest_priority_trades_and_the_others_are_outranked() -> None:
    engine = Engine(
        [rule("low"), rule("first", priority=5), rule("second", priority=5), rule("note", Alert("x"))]
    )
    decisions = engine.evaluate(BAR, Given(), NOON)
    assert fired(decisions) == ["first", "note"]
    assert held(decisions) == [("second", Barrier.OUTRANKED), ("low", Barrier.OUTRANKED)]
    assert [each.figure for each in decisions.held] == ["first", "first"]
    assert "outranked by first" in engine.explain("low").explain()  # type: ignore[union-attr]


def test_a_rule_that_is_held_back_lets_the_next_one_go_first() -> None:
    engine = Engine([rule("high", priority=1, cooldown_s=60), rule("low")])
    assert fired(engine.evaluate(BAR, Given(), NOON)) == ["high"]
    later = engine.evaluate(BAR, Given(), NOON + 59 * NS_PER_S)
    assert (fired(later), held(later)) == (["low"], [("high", Barrier.COOLDOWN)])
    assert fired(engine.evaluate(BarEnded("QQQ"), Given(), NOON + 59 * NS_PER_S)) == ["high"], (
        "a pause is a symbol's"
    )
    assert fired(engine.evaluate(BAR, Given(), NOON + 60 * NS_PER_S)) == ["high"]


def fill(role: Any, left: float) -> Filled:
    return Filled(symbol="SPY", side="BUY", role=role, quantity=1, price=1, left=left)


def test_a_cooldown_is_a_symbols_and_a_stop_out_ends_it() -> None:
    engine = Engine([rule("enter", Exit() + SetCooldown(180), "event == signal and cooldown <= 0s")])

    def wishes(at_s: float, symbol: str = "SPY") -> bool:
        event = SignalCame(Signal(signal_id="1", symbol=symbol, wish=Wish.BUY, time_ns=NOON))
        return bool(engine.evaluate(event, Given(), NOON + round(at_s * NS_PER_S)).fired)

    assert wishes(0)
    assert not wishes(179.9)
    assert wishes(1, "QQQ")
    engine.evaluate(fill("stop", 5), Given(), NOON)
    assert not wishes(2), "a part of the stop ends nothing"
    engine.evaluate(fill("target", 0), Given(), NOON)
    assert not wishes(3), "a target is no stop-out"
    engine.evaluate(fill("stop", 0), Given(), NOON)
    assert wishes(4)
    assert wishes(184)


def test_time_since_what_never_happened_is_infinite() -> None:
    text = "event == timer and since.entry >= 1m and since.stop_out >= 2m and since.fire >= 3m"
    engine = Engine([rule("r", when=text)])
    timer = TimePassed("SPY")

    def at(seconds: int) -> list[str]:
        return fired(engine.evaluate(timer, Given(), NOON + seconds * NS_PER_S))

    assert at(0) == ["r"]
    assert "never" in engine.explain("r").explain()  # type: ignore[union-attr]
    assert at(179) == []
    assert at(180) == ["r"]
    engine.evaluate(fill("entry", 1), Given(), NOON + 400 * NS_PER_S)
    assert (at(459), at(460)) == ([], ["r"])
    engine.evaluate(fill("stop", 0), Given(), NOON + 700 * NS_PER_S)
    assert (at(819), at(820)) == ([], ["r"])


def test_rules_switch_rules_from_the_next_event_on() -> None:
    engine = Engine(
        [
            rule("on", EnableRule("late"), "event == bar"),
            rule("late", Alert("x"), "event == bar", enabled=False),
            rule("off", DisableRule("late"), "event == timer", priority=1),
            rule("on2", EnableRule("late"), "event == timer"),
        ]
    )
    assert fired(engine.evaluate(BAR, Given(), NOON)) == ["on"]
    assert fired(engine.evaluate(BAR, Given(), NOON)) == ["on", "late"]
    engine.evaluate(TimePassed("SPY"), Given(), NOON)
    assert not engine.is_enabled("late"), "of two that disagree the one of higher priority has the last word"
    assert engine.why_disabled("late") == "by the rule off"
    assert "disabled (by the rule off)" in engine.explain("late", kind="timer").explain()  # type: ignore[union-attr]


def test_a_human_switches_rules() -> None:
    engine = Engine([rule("r"), rule("s", enabled=False)])
    engine.disable("r", "too many losses")
    assert engine.evaluate(BAR, Given(), NOON).looked == 0
    assert engine.why_disabled("r") == "too many losses"
    assert engine.why_disabled("s") == "it begins disabled"
    engine.enable("r")
    assert fired(engine.evaluate(BAR, Given(), NOON)) == ["r"]
    with pytest.raises(ValueError, match="Did you mean r"):
        engine.disable("rr")


class Broken(Given, frozen=True):
    """A context one of whose sources raises."""

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        raise KeyError(f"no {spec} of {symbol}")


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (Broken(), "no rsi(14) of SPY"),
        (Given(indicators={("SPY", "rsi(14)"): (float("nan"),)}), "nan"),
        (Given(indicators={("SPY", "rsi(14)"): ("50",)}), "not a number"),  # type: ignore[dict-item]
        (Given(indicators={("SPY", "rsi(14)"): (True,)}), "not a number"),
    ],
)
def test_a_rule_that_raises_is_named_counted_and_disabled_and_the_others_go_on(
    context: Given, reason: str
) -> None:
    engine = Engine(
        [
            rule("bad", when="rsi(14) < 30", priority=1),
            rule("bad2", when="not rsi(14) < 30"),
            rule("good", when="event == bar"),
        ]
    )
    for count in range(1, MAX_FAULTS + 1):
        decisions = engine.evaluate(BAR, context, NOON)
        assert fired(decisions) == ["good"]
        assert [(each.rule, each.count) for each in decisions.failed] == [("bad", count), ("bad2", count)]
        assert all(reason in each.reason and "rsi(14)" in each.reason for each in decisions.failed)
        assert all(each.disabled is (count == MAX_FAULTS) for each in decisions.failed)
        assert engine.explain("bad").explain().startswith("bad failed: ")  # type: ignore[union-attr]
    assert engine.evaluate(BAR, context, NOON).looked == 1
    assert f"raised {MAX_FAULTS} times" in engine.why_disabled("bad")
    engine.enable("bad")
    assert engine.evaluate(BAR, context, NOON).failed[0].count == 1


def test_a_figure_that_raises_is_asked_for_once_and_the_tree_says_so() -> None:
    asked: list[str] = []

    class Counting(Given, frozen=True):
        def indicator(self, symbol: str, spec: str, back: int) -> float | None:
            asked.append(spec)
            raise KeyError(spec)

    engine = Engine(
        [rule(name, when="price > 1 or (rsi(14) < 30 and ask > 1) or event == bar") for name in "ab"]
    )
    assert len(engine.evaluate(BAR, Counting(), NOON).failed) == 2
    assert asked == ["rsi(14)"]
    tree = engine.explain("b").tree  # type: ignore[union-attr]
    assert tree is not None
    assert [tree.answer, *(part.answer for part in tree.parts)] == [
        "failed",
        "unknown",
        "failed",
        "not asked",
    ]


def test_a_part_that_decides_first_spares_the_rule_the_bad_figure() -> None:
    engine = Engine(
        [rule("r", when="event == timer and rsi(14) < 30"), rule("s", when="price > 1 and rsi(14) < 30")]
    )
    assert engine.evaluate(BAR, Broken(quotes={"SPY": Quote(last=0.5)}), NOON).failed == ()


@pytest.mark.parametrize("sign", [">=", ">", "<=", "<", "=="])
@pytest.mark.parametrize(
    "value", [-1.0, 0.0, 0.5, 31.5, 32.0, 63.5, 64.0, 64.5, 100.0, 149.5, 150.0, 151.0, None]
)
def test_many_comparisons_of_one_figure_are_each_right(sign: str, value: float | None) -> None:
    """They are answered in blocks; the order of the rules is not that of their figures."""
    bounds = [(number * 67 % 301) / 2 for number in range(301)]
    engine = Engine(
        [rule(f"r{bound}", Alert("x"), f"rsi(14) {sign} {bound}") for bound in bounds]
        + [rule(f"n{bound}", Alert("x"), f"not rsi(14) {sign} {bound}") for bound in bounds]
    )
    found = set(fired(engine.evaluate(BAR, Given(indicators={("SPY", "rsi(14)"): (value,)}), NOON)))
    if value is None:
        assert found == set()
        return
    holds = {
        ">=": float.__ge__,
        ">": float.__gt__,
        "<=": float.__le__,
        "<": float.__lt__,
        "==": float.__eq__,
    }[sign]
    assert found == {f"{'r' if holds(value, bound) else 'n'}{bound}" for bound in bounds}


def test_lists_of_rules_are_bounded_however_often_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tws.rules.engine.MAX_FIGURES", 100)
    engine = Engine([rule(f"r{n}", Alert("x"), f"event == bar or symbol == S{n}") for n in range(30)])
    for number in range(90):
        event = BarEnded(f"S{number % 30}")
        assert engine.evaluate(event, Given(), NOON).looked == 30
        assert sum(len(each) for each in engine._chosen.values()) <= 100
        assert len({id(seen.rules) for seen in engine._seen.values()}) <= 4
        assert engine.explain("r0") is not None


steps = st.lists(st.tuples(scenes(), st.integers(0, 90), st.sampled_from(["", "off", "on"])), max_size=12)
many = st.lists(
    st.tuples(
        scene_conditions | st.just(parse_condition("since.fire >= 1m and cooldown <= 0s")),
        st.sampled_from([EXIT, Alert("x"), SetCooldown(60), DisableRule("r0"), EnableRule("r0")]),
        st.integers(-1, 1), st.sampled_from([0.0, 60.0]), st.sampled_from([None, 1]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


def made(drawn: list[tuple[Any, AnyAction, int, float, int | None]]) -> list[Rule]:
    return [
        Rule(name=f"r{place}", when=when, then=(then,), priority=priority, cooldown_s=pause, per_day=most)
        for place, (when, then, priority, pause, most) in enumerate(drawn)
    ]


def play(engine: Engine, moments: list[tuple[Event, Given, int, str]]) -> list[Decisions]:
    found = []
    for event, context, now_ns, switch in moments:
        if switch:
            (engine.enable if switch == "on" else engine.disable)("r0")
        found.append(engine.evaluate(event, context, now_ns))
    return found


@given(many, steps, st.integers(0, 12))
def test_equal_memory_goes_on_alike(drawn: Any, course: list[tuple[Scene, int, str]], cut: int) -> None:
    """The same events give the same decisions, also when the memory was written and read in between."""
    moments, now_ns = [], NOON
    for scene, later_s, switch in course:
        now_ns += later_s * NS_PER_S
        moments.append((scene.event, scene.context, now_ns, switch))
    one, two, first = Engine(made(drawn)), Engine(made(drawn)), Engine(made(drawn))
    whole = play(one, moments)
    assert play(two, moments) == whole
    begun = play(first, moments[:cut])
    written = msgspec.json.encode(first.memory())
    second = Engine(made(drawn), msgspec.json.decode(written, type=Memory))
    assert begun + play(second, moments[cut:]) == whole
    assert second.memory() == one.memory() == two.memory()


def test_rules_are_reloaded_and_their_memory_goes_on() -> None:
    old = [rule(name, Alert("x"), cooldown_s=60) for name in ("same", "mended", "by_hand", "gone")]
    engine = Engine(old)
    engine.evaluate(BAR, Given(), NOON)
    engine.disable("mended", "it raised 5 times")
    engine.disable("by_hand")
    mended = rule("mended", Alert("y"), cooldown_s=60)
    other = engine.reloaded([old[0], mended, old[2], rule("new", Alert("x"))])
    assert fired(other.evaluate(BAR, Given(), NOON + 59 * NS_PER_S)) == ["new"], "pauses go on"
    assert fired(other.evaluate(BAR, Given(), NOON + 60 * NS_PER_S)) == ["same", "mended", "new"]
    assert other.why_disabled("by_hand") == "by hand"
    again = Engine([old[0], mended, old[2]], msgspec.json.decode(engine.written(), type=Memory))
    assert (again.is_enabled("mended"), again.is_enabled("by_hand")) == (True, False), "so after a restart"
    assert fired(engine.evaluate(BAR, Given(), NOON + 60 * NS_PER_S)) == ["same", "gone"], (
        "the old one is untouched"
    )


@pytest.mark.parametrize("make", ["deep", "wide"])
def test_a_condition_has_its_bound(make: str) -> None:
    condition: Any = ALWAYS
    for number in range(60 if make == "deep" else 0):
        condition = ~condition if number % 2 else condition & ALWAYS
    if make == "wide":
        condition = AllOf((ALWAYS,) * 500)
    with pytest.raises(ValueError, match="within one another"):
        Rule(name="r", when=condition, then=(EXIT,))


def test_a_memory_is_a_copy() -> None:
    """What was saved does not go on changing, and two engines may go on from one memory."""
    engine = Engine([rule("a", cooldown_s=60)])
    before = engine.memory()
    engine.evaluate(BAR, Given(), NOON)
    assert before == Memory()
    one, saved = Engine(engine.rules, before), engine.memory()
    one.evaluate(BAR, Given(), NOON + NS_PER_S)
    assert before == Memory()
    assert saved == engine.memory() != one.memory()


def test_the_memory_has_a_bound_and_forgets_the_symbol_that_is_silent_longest() -> None:
    table: dict[str, int] = {}
    for number in range(MAX_SYMBOLS):
        remember(table, f"S{number}", number)
    remember(table, "S0", MAX_SYMBOLS)
    remember(table, "S5", MAX_SYMBOLS)
    assert len(table) == MAX_SYMBOLS
    remember(table, "NEW", MAX_SYMBOLS + 1)
    assert len(table) == MAX_SYMBOLS
    assert ("S0" in table, "S1" in table, "S2" in table, "NEW" in table) == (True, False, True, True)


def test_a_rule_whose_firing_can_not_be_remembered_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tws.rules.engine.MAX_FIRINGS", 2)
    engine = Engine([rule("pause", cooldown_s=1), rule("free", Alert("x"))])
    for symbol in ("A", "B"):
        assert fired(engine.evaluate(BarEnded(symbol), Given(), NOON)) == ["pause", "free"]
    full = engine.evaluate(BarEnded("C"), Given(), NOON)
    assert (fired(full), held(full)) == (["free"], [("pause", Barrier.MEMORY)])
    assert fired(engine.evaluate(BarEnded("A"), Given(), NOON + NS_PER_S)) == ["pause", "free"]


def test_a_memory_forgets_rules_that_are_gone() -> None:
    engine = Engine([rule("a", cooldown_s=9), rule("b", Alert("x"), cooldown_s=9)])
    engine.evaluate(BAR, Given(), NOON)
    engine.disable("b")
    assert sorted(engine.memory().fires) == ["a", "b"]
    left = Engine([rule("a", cooldown_s=9)], engine.memory()).memory()
    assert (list(left.fires), left.switched, left.reasons) == (["a"], {}, {})


def test_rules_that_can_not_stand_together_are_refused() -> None:
    with pytest.raises(ValueError, match="two rules are named a"):
        Engine([rule("a"), rule("a")])
    with pytest.raises(ValueError, match="switches 'bb'"):
        Engine([rule("a", EnableRule("bb")), rule("b")])
