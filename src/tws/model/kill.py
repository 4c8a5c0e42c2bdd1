"""The states of the kill switch, and what one latch covers."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["EVERYTHING", "KillState", "Scope"]


class KillState(StrEnum):
    """How far the kill switch went: ACTIVE trades; REDUCE_ONLY and all behind it let no entry leave.

    HALTED cancels entries and keeps stops, FLATTENING closes what is ours, LATCHED waits for a named human.
    """

    ACTIVE = "active"
    REDUCE_ONLY = "reduce only"
    HALTED = "halted"
    FLATTENING = "flattening"
    LATCHED = "latched"


class Scope(Struct, frozen=True, kw_only=True):
    """What a latch covers; each field that is empty narrows nothing, so that all empty means everything."""

    symbol: str = ""
    strategy: str = ""

    def covers(self, symbol: str, strategy: str) -> bool:
        """Whether an order of `strategy` in `symbol` falls under it."""
        return self.symbol in ("", symbol) and self.strategy in ("", strategy)

    def __str__(self) -> str:
        parts = [
            f"{name} {value}"
            for name, value in (("symbol", self.symbol), ("strategy", self.strategy))
            if value
        ]
        return " and ".join(parts) or "everything"


EVERYTHING = Scope()
