"""Conditions as frozen values, joined by `&`, `|` and `~`.

    (number("signal.confidence") >= 0.5) & indicator("ema(20)").crosses_above(indicator("ema(50)"))

An operand is a number, a field of `tws.rules.fields`, an indicator, or the change over some bars; comparing
two gives a condition. A condition has three answers: true, false, and unknown when a figure is not known (an
indicator that warms up, no quote). Unknown is never true: `~` of unknown is unknown; `&` is false if any part
is false, else unknown if any is; `|` is true if any part is true, else unknown if any is (Kleene's strong
logic). What can't mean anything (a word compared with a number, a NaN) raises ValueError when the value is
made.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import Literal, NoReturn, TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

from tws.indicators.registry import parse_spec
from tws.rules.fields import FIELDS, SHORT, Kind, Unit, known_field

__all__ = [
    "AllOf",
    "AnyCondition",
    "AnyOf",
    "AnyOperand",
    "Change",
    "Compare",
    "Condition",
    "Cross",
    "Field",
    "Flag",
    "Indicator",
    "Is",
    "Not",
    "Number",
    "Operand",
    "between",
    "change",
    "flag",
    "indicator",
    "number",
    "unit_of",
    "word",
]

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9 .\-/]*")

MAX_WORDS = 1_000
"""Words of one condition: more symbols than a login has market data lines by a factor of ten."""
MAX_WORD = 100
"""Characters of one word: a model's name, a symbol."""
MAX_BARS = 10_000
"""Bars that `change` may look back: a day of ten-second bars has 2,340; beyond that the history costs memory
per symbol.
"""


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """What all conditions share: how they are joined."""

    def __and__(self, other: AnyCondition) -> AllOf:
        return AllOf((_condition(self), _condition(other)))

    def __or__(self, other: AnyCondition) -> AnyOf:
        return AnyOf((_condition(self), _condition(other)))

    def __invert__(self) -> Not:
        return Not(_condition(self))

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a condition has no truth until it meets an event: join with & | ~, not with and, or, not"
        )


class Operand(Struct, frozen=True, forbid_unknown_fields=True):
    """What all operands share: how they are compared. A plain number stands for `Number`."""

    def __ge__(self, other: AnyOperand | float) -> Compare:
        return Compare(_operand(self), ">=", _operand(other))

    def __gt__(self, other: AnyOperand | float) -> Compare:
        return Compare(_operand(self), ">", _operand(other))

    def __le__(self, other: AnyOperand | float) -> Compare:
        return Compare(_operand(self), "<=", _operand(other))

    def __lt__(self, other: AnyOperand | float) -> Compare:
        return Compare(_operand(self), "<", _operand(other))

    def equals(self, other: AnyOperand | float) -> Compare:
        """Equal as floats; `==` itself compares the values that make up a rule."""
        return Compare(_operand(self), "==", _operand(other))

    def crosses_above(self, other: AnyOperand | float) -> Cross:
        """At the bar before the last not above, at the last one above."""
        return Cross(_operand(self), _operand(other), True)

    def crosses_below(self, other: AnyOperand | float) -> Cross:
        """At the bar before the last not below, at the last one below."""
        return Cross(_operand(self), _operand(other), False)


class Number(Operand, frozen=True, tag="number"):
    """A figure, in the unit of what it is compared with (seconds for times, percent for percents)."""

    value: float

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isfinite(self.value):
            raise ValueError(f"{self.value!r} is no figure to compare with")
        force_setattr(self, "value", float(self.value) + 0.0)  # -0.0 reads as 0.0


class Field(Operand, frozen=True, tag="field"):
    """A number of the table `FIELDS`; `symbol` other than the event's where it is given."""

    name: str
    symbol: str = ""

    def __post_init__(self) -> None:
        info = known_field(self.name, Kind.NUMBER)
        _check_owner(self.name, info.source, self.symbol)


class Indicator(Operand, frozen=True, tag="indicator"):
    """An indicator of `tws.indicators` by its spec, such as `ema(20)` or `macd.signal`, brought into its one
    way of writing. Raises ConfigError (a ValueError) for what is none.
    """

    spec: str
    symbol: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "spec", _spelt(self.spec))
        check_symbol(self.symbol)


