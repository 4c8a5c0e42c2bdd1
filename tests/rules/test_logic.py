"""Three answers: what a condition is worth is what Kleene's tables say; what is unknown never fires."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.rules.values import NOON, Scene, quoted, scene_conditions, scenes, truth

from tws.rules import Alert, AnyCondition, Engine, QuoteMoved, Rule, flag, indicator, number, word
from tws.rules.conditions import AllOf, AnyOf, Compare, Cross, Field, Flag, Indicator, Is, Not, Number

ALERT = (Alert("x"),)


def answer(condition: AnyCondition, scene: Scene) -> bool | None:
    """What the engine makes of a condition: whether it fires, its opposite fires, or neither does."""
    engine = Engine(
        [Rule(name="as", when=condition, then=ALERT), Rule(name="opposite", when=~condition, then=ALERT)]
    )
    fired = [each.rule for each in engine.evaluate(scene.event, scene.context, NOON).fired]
    assert len(fired) < 2
    return None if not fired else fired == ["as"]


@given(scene_conditions, scenes())
def test_a_condition_is_worth_what_the_tables_say(condition: AnyCondition, scene: Scene) -> None:
    heard = quoted(condition) or not isinstance(scene.event, QuoteMoved)
    assert answer(condition, scene) is (truth(condition, scene) if heard else None)


@given(scene_conditions, scene_conditions, scenes())
def test_de_morgan(one: AnyCondition, two: AnyCondition, scene: Scene) -> None:
    assert answer(~(one & two), scene) is answer(~one | ~two, scene)
    assert answer(~(one | two), scene) is answer(~one & ~two, scene)


@given(scene_conditions, scene_conditions, scenes())
def test_the_tree_comes_to_the_same(one: AnyCondition, two: AnyCondition, scene: Scene) -> None:
    """What explains walks other code than what evaluates."""
    engine = Engine([Rule(name="r", when=one & two, then=ALERT)])
    engine.evaluate(scene.event, scene.context, NOON)
    trace = engine.explain("r")
    assert trace is not None
    if trace.tree is None:
        passed = isinstance(scene.event, QuoteMoved) and not quoted(one & two)
        assert passed or truth(one & two, scene) is not True, "only a rule that can't fire is passed over"
    else:
        told = {True: "true", False: "false", None: "unknown"}[truth(one & two, scene)]
        assert trace.tree.answer == told, trace.explain()


def test_a_condition_is_no_truth() -> None:
    with pytest.raises(TypeError, match="join with"):
        bool(number("price") > 1)
    with pytest.raises(TypeError):
        assert 1 < number("price") < 2


def test_joins_of_joins_are_one() -> None:
    a, b, c = flag("session.open"), word("position.side", "flat"), number("price") > 1
    assert a & b & c == a & (b & c) == AllOf((a, b, c))
    assert a | b | c == AnyOf((a, b, c))
    assert ~(a & b) == Not(AllOf((a, b)))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: number("signal.confidense") > 1, "Did you mean signal.confidence?"),
        (lambda: number("signal.wish") > 1, "word"),
        (lambda: number("price") > float("nan"), "no figure"),
        (lambda: Compare(Number(1), ">", Number(2)), "two constants"),
        (lambda: number("price") > number("session.after_open"), "currency is compared with s"),
        (lambda: number("time") > 86_400, "no time of the day"),
        (lambda: number("price").crosses_above(2), "can cross"),
        (lambda: Cross(Number(1), Number(2), True), "never cross"),
        (lambda: Is("signal.wish", ("HOLD",)), "never 'HOLD'"),
        (lambda: Is("signal.wish", ()), "each once"),
        (lambda: Is("signal.model", ('a"b',)), "no word"),
        (lambda: Flag("price"), "not a flag"),
        (lambda: Field("signal.confidence", "SPY"), "belongs to the event"),
        (lambda: Indicator("ema[20]"), "not written as name"),
        (lambda: Indicator("ema(2O)"), "not a whole number"),
        (lambda: Indicator("ema(20)", "spy;"), "no symbol"),
    ],
)
def test_what_means_nothing_can_not_be_made(make: object, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("?", r"\?")):
        make()  # type: ignore[operator]


def test_two_spellings_of_an_indicator_are_one() -> None:
    assert indicator(" MACD( 12, 26 ,9 ) . Signal ") == indicator("macd.signal")
