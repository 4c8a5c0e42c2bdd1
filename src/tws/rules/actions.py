"""Actions as frozen values, joined by `+`: what a rule wishes. Nothing here acts; the desk decides what comes
of it.

    Enter("signal", Allocation(Decimal(10_000)), stop=atr(6), target=atr(3)) + SetCooldown(180)

What touches a position (`trades`) is given by one rule per symbol and event, the one of the highest priority;
cooldown, switches and alerts stand beside any other.
"""

from __future__ import annotations

from math import isfinite
from typing import ClassVar, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

from tws.model.sizing import Allocation, RiskFraction, Shares, Sizing

__all__ = [
    "Action",
    "Alert",
    "AnyAction",
    "BreakEven",
    "CancelEntries",
    "DisableRule",
    "Distance",
    "DoubleDown",
    "EnableRule",
    "Enter",
    "Exit",
    "Ignore",
    "MoveStop",
    "Reverse",
    "ScaleIn",
    "SetCooldown",
    "Trail",
    "atr",
    "joined",
    "percent",
]

MAX_ACTIONS = 16
"""Actions of one rule; there are fifteen kinds, and none makes sense twice but an alert."""
MAX_SIZE = 10**12
"""Shares or money of one entry: far above what any gate lets through, short enough to write out."""
MAX_SECONDS = 7 * 86_400.0
"""The longest cooldown: past a week it is a rule that should be disabled."""


class Action(Struct, frozen=True, forbid_unknown_fields=True):
    """What all actions share: how they are joined."""

    trades: ClassVar[bool] = True
    """Whether it touches a position or its orders."""
    opens: ClassVar[bool] = False
    """Whether it may enlarge a position."""

    def __add__(self, other: AnyAction | tuple[AnyAction, ...]) -> tuple[AnyAction, ...]:
        return joined(self, other)

    def __radd__(self, other: tuple[AnyAction, ...]) -> tuple[AnyAction, ...]:
        return joined(other, self)


class Distance(Struct, frozen=True, forbid_unknown_fields=True):
    """How far from a price: so many average true ranges, or so many percent of the price."""

    amount: float
    unit: Literal["atr", "percent"]

    def __post_init__(self) -> None:
        if self.unit not in ("atr", "percent"):
            raise ValueError(f"{self.unit!r} is neither atr nor percent")
        highest = 100 if self.unit == "percent" else 1000
        if isinstance(self.amount, bool) or not isfinite(self.amount) or not 0 < self.amount < highest:
            raise ValueError(f"a distance of {self.amount} {self.unit}: must be above 0 and below {highest}")
        force_setattr(self, "amount", float(self.amount))


def atr(amount: float) -> Distance:
    """So many average true ranges."""
    return Distance(amount, "atr")


def percent(amount: float) -> Distance:
    """So many percent of the price: 2 is two percent."""
    return Distance(amount, "percent")


class Enter(Action, frozen=True, tag="enter"):
    """Open a position: `signal` on the side of the signal's wish. None: as the strategy plans."""

    opens: ClassVar[bool] = True

    side: Literal["long", "short", "signal"]
    size: Sizing | None = None
    stop: Distance | None = None
    target: Distance | None = None
    limit: bool = False
    """Enter with a limit at the touch instead of a market order."""

    def __post_init__(self) -> None:
        if self.side not in ("long", "short", "signal"):
            raise ValueError(f"{self.side!r} is no side to enter: long, short or signal")
        _check_size(self.size)


class Exit(Action, frozen=True, tag="exit"):
    """Close the position, in the OCA group of its stop."""


class Reverse(Action, frozen=True, tag="reverse"):
    """Cancel target and entries, close in the stop's OCA group, enter on the other side when flat."""

    opens: ClassVar[bool] = True

    size: Sizing | None = None
    stop: Distance | None = None
    target: Distance | None = None

    def __post_init__(self) -> None:
        _check_size(self.size)


class ScaleIn(Action, frozen=True, tag="scale_in"):
    """Add to the position on its own side."""

    opens: ClassVar[bool] = True

    size: Sizing | None = None

    def __post_init__(self) -> None:
        _check_size(self.size)


class DoubleDown(Action, frozen=True, tag="double_down"):
    """A limit of the position's size, `way_percent` of the way from the entry to the stop."""

    opens: ClassVar[bool] = True

    way_percent: float = 50.0

    def __post_init__(self) -> None:
        if not 0 < self.way_percent < 100:
            raise ValueError(f"double down at {self.way_percent}%: must lie between entry (0) and stop (100)")
        force_setattr(self, "way_percent", float(self.way_percent))


