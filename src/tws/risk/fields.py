"""What kind of value each limit is: how it is read and written, which of two is tighter, how far it may go.

One table, `FIELDS`, by the names of `Limits`; the configuration, the journal and the overrides all go by it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct

from tws.model.instrument import decimal
from tws.model.marketrule import FARTHEST

__all__ = ["FIELDS", "Kind", "LimitError", "Shape", "exact", "tighter", "tightest", "to_text"]

_PERMISSIVE = (False, None, True)
"""What a permission may be, tightest first; None is "on paper alone"."""

_ANYWHERE = ("accounts", "symbols", "strategies")
_PER_SYMBOL = ("symbols",)
_PER_ACCOUNT = ("accounts",)
_GLOBAL: tuple[str, ...] = ()


class LimitError(ValueError):
    """A limit that is none: which (`name`, the path of an override), what was given, why not."""

    def __init__(self, name: str, value: object, reason: str) -> None:
        super().__init__(f"{name} is {value}: {reason}")
        self.name = name
        self.value = value
        self.reason = reason


class Shape(StrEnum):
    """How a limit is written."""

    AMOUNT = "a number, or off"
    SECONDS = "seconds"
    SECONDS_OR_OFF = "seconds, or off"
    FLAG = "true or false"
    FLAG_OR_NONE = "true, false, or off"
    SYMBOLS = "symbols, commas between"
    SYMBOLS_OR_OFF = "symbols, commas between, or off"


class Kind(Struct, frozen=True, kw_only=True):
    """One limit's nature. `highest` is its hard bound and `why` the reason of that.

    `tight` says which of two values is the tighter: "less", "more", "true", "within" (a shorter list of what
    is allowed) or "beyond" (a longer list of what is denied).
    """

    shape: Shape = Shape.AMOUNT
    scopes: tuple[str, ...] = _ANYWHERE
    tight: str = "less"
    highest: Decimal = FARTHEST
    why: str = "no market is beyond it"

    def read(self, name: str, text: str) -> Any:
        """The value that `to_text` wrote, or a human. Raises LimitError."""
        try:
            return _READERS[self.shape](text.strip())
        except (ValueError, ArithmeticError):
            raise LimitError(name, text, f"not {self.shape}") from None


def exact(name: str, value: Any, kind: Kind) -> Any:
    """The value as `Limits` holds it. Raises LimitError for nonsense: wrong type, NaN, negative, beyond."""
    if value is None:
        if kind.shape not in (Shape.SECONDS, Shape.FLAG, Shape.SYMBOLS):
            return None
        raise LimitError(name, "off", "this limit can't be switched off")
    if kind.shape in (Shape.FLAG, Shape.FLAG_OR_NONE):
        if not isinstance(value, bool):
            raise LimitError(name, value, "true or false is wanted")
        return value
    if kind.shape in (Shape.SYMBOLS, Shape.SYMBOLS_OR_OFF):
        sequence = isinstance(value, list | tuple)
        if not sequence or not all(isinstance(each, str) and each for each in value):
            raise LimitError(name, value, "a list of symbols is wanted")
        return tuple(value)
    try:
        number = decimal(value, name)
    except ValueError:
        raise LimitError(name, repr(value), "a finite number is wanted") from None
    if number < 0:
        raise LimitError(name, value, "a bound is not negative")
    if number > kind.highest:
        raise LimitError(name, value, f"beyond {kind.highest}: {kind.why}")
    if kind.shape is Shape.AMOUNT:
        return number
    if number == 0:
        raise LimitError(name, value, f"seconds between 0 and {kind.highest} are wanted")
    return float(number)


def tighter(kind: Kind, value: Any, general: Any) -> bool:
    """Whether `value` is at least as tight as `general`. None is the loosest of all."""
    if kind.shape is Shape.FLAG_OR_NONE:
        return _PERMISSIVE.index(value) <= _PERMISSIVE.index(general)
    if value is None or general is None:
        return general is None
    match kind.tight:
        case "less":
            return bool(value <= general)
        case "more":
            return bool(value >= general)
        case "within":
            return set(value) <= set(general)
        case "beyond":
            return True  # a list of what is denied adds to the general one
        case _:
            return bool(value == (kind.tight == "true") or value == general)


def tightest(kind: Kind, one: Any, other: Any) -> Any:
    """The tighter of two overrides; lists are joined so that both hold."""
    if kind.tight == "beyond":
        return tuple(dict.fromkeys((*one, *other)))
    if kind.tight == "within" and one is not None and other is not None:
        return tuple(each for each in one if each in other)
    return one if tighter(kind, one, other) else other


def to_text(value: Any) -> str:
    """A value as text that `Kind.read` reads."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def _off_or(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: None if text == "off" else read(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _symbols(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",")) if text else ()


