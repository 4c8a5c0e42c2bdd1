"""The rules that most traders want, ready made: what a signal, a fill and the clock do to a position
(AUTOMATION.md).

Each function gives one `Rule` whose condition and actions are ordinary values, so it can be looked at,
explained, written to a file and changed. `standard` joins them. Their priorities stand in one table: what
closes goes before what reverses, that before what adds, that before what is ignored, and an entry comes last.
"""

from __future__ import annotations

from msgspec import Struct

from tws.model.sizing import Sizing
from tws.rules.actions import (
    BreakEven,
    CancelEntries,
    Distance,
    DoubleDown,
    Enter,
    Exit,
    Ignore,
    Reverse,
    ScaleIn,
    SetCooldown,
    Trail,
    atr,
)
from tws.rules.conditions import AnyCondition, flag, number, word
from tws.rules.rule import Rule

__all__ = [
    "PRIORITIES",
    "Plan",
    "break_even",
    "close_on_sell",
    "double_down",
    "enter_on_signal",
    "flatten_before_close",
    "ignore_same_side",
    "reverse_on_opposite",
    "scale_in",
    "standard",
    "trail",
]

PRIORITIES = {"flatten": 100, "close": 80, "reverse": 60, "add": 40, "protect": 30, "ignore": 20, "enter": 0}


class Plan(Struct, frozen=True, kw_only=True):
    """How signals are traded. The defaults are AUTOMATION.md's; a `size` of None is the strategy's own."""

    confidence: float = 0.5
    """The least confidence of a signal that is acted upon."""
    size: Sizing | None = None
    stop: Distance = atr(6)
    target: Distance = atr(3)
    cooldown_s: float = 180.0
    """Pause after an entry; a stop-out ends it."""
    last_s: float = 60.0
    """So long before the close the position is closed, and no entry is made any more."""


def enter_on_signal(plan: Plan, name: str = "enter") -> Rule:
    """A BUY or SHORT enters when flat, outside the cooldown and before the last minute."""
    allowed = (number("cooldown") <= 0) & (number("session.before_close") > plan.last_s)
    free = word("position.side", "flat") & ~flag("position.entering")
    return Rule(
        name=name,
        when=_sure(plan) & word("signal.wish", "BUY", "SHORT") & free & allowed,
        then=Enter("signal", plan.size, plan.stop, plan.target) + SetCooldown(plan.cooldown_s),
        priority=PRIORITIES["enter"],
    )


def ignore_same_side(name: str = "same_side") -> Rule:
    """A signal for the side on which we stand already changes nothing."""
    return Rule(name=name, when=_same_side(), then=(Ignore(),), priority=PRIORITIES["ignore"])


def reverse_on_opposite(plan: Plan, name: str = "reverse") -> Rule:
    """A signal for the other side reverses the position, before the last minute."""
    opposite = (word("signal.wish", "BUY") & word("position.side", "short")) | (
        word("signal.wish", "SHORT") & word("position.side", "long")
    )
    return Rule(
        name=name,
        when=_sure(plan) & opposite & (number("session.before_close") > plan.last_s),
        then=Reverse(plan.size, plan.stop, plan.target) + SetCooldown(plan.cooldown_s),
        priority=PRIORITIES["reverse"],
    )


def close_on_sell(plan: Plan, name: str = "close") -> Rule:
    """A SELL closes a long position, a CLOSE a short one too; they open nothing."""
    sold = word("signal.wish", "SELL") & word("position.side", "long")
    closed = word("signal.wish", "CLOSE") & word("position.side", "long", "short")
    return Rule(
        name=name,
        when=_sure(plan) & (sold | closed),
        then=CancelEntries() + Exit(),
        priority=PRIORITIES["close"],
    )


def scale_in(plan: Plan, profit_atr: float = 1.0, most: int = 1, name: str = "scale_in") -> Rule:
    """A signal for our side adds, when the position is in profit by so many ATR, at most `most` times."""
    return Rule(
        name=name,
        when=_sure(plan)
        & _same_side()
        & (number("position.profit_atr") >= profit_atr)
        & (number("position.adds") < most)
        & ~flag("position.entering"),
        then=(ScaleIn(plan.size),),
        priority=PRIORITIES["add"],
    )


def double_down(way_percent: float = 50.0, name: str = "double_down") -> Rule:
    """Once the entry has filled: a limit of the same size, so far on the way to the stop; once a trade."""
    return Rule(
        name=name,
        when=word("event", "fill")
        & word("fill.role", "entry")
        & (number("fill.left") > 0)
        & ~flag("position.entering")
        & ~flag("position.doubled"),
        then=(DoubleDown(way_percent),),
        priority=PRIORITIES["add"],
    )


def break_even(profit_atr: float, beyond: Distance | None = None, name: str = "break_even") -> Rule:
    """Once a trade, when it is in profit by so many ATR: the stop goes to the entry, or beyond."""
    return Rule(
        name=name, when=_once_a_trade(profit_atr), then=(BreakEven(beyond),), priority=PRIORITIES["protect"]
    )


def trail(profit_atr: float, distance: Distance, name: str = "trail") -> Rule:
    """Once a trade, when it is in profit by so many ATR: the stop begins to follow the price."""
    return Rule(
        name=name, when=_once_a_trade(profit_atr), then=(Trail(distance),), priority=PRIORITIES["protect"]
    )


def flatten_before_close(last_s: float = 60.0, name: str = "flatten") -> Rule:
    """In the last minute of the broker's session: cancel entries, close the position, once."""
    return Rule(
        name=name,
        when=(number("session.before_close") <= last_s)
        & (~word("position.side", "flat") | flag("position.entering"))
        & (
            number("since.fire") > number("session.after_open")
        ),  # not by the day: no zone may trap a position
        then=CancelEntries() + Exit(),
        priority=PRIORITIES["flatten"],
    )


def standard(plan: Plan | None = None) -> tuple[Rule, ...]:
    """Entry, same side ignored, opposite reverses, SELL closes, flat at the close."""
    plan = plan or Plan()
    return (
        flatten_before_close(plan.last_s),
        close_on_sell(plan),
        reverse_on_opposite(plan),
        ignore_same_side(),
        enter_on_signal(plan),
    )


def _sure(plan: Plan) -> AnyCondition:
    return number("signal.confidence") >= plan.confidence


def _same_side() -> AnyCondition:
    return (word("signal.wish", "BUY") & word("position.side", "long")) | (
        word("signal.wish", "SHORT") & word("position.side", "short")
    )


def _once_a_trade(profit_atr: float) -> AnyCondition:
    """In profit, and the rule has not fired since the entry (what never happened is infinitely long ago)."""
    return (number("position.profit_atr") >= profit_atr) & (number("since.fire") > number("since.entry"))
