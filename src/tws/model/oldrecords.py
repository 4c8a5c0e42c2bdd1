"""Records that are written no more: journals of earlier versions hold them, and are read all the same."""

from __future__ import annotations

from decimal import Decimal

from tws.model.record import JournalRecord

__all__ = ["Agreed", "Resized"]


class Resized(JournalRecord, frozen=True, kw_only=True):
    """In journals before `Changed`: the order is to have a new total quantity."""

    intent_id: str
    revision: int
    quantity: Decimal


class Agreed(JournalRecord, frozen=True, kw_only=True):
    """In journals before `Stated`: how a change ended, TWS took it or the order keeps `quantity`."""

    intent_id: str
    quantity: Decimal