_READERS: dict[Shape, Callable[[str], Any]] = {
    Shape.AMOUNT: _off_or(Decimal),
    Shape.SECONDS: float,
    Shape.SECONDS_OR_OFF: _off_or(float),
    Shape.FLAG: _flag,
    Shape.FLAG_OR_NONE: _off_or(_flag),
    Shape.SYMBOLS: _symbols,
    Shape.SYMBOLS_OR_OFF: _off_or(_symbols),
}

_DAY = Decimal(86_400)

FIELDS: dict[str, Kind] = {
    "max_order_quantity": Kind(),
    "max_order_notional": Kind(),
    "max_position": Kind(),
    "max_position_notional": Kind(),
    "max_symbol_notional": Kind(),
    "max_net_notional": Kind(scopes=("accounts", "strategies")),
    "max_gross_notional": Kind(scopes=("accounts", "strategies")),
    "stale_quote_s": Kind(shape=Shape.SECONDS, highest=_DAY, why="a quote of yesterday is none"),
    "price_collar": Kind(highest=Decimal(1), why="twice the market is no price for anything"),
    "price_drift": Kind(highest=Decimal(1), why="twice the market is no price for anything"),
    "drift_window_s": Kind(shape=Shape.SECONDS, tight="more", highest=_DAY, why="a day is over by then"),
    "max_orders_per_side": Kind(highest=Decimal(20), why="IB refuses more (TWS-BEHAVIOUR.md B)"),
    "max_messages_per_s": Kind(scopes=_GLOBAL, highest=Decimal(1000), why="2,000 lines, more than IB sells"),
    "message_reserve": Kind(scopes=_GLOBAL, tight="more", highest=Decimal(1000), why="all would be reserve"),
    "max_entries": Kind(highest=Decimal(1000), why="no more entries of a symbol are remembered"),
    "entry_window_s": Kind(shape=Shape.SECONDS, tight="more", highest=_DAY, why="a day is over by then"),
    "duplicate_window_s": Kind(shape=Shape.SECONDS_OR_OFF, tight="more", highest=_DAY,
                               why="an equal order of another day is another one"),
    "buying_power": Kind(shape=Shape.FLAG, scopes=_PER_ACCOUNT, tight="true"),
    "day_trades": Kind(shape=Shape.FLAG, tight="true"),
    "session_hours": Kind(shape=Shape.FLAG, tight="true"),
    "last_days": Kind(tight="more", highest=Decimal(90), why="a quarter is the life of a front month"),
    "allow": Kind(shape=Shape.SYMBOLS_OR_OFF, scopes=("accounts", "strategies"), tight="within"),
    "deny": Kind(shape=Shape.SYMBOLS, scopes=("accounts", "strategies"), tight="beyond"),
    "short_sales": Kind(shape=Shape.FLAG_OR_NONE, tight="false"),
    "max_daily_loss": Kind(scopes=_PER_ACCOUNT),
    "max_drawdown": Kind(scopes=_PER_ACCOUNT),
}
"""Each limit that is a bound, in the order in which people read them."""
