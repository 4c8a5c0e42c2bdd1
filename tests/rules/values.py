"""What the tests of rules draw: conditions, actions, rules, and scenes with the truth of each condition.

A scene knows its figures in a plain table; `truth` works a condition out over that table by Kleene's tables,
with nothing of the engine's.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from tws.clock import NS_PER_S
from tws.model.market import Bar, Quote
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.model.sizing import Allocation, RiskFraction, Shares
from tws.rules import BarEnded, Event, Filled, Given, Holding, QuoteMoved, Rule, SignalCame, TimePassed
from tws.rules.actions import (
    Alert,
    AnyAction,
    BreakEven,
    CancelEntries,
    DisableRule,
    Distance,
    DoubleDown,
    EnableRule,
    Enter,
    Exit,
    Ignore,
    MoveStop,
    Reverse,
    ScaleIn,
    SetCooldown,
    Trail,
)
from tws.rules.conditions import (
    AllOf,
    AnyCondition,
    AnyOf,
    Change,
    Compare,
    Cross,
    Field,
    Flag,
    Indicator,
    Is,
    Not,
    Number,
)
from tws.rules.fields import FIELDS, Kind, Unit

NOON = 1_795_021_200 * NS_PER_S  # 2026-11-18 12:00:00 in New York, a Wednesday
SYMBOLS = ("SPY", "QQQ", "IBM")

NUMBERS = sorted(name for name, info in FIELDS.items() if info.kind is Kind.NUMBER)
WORDS = sorted(name for name, info in FIELDS.items() if info.kind is Kind.WORD)
FLAGS = sorted(name for name, info in FIELDS.items() if info.kind is Kind.FLAG)
OF_EVENT = ("event", "signal", "fill")

finite = st.floats(-1e12, 1e12, allow_nan=False).map(lambda value: value + 0.0)
specs = st.sampled_from(
    ["ema(20)", "sma(5)", "rsi(14)", "macd(12,26,9).signal", "bollinger(20,2.5).upper", "vwap"]
)
symbols = st.sampled_from(["", "SPY", "BRK B", "ES.Z6", "in", "AND"]).map(str.upper)


@st.composite
def comparisons(draw: st.DrawFn) -> Compare:
    """A comparison whose units agree."""
    name = draw(st.sampled_from(NUMBERS))
    of = "" if FIELDS[name].source in OF_EVENT else draw(symbols)
    unit = FIELDS[name].unit
    left: Any = draw(
        st.sampled_from([Field(name, of), Change(draw(st.integers(1, 9)), of), Indicator(draw(specs), of)])
    )
    if isinstance(left, Field) and unit is Unit.CLOCK:
        right: Any = Number(draw(st.integers(0, 86_399)))
    elif isinstance(left, Indicator):
        right = draw(st.one_of(finite.map(Number), st.just(Field("price")), specs.map(Indicator)))
    else:
        right = draw(st.one_of(finite.map(Number), st.just(left)))
    pair = draw(st.permutations([left, right]))
    return Compare(pair[0], draw(st.sampled_from([">=", ">", "<=", "<", "=="])), pair[1])


@st.composite
def words(draw: st.DrawFn) -> Is:
    name = draw(st.sampled_from(WORDS))
    known = (
        st.sampled_from(FIELDS[name].words)
        if FIELDS[name].words
        else st.sampled_from(["SPY", "BRK B", "gpt", "and", "price", "m-7", "ü", "9"])
    )
    of = "" if FIELDS[name].source in OF_EVENT else draw(symbols)
    return Is(name, tuple(draw(st.lists(known, min_size=1, max_size=3, unique=True))), of)


crossings = st.builds(
    Cross,
    st.one_of(st.builds(Indicator, specs, symbols), st.builds(Field, st.just("bar.close"), symbols)),
    st.one_of(st.builds(Indicator, specs, symbols), finite.map(Number)),
    st.booleans(),
)
flags = st.builds(Flag, st.sampled_from(FLAGS), symbols)


def joined_of(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[AnyCondition]:
    """Conditions of these leaves."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=4).map(lambda parts: AllOf(tuple(parts))),
            st.lists(inner, min_size=2, max_size=4).map(lambda parts: AnyOf(tuple(parts))),
            inner.map(Not),
        ),
        max_leaves=8,
    )


