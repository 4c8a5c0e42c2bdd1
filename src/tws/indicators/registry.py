"""Every indicator by its name, with its typed parameters, so that a rule or a file can ask for one in words.

    parse_spec("bollinger(20, 2).upper")   -> Spec("bollinger", (20, 2.0), "upper")
    build(parse_spec("ema(20)"))           -> Ema(20)
    describe()                             -> all of them, for a help text or a form

The text is read by one pattern: a name, numbers in parentheses, a point and the name of an output. Nothing in
it is ever evaluated. Parameters that are left out have their defaults, an output that is left out is the
first one; so `ema` and `ema(20)` are the same indicator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NoReturn, Protocol

from msgspec import Struct

from tws.errors import ConfigError
from tws.indicators.averages import Ema, Sma, Wma
from tws.indicators.bands import Bands, Bollinger, Donchian, Keltner
from tws.indicators.deviation import Volatility, ZScore
from tws.indicators.momentum import Macd, MacdValue, Rsi, Stochastic, StochasticValue
from tws.indicators.ranges import Atr
from tws.indicators.trend import Adx, AdxValue, Supertrend, SupertrendValue
from tws.indicators.volume import Obv, Vwap

__all__ = ["KINDS", "Indicator", "Kind", "Parameter", "Spec", "build", "describe", "parse_spec"]

MOST = 10_000
"""The longest period. A window keeps two blocks of it: about 2 MB for each symbol at this length, and a
longer one of 10-second bars would be a matter of weeks, for which longer bars are the better tool."""
_LONGEST_TEXT = 100  # the longest that can be meant has 40 characters
_PATTERN = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(?:\(([^()]*)\)\s*)?(?:\.\s*([A-Za-z_]+)\s*)?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,12})?")


class Indicator(Protocol):
    """What all of them have. `update` takes a price, or a bar where `Kind.by` says so; `value` is None until
    `warm_up` updates came. An average that never forgets has settled after `settled` of them: what it began
    with weighs no more than a thousandth. (The path of a Supertrend and the height of an OBV go on for ever.)
    """

    @property
    def value(self) -> Any: ...
    @property
    def warm_up(self) -> int: ...
    @property
    def settled(self) -> int: ...
    def update(self, value: Any, /) -> Any: ...
    def save(self) -> dict[str, Any]: ...
    def restore(self, state: Any) -> None: ...


class Parameter(Struct, frozen=True):
    """One number that an indicator takes, with its bounds."""

    name: str
    default: float
    lowest: float
    highest: float
    whole: bool = True


class Kind(Struct, frozen=True):
    """One indicator. `by`: what its `update` takes, "close" (the close of a bar) or "bar" (the bar itself).

    `outputs`: the names of its numbers, the first of which is meant where none is named; empty for a single
    one.
    """

    name: str
    make: Callable[..., Indicator]
    parameters: tuple[Parameter, ...]
    by: str
    outputs: tuple[str, ...]
    summary: str


class Spec(Struct, frozen=True):
    """An indicator with all its parameters, and the output that is meant ("" for the only one)."""

    name: str
    arguments: tuple[float, ...]
    output: str = ""

    @property
    def text(self) -> str:
        """The indicator in its one way of writing, without the output: `bollinger(20, 2)`."""
        return f"{self.name}({', '.join(map(_number_text, self.arguments))})" if self.arguments else self.name


def _period(default: int, name: str = "period", lowest: int = 1) -> Parameter:
    return Parameter(name, default, lowest, MOST)


def _factor(name: str, default: float, highest: float = 100.0) -> Parameter:
    return Parameter(name, default, 0.001, highest, whole=False)


def _table() -> dict[str, Kind]:
    bands, bar, close = Bands.__struct_fields__, "bar", "close"
    middle_first = (bands[1], bands[0], bands[2])
    kinds = [
        Kind("sma", Sma, (_period(20),), close, (), "simple moving average"),
        Kind("ema", Ema, (_period(20),), close, (), "exponential moving average"),
        Kind("wma", Wma, (_period(20),), close, (), "linearly weighted moving average"),
        Kind("rsi", Rsi, (_period(14),), close, (), "relative strength index, 0 to 100"),
        Kind("macd", Macd, (_period(12, "fast"), _period(26, "slow"), _period(9, "signal")), close,
             MacdValue.__struct_fields__, "difference of two exponential averages, and its own average"),
        Kind("bollinger", Bollinger, (_period(20), _factor("deviations", 2.0)), close, middle_first,
             "mean and standard deviations around it"),
        Kind("stochastic", Stochastic, (_period(14), _period(3, "smooth"), _period(3, "signal")), bar,
             StochasticValue.__struct_fields__, "the close within the range of some bars, 0 to 100"),
        Kind("atr", Atr, (_period(14),), bar, (), "average true range, in currency"),
        Kind("adx", Adx, (_period(14, lowest=2),), bar, AdxValue.__struct_fields__,
             "strength of a trend, 0 to 100, and its two directions"),
        Kind("obv", Obv, (), bar, (), "on-balance volume, in shares"),
        Kind("vwap", Vwap, (), bar, (), "volume-weighted average price of the session"),
        Kind("donchian", Donchian, (_period(20),), bar, middle_first, "highest high and lowest low"),
        Kind("keltner", Keltner, (_period(20), _period(10, "atr"), _factor("width", 2.0)), bar, middle_first,
             "exponential average and true ranges around it"),
        Kind("supertrend", Supertrend, (_period(10), _factor("width", 3.0)), bar,
             SupertrendValue.__struct_fields__, "a stop that follows, and the side it is on: 1 up, -1 down"),
        Kind("volatility", Volatility, (_period(20, lowest=2), _factor("per_year", 1.0, 1e8)), close, (),
             "standard deviation of logarithmic returns"),
        Kind("zscore", ZScore, (_period(20, lowest=2),), close, (), "distance from the mean in deviations"),
    ]  # fmt: skip
    return {kind.name: kind for kind in kinds}


KINDS: dict[str, Kind] = _table()
"""All indicators by name."""


def describe() -> list[dict[str, Any]]:
    """All indicators in plain values: how to write each with its defaults, its parameters and their bounds,
    its outputs, the bars until its first value and until its beginning is forgotten, and what it is.
    """
    found = []
    for kind in KINDS.values():
        spec = Spec(kind.name, tuple(each.default for each in kind.parameters))
        made = build(spec)
        found.append(
            {
                "name": kind.name,
                "default": spec.text,
                "parameters": [
                    {"name": each.name, "default": each.default, "lowest": each.lowest,
                     "highest": each.highest, "whole": each.whole}
                    for each in kind.parameters
                ],
                "by": kind.by,
                "outputs": list(kind.outputs),
                "warm_up": made.warm_up,
                "settled": made.settled,
                "summary": kind.summary,
            }
        )  # fmt: skip
    return found


def parse_spec(text: str, field: str = "indicator") -> Spec:
    """The indicator that a text such as `ema(20)` or `macd(12, 26, 9).signal` asks for.

    Raises ConfigError, whose `field` is the given one, with a cure: for what is not of that form, an unknown
    name, a number that is missing, too many or out of bounds, an unknown output.
    """
    found = _PATTERN.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        cure = "Write it as in ema(20) or bollinger(20, 2).upper"
        _refuse(field, text, "not written as name(number, …)", cure)
    name, inside, output = found[1].lower(), (found[2] or "").strip(), (found[3] or "").lower()
    kind = KINDS.get(name)
    if kind is None:
        _refuse(field, text, f"no indicator is called {name}", _near(name, KINDS))
    given = [part.strip() for part in inside.split(",")] if inside else []
    if len(given) > len(kind.parameters):
        _refuse(field, text, f"{name} takes at most {len(kind.parameters)} numbers", f"Write {_usage(kind)}")
    arguments = tuple(
        _argument(field, text, each, given[place] if place < len(given) else None)
        for place, each in enumerate(kind.parameters)
    )
    if output and output not in kind.outputs:
        single = f"It is one number: write {name} without the point"
        cure = _near(output, kind.outputs) if kind.outputs else single
        _refuse(field, text, f"{name} has no output {output}", cure)
    spec = Spec(name, arguments, output or (kind.outputs[0] if kind.outputs else ""))
    try:
        build(spec)
    except ValueError as error:  # numbers that do not go together
        _refuse(field, text, str(error), f"Write {_usage(kind)}")
    return spec


def build(spec: Spec) -> Indicator:
    """A new indicator. Raises ValueError for numbers that do not go together."""
    kind = KINDS[spec.name]
    numbers = zip(kind.parameters, spec.arguments, strict=True)
    return kind.make(*(int(value) if each.whole else float(value) for each, value in numbers))


def _argument(field: str, text: str, parameter: Parameter, given: str | None) -> float:
    if given is None:
        return parameter.default
    name, lowest, highest = parameter.name, _number_text(parameter.lowest), _number_text(parameter.highest)
    what = "a whole number" if parameter.whole else "a number"
    cure = f"Give {name} as {what} from {lowest} to {highest}"
    if not _NUMBER.fullmatch(given) or (parameter.whole and "." in given):
        _refuse(field, text, f"{name} is {given!r}, not {what}", cure)
    value = float(given)
    if not parameter.lowest <= value <= parameter.highest:
        _refuse(field, text, f"{name} is {given}, out of bounds", cure)
    return value


def _usage(kind: Kind) -> str:
    names = ", ".join(each.name for each in kind.parameters)
    defaults = Spec(kind.name, tuple(each.default for each in kind.parameters)).text
    return f"{kind.name}({names}), such as {defaults}" if names else kind.name


def _near(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    near = get_close_matches(name, list(known), 1)
    return (f"Did you mean {near[0]}? " if near else "") + f"Known here: {', '.join(known)}"


def _number_text(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _refuse(field: str, value: str, reason: str, cure: str) -> NoReturn:
    raise ConfigError(field, value, reason, cure)
