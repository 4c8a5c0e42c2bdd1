"""Trading on when the journal can't commit: for an emergency stop, and for nothing else.

A full disk, a locked or hung database ends the engine and drops the brake. An emergency stop must still
cancel, and close what it was told to close. So a second engine takes the same desk over, as after a restart
of the program: what was under way becomes unknown, the broker is asked for everything, and the stop is put to
the desk. Its records go to preallocated places in the safety file, the group that the journal refused before
all others; the next start puts them into the journal (`merge_emergency`). Entries never leave from here.

Without places (no safety file, none free) nothing can be remembered, so nothing is placed: entries are
cancelled, stops stay. So that places never end between the cancel of a stop and the close that it
makes room for, a stop is only cancelled while there are places for the rest of its close, and for the rest of
all others under way (`PLACES_A_CLOSE`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from tws.desk import Cancel, DeskState, Effect, NotWritten, Place
from tws.errors import TWSError
from tws.journal import Store
from tws.log import get_logger
from tws.model.order import Role
from tws.model.records import Approved, Record
from tws.model.stop import EVERYTHING, KillState, Scope
from tws.orders import OurOrder

__all__ = ["Cover", "EmergencyStore", "Safety", "merge_emergency", "never_left", "refusal"]

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

    def emergency_append(self, *records: bytes) -> str:
        """Keep one group of records, all or none. On disk when it returns, else the answer says why not."""
        ...

    def emergency_room(self) -> int:
        """How many records more it can keep."""
        ...

    def emergency_read(self) -> list[bytes]:
        """What was kept and is not in the journal yet."""
        ...

    def emergency_clear(self) -> None:
        """All of it is in the journal now."""
        ...


PLACES_A_CLOSE = 12
"""Records of one close from the cancel of its exits on: 50 positions with two exits each take 600 in all."""


_EXITS = (Role.STOP, Role.TARGET, Role.CLOSE)


class EmergencyStore:
    """The store of the second engine. What it can't keep ends its memory, not it: `tell` hears why."""

    def __init__(self, safety: Safety | None, tell: Callable[[str], None]) -> None:
        self._safety = safety
        self._tell = tell
        self.remembers = safety is not None

    def append(self, records: Sequence[bytes]) -> None:
        """Durable when it returns: there are no other writers to wait for."""
        if not records or self._safety is None or not self.remembers:
            return
        try:
            doubt = self._safety.emergency_append(*records)
        except (TWSError, OSError, ValueError) as error:
            self.remembers = False
            self._tell(f"nothing more can be remembered, so nothing more is placed: {error}")
        else:
            if doubt:
                self._tell(f"the disk refuses; what is sent outlives this process, not this machine: {doubt}")

    @property
    def room(self) -> int:
        """How many records more it can keep."""
        return self._safety.emergency_room() if self._safety is not None and self.remembers else 0

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
    if orders[effect.intent_id].role not in _EXITS:
        reason = "no entry leaves while the journal fails, nor an exercise"
        return NotWritten(order_id=effect.order_id, reason=reason)
    if not remembers:
        return NotWritten(order_id=effect.order_id, reason="neither journal nor safety file can remember it")
    return None


class Cover:
    """Which exits may be cancelled: those whose close, and all others under way, still find places."""

    def __init__(self, store: EmergencyStore, state: DeskState) -> None:
        self._store = store
        self._state = state
        self._bare: set[int] = set()

    def keeps(self, effect: Effect) -> str:
        """The symbol whose exit is not cancelled now; empty for all else."""
        if not isinstance(effect, Cancel):
            return ""
        order = self._state.book.orders[effect.intent_id]
        if order.role not in _EXITS:
            return ""
        held = {each.contract.con_id for each in self._state.ours.holdings.values() if each.quantity}
        if order.contract.con_id not in held:
            return ""  # it guards nothing any more, and alone it would open what it was to close
        bare = (self._bare & held) | {order.contract.con_id}
        if self._store.room < PLACES_A_CLOSE * len(bare):
            return order.contract.symbol
        self._bare = bare
        return ""


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

