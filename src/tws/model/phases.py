"""Where an order and a flatten stand, and how loud an alarm is: the words of the records that say so."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["FlattenPhase", "OrderState", "Severity"]


class OrderState(StrEnum):
    """Where one of our orders stands. The arcs between them are `tws.orders.table`.

    A partial fill is a quantity and no state: TWS has none either (TWS-BEHAVIOUR.md C1).
    """

    INTENDED = "intended"
    APPROVED = "approved"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    WORKING = "working"
    HELD = "held"
    PENDING_CANCEL = "pending cancel"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    ABSENT = "absent"


class Severity(StrEnum):
    """How loud an alarm is: INFO is for the log, WARNING wants a look, ALARM wants a human now."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class FlattenPhase(StrEnum):
    """Where a flatten stands; FLAT, NOT_FLAT and ABANDONED are its ends.

    ARMED: the market is closed or halted, so the exits stay and the close waits for the open. ABANDONED: a
    human accepted what is left.
    """

    ARMED = "armed"
    CANCELLING = "cancelling"
    REREADING = "rereading"
    CLOSING = "closing"
    FLAT = "flat"
    NOT_FLAT = "not flat"
    ABANDONED = "abandoned"
