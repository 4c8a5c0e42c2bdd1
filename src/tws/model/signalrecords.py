"""What the journal keeps of signals: each one that was judged, with the reason, and how many had no row.

What came of one that passed is not said again here: `Planned` and `Denied` carry the same `signal_id`.
"""

from __future__ import annotations

from msgspec import field

from tws.model.record import JournalRecord

__all__ = ["UNSEEN", "SignalJudged", "SignalsUnwritten"]

UNSEEN = frozenset({"schema", "symbol", "model", "duplicate", "overload"})
"""Why a gate refuses what it does not remember: the same id may come again, and is judged then."""


class SignalJudged(JournalRecord, frozen=True, kw_only=True):
    """One signal before the gate: let through, or refused with reason, figure and bound.

    `signal_ns` is the signal's own time. `wish` is empty and the rest missing for what was no signal at all.
    """

    source: str
    signal_id: str
    symbol: str
    passed: bool
    model: str = ""
    wish: str = ""
    signal_ns: int | None = None
    confidence: float | None = None
    price: float | None = None
    reason: str = ""
    figure: str = ""
    bound: str = ""
    text: str = ""


class SignalsUnwritten(JournalRecord, frozen=True, kw_only=True):
    """So many refusals since the record before had no row of their own: more came than the journal takes."""

    count: int
    reasons: dict[str, int] = field(default_factory=dict)