class MoveStop(Action, frozen=True, tag="move_stop"):
    """Move the stop so far from the entry, or from the price, on the losing side; never further than it
    stands.
    """

    distance: Distance
    of: Literal["entry", "price"] = "price"

    def __post_init__(self) -> None:
        if self.of not in ("entry", "price"):
            raise ValueError(f"{self.of!r} is neither entry nor price")


class Trail(Action, frozen=True, tag="trail"):
    """Turn the stop into one that follows the price at this distance."""

    distance: Distance


class BreakEven(Action, frozen=True, tag="break_even"):
    """Move the stop to the entry, or beyond it by a distance on the winning side."""

    beyond: Distance | None = None


class CancelEntries(Action, frozen=True, tag="cancel_entries"):
    """Cancel what would still open or enlarge the position."""


class Ignore(Action, frozen=True, tag="ignore"):
    """Do nothing, and let no rule of lower priority trade this symbol on this event."""


class SetCooldown(Action, frozen=True, tag="cooldown"):
    """Begin the symbol's cooldown; 0 ends it. Conditions read it as `cooldown`; a stop-out ends it too."""

    trades: ClassVar[bool] = False

    seconds: float

    def __post_init__(self) -> None:
        if isinstance(self.seconds, bool) or not 0 <= self.seconds <= MAX_SECONDS:
            raise ValueError(f"a cooldown of {self.seconds} s: must be 0 to {MAX_SECONDS:.0f}")
        force_setattr(self, "seconds", float(self.seconds) + 0.0)


class EnableRule(Action, frozen=True, tag="enable"):
    """Enable another rule, from the next event on."""

    trades: ClassVar[bool] = False

    rule: str


class DisableRule(Action, frozen=True, tag="disable"):
    """Disable a rule, from the next event on."""

    trades: ClassVar[bool] = False

    rule: str


class Alert(Action, frozen=True, tag="alert"):
    """Tell the trader."""

    trades: ClassVar[bool] = False

    text: str

    def __post_init__(self) -> None:
        if (
            not 0 < len(self.text) <= 200
            or not self.text.isprintable()
            or '"' in self.text
            or "\\" in self.text
        ):
            raise ValueError("an alert is 1 to 200 printable characters without quotes and backslashes")


AnyAction: TypeAlias = (
    Enter
    | Exit
    | Reverse
    | ScaleIn
    | DoubleDown
    | MoveStop
    | Trail
    | BreakEven
    | CancelEntries
    | Ignore
    | SetCooldown
    | EnableRule
    | DisableRule
    | Alert
)


def joined(*parts: object) -> tuple[AnyAction, ...]:
    """Actions and tuples of them in one row. Raises ValueError for none, too many, or one kind twice."""
    flat: list[AnyAction] = []
    for part in parts:
        for each in part if isinstance(part, tuple) else (part,):
            if not isinstance(each, Action):
                raise TypeError(f"{each!r} is no action")
            flat.append(each)  # type: ignore[arg-type]  # AnyAction lists all subclasses
    if not 1 <= len(flat) <= MAX_ACTIONS:
        raise ValueError(f"a rule has 1 to {MAX_ACTIONS} actions, not {len(flat)}")
    for index, each in enumerate(flat):
        if each in flat[:index]:
            raise ValueError(f"{each!r} stands twice")
    if any(isinstance(each, Ignore) for each in flat) and sum(each.trades for each in flat) > 1:
        raise ValueError("ignore stands with no other action on the position")
    if sum(isinstance(each, (Enter, Exit, Reverse)) for each in flat) > 1:
        raise ValueError("enter, exit and reverse exclude each other")
    return tuple(flat)


def _check_size(size: Sizing | None) -> None:
    """A size above zero; a risk below the whole."""
    if size is None:
        return
    figure = (
        size.count
        if isinstance(size, Shares)
        else size.cash
        if isinstance(size, Allocation)
        else size.fraction
    )
    if not figure.is_finite() or not 0 < figure <= MAX_SIZE:
        raise ValueError(f"a size of {figure}: must be above zero and at most {MAX_SIZE}")
    if isinstance(size, RiskFraction) and figure >= 1:
        raise ValueError(f"a risk of {figure} of the equity: must be below 1")
