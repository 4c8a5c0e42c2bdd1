"""What comes of an event: the rules that fired with their actions, those held back and why, those that
failed.

A rule whose condition did not hold leaves nothing here; `Engine.explain` tells about it.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tws.rules.actions import AnyAction

__all__ = ["Barrier", "Decisions", "Failed", "Fired", "Held", "Needs"]


class Barrier(StrEnum):
    """What held a rule back although its condition held."""

    COOLDOWN = "its own cooldown"
    PER_DAY = "executions per day"
    NO_DAY = "the trading day is not known"
    OUTRANKED = "outranked"
    MEMORY = "no memory left for its firing"


class Fired(Struct, frozen=True):
    """A rule fired: what it wishes for this symbol."""

    rule: str
    symbol: str
    actions: tuple[AnyAction, ...]


class Held(Struct, frozen=True):
    """A rule's condition held, and something held it back. `figure` and `bound` in the barrier's unit:
    seconds of its cooldown, executions, the rule that went first.
    """

    rule: str
    symbol: str
    barrier: Barrier
    figure: str = ""
    bound: str = ""


class Failed(Struct, frozen=True):
    """A rule could not be evaluated: `count` times since it was enabled, and now perhaps it is disabled for
    it.
    """

    rule: str
    symbol: str
    reason: str
    count: int
    disabled: bool


class Decisions(Struct, frozen=True, kw_only=True):
    """What comes of one event, in the order of priority. `looked`: how many rules were evaluated."""

    at_ns: int
    symbol: str
    fired: tuple[Fired, ...] = ()
    held: tuple[Held, ...] = ()
    failed: tuple[Failed, ...] = ()
    looked: int = 0


class Needs(Struct, frozen=True, kw_only=True):
    """What rules may ask of a context for one symbol, so that a runtime keeps that and no more.

    `indicators` in their spelling, `bars_back` how many ended bars before the last one, `sources` the rest by
    name (position, quote, session, zone).
    """

    indicators: tuple[str, ...] = ()
    bars_back: int | None = None
    """None: no bars are needed but those of the indicators."""
    sources: tuple[str, ...] = ()
