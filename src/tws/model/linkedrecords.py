"""What the journal keeps of linked orders: the way of a reversal from one trade to the opposite one, and the
prices from which the exits of a trade are reckoned once something was added to it.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from tws.model.instrument import Instrument
from tws.model.order import Bracket
from tws.model.record import JournalRecord as _Record

__all__ = ["Aimed", "ReversalMoved", "ReversalPhase"]


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


class Aimed(_Record, frozen=True, kw_only=True):
    """The exits of a trade, and of what adds to it, are reckoned from this average price of all that is held,
    once its entries had filled `shares`.

    `reward` and `risk` are how far target and stop lie from it, each on its side. A price that is None stays
    as it is. `waiting` are the exits that are yet to be changed.
    """

    group_id: str
    average: Decimal
    shares: Decimal
    reward: Decimal | None = None
    risk: Decimal | None = None
    target_price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_price: Decimal | None = None
    adjusted_stop_price: Decimal | None = None
    waiting: tuple[str, ...] = ()
