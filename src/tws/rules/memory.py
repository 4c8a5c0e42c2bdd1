"""What an engine remembers between events, as plain values: msgspec writes and reads it as it stands.

Everything here follows from the events, their instants and the switches that a human set, so two engines with
equal rules and equal memory decide alike for ever after.
"""

from __future__ import annotations

from msgspec import Struct, field

__all__ = ["MAX_FIRINGS", "MAX_SYMBOLS", "Fire", "Memory"]

MAX_SYMBOLS = 10_000
"""Symbols whose last entry, stop-out and cooldown are remembered: a hundred times the market data lines of a
login. The longest unheard one makes room, as if it had never been traded.
"""
MAX_FIRINGS = 200_000
"""Pairs of rule and symbol whose firing is remembered (of rules with a pause, a bound or `since.fire`), about
40 MB. Beyond it such a rule is held back where it has never fired, since forgetting would let another
fire too early.
"""


class Fire(Struct):
    """When a rule fired last on a symbol, and how often on that trading day ("": it has no bound)."""

    last_ns: int
    day: str = ""
    count: int = 0


class Memory(Struct, kw_only=True):
    """All that an engine remembers. Instants are market time in nanoseconds."""

    fires: dict[str, dict[str, Fire]] = field(default_factory=dict)
    """By rule, then by symbol."""
    entries_ns: dict[str, int] = field(default_factory=dict)
    """By symbol: the last fill of an entry."""
    stop_outs_ns: dict[str, int] = field(default_factory=dict)
    """By symbol: the last fill of a stop that left the position flat."""
    cooldowns_ns: dict[str, int] = field(default_factory=dict)
    """By symbol: when its cooldown ends."""
    switched: dict[str, bool] = field(default_factory=dict)
    """By rule: whether it is enabled, where that was changed at run time."""
    reasons: dict[str, str] = field(default_factory=dict)
    """By rule: why it is disabled."""
    faults: dict[str, int] = field(default_factory=dict)
    """By rule: how often it raised since it was enabled last."""
    texts: dict[str, str] = field(default_factory=dict)
    """By rule: how it was written when it was switched, or raised. Written otherwise it is another rule."""

    def firings(self) -> int:
        return sum(len(each) for each in self.fires.values())


def remember(table: dict[str, int], symbol: str, at_ns: int) -> None:
    """Note an instant; the longest unheard symbol makes room."""
    table.pop(symbol, None)
    if len(table) >= MAX_SYMBOLS:
        del table[next(iter(table))]
    table[symbol] = at_ns
