"""What the journal keeps of closing and stopping: a flatten's phases, the moves of the emergency stop."""

from __future__ import annotations

from decimal import Decimal

from tws.model.phases import FlattenPhase
from tws.model.record import JournalRecord as _Record
from tws.model.stop import KillState, Scope

__all__ = ["AllCancelAsked", "FlattenMoved", "KillMoved"]


class FlattenMoved(_Record, frozen=True, kw_only=True):
    """A flatten of one symbol began or went on. `key` names a flatten that is to run once (a day's close)."""

    symbol: str
    phase: FlattenPhase
    session: int
    reason: str = ""
    key: str = ""
    remainder: Decimal | None = None
    strategy: str = ""
    """Closes what this strategy's trades hold and no more; empty: all that is ours of the symbol."""


class KillMoved(_Record, frozen=True, kw_only=True):
    """The emergency stop of one scope went from `before` to `state`; ACTIVE ends it.

    `ordered` when a command made it: then `flatten`, `operator` and `reason` are that command's.
    """

    scope: Scope
    before: KillState
    state: KillState
    ordered: bool = False
    flatten: bool = False
    operator: str = ""
    reason: str = ""


class AllCancelAsked(_Record, frozen=True, kw_only=True):
    """We want every order of the account gone, manual and foreign ones too (reqGlobalCancel)."""

    scope: Scope
    reason: str
