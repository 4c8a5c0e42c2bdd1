"""What the journal keeps of limits: those in force, what latched, the day against which losses count."""

from __future__ import annotations

from decimal import Decimal

from msgspec import field

from tws.model.record import JournalRecord

__all__ = ["LimitLatched", "LimitReleased", "LimitsChanged", "LossAnchored", "PeakRaised"]


class LimitsChanged(JournalRecord, frozen=True, kw_only=True):
    """These limits are in force from now on: `limits` is all of them as text (`tws.risk.Limits.from_plain`).

    `changes` is what a human asked for; empty when the configuration's own are taken (`configured`).
    """

    operator: str
    reason: str
    limits: dict[str, str]
    changes: dict[str, str] = field(default_factory=dict)
    configured: bool = False


class LimitLatched(JournalRecord, frozen=True, kw_only=True):
    """A limit was broken in a way that only a human may forgive: no entry leaves in its scope any more.

    `scope` is a symbol, or empty for all.
    """

    limit: str
    figure: str
    bound: str
    scope: str = ""


class LimitReleased(JournalRecord, frozen=True, kw_only=True):
    """A human lets entries out again after a limit had latched."""

    limit: str
    operator: str
    reason: str
    scope: str = ""


class LossAnchored(JournalRecord, frozen=True, kw_only=True):
    """A day of losses begins, or begins anew: `profit` is what our book had made by then, in all its time."""

    day: str
    profit: Decimal


class PeakRaised(JournalRecord, frozen=True, kw_only=True):
    """The day's best so far: three readings were no lower."""

    profit: Decimal
