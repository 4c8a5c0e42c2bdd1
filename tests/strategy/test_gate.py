"""The signal gate: every check refuses what it should and nothing else, and every refusal is kept."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.model.signalrecords import SignalJudged
from tws.strategy import FateBook, GateRules, ModelLimits, Reason, SignalGate

OPEN = 1_700_000_000 * NS_PER_S
SESSION = Session(OPEN, OPEN + 23_400 * NS_PER_S)
NOON = OPEN + 10_000 * NS_PER_S


def at(seconds: float) -> int:
    return NOON + round(seconds * NS_PER_S)


def signal(
    name: str = "a",
    *,
    time_ns: int = NOON,
    wish: Wish = Wish.BUY,
    confidence: float = 0.8,
    symbol: str = "SPY",
    model: str = "m",
) -> Signal:
    return Signal(
        signal_id=name, symbol=symbol, wish=wish, time_ns=time_ns, confidence=confidence, model=model
    )


def judge(
    gate: SignalGate, wish: Signal, now_ns: int = NOON, session: Session | None = SESSION
) -> Reason | None:
    refusal = gate.judge(wish, now_ns, session)
    if refusal is None:
        return None
    assert gate.refusals[-1] == refusal
    assert refusal.time_ns == now_ns and refusal.signal_id == wish.signal_id and refusal.text
    return refusal.reason


def test_a_good_signal_passes_and_is_counted() -> None:
    gate = SignalGate(GateRules())
    assert judge(gate, signal()) is None
    assert (gate.passed, len(gate.refusals)) == (1, 0)


def test_the_same_wish_acts_once_whatever_came_of_it() -> None:
    gate = SignalGate(GateRules(cooldown_s=60))
    gate.entered("SPY", at(-30))
    assert judge(gate, signal()) is Reason.COOLDOWN
    assert judge(gate, signal(time_ns=at(50)), at(50)) is Reason.DUPLICATE
    assert judge(gate, signal("b", time_ns=at(50)), at(50)) is None
    assert judge(gate, signal("b", time_ns=at(51)), at(51)) is Reason.DUPLICATE


def test_ids_of_two_models_are_two_ids() -> None:
    gate = SignalGate(GateRules())
    other = Signal(signal_id="a", symbol="SPY", wish=Wish.BUY, time_ns=NOON, model="another")
    assert judge(gate, signal()) is None
    assert judge(gate, other) is None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-60.0, None), (-60.001, Reason.AGE), (1.0, None), (1.001, Reason.FUTURE)],
)
def test_age_has_two_bounds(seconds: float, expected: Reason | None) -> None:
    assert judge(SignalGate(GateRules()), signal(time_ns=at(seconds))) is expected


def test_a_signal_older_than_one_judged_is_out_of_order_for_its_symbol_alone() -> None:
    gate = SignalGate(GateRules())
    assert judge(gate, signal("a", time_ns=at(-1))) is None
    assert judge(gate, signal("b", time_ns=at(-2))) is Reason.ORDER
    assert judge(gate, signal("c", time_ns=at(-2), symbol="IBM")) is None
    assert judge(gate, signal("d", time_ns=at(-1))) is None


@pytest.mark.parametrize(
    ("confidence", "expected"), [(0.5, None), (0.499, Reason.THRESHOLD), (float("nan"), Reason.SCHEMA)]
)
def test_the_threshold_includes_itself(confidence: float, expected: Reason | None) -> None:
    assert judge(SignalGate(GateRules(threshold=0.5)), signal(confidence=confidence)) is expected


def test_neutral_and_foreign_symbols_are_refused_by_name() -> None:
    gate = SignalGate(GateRules(symbols=("SPY",)))
    assert judge(gate, signal("a", wish=Wish.NEUTRAL)) is Reason.NEUTRAL
    assert judge(gate, signal("b", symbol="TSLA")) is Reason.SYMBOL
    assert gate.tally == {Reason.NEUTRAL: 1, Reason.SYMBOL: 1}


def test_a_cooldown_ends_by_time_or_by_a_stop_out() -> None:
    gate = SignalGate(GateRules(cooldown_s=180))
    gate.entered("SPY", NOON)
    assert judge(gate, signal("a", time_ns=at(179.9)), at(179.9)) is Reason.COOLDOWN
    assert judge(gate, signal("i", symbol="IBM", time_ns=at(179.9)), at(179.9)) is None
    assert judge(gate, signal("b", time_ns=at(180)), at(180)) is None
    gate.entered("SPY", at(180))
    gate.stopped_out("SPY")
    assert judge(gate, signal("c", time_ns=at(181)), at(181)) is None


@pytest.mark.parametrize(
    ("now_ns", "expected"),
    [
        (OPEN - 1, Reason.SESSION),
        (OPEN + 59 * NS_PER_S, Reason.SESSION),
        (OPEN + 60 * NS_PER_S, None),
        (SESSION.close_ns - 60 * NS_PER_S - 1, None),
        (SESSION.close_ns - 60 * NS_PER_S, Reason.SESSION),
        (SESSION.close_ns, Reason.SESSION),
    ],
)
def test_the_session_window_has_margins(now_ns: int, expected: Reason | None) -> None:
    gate = SignalGate(GateRules(open_margin_s=60, close_margin_s=60))
    assert judge(gate, signal(time_ns=now_ns), now_ns) is expected


def test_without_a_session_nothing_enters() -> None:
    assert judge(SignalGate(GateRules()), signal(), session=None) is Reason.SESSION


@pytest.mark.parametrize("wish", [Wish.SELL, Wish.CLOSE])
def test_what_closes_is_trapped_by_no_window(wish: Wish) -> None:
    gate = SignalGate(GateRules())
    gate.entered("SPY", NOON)
    assert judge(gate, signal(wish=wish), session=None) is None


def test_a_flood_of_ids_makes_the_gate_deaf_not_forgetful() -> None:
    gate = SignalGate(GateRules(max_ids=3, remember_s=100))
    for name in "abc":
        assert judge(gate, signal(name)) is None
    assert judge(gate, signal("d")) is Reason.OVERLOAD
    assert judge(gate, signal("a")) is Reason.DUPLICATE
    assert judge(gate, signal("e", time_ns=at(101)), at(101)) is None


def test_what_is_kept_is_bounded_and_what_is_counted_is_not() -> None:
    gate = SignalGate(GateRules(max_kept=5))
    for number in range(20):
        judge(gate, signal(str(number), wish=Wish.NEUTRAL))
    assert len(gate.refusals) == 5
    assert gate.tally[Reason.NEUTRAL] == 20


def test_order_memory_forgets_only_what_age_refuses_anyway() -> None:
    gate = SignalGate(GateRules(max_ids=4, remember_s=70, max_age_s=60))
    for index in range(4):
        judge(gate, signal(f"s{index}", symbol=f"S{index}", time_ns=NOON))
    later = at(71)
    for index in range(3):
        judge(gate, signal(f"t{index}", symbol=f"T{index}", time_ns=later), later)
    assert len(gate._latest) <= 4
    assert judge(gate, signal("u", symbol="T1", time_ns=later - 1), later) is Reason.ORDER


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("confidence", 1.7),
        ("confidence", "0.9"),
        ("price", float("nan")),
        ("price", -1.0),
        ("time_ns", 1.5),
        ("time_ns", -1),
        ("signal_id", ""),
        ("signal_id", []),
        ("symbol", None),
        ("wish", "UP"),
        ("wish", "BUY"),
        ("model", 7),
    ],
)
def test_a_signal_that_a_program_made_is_asked_what_any_other_is(name: str, value: object) -> None:
    gate = SignalGate(GateRules())
    wrong = replace(signal(), **{name: value})
    refusal = gate.judge(wrong, NOON, SESSION)
    assert refusal is not None and refusal.reason is Reason.SCHEMA and refusal.text.startswith(name)
    assert judge(gate, signal()) is None  # what is no signal has used up no id


def test_a_clock_that_is_set_back_makes_no_gate_deaf() -> None:
    gate, hour = SignalGate(GateRules(cooldown_s=60)), 3600
    ahead = signal("ahead", time_ns=at(hour))
    assert judge(gate, ahead, at(hour)) is None
    gate.entered("SPY", at(hour))
    assert judge(gate, signal("close", wish=Wish.CLOSE, time_ns=at(0)), at(0)) is None
    assert judge(gate, signal("early", time_ns=at(1)), at(1)) is Reason.COOLDOWN
    assert judge(gate, signal("late", time_ns=at(62)), at(62)) is None
    assert judge(gate, signal("older", time_ns=at(61)), at(62)) is Reason.ORDER
    assert judge(gate, ahead, at(hour)) is Reason.DUPLICATE


def test_only_models_that_may_speak_are_heard() -> None:
    gate = SignalGate(GateRules(models=("m", "n")))
    assert judge(gate, signal(model="other")) is Reason.MODEL
    assert judge(gate, signal(model="")) is Reason.MODEL
    assert judge(gate, signal(model="n")) is None


def test_a_model_has_so_many_entries_a_minute_and_a_day() -> None:
    gate = SignalGate(GateRules(each_model=ModelLimits(per_minute=2, per_day=3)))

    def next_one(name: str, seconds: float) -> Reason | None:
        return judge(gate, signal(name, time_ns=at(seconds)), at(seconds))

    assert [next_one(f"a{second}", second) for second in (0, 1, 2, 59.9)] == [
        None, None, Reason.MODEL_RATE, Reason.MODEL_RATE,
    ]  # fmt: skip
    assert next_one("b", 60) is None
    assert next_one("c", 200) is Reason.MODEL_RATE  # three in 24 hours
    assert judge(gate, signal("d", time_ns=at(200), model="another"), at(200)) is None
    assert judge(gate, signal("e", time_ns=at(200), wish=Wish.SELL), at(200)) is None
    day = 86_400
    tomorrow = Session(SESSION.open_ns + day * NS_PER_S, SESSION.close_ns + day * NS_PER_S)
    assert judge(gate, signal("f", time_ns=at(day)), at(day), tomorrow) is None
    assert judge(gate, signal("g", time_ns=at(day)), at(day), tomorrow) is Reason.MODEL_RATE


def test_a_model_may_have_a_rate_of_its_own_or_none_at_all() -> None:
    gate = SignalGate(GateRules(each_model=ModelLimits(per_day=1), limits={"shut": ModelLimits(per_day=0)}))
    assert judge(gate, signal(model="shut")) is Reason.MODEL_RATE
    assert judge(gate, signal("a")) is None
    assert judge(gate, signal("b")) is Reason.MODEL_RATE


def test_what_was_refused_uses_up_no_rate() -> None:
    gate = SignalGate(GateRules(each_model=ModelLimits(per_minute=1)))
    assert judge(gate, signal("a", confidence=0.1)) is Reason.THRESHOLD
    assert judge(gate, signal("b")) is None


def test_models_without_end_are_not_remembered_without_end() -> None:
    gate = SignalGate(GateRules(each_model=ModelLimits(per_day=5), max_models=2))
    assert judge(gate, signal(model="a")) is None
    assert judge(gate, signal(model="b")) is None
    assert judge(gate, signal(model="c")) is Reason.OVERLOAD
    later = 86_401
    tomorrow = Session(SESSION.open_ns + later * NS_PER_S, SESSION.close_ns + later * NS_PER_S)
    assert judge(gate, signal("z", model="c", time_ns=at(later)), at(later), tomorrow) is None


def test_after_a_restart_it_knows_what_it_said_before() -> None:
    """From what the journal keeps of each judgement: ids, the newest time, the rate of a model."""
    rules = GateRules(each_model=ModelLimits(per_day=2))
    book, before, after = FateBook(), SignalGate(rules), SignalGate(rules)
    told = [
        signal("a"), signal("a"), signal("old", time_ns=at(-500)), signal("low", confidence=0.1),
        signal("sold", wish=Wish.SELL), signal("b"), signal("c"), signal("foreign", symbol="SPY", model="n"),
    ]  # fmt: skip
    for each in told:
        refusal = before.judge(each, NOON, SESSION)
        if refusal is None:
            book.passed("s", each, NOON)
        else:
            book.refused("s", refusal, each)
    rows = [row for row in book.take_records(NOON) if isinstance(row, SignalJudged)]
    after.recall(rows)
    for each in told:
        assert judge(after, each) is Reason.DUPLICATE, each.signal_id
    assert judge(after, signal("d")) is Reason.MODEL_RATE is judge(before, signal("d"))
    late = signal("late", time_ns=at(-1))
    assert judge(after, late) is Reason.ORDER is judge(before, late)
    assert judge(after, signal("e", model="n")) is None
