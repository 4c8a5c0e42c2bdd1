"""Trading on when the journal can't commit: for an emergency stop, and for nothing else.

A full disk, a locked or hung database ends the engine and drops the brake. An emergency stop must still
cancel, and close what it was told to close. So a second engine takes the same desk over, as after a restart
of the program: what was under way becomes unknown, the broker is asked for everything, and the stop is put to
the desk. Its records go to preallocated places in the safety file, the group that the journal refused before
all others; the next start puts them into the journal (`merge_emergency`). Entries never leave from here.

Without places (no safety file, none free, the lease lost) nothing can be remembered, so nothing is placed:
entries are cancelled, stops stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from tws.desk import Cancel, Effect, NotWritten, Place
from tws.journal import Store
from tws.log import get_logger
from tws.model.order import Role
from tws.model.records import Approved, Record
from tws.model.stop import EVERYTHING, KillState, Scope
from tws.orders import OurOrder

__all__ = ["EmergencyStore", "Safety", "merge_emergency", "never_left", "refusal", "uncovers"]

log = get_logger("tws.runtime")


class Safety(Protocol):
    """What the runtime asks of the safety file (`tws.safety`). Each call raises TWSError when it can't."""

    def latch(
        self, state: KillState, *, at_ns: int, reason: str, operator: str, scope: Scope = EVERYTHING
    ) -> None:
        """On disk when it returns."""
        ...

    def reset(self, *, at_ns: int, scope: Scope | None = None) -> object:
        """Take the latch of a scope away."""
        ...

    def emergency_append(self, *records: bytes) -> None:
        """Keep one group of records, on disk when it returns, all or none."""
        ...

    def emergency_read(self) -> list[bytes]:
        """What was kept and is not in the journal yet."""
        ...

    def emergency_clear(self) -> None:
        """All of it is in the journal now."""
        ...


class EmergencyStore:
    """The store of the second engine. Without a safety file it keeps nothing, and then nothing is placed."""

    def __init__(self, safety: Safety | None) -> None:
        self._safety = safety

    def append(self, records: Sequence[bytes]) -> None:
        """Durable when it returns: there are no other writers to wait for. Raises TWSError."""
        if records and self._safety is not None:
            self._safety.emergency_append(*records)

    async def commit(self) -> None:
        """All is on disk already."""

    def read(self) -> Iterator[bytes]:
        """What was kept."""
        return iter(self._safety.emergency_read() if self._safety is not None else ())

    def close(self) -> None:
        """The safety file is its owner's to close."""


def never_left(records: Sequence[Record], orders: dict[str, OurOrder]) -> list[NotWritten]:
    """Reports for the orders that a refused group approved: no byte of them can have left."""
    approved = [record for record in records if isinstance(record, Approved)]
    waiting = [record.order_id for record in approved if not orders[record.intent_id].written]
    return [NotWritten(order_id=number, reason="the journal failed before it left") for number in waiting]


def refusal(effect: Effect, orders: dict[str, OurOrder], remembers: bool) -> NotWritten | None:
    """Why a placement may not leave in an emergency: no entry does, nor what nothing remembers. Else None."""
    if not isinstance(effect, Place):
        return None
    if orders[effect.intent_id].role is Role.ENTRY:
        return NotWritten(order_id=effect.order_id, reason="no entry leaves while the journal fails")
    if not remembers:
        return NotWritten(order_id=effect.order_id, reason="neither journal nor safety file can remember it")
    return None


def uncovers(effect: Effect, orders: dict[str, OurOrder]) -> bool:
    """Whether it cancels an exit: not where the close, or another stop, could not be placed."""
    return isinstance(effect, Cancel) and orders[effect.intent_id].role is not Role.ENTRY


async def merge_emergency(store: Store, safety: Safety) -> int:
    """Put what was kept in an emergency behind the journal; how many records that were.

    The group that the journal refused comes first, and may be on disk after all: what stands at the end of
    the journal already is not put there twice. Raises JournalError, and TWSError of the safety file.
    """
    kept = safety.emergency_read()
    if not kept:
        return 0
    rows = list(store.read())
    most = min(len(kept), len(rows))
    known = next(size for size in range(most, -1, -1) if rows[len(rows) - size :] == kept[:size])
    if kept[known:]:
        store.append(kept[known:])
        await store.commit()
    safety.emergency_clear()
    log.warning("emergency records put into the journal", records=len(kept) - known)
    return len(kept) - known

