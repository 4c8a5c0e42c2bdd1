"""What each arc of the table rests on: official bytes, recorded sessions, users' reports, or our own design.

Sections (C1 to C4) are those of TWS-BEHAVIOUR.md, rows those of INCIDENTS.md. An event has a source as such,
what its word means; an arc has another where the surprise is that the word comes in this very state. What no
source says TWS does is marked "assumed": it is there because no word of the broker may fall on the floor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tws.model.records import OrderState
from tws.orders.table import ENDED, Arc, OrderEvent

__all__ = ["source_of"]

_S = OrderState
_E = OrderEvent

_MEANING: Mapping[OrderEvent, str] = MappingProxyType({
    _E.ACK: "C1, official",
    _E.WORK: "C1, official",
    _E.HOLD: "C1, official",
    _E.CANCELLING: "C1, official",
    _E.CANCEL: "C1, C2, recorded",
    _E.FILL: "C1, C2, recorded",
    _E.PART: "C2, recorded",
    _E.REJECT: "C2, C3, reported",
    _E.REFUSE: "C3, official codes",
})

_OURS: Mapping[OrderEvent, str] = MappingProxyType({
    _E.SILENCE: "ours; INCIDENTS 9",
    _E.LOSE: "ours; invariant 3",
    _E.UNLISTED: "C4, official",
    _E.ABSENCE: "ours; invariant 3",
})


def _pairs(
    states: Iterable[OrderState], events: Iterable[OrderEvent], source: str
) -> dict[tuple[OrderState, OrderEvent], str]:
    return {(state, event): source for state in states for event in events}


_ALIVE_AGAIN = (_E.ACK, _E.WORK, _E.HOLD, _E.CANCELLING, _E.PART, _E.FILL)
_SURPRISES: Mapping[tuple[OrderState, OrderEvent], str] = MappingProxyType({
    **_pairs((_S.APPROVED, _S.SENT), (_E.PART, _E.FILL), "INCIDENTS 13, reported"),
    **_pairs((_S.APPROVED, _S.SENT), (_E.CANCEL,), "C3 (price check), reported"),
    **_pairs((_S.WORKING,), (_E.ACK,), "C2 Modify (INS#509), reported"),
    **_pairs((_S.PENDING_CANCEL, _S.CANCELLED), (_E.PART, _E.FILL), "C2, reported; INCIDENTS 3"),
    **_pairs((_S.PENDING_CANCEL,), (_E.ACK, _E.WORK, _E.HOLD), "C1: no order of words is promised, official"),
    **_pairs((_S.PENDING_CANCEL, _S.UNKNOWN), (_E.REFUSE,), "C3 (10147, 10148, 161); INCIDENTS 11"),
    **_pairs((_S.FILLED,), (_E.FILL,), "C2 Market (said twice), recorded"),
    **_pairs((_S.FILLED,), (_E.PART,), "C2, recorded"),
    **_pairs((_S.FILLED,), (_E.ACK, _E.WORK, _E.HOLD, _E.CANCELLING), "C1: duplicates are normal, official"),
    **_pairs((_S.FILLED,), (_E.REFUSE,), "C3 (10148), official"),
    **_pairs((_S.FILLED,), (_E.CANCEL, _E.REJECT), "assumed"),
    **_pairs((_S.CANCELLED,), (_E.CANCEL,), "C1: duplicates are normal, official"),
    **_pairs((_S.CANCELLED,), (_E.ACK, _E.WORK), "INCIDENTS 3, 10, reported"),
    **_pairs((_S.REJECTED,), (_E.HOLD, _E.CANCEL), "C2 Reject, reported"),
    **_pairs((_S.REJECTED,), (_E.ACK, _E.WORK, _E.PART, _E.FILL), "assumed"),
    **_pairs((_S.DENIED, _S.WITHDRAWN), (*_ALIVE_AGAIN, _E.CANCEL, _E.REJECT), "assumed"),
    **_pairs((_S.ABSENT,), _ALIVE_AGAIN, "INCIDENTS 4, 14, reported"),
})


def source_of(arc: Arc) -> str:
    """What an arc rests on, in a few words."""
    known = _SURPRISES.get((arc.state, arc.event)) or _MEANING.get(arc.event) or _OURS.get(arc.event)
    if known is not None:
        return known
    return "ours (the writer's reports)" if arc.state in ENDED else "ours"
