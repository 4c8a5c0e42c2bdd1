"""Records on which exits rested while no journal could commit, put into the journal when it can again."""

from __future__ import annotations

from collections import deque

from tws.journal import Store
from tws.log import get_logger
from tws.safety import SafetyFile

__all__ = ["merge_emergency"]

log = get_logger("tws.runtime")


async def merge_emergency(store: Store, safety: SafetyFile) -> int:
    """Append what the safety file kept to `store`, durably, and clear it there; answers how many there were.

    A crash between the two leaves them as the journal's last records: met again, they are not appended twice.
    Call it before anything else is appended. Raises JournalError, SafetyError.
    """
    records = safety.emergency_read()
    if records:
        if list(deque(store.read(), maxlen=len(records))) != records:
            store.append(records)
            await store.commit()
        log.warning("emergency records were merged into the journal", records=len(records))
        safety.emergency_clear()
    return len(records)
