"""The emergency stop as values: how far it has gone, and what it covers (RISK.md, "The kill switch")."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["EVERYTHING", "KillState", "Scope", "ScopeKind"]


class KillState(StrEnum):
    """How far a stop has gone, from the lightest to the last.

    ACTIVE trades. REDUCE_ONLY takes only orders that provably reduce. HALTED takes no entry: those that work
    are being cancelled, or what is left to do waits for a market or a human. FLATTENING closes. LATCHED: all
    that was ordered is done. Only a human's reset leads back.
    """

    ACTIVE = "active"
    REDUCE_ONLY = "reduce only"
    HALTED = "halted"
    FLATTENING = "flattening"
    LATCHED = "latched"


class ScopeKind(StrEnum):
    """What a stop covers."""

    ALL = "all"
    """Everything that the journal owns."""
    STRATEGY = "strategy"
    SYMBOL = "symbol"
    ACCOUNT = "account"
    """The whole account: orders of TWS's own window and of other programs too, by global cancel."""


class Scope(Struct, frozen=True, kw_only=True):
    """`name` is the strategy's, the symbol or the account id; empty for ALL."""

    kind: ScopeKind = ScopeKind.ALL
    name: str = ""

    @property
    def key(self) -> str:
        """One word for each scope: "all", "symbol SPY"."""
        return f"{self.kind} {self.name}".strip()

    @property
    def whole(self) -> bool:
        """Whether it covers all that is ours."""
        return self.kind in (ScopeKind.ALL, ScopeKind.ACCOUNT)

    def covers(self, symbol: str, strategy: str) -> bool:
        """Whether an order on `symbol` for `strategy` is within it."""
        if self.kind is ScopeKind.SYMBOL:
            return symbol == self.name
        return self.whole or strategy == self.name


EVERYTHING = Scope()