conditions = joined_of(st.one_of(comparisons(), words(), crossings, flags))

money = st.decimals(Decimal("0.01"), Decimal(10**9), places=2)
sizes = st.one_of(
    st.none(),
    money.map(Shares),
    money.map(Allocation),
    st.decimals(Decimal("0.0001"), Decimal("0.9"), places=4).map(RiskFraction),
)
distances = st.builds(Distance, st.floats(0.001, 99), st.sampled_from(["atr", "percent"]))
maybe = st.one_of(st.none(), distances)
names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,12}", fullmatch=True)
texts = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters='"\\'), min_size=1, max_size=20
)
single_actions: st.SearchStrategy[AnyAction] = st.one_of(
    st.builds(Enter, st.sampled_from(["long", "short", "signal"]), sizes, maybe, maybe, st.booleans()),
    st.just(Exit()),
    st.builds(Reverse, sizes, maybe, maybe),
    st.builds(ScaleIn, sizes),
    st.builds(DoubleDown, st.floats(0.01, 99)),
    st.builds(MoveStop, distances, st.sampled_from(["entry", "price"])),
    st.builds(Trail, distances),
    st.builds(BreakEven, maybe),
    st.just(CancelEntries()),
    st.just(Ignore()),
    st.builds(SetCooldown, st.floats(0, 600_000)),
    st.builds(EnableRule, names),
    st.builds(DisableRule, names),
    st.builds(Alert, texts),
)
actions = st.lists(
    single_actions.filter(lambda each: not isinstance(each, Ignore)),
    min_size=1,
    max_size=4,
    unique_by=lambda each: "opening" if isinstance(each, (Enter, Exit, Reverse)) else type(each),
).map(tuple) | st.just((Ignore(),))
rules = st.builds(
    Rule,
    name=names,
    when=conditions,
    then=actions,
    priority=st.integers(-9, 9),
    cooldown_s=st.floats(0, 1000),
    per_day=st.none() | st.integers(1, 9),
    enabled=st.booleans(),
)


class Scene(Struct, frozen=True):
    """An event with its context, and the same figures in a plain table (None: unknown)."""

    event: Event
    context: Given
    figures: dict[str, Any]
    before: dict[str, float | None]


