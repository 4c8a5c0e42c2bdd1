"""Every name that a condition may ask about, in one table: its kind, its unit, where its value comes from.

The parser, the checks of the Python form, the reader, the needs that a runtime is told, and the table in
docs/design/rules.md are all made from `FIELDS`. A name is `group.name`, or `name` alone for what concerns the
market or the clock; `SHORT` lists the names that may be shortened.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum

from msgspec import Struct

__all__ = [
    "ATR_SPEC",
    "FIELDS",
    "SHORT",
    "WEEKDAYS",
    "FieldInfo",
    "Kind",
    "Source",
    "Unit",
    "known_field",
    "nearest",
]

ATR_SPEC = "atr(14)"
"""The average true range that `position.profit_atr` counts in (AUTOMATION.md's default)."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Kind(StrEnum):
    """What a value is: a number is compared, a word equals or not, a flag holds or not."""

    NUMBER = "number"
    WORD = "word"
    FLAG = "flag"


class Unit(StrEnum):
    """What a number counts. Seconds are written 90s, 3m, 2h, 1d; a clock 09:45 or 09:45:30."""

    NONE = ""
    CURRENCY = "currency"
    PERCENT = "percent"
    ATR = "ATR"
    SHARES = "shares"
    BARS = "bars"
    SECONDS = "s"
    CLOCK = "clock"
    TIMES = "times"


class Source(StrEnum):
    """Who knows a value: the event itself, the context that the caller fills, or the engine."""

    EVENT = "event"
    SIGNAL = "signal"
    FILL = "fill"
    BAR = "bar"
    QUOTE = "quote"
    POSITION = "position"
    SESSION = "session"
    ZONE = "zone"
    ENGINE = "engine"


class FieldInfo(Struct, frozen=True):
    """One name: `unknown` says when there is no value, `words` which ones are possible (empty: any)."""

    source: Source
    meaning: str
    unit: Unit = Unit.NONE
    kind: Kind = Kind.NUMBER
    unknown: str = ""
    words: tuple[str, ...] = ()
    also: tuple[Source, ...] = ()
    """What else is needed for it."""


def _word(source: Source, meaning: str, unknown: str, *words: str) -> FieldInfo:
    return FieldInfo(source, meaning, kind=Kind.WORD, unknown=unknown, words=words)


def _flag(source: Source, meaning: str, unknown: str) -> FieldInfo:
    return FieldInfo(source, meaning, kind=Kind.FLAG, unknown=unknown)


def _number(source: Source, meaning: str, unit: Unit, unknown: str, *also: Source) -> FieldInfo:
    return FieldInfo(source, meaning, unit, unknown=unknown, also=also)


_NO_SIGNAL = "the event is no signal"
_NO_FILL = "the event is no fill"
_NO_BAR = "no bar has ended yet"
_NO_QUOTE = "no quote that can be trusted"
_NO_BOOK = "the position is not known"
_FLAT = "there is no position, or its entry is not known"
_CLOSED = "no session is open, or its hours are not known"

FIELDS: dict[str, FieldInfo] = {
    "event": _word(Source.EVENT, "what happened", "", "signal", "fill", "bar", "quote", "timer"),
    "symbol": _word(Source.EVENT, "the event's symbol", ""),
    "signal.wish": _word(
        Source.SIGNAL, "the side wished", _NO_SIGNAL, "BUY", "SELL", "SHORT", "CLOSE", "NEUTRAL"
    ),
    "signal.model": _word(Source.SIGNAL, "the model that wishes", _NO_SIGNAL),
    "signal.confidence": _number(Source.SIGNAL, "0 to 1", Unit.NONE, _NO_SIGNAL),
    "signal.price": _number(Source.SIGNAL, "the model's price", Unit.CURRENCY, "no signal with a price"),
    "signal.age": _number(Source.SIGNAL, "since the prediction", Unit.SECONDS, _NO_SIGNAL),
    "fill.side": _word(Source.FILL, "the side filled", _NO_FILL, "BUY", "SELL"),
    "fill.role": _word(
        Source.FILL, "what the order was for", _NO_FILL, "entry", "add", "stop", "target", "exit"
    ),
    "fill.quantity": _number(Source.FILL, "shares of this fill", Unit.SHARES, _NO_FILL),
    "fill.price": _number(Source.FILL, "its price", Unit.CURRENCY, _NO_FILL),
    "fill.left": _number(Source.FILL, "size of the position after it", Unit.SHARES, _NO_FILL),
    "bar.open": _number(Source.BAR, "first price of the last ended bar", Unit.CURRENCY, _NO_BAR),
    "bar.high": _number(Source.BAR, "its highest price", Unit.CURRENCY, _NO_BAR),
    "bar.low": _number(Source.BAR, "its lowest price", Unit.CURRENCY, _NO_BAR),
    "bar.close": _number(Source.BAR, "its last price", Unit.CURRENCY, _NO_BAR),
    "bar.volume": _number(Source.BAR, "its volume", Unit.SHARES, _NO_BAR),
    "price": _number(Source.QUOTE, "middle of bid and ask, else the last price", Unit.CURRENCY, _NO_QUOTE),
    "bid": _number(Source.QUOTE, "best bid", Unit.CURRENCY, _NO_QUOTE),
    "ask": _number(Source.QUOTE, "best ask", Unit.CURRENCY, _NO_QUOTE),
    "spread": _number(Source.QUOTE, "ask minus bid", Unit.CURRENCY, _NO_QUOTE),
    "spread_percent": _number(Source.QUOTE, "spread in percent of the middle", Unit.PERCENT, _NO_QUOTE),
    "volume": _number(Source.QUOTE, "volume of the day", Unit.SHARES, "no quote with a volume"),
    "quote_age": _number(Source.QUOTE, "since the last change of the quote", Unit.SECONDS, _NO_QUOTE),
    "position.side": _word(Source.POSITION, "where we stand", _NO_BOOK, "long", "short", "flat"),
    "position.size": _number(Source.POSITION, "its size, 0 when flat", Unit.SHARES, _NO_BOOK),
    "position.profit_percent": _number(
        Source.POSITION,
        "at the price it could be closed at",
        Unit.PERCENT,
        _FLAT + ", or no quote",
        Source.QUOTE,
    ),
    "position.profit_atr": _number(
        Source.POSITION,
        f"the same in multiples of {ATR_SPEC}",
        Unit.ATR,
        _FLAT + f", no quote, or no {ATR_SPEC}",
        Source.QUOTE,
    ),
    "position.way_to_stop": _number(
        Source.POSITION,
        "percent of the way from entry to stop",
        Unit.PERCENT,
        "there is no position with a stop, or no quote",
        Source.QUOTE,
    ),
    "position.bars": _number(Source.POSITION, "bars ended since the entry", Unit.BARS, _FLAT),
    "position.held": _number(Source.POSITION, "time since the entry", Unit.SECONDS, _FLAT),
    "position.adds": _number(Source.POSITION, "times it was added to", Unit.TIMES, _NO_BOOK),
    "position.doubled": _flag(Source.POSITION, "a double down was asked for", _NO_BOOK),
    "position.entering": _flag(Source.POSITION, "an entry is working", _NO_BOOK),
    "time": _number(Source.ZONE, "clock of the exchange", Unit.CLOCK, "the exchange's zone is not known"),
    "weekday": _word(Source.ZONE, "day there", "the exchange's zone is not known", *WEEKDAYS),
    "session.open": _flag(Source.SESSION, "a session is open", "the hours are not known"),
    "session.after_open": _number(Source.SESSION, "since it opened", Unit.SECONDS, _CLOSED),
    "session.before_close": _number(Source.SESSION, "until it closes", Unit.SECONDS, _CLOSED),
    "cooldown": _number(Source.ENGINE, "left of the symbol's cooldown, 0 when none", Unit.SECONDS, ""),
    "since.fire": _number(Source.ENGINE, "since this rule fired here; infinite before", Unit.SECONDS, ""),
    "since.entry": _number(Source.ENGINE, "since the last entry filled; infinite before", Unit.SECONDS, ""),
    "since.stop_out": _number(Source.ENGINE, "since the last stop-out; infinite before", Unit.SECONDS, ""),
}

SHORT = {
    "wish": "signal.wish",
    "model": "signal.model",
    "confidence": "signal.confidence",
    "close": "bar.close",
}
"""Names that a text may shorten; a rule that is written out again has the long ones."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The cure for a name that nobody knows: the nearest known one, or a few."""
    names, name = list(known), name[:100]  # looking for what is near takes the product of the lengths
    near = get_close_matches(name, names, 1) or [each for each in names if each.endswith("." + name)]
    return f"Did you mean {near[0]}?" if near else f"Known are {', '.join(names[:40])}"


def known_field(name: str, kind: Kind | None = None) -> FieldInfo:
    """The row of a name. Raises ValueError for a name that is unknown, or of another kind than `kind`."""
    info = FIELDS.get(name)
    if info is None:
        raise ValueError(f"unknown name {name!r}. {nearest(name, FIELDS)}")
    if kind is not None and info.kind is not kind:
        raise ValueError(f"{name} is a {info.kind}, not a {kind}")
    return info