class Change(Operand, frozen=True, tag="change"):
    """Change of the close over the last `bars` bars, in percent."""

    bars: int
    symbol: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.bars, bool) or not 1 <= self.bars <= MAX_BARS:
            raise ValueError(f"change({self.bars}): must be 1 to {MAX_BARS} bars")
        check_symbol(self.symbol)


_OF_INDICATORS = {Unit.NONE, Unit.CURRENCY, Unit.SHARES, Unit.PERCENT, Unit.ATR}
"""What an indicator, whose unit is not known here, may be compared with."""

AnyOperand: TypeAlias = Number | Field | Indicator | Change
Sign: TypeAlias = Literal[">=", ">", "<=", "<", "=="]
TURNED: dict[Sign, Sign] = {">=": "<=", ">": "<", "<=": ">=", "<": ">", "==": "=="}
"""What each comparison is when its sides change places."""


class Compare(Condition, frozen=True, tag="compare"):
    """Two numbers, the left one no constant, in units that can be compared."""

    left: AnyOperand
    sign: Sign
    right: AnyOperand

    def __post_init__(self) -> None:
        if self.sign not in (">=", ">", "<=", "<", "=="):
            raise ValueError(f"{self.sign!r} is no comparison")
        if isinstance(self.left, Number) and isinstance(self.right, Number):
            raise ValueError("two constants are compared")
        if isinstance(self.left, Number):  # one spelling: the constant stands on the right
            left, right = self.right, self.left
            force_setattr(self, "left", left)
            force_setattr(self, "right", right)
            force_setattr(self, "sign", TURNED[self.sign])
        units = [unit_of(each) for each in (self.left, self.right) if not isinstance(each, Number)]
        if len(set(units)) > 1 and not (Unit.NONE in units and set(units) <= _OF_INDICATORS):
            raise ValueError(
                f"{units[0] or 'a plain number'} is compared with {units[1] or 'a plain number'}"
            )
        for each in (self.left, self.right):
            if Unit.CLOCK in units and isinstance(each, Number) and not _is_clock(each.value):
                raise ValueError(f"{each.value} is no time of the day in whole seconds")


class Cross(Condition, frozen=True, tag="cross"):
    """A series passes another, or a constant, from the bar before the last to the last one."""

    left: AnyOperand
    right: AnyOperand
    above: bool

    def __post_init__(self) -> None:
        if isinstance(self.left, Number) and isinstance(self.right, Number):
            raise ValueError("two constants never cross")
        if isinstance(self.left, Number):
            left, right = self.right, self.left
            force_setattr(self, "left", left)
            force_setattr(self, "right", right)
            force_setattr(self, "above", not self.above)
        for each in (self.left, self.right):
            if isinstance(each, Change) or (isinstance(each, Field) and not each.name.startswith("bar.")):
                raise ValueError("only indicators, figures of bars and constants can cross")


class Is(Condition, frozen=True, tag="is"):
    """A word is one of these."""

    name: str
    words: tuple[str, ...]
    symbol: str = ""

    def __post_init__(self) -> None:
        info = known_field(self.name, Kind.WORD)
        _check_owner(self.name, info.source, self.symbol)
        if not self.words or len(set(self.words)) < len(self.words):
            raise ValueError(f"{self.name}: name words, each once")
        if len(self.words) > MAX_WORDS or any(len(each) > MAX_WORD for each in self.words):
            raise ValueError(f"{self.name}: at most {MAX_WORDS} words of {MAX_WORD} characters")
        for each in self.words:
            if not each or any(mark in each for mark in '"\\\n\r\t'):
                raise ValueError(f"{self.name}: {each!r} is no word")
            if info.words and each not in info.words:
                raise ValueError(f"{self.name} is never {each!r}; it is one of {', '.join(info.words)}")


class Flag(Condition, frozen=True, tag="flag"):
    """A flag holds."""

    name: str
    symbol: str = ""

    def __post_init__(self) -> None:
        info = known_field(self.name, Kind.FLAG)
        _check_owner(self.name, info.source, self.symbol)


class Not(Condition, frozen=True, tag="not"):
    """The opposite; of unknown, unknown."""

    part: AnyCondition