LEAVES = st.one_of(
    st.builds(
        Compare,
        st.sampled_from(
            [
                Field("signal.confidence"),
                Indicator("rsi(14)"),
                Field("price"),
                Indicator("ema(20)"),
                Field("bar.close"),
                Field("fill.left"),
            ]
        ),
        st.sampled_from([">=", ">", "<=", "<", "=="]),
        st.sampled_from([0.0, 0.5, 1.0]).map(Number),
    ),
    st.builds(
        Compare,
        st.sampled_from([Number(0.5), Indicator("ema(20)")]),
        st.sampled_from([">=", "<"]),
        st.sampled_from([Indicator("rsi(14)"), Field("price")]),
    ),
    st.builds(
        Cross,
        st.sampled_from([Indicator("ema(20)"), Field("bar.close")]),
        st.sampled_from([Indicator("rsi(14)"), Number(0.5)]),
        st.booleans(),
    ),
    st.builds(Is, st.just("signal.wish"), st.sampled_from([("BUY",), ("BUY", "SHORT"), ("SELL",)])),
    st.builds(Is, st.just("signal.model"), st.sampled_from([("a",), ("b", "a")])),
    st.builds(Is, st.just("event"), st.sampled_from([("signal",), ("bar", "fill"), ("timer", "quote")])),
    st.builds(Is, st.just("symbol"), st.sampled_from([("SPY",), ("QQQ", "SPY"), ("TLT",)])),
    st.builds(Is, st.just("position.side"), st.sampled_from([("long",), ("flat", "short")])),
    st.just(Flag("session.open")),
)
scene_conditions = joined_of(LEAVES)
level = st.sampled_from([None, 0.0, 0.5, 1.0])


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """One event among these symbols, with what is known about it."""
    symbol = draw(st.sampled_from(SYMBOLS))
    kind = draw(st.sampled_from(["signal", "fill", "bar", "quote", "timer"]))
    figures: dict[str, Any] = dict.fromkeys(FIELDS)
    figures |= {"event": kind, "symbol": symbol}
    event: Event = {"bar": BarEnded, "quote": QuoteMoved}.get(kind, TimePassed)(symbol)
    if kind == "signal":
        wish, model = draw(st.sampled_from(list(Wish))), draw(st.sampled_from(["a", "b", "c"]))
        confidence = draw(st.sampled_from([0.0, 0.5, 1.0]))
        event = SignalCame(
            Signal(signal_id="1", symbol=symbol, wish=wish, time_ns=NOON, model=model, confidence=confidence)
        )
        figures |= {"signal.wish": wish.value, "signal.model": model, "signal.confidence": confidence}
    elif kind == "fill":
        left = draw(st.sampled_from([0.0, 0.5, 1.0]))
        event = Filled(symbol=symbol, side="BUY", role="entry", quantity=1, price=1, left=left)
        figures["fill.left"] = left
    series = {spec: (draw(level), draw(level)) for spec in ("ema(20)", "rsi(14)")}
    bars = draw(st.sampled_from([(), (0.5,), (0.5, 1.0), (1.0, 0.0)]))
    held, price, is_open = (
        draw(st.sampled_from([None, -1, 0, 1])),
        draw(level),
        draw(st.sampled_from([None, True, False])),
    )
    context = Given(
        holdings={} if held is None else {symbol: Holding(quantity=held)},
        quotes={} if price is None else {symbol: Quote(symbol=symbol, last=price)},
        bars={
            symbol: tuple(Bar(time_ns=0, seconds=10, open=0, high=0, low=0, close=close) for close in bars)
        },
        indicators={(symbol, spec): pair for spec, pair in series.items()},
        sessions={}
        if is_open is None
        else {symbol: Session(NOON - 9, NOON + 9) if is_open else Session(NOON + 1, NOON + 9)},
        zones={symbol: "America/New_York"},
    )
    figures |= {spec: pair[0] for spec, pair in series.items()}
    figures["price"] = price or None  # TWS writes 0 where it has no price
    figures["bar.close"] = bars[0] if bars else None
    figures["position.side"] = None if held is None else {-1: "short", 0: "flat", 1: "long"}[held]
    figures["session.open"] = is_open
    before: dict[str, float | None] = {spec: pair[1] for spec, pair in series.items()}
    before["bar.close"] = bars[1] if len(bars) > 1 else None
    return Scene(event, context, figures, before)


def truth(condition: AnyCondition, scene: Scene) -> bool | None:
    """What a condition is worth on a scene: Kleene's strong tables, by the least and the greatest."""
    match condition:
        case AllOf(parts):
            return {0: False, 1: None, 2: True}[min(_rank(truth(part, scene)) for part in parts)]
        case AnyOf(parts):
            return {0: False, 1: None, 2: True}[max(_rank(truth(part, scene)) for part in parts)]
        case Not(part):
            return {0: True, 1: None, 2: False}[_rank(truth(part, scene))]
        case Is(name, among):
            value = scene.figures[name]
            return None if value is None else any(value == each for each in among)
        case Flag(name):
            found: bool | None = scene.figures[name]
            return found
        case Compare(left, sign, right):
            one, two = _value(left, scene.figures), _value(right, scene.figures)
            if one is None or two is None:
                return None
            return {">=": one >= two, ">": one > two, "<=": one <= two, "<": one < two, "==": one == two}[
                sign
            ]
        case Cross(left, right, above):
            now = _value(left, scene.figures), _value(right, scene.figures)
            past = _value(left, scene.before), _value(right, scene.before)
            if None in now or None in past:
                return None
            return (
                (now[0] > now[1] and past[0] <= past[1])
                if above
                else (now[0] < now[1] and past[0] >= past[1])
            )  # type: ignore[operator]


def quoted(condition: AnyCondition) -> bool:
    """Whether a quote concerns a condition: it looks at a price, or says which events it means."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return any(quoted(part) for part in parts)
        case Not(part):
            return quoted(part)
        case Compare(left, _, right):
            return Field("price") in (left, right)
    return isinstance(condition, Is) and condition.name == "event"


def _rank(answer: bool | None) -> int:
    return 1 if answer is None else 2 * answer


def _value(operand: Any, figures: dict[str, Any]) -> float | None:
    if isinstance(operand, Number):
        return operand.value
    found: float | None = figures[operand.name if isinstance(operand, Field) else operand.spec]
    return found
