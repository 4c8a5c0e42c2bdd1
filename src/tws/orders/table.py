"""THE table of an order's life: in which state which event leads where, and why that happens at all.

One row per arc. The ugly arcs are real: TWS repeats statuses, skips them, fills what it has cancelled,
speaks of orders that were proven absent. What is in no row is an alarm, never a crash: `follow` answers
None and the order stays where it is. The diagram in docs/design/orders.md is drawn from this table.

Events are named by who speaks: ours (APPROVE to ASK_CANCEL, SILENCE, LOSE, UNLISTED, ABSENCE) or the
broker's. A partial fill is PART: a quantity that changed, in whatever state.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from tws.model.records import OrderState

__all__ = ["ARCS", "ENDED", "STATUS_EVENTS", "Arc", "OrderEvent", "follow"]


class OrderEvent(StrEnum):
    """What can happen to an order."""

    APPROVE = "approve"
    """A gate let it through."""
    DENY = "deny"
    """A gate refused it; no byte left."""
    WRITE = "write"
    """Its bytes left the process."""
    WITHDRAW = "withdraw"
    """A cancel met it before its bytes left."""
    UNSURE = "unsure"
    """The write failed and some byte may have left."""
    ASK_CANCEL = "ask cancel"
    """We want it gone."""
    SILENCE = "silence"
    """No word of the broker within the bound."""
    LOSE = "lose"
    """The link was lost, or the program ended: what happens now is unseen."""
    UNLISTED = "unlisted"
    """A complete list of the open orders, asked for since its last word, does not name it."""
    ABSENCE = "absence"
    """Two complete rounds of answers did not know it, or a human says that it is gone."""
    ACK = "ack"
    """ApiPending, PendingSubmit, PreSubmitted: TWS has it."""
    WORK = "work"
    """Submitted."""
    HOLD = "hold"
    """Inactive: held, or the echo of a reject."""
    CANCELLING = "cancelling"
    """PendingCancel."""
    CANCEL = "cancel"
    """Cancelled, ApiCancelled."""
    REJECT = "reject"
    """A code that proves a reject."""
    REFUSE = "refuse"
    """A code that refuses our cancel."""
    PART = "part"
    """An execution; more is open."""
    FILL = "fill"
    """Filled, or the execution that completes the quantity."""


STATUS_EVENTS: Mapping[str, OrderEvent] = MappingProxyType({
    "ApiPending": OrderEvent.ACK,
    "PendingSubmit": OrderEvent.ACK,
    "PreSubmitted": OrderEvent.ACK,
    "WarnState": OrderEvent.ACK,
    "Submitted": OrderEvent.WORK,
    "Inactive": OrderEvent.HOLD,
    "PendingCancel": OrderEvent.CANCELLING,
    "PreCancelled": OrderEvent.CANCELLING,
    "ApiCancelled": OrderEvent.CANCEL,
    "Cancelled": OrderEvent.CANCEL,
    "Filled": OrderEvent.FILL,
})
"""What each word of orderStatus and openOrder means (TWS-BEHAVIOUR.md C1)."""


class Arc(Struct, frozen=True, kw_only=True):
    """One way from a state. `why` says when it happens; `loud` wants a warning, because it ought not to."""

    state: OrderState
    event: OrderEvent
    to: OrderState
    why: str
    loud: bool = False


_S = OrderState
_E = OrderEvent

ENDED = frozenset({_S.FILLED, _S.CANCELLED, _S.REJECTED, _S.DENIED, _S.WITHDRAWN, _S.ABSENT})
"""The states in which nothing of the order is expected any more. Facts may still come."""

_Row = tuple[OrderState, OrderEvent, OrderState, str] | tuple[OrderState, OrderEvent, OrderState, str, bool]

_BEFORE_THE_BROKER: tuple[_Row, ...] = (
    (_S.INTENDED, _E.APPROVE, _S.APPROVED, "the gate let it through"),
    (_S.INTENDED, _E.DENY, _S.DENIED, "the gate refused it"),
    (_S.INTENDED, _E.WITHDRAW, _S.WITHDRAWN, "cancelled before it was approved"),
    (_S.INTENDED, _E.LOSE, _S.WITHDRAWN, "never approved, so no byte can have left"),
    (_S.APPROVED, _E.WRITE, _S.SENT, "its bytes left"),
    (_S.APPROVED, _E.WITHDRAW, _S.WITHDRAWN, "the cancel met it in the queue: neither was sent"),
    (_S.APPROVED, _E.DENY, _S.DENIED, "the last gate before the socket refused it"),
    (_S.APPROVED, _E.UNSURE, _S.UNKNOWN, "the write failed half way"),
    (_S.APPROVED, _E.SILENCE, _S.UNKNOWN, "nobody said whether its bytes left"),
    (_S.APPROVED, _E.LOSE, _S.UNKNOWN, "approved on disk, then program or link died: it may have left"),
    (_S.APPROVED, _E.ASK_CANCEL, _S.PENDING_CANCEL, "the writer withdraws it, or sends the cancel after it"),
    (_S.SENT, _E.WRITE, _S.SENT, "reported twice"),
    (_S.SENT, _E.UNSURE, _S.UNKNOWN, "the link broke behind the bytes"),
    (_S.SENT, _E.SILENCE, _S.UNKNOWN, "sent, never acknowledged; TWS may be showing a dialog"),
    (_S.SENT, _E.LOSE, _S.UNKNOWN, "sent, and the link went"),
    (_S.SENT, _E.ASK_CANCEL, _S.PENDING_CANCEL, "we want it gone before TWS answered"),
)

_FIRST_WORD: tuple[_Row, ...] = tuple(
    row
    for state, late in ((_S.APPROVED, "; our own report of the write comes later"), (_S.SENT, ""))
    for row in (
        (state, _E.ACK, _S.ACKNOWLEDGED, "TWS has it" + late),
        (state, _E.WORK, _S.WORKING, "Submitted at once: PreSubmitted is often skipped" + late),
        (state, _E.HOLD, _S.HELD, "Inactive without a reject: held (locate, closed exchange)" + late),
        (state, _E.CANCELLING, _S.PENDING_CANCEL, "somebody cancels it in TWS" + late),
        (state, _E.CANCEL, _S.CANCELLED, "cancelled before any other word, as by the price check" + late),
        (state, _E.REJECT, _S.REJECTED, "refused (201 and the like)" + late),
        (state, _E.REFUSE, _S.UNKNOWN, "a refused cancel that we did not see ourselves send" + late, True),
        (state, _E.PART, _S.WORKING, "a fill before any status" + late),
        (state, _E.FILL, _S.FILLED, "filled before any other status" + late),
    )
)

_ALIVE: tuple[_Row, ...] = tuple(
    row
    for state in (_S.ACKNOWLEDGED, _S.WORKING, _S.HELD)
    for row in (
        (state, _E.WRITE, state, "our own report of the write came after the broker's word"),
        (state, _E.ACK, _S.ACKNOWLEDGED,
         {_S.ACKNOWLEDGED: "repeated", _S.WORKING: "a change steps back to PreSubmitted",
          _S.HELD: "released"}[state]),
        (state, _E.WORK, _S.WORKING,
         {_S.ACKNOWLEDGED: "triggered, or at the exchange", _S.WORKING: "repeated, or partly filled",
          _S.HELD: "Inactive, then working"}[state]),
        (state, _E.HOLD, _S.HELD, "Inactive without a reject: held" if state is not _S.HELD else "repeated"),
        (state, _E.CANCELLING, _S.PENDING_CANCEL, "a cancel of ours, a sibling's fill, or a human"),
        (state, _E.CANCEL, _S.CANCELLED, "cancelled, PendingCancel skipped"),
        (state, _E.REJECT, _S.REJECTED, "the exchange refuses what TWS had taken"),
        (state, _E.REFUSE, state, "a cancel refused that we did not ask for", True),
        (state, _E.PART, _S.WORKING, "partly filled, status skipped"),
        (state, _E.FILL, _S.FILLED, "filled"),
        (state, _E.ASK_CANCEL, _S.PENDING_CANCEL, "we want it gone"),
        (state, _E.LOSE, _S.UNKNOWN, "what happens to it now is unseen"),
        (state, _E.UNSURE, _S.UNKNOWN, "a change of it failed half way"),
    )
)

_UNLISTED: tuple[_Row, ...] = tuple(
    # Not HELD: before TWS 10.48 the list leaves deactivated orders out (TWS-BEHAVIOUR.md C4).
    (state, _E.UNLISTED, _S.UNKNOWN, "its end was not heard: asked about", True)
    for state in (_S.ACKNOWLEDGED, _S.WORKING)
)

_PENDING_CANCEL: tuple[_Row, ...] = (
    (_S.PENDING_CANCEL, _E.WRITE, _S.PENDING_CANCEL, "its bytes were out before the cancel"),
    (_S.PENDING_CANCEL, _E.WITHDRAW, _S.WITHDRAWN, "the cancel met it in the queue: neither was sent"),
    (_S.PENDING_CANCEL, _E.DENY, _S.DENIED, "the last gate refused it before the cancel"),
    (_S.PENDING_CANCEL, _E.UNSURE, _S.UNKNOWN, "the write failed half way"),
    (_S.PENDING_CANCEL, _E.ASK_CANCEL, _S.PENDING_CANCEL, "asked again"),
    (_S.PENDING_CANCEL, _E.ACK, _S.PENDING_CANCEL, "a status that was under way when we asked"),
    (_S.PENDING_CANCEL, _E.WORK, _S.PENDING_CANCEL, "a status that was under way when we asked"),
    (_S.PENDING_CANCEL, _E.HOLD, _S.PENDING_CANCEL, "a status that was under way when we asked"),
    (_S.PENDING_CANCEL, _E.CANCELLING, _S.PENDING_CANCEL, "TWS takes the cancel"),
    (_S.PENDING_CANCEL, _E.CANCEL, _S.CANCELLED, "confirmed"),
    (_S.PENDING_CANCEL, _E.REJECT, _S.REJECTED, "it was refused before the cancel came"),
    (_S.PENDING_CANCEL, _E.REFUSE, _S.UNKNOWN, "not found, not cancellable, or filled: asked about"),
    (_S.PENDING_CANCEL, _E.PART, _S.PENDING_CANCEL, "fills are possible until the cancel is confirmed"),
    (_S.PENDING_CANCEL, _E.FILL, _S.FILLED, "the fill was faster than the cancel"),
    (_S.PENDING_CANCEL, _E.SILENCE, _S.UNKNOWN, "neither confirmed nor refused within the bound"),
    (_S.PENDING_CANCEL, _E.LOSE, _S.UNKNOWN, "cancelled or not: unseen"),
)

_UNKNOWN: tuple[_Row, ...] = (
    (_S.UNKNOWN, _E.WRITE, _S.UNKNOWN, "a late report; what TWS made of it is still open"),
    (_S.UNKNOWN, _E.WITHDRAW, _S.WITHDRAWN, "the writer says that it never left"),
    (_S.UNKNOWN, _E.DENY, _S.DENIED, "the writer says that it never left"),
    (_S.UNKNOWN, _E.UNSURE, _S.UNKNOWN, "still unsure"),
    (_S.UNKNOWN, _E.ASK_CANCEL, _S.UNKNOWN, "the wish is kept and sent; the outcome stays open"),
    (_S.UNKNOWN, _E.SILENCE, _S.UNKNOWN, "still no word"),
    (_S.UNKNOWN, _E.LOSE, _S.UNKNOWN, "lost again"),
    (_S.UNKNOWN, _E.ABSENCE, _S.ABSENT, "two complete rounds of answers do not know it"),
    (_S.UNKNOWN, _E.ACK, _S.ACKNOWLEDGED, "found again"),
    (_S.UNKNOWN, _E.WORK, _S.WORKING, "found again"),
    (_S.UNKNOWN, _E.HOLD, _S.HELD, "found again"),
    (_S.UNKNOWN, _E.CANCELLING, _S.PENDING_CANCEL, "found again"),
    (_S.UNKNOWN, _E.CANCEL, _S.CANCELLED, "found among the completed"),
    (_S.UNKNOWN, _E.REJECT, _S.REJECTED, "the refusal came late"),
    (_S.UNKNOWN, _E.REFUSE, _S.UNKNOWN, "a refused cancel does not say what the order does"),
    (_S.UNKNOWN, _E.PART, _S.UNKNOWN, "a fill that was missed does not say that the rest still works"),
    (_S.UNKNOWN, _E.FILL, _S.FILLED, "found filled"),
)

_FILLED: tuple[_Row, ...] = (
    (_S.FILLED, _E.FILL, _S.FILLED, "repeated: TWS says Filled twice"),
    (_S.FILLED, _E.PART, _S.FILLED, "Filled came before its executions"),
    (_S.FILLED, _E.WRITE, _S.FILLED, "our own report of the write came after the fill"),
    (_S.FILLED, _E.ACK, _S.FILLED, "an old status, late"),
    (_S.FILLED, _E.WORK, _S.FILLED, "an old status, late"),
    (_S.FILLED, _E.HOLD, _S.FILLED, "an old status, late"),
    (_S.FILLED, _E.CANCELLING, _S.FILLED, "an old status, late"),
    (_S.FILLED, _E.CANCEL, _S.FILLED, "Cancelled after all was filled", True),
    (_S.FILLED, _E.REJECT, _S.FILLED, "rejected after all was filled", True),
    (_S.FILLED, _E.REFUSE, _S.FILLED, "the cancel came too late (10148, state: Filled)"),
    (_S.FILLED, _E.UNSURE, _S.FILLED, "the write was reported broken, yet it filled"),
)

_CANCELLED: tuple[_Row, ...] = (
    (_S.CANCELLED, _E.CANCEL, _S.CANCELLED, "repeated"),
    (_S.CANCELLED, _E.CANCELLING, _S.CANCELLED, "an old status, late"),
    (_S.CANCELLED, _E.HOLD, _S.CANCELLED, "Inactive after Cancelled: both are ends"),
    (_S.CANCELLED, _E.REJECT, _S.CANCELLED, "the reason of the cancel, as text"),
    (_S.CANCELLED, _E.REFUSE, _S.CANCELLED, "our cancel found it cancelled already"),
    (_S.CANCELLED, _E.WRITE, _S.CANCELLED, "our own report of the write came after the cancel"),
    (_S.CANCELLED, _E.UNSURE, _S.CANCELLED, "the write was reported broken, yet TWS cancelled it"),
    (_S.CANCELLED, _E.PART, _S.CANCELLED, "a fill after the cancel was confirmed", True),
    (_S.CANCELLED, _E.FILL, _S.FILLED, "filled after the cancel was confirmed", True),
    (_S.CANCELLED, _E.ACK, _S.UNKNOWN, "alive after Cancelled: only his complete list decides", True),
    (_S.CANCELLED, _E.WORK, _S.UNKNOWN, "alive after Cancelled: only his complete list decides", True),
)

_REJECTED: tuple[_Row, ...] = (
    (_S.REJECTED, _E.REJECT, _S.REJECTED, "repeated"),
    (_S.REJECTED, _E.HOLD, _S.REJECTED, "Inactive follows the 201"),
    (_S.REJECTED, _E.CANCEL, _S.REJECTED, "Cancelled follows the reject"),
    (_S.REJECTED, _E.CANCELLING, _S.REJECTED, "an old status, late"),
    (_S.REJECTED, _E.REFUSE, _S.REJECTED, "our cancel found it rejected already"),
    (_S.REJECTED, _E.WRITE, _S.REJECTED, "our own report of the write came after the reject"),
    (_S.REJECTED, _E.UNSURE, _S.REJECTED, "the write was reported broken, yet TWS answered"),
    (_S.REJECTED, _E.PART, _S.UNKNOWN, "a fill of a rejected order", True),
    (_S.REJECTED, _E.FILL, _S.FILLED, "a rejected order filled", True),
    (_S.REJECTED, _E.ACK, _S.UNKNOWN, "alive after a reject: only his complete list decides", True),
    (_S.REJECTED, _E.WORK, _S.UNKNOWN, "alive after a reject: only his complete list decides", True),
)

_NEVER_SENT: tuple[_Row, ...] = tuple(
    row
    for state in (_S.DENIED, _S.WITHDRAWN)
    for row in (
        (state, _E.ACK, _S.UNKNOWN, "TWS speaks of an order that we did not send", True),
        (state, _E.WORK, _S.UNKNOWN, "TWS speaks of an order that we did not send", True),
        (state, _E.HOLD, _S.UNKNOWN, "TWS speaks of an order that we did not send", True),
        (state, _E.CANCELLING, _S.UNKNOWN, "TWS speaks of an order that we did not send", True),
        (state, _E.PART, _S.UNKNOWN, "a fill of an order that we did not send", True),
        (state, _E.FILL, _S.FILLED, "a fill of an order that we did not send", True),
        (state, _E.CANCEL, _S.CANCELLED, "TWS ends an order that we did not send", True),
        (state, _E.REJECT, _S.REJECTED, "TWS refuses an order that we did not send", True),
        (state, _E.REFUSE, state, "TWS does not know it, as it should be"),
        (state, _E.WITHDRAW, state, "reported twice"),
        (state, _E.DENY, state, "reported twice"),
        (state, _E.WRITE, _S.UNKNOWN, "our writer says that it left after all", True),
        (state, _E.UNSURE, _S.UNKNOWN, "our writer is no longer sure that nothing left", True),
    )
)

_ABSENT: tuple[_Row, ...] = (
    (_S.ABSENT, _E.ACK, _S.ACKNOWLEDGED, "a later fact revives it", True),
    (_S.ABSENT, _E.WORK, _S.WORKING, "a later fact revives it", True),
    (_S.ABSENT, _E.HOLD, _S.HELD, "a later fact revives it", True),
    (_S.ABSENT, _E.CANCELLING, _S.PENDING_CANCEL, "a later fact revives it", True),
    (_S.ABSENT, _E.CANCEL, _S.CANCELLED, "it had lived, and ended"),
    (_S.ABSENT, _E.REJECT, _S.REJECTED, "the refusal came late"),
    (_S.ABSENT, _E.REFUSE, _S.ABSENT, "TWS does not know it: so it should be"),
    (_S.ABSENT, _E.PART, _S.UNKNOWN, "a fill of an order that was proven absent", True),
    (_S.ABSENT, _E.FILL, _S.FILLED, "an order that was proven absent filled", True),
    (_S.ABSENT, _E.WRITE, _S.ABSENT, "a very late report"),
    (_S.ABSENT, _E.UNSURE, _S.ABSENT, "a very late report: two rounds of answers say more than our writer"),
    (_S.ABSENT, _E.WITHDRAW, _S.ABSENT, "a very late report: it never left, so it is rightly absent"),
    (_S.ABSENT, _E.DENY, _S.ABSENT, "a very late report: it never left, so it is rightly absent"),
)


def _arc(row: _Row) -> Arc:
    state, event, to, why, *loud = row
    return Arc(state=state, event=event, to=to, why=why, loud=bool(loud))


ARCS: tuple[Arc, ...] = tuple(
    _arc(row)
    for rows in (_BEFORE_THE_BROKER, _FIRST_WORD, _ALIVE, _UNLISTED, _PENDING_CANCEL, _UNKNOWN, _FILLED,
                 _CANCELLED, _REJECTED, _NEVER_SENT, _ABSENT)
    for row in rows
)
"""Every arc, in the order of an order's life."""

_BY_STATE: Mapping[tuple[OrderState, OrderEvent], Arc] = MappingProxyType(
    {(arc.state, arc.event): arc for arc in ARCS}
)


def follow(state: OrderState, event: OrderEvent) -> Arc | None:
    """The arc from `state` by `event`; None when the table has none, which is an alarm and moves nothing."""
    return _BY_STATE.get((state, event))