class AllOf(Condition, frozen=True, tag="all"):
    """All parts hold; parts of parts are taken in."""

    parts: tuple[AnyCondition, ...]

    def __post_init__(self) -> None:
        flat: list[AnyCondition] = []
        for part in self.parts:
            flat += part.parts if isinstance(part, AllOf) else [part]
        _two(flat)
        force_setattr(self, "parts", tuple(flat))


class AnyOf(Condition, frozen=True, tag="any"):
    """One part at least holds; parts of parts are taken in."""

    parts: tuple[AnyCondition, ...]

    def __post_init__(self) -> None:
        flat: list[AnyCondition] = []
        for part in self.parts:
            flat += part.parts if isinstance(part, AnyOf) else [part]
        _two(flat)
        force_setattr(self, "parts", tuple(flat))


AnyCondition: TypeAlias = Compare | Cross | Is | Flag | Not | AllOf | AnyOf


def number(name: str, symbol: str = "") -> Field:
    """A number by its name: `number("position.profit_atr") >= 1`."""
    return Field(SHORT.get(name, name), symbol)


def indicator(spec: str, symbol: str = "") -> Indicator:
    """An indicator by its spec: `indicator("rsi(14)") < 30`."""
    return Indicator(spec, symbol)


def change(bars: int, symbol: str = "") -> Change:
    """The change over bars in percent: `change(5) > 0.3`."""
    return Change(bars, symbol)


def word(name: str, *words: str, symbol: str = "") -> Is:
    """A word is one of these: `word("signal.wish", "BUY", "SHORT")`."""
    return Is(SHORT.get(name, name), words, symbol)


def flag(name: str, symbol: str = "") -> Flag:
    """A flag holds: `flag("session.open")`."""
    return Flag(name, symbol)


def between(begin: str, end: str) -> AllOf | AnyOf:
    """The exchange's clock stands from `begin` on and before `end` (09:45 or 09:45:30); past midnight where
    the end lies before the beginning. Raises ValueError.
    """
    clock, first, last = Field("time"), clock_s(begin), clock_s(end)
    if first == last:
        raise ValueError(f"between {begin} and {end} lies nothing")
    join = AllOf if first < last else AnyOf
    return join((clock >= first, clock < last))


def clock_s(text: str) -> int:
    """Seconds after midnight of 09:45 or 09:45:30. Raises ValueError."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(
        len(part) == 2 and part.isdecimal() and part.isascii() for part in parts
    ):
        raise ValueError(f"{text!r} is no time such as 09:45")
    hour, minute, second = (*map(int, parts), 0)[:3]
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"{text!r} is no time of the day")
    return hour * 3600 + minute * 60 + second


def unit_of(operand: AnyOperand) -> Unit:
    """What an operand counts; an indicator's unit is not known."""
    if isinstance(operand, Field):
        return FIELDS[operand.name].unit
    return Unit.PERCENT if isinstance(operand, Change) else Unit.NONE


@lru_cache(maxsize=4096)
def _spelt(spec: str) -> str:
    """A spec with all its numbers and its output. Remembered, since many rules ask for the same few."""
    parsed = parse_spec(spec)
    return parsed.text + (f".{parsed.output}" if parsed.output else "")


def _operand(value: object) -> AnyOperand:
    if isinstance(value, (Number, Field, Indicator, Change)):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Number(value)
    raise TypeError(f"{value!r} can't be compared in a rule")


def _condition(value: object) -> AnyCondition:
    if isinstance(value, (Compare, Cross, Is, Flag, Not, AllOf, AnyOf)):
        return value
    raise TypeError(f"{value!r} is no condition")


def _is_clock(value: float) -> bool:
    return 0 <= value < 86_400 and value == int(value)


def _two(parts: list[AnyCondition]) -> None:
    if len(parts) < 2:
        raise ValueError("join two conditions at least")


def _check_owner(name: str, source: str, symbol: str) -> None:
    if symbol and source in ("event", "signal", "fill"):
        raise ValueError(f"{name} belongs to the event, not to {symbol}")
    check_symbol(symbol)


def check_symbol(symbol: str) -> None:
    """Raises ValueError for what can be no symbol; empty means the event's own."""
    if symbol and not (_SYMBOL.fullmatch(symbol) and len(symbol) <= 32):
        raise ValueError(f"{symbol!r} is no symbol")
