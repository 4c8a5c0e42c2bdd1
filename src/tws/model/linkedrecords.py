"""What the journal keeps of linked orders: the way of a reversal from one trade to the opposite one."""

from __future__ import annotations

from enum import StrEnum

from tws.model.instrument import Instrument
from tws.model.order import Bracket
from tws.model.record import JournalRecord as _Record

__all__ = ["ReversalMoved", "ReversalPhase"]


class ReversalPhase(StrEnum):
    """Where a reversal stands; FLAT and DROPPED are its ends.

    CANCELLING: entries and targets go, stops stay. CLOSING: the close works in the stop's OCA group. FLAT:
    what was held is gone, and the new entry is judged at this instant. DROPPED: there is no new entry.
    """

    CANCELLING = "cancelling"
    CLOSING = "closing"
    FLAT = "flat"
    DROPPED = "dropped"


class ReversalMoved(_Record, frozen=True, kw_only=True):
    """A reversal of one symbol began (then with what it is to enter) or went on."""

    symbol: str
    phase: ReversalPhase
    reason: str = ""
    bracket: Bracket | None = None
    instrument: Instrument | None = None
