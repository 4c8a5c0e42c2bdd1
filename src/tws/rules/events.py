"""What rules hear. Each event names its symbol; `kind` is the word that a condition's `event` compares."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from msgspec import Struct

from tws.model.signal import Signal

__all__ = ["BarEnded", "Event", "Filled", "QuoteMoved", "SignalCame", "TimePassed"]

Role: TypeAlias = Literal["entry", "add", "stop", "target", "exit"]


class SignalCame(Struct, frozen=True, tag="signal"):
    """A signal that passed its gate."""

    kind: ClassVar[str] = "signal"

    signal: Signal

    @property
    def symbol(self) -> str:
        return self.signal.symbol


class Filled(Struct, frozen=True, tag="fill", kw_only=True):
    """A fill of ours, once per execution id. `left` is the size of the position after it, 0 when flat."""

    kind: ClassVar[str] = "fill"

    symbol: str
    side: Literal["BUY", "SELL"]
    role: Role
    quantity: float
    price: float
    left: float


class BarEnded(Struct, frozen=True, tag="bar"):
    """A bar of the symbol ended, and its indicators hold it."""

    kind: ClassVar[str] = "bar"

    symbol: str


class QuoteMoved(Struct, frozen=True, tag="quote"):
    """The symbol's quote changed."""

    kind: ClassVar[str] = "quote"

    symbol: str


class TimePassed(Struct, frozen=True, tag="timer"):
    """Time passed for the symbol; a runtime sends it once a second or so, for rules about the clock."""

    kind: ClassVar[str] = "timer"

    symbol: str


Event: TypeAlias = SignalCame | Filled | BarEnded | QuoteMoved | TimePassed
