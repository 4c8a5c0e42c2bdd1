"""What `tws run` adds to a configuration file: where signals come from, how they are traded, where state
lives.

    [signals]                       [[strategies]]               [run]
    file = "signals.jsonl"          kind = "breakout"            at_end = "protected"
    symbols = ["SPY", "QQQ"]        symbols = ["TQQQ", "SQQQ"]
    allocation = 10_000             stop_atr = 6                 [journal]
    stop_fraction = 0.02            target_atr = 3               file = "journal.sqlite3"

`[[signals]]`, written several times with a `kind` each, are several sources (signals.py has the other kinds).
`check_strategies` says what the sections can't say each for itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tws.config.section import Amount, Section, Symbol, Words
from tws.errors import ConfigError

__all__ = [
    "HeardSection",
    "JournalSection",
    "ModelLimitsSection",
    "RunSection",
    "SignalsSection",
    "StateSection",
    "StrategySection",
    "TradingSection",
]

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Times = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


def _profit(text: str) -> str:
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?) ?(atr|%)", text)
    if found is None or not float(found[1]):
        raise ValueError("no distance above zero")
    return text


def _trail(text: str) -> str:
    if _split(_profit(text))[1] is not None and float(text.rstrip("% ")) >= 100:
        raise ValueError("a stop can't trail by all of the price")
    return text


def _divides(seconds: int) -> int:
    if 86_400 % seconds:
        raise ValueError("does not divide a day")
    return seconds


def _split(text: str | None) -> tuple[float | None, float | None]:
    """A distance in multiples of the ATR, or as a part of the price."""
    if text is None:
        return None, None
    number = float(text.rstrip("atr% "))
    return (number, None) if text.endswith("atr") else (None, number / 100)


Profit = Annotated[str, AfterValidator(_profit)]
Trail = Annotated[str, AfterValidator(_trail)]

_SIZES = ("shares", "risk_fraction", "volatility_target", "kelly_fraction")


class TradingSection(Section):
    """How signals become orders, and what a signal does while a position is held."""

    symbols: tuple[Symbol, ...] = Field(min_length=1, description='Write the symbols, such as ["SPY", "QQQ"]')
    shares: Amount | None = None
    """So many shares an entry; else `allocation` decides, unless one of the next three is given."""
    risk_fraction: Fraction | None = Field(
        default=None, description="Write the part of the equity that a stop may lose, such as 0.01"
    )
    """So much of the equity is lost when the stop fills at its price."""
    volatility_target: Fraction | None = Field(
        default=None, description="Write a yearly volatility, such as 0.1"
    )
    """So volatile is a position, by the year and as a part of the equity; never worth more than that."""
    kelly_fraction: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="Write a part of Kelly's fraction, such as 0.25"
    )
    """This part of Kelly's fraction is at risk, the confidence being the chance to win; see `kelly_cap`."""
    kelly_cap: Fraction = Field(
        default=0.02, description="Write the most of the equity that a stop may lose, such as 0.02"
    )
    allocation: Amount = Field(
        default=10_000,
        validate_default=True,
        description="Write the money of one entry, in the contract's currency",
    )
    stop_atr: Times = 6.0
    """Distance of the stop in ATR(14) of bars of `bar_seconds`."""
    target_atr: Times = 3.0
    stop_fraction: Fraction | None = None
    """Distance of the stop as a part of the entry's price (0.02 is two percent), instead of `stop_atr`."""
    target_fraction: Fraction | None = None
    trail: Trail | None = Field(
        default=None, description='Write how far behind the market, such as "2 atr" or "1.5%"'
    )
    """The stop begins where it would stand, and follows the market so far behind it ("2 atr", "1.5%"); the
    broker moves it. Unset: it stays."""
    break_even_after: Profit | None = Field(
        default=None, description='Write a profit, such as "1 atr" or "2%"'
    )
    """Once a share has so much profit the broker moves the stop to the entry's price, once."""
    break_even_offset: Profit | None = Field(
        default=None, description='Write a distance below break_even_after, such as "0.1%"'
    )
    """So far beyond the entry's price it goes then."""
    bar_seconds: Annotated[int, Field(ge=1, le=3600), AfterValidator(_divides)] = Field(
        default=10, description="Write a length of which whole ones make a day, such as 10"
    )
    bars_from: Literal["ticks", "real-time"] = Field(
        default="ticks", description='Write "ticks", or "real-time" for TWS\'s bars of five seconds, merged'
    )
    """What bars are built from. Real-time bars take a second market data line of each symbol."""
    warm_up: bool = True
    """Give the indicators the past, as TWS has it."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The least confidence of a signal."""
    max_age_s: Seconds = 60.0
    """The greatest age of a signal."""
    cooldown_s: Seconds = 180.0
    """Pause after an entry in the same symbol; a stop-out ends it."""
    open_margin_s: Seconds = 0.0
    """No entry so soon after the open."""
    close_margin_s: Seconds = 300.0
    """No entry so late before the close."""
    opposite: Literal["reverse", "close", "ignore"] = Field(
        default="reverse",
        description='Write "reverse" (close, then enter the other way), "close" or "ignore"',
    )
    """What a signal for the other side does to a position."""
    scale_in_profit: Profit | None = Field(
        default=None, description='Write a distance, such as "1 atr" or "2%"'
    )
    """A same-side signal adds once a share has so much profit ("1 atr", "2%"); unset: it is ignored."""
    scale_in_times: Annotated[int, Field(ge=1, le=100)] = 1
    """How often a trade is added to at most."""
    double_down: bool = False
    """Once an entry has filled, a limit of the same size waits half way to the stop, at the broker."""
    target_follows: bool = True
    """What is added moves the target: it stays as far from the average price of all that is held."""
    stop_follows: bool = False
    """The same of the stop; else it stays where it is. A stop that trails is the market's affair."""

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        given = [name for name in _SIZES if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are two ways to size an entry: keep one")
        return self

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        """The stop moves in one way, and break-even lies between the stop's own place and the target."""
        if self.trail is not None and self.break_even_after is not None:
            raise ValueError("trail and break_even_after are two ways to move a stop: keep one")
        if self.break_even_offset is not None and self.break_even_after is None:
            raise ValueError("break_even_offset moves nothing without break_even_after: write that too")
        after, offset = _split(self.break_even_after), _split(self.break_even_offset)
        target = (self.target_atr, None) if self.target_fraction is None else (None, self.target_fraction)
        for (least, most), text in (
            ((offset, after), "break_even_offset lies at or beyond break_even_after: write a smaller one"),
            ((after, target), "the target comes before break_even_after: write a smaller one"),
        ):
            for low, high in zip(least, most, strict=True):
                if low is not None and high is not None and (low > high or (low == high and least is offset)):
                    raise ValueError(text)
        return self

    @model_validator(mode="after")
    def _whole_parts(self) -> Self:
        if self.bars_from == "real-time" and self.bar_seconds % 5:
            raise ValueError("bars from real-time bars last a multiple of 5 seconds: correct bar_seconds")
        return self

    @property
    def scale_in(self) -> tuple[float | None, float | None]:
        """`scale_in_profit` in multiples of the ATR, or as a part of the price."""
        return _split(self.scale_in_profit)

    @property
    def by_atr(self) -> bool:
        """Whether stop, target or a move of the stop is a multiple of the ATR."""
        moves = (self.trail, self.break_even_after, self.break_even_offset)
        in_atr = any(text is not None and text.endswith("atr") for text in moves)
        return self.stop_fraction is None or self.target_fraction is None or in_atr

    @property
    def waits_for_indicators(self) -> bool:
        """Whether no entry can leave before indicators are known, which the past would give at once."""
        return self.by_atr or self.volatility_target is not None

    @property
    def wants_equity(self) -> bool:
        """Whether a size is reckoned from what the account is worth."""
        return any(getattr(self, name) is not None for name in _SIZES[1:])


class ModelLimitsSection(Section):
    """How many entries a model may wish for."""

    per_minute: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Within any 60 seconds."""
    per_day: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Within any 24 hours."""


class HeardSection(TradingSection):
    """Signals that come from without, and which models may send them."""

    name: Words = "signals"
    """The source's name: in reports, and as the strategy in the journal where a signal names no model."""
    models: tuple[Words, ...] | None = None
    """The models that may speak; unset: any."""
    each_model: ModelLimitsSection = ModelLimitsSection()
    """The bound of every model that has none of its own."""
    model_limits: dict[Words, ModelLimitsSection] = Field(default_factory=dict)
    """Models with a bound of their own, by name."""


class SignalsSection(HeardSection):
    """Signals from a file: JSON Lines, which is followed as it grows, or CSV, which is read once."""

    kind: Literal["file"] = "file"
    file: Words = Field(description='Give the path of a .jsonl or .csv file, such as "signals.jsonl"')


class StrategySection(TradingSection):
    """A strategy that is built in."""

    kind: Literal["breakout", "crossover"] = Field(description='Write "breakout" or "crossover"')


class RunSection(Section):
    """How a run ends."""

    at_end: Literal["protected", "flatten"] = Field(
        default="protected", description='Write "protected" (stops stay at the broker) or "flatten"'
    )
    flatten_before_close_s: Annotated[int, Field(ge=10, le=3600)] | None = None
    """Close what is ours so many seconds before the end of its contract's day; unset: nothing is closed."""


class JournalSection(Section):
    """Where the journal lies."""

    file: Words | None = None
    """Its file; unset: in the trader's state folder."""


class StateSection(Section):
    """Where state lies: the safety file, the note by which commands find the trader, the list of sessions."""

    folder: Words | None = None
    """Unset: the user's state folder of this system."""


def check_strategies(
    signals: Sequence[HeardSection], strategies: Sequence[TradingSection], folder: Path
) -> None:
    """What the sections can't say each for itself. `folder` is that of the file, for a relative
    `signals.file`.

    Raises ConfigError: nothing to trade, one symbol in two strategies, two sources of one name, a file that
    is not there.
    """
    if not signals and not strategies:
        raise ConfigError(
            "signals",
            None,
            "nothing would be traded",
            'Add [signals] with file = "signals.jsonl", or [[strategies]] with kind and symbols',
        )
    owners = Counter(
        symbol for each in (*strategies, *signals) for symbol in each.symbols
    )
    twice = [symbol for symbol, count in owners.items() if count > 1]
    if twice:
        raise ConfigError(
            "symbols",
            twice[0],
            "stands in two strategies, or twice in one",
            "One strategy owns a contract: take it out of the other",
        )
    names = [each.name for each in signals]
    same = [name for name in names if names.count(name) > 1]
    if same:
        raise ConfigError(
            "signals.name", same[0], "two sources have this name", 'Give each its own: name = "..."'
        )
    for each in signals:
        if isinstance(each, SignalsSection):
            _check_file(each, folder)


def _check_file(signals: SignalsSection, folder: Path) -> None:
    path = folder / signals.file
    if path.suffix.lower() not in (".jsonl", ".csv"):
        raise ConfigError(
            "signals.file",
            signals.file,
            "neither .jsonl nor .csv",
            "Give JSON Lines (one signal a line), or CSV with a header",
        )
    if not path.is_file():
        raise ConfigError(
            "signals.file", str(path), "no such file", "Create it, empty if no signal is there yet"
        )
