"""A desk brought to the state that its journal remembers: snapshot and tail, or all rows from the first.

Both ways end in the same state (tests/journal/test_snapshot.py). The snapshot only saves time: the rows
before it are then not proven anew at this start; `tws verify` proves them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct, structs

from tws.desk import Desk
from tws.errors import DataError, TWSError
from tws.journal.chain import Chain, Head, bears
from tws.journal.snapshot import Snapshot, read_snapshot, snapshot_path, write_snapshot
from tws.journal.sqlite import SQLiteStore
from tws.journal.store import Store
from tws.log import get_logger
from tws.model.records import Record, decode_record

__all__ = ["Recovered", "keep_at_end", "recover", "recover_file"]

SNAPSHOT_ROWS = 10_000
"""Fewer new rows than that are replayed in about a tenth of a second, and get no snapshot of their own."""

log = get_logger("tws.journal")


class Recovered(Struct, frozen=True, kw_only=True):
    """How a desk came to its state. `rows` are the journal's, `replayed` those that were applied."""

    rows: int
    replayed: int
    head: Head = Head(0, b"")
    """That of the last row; row 0 and no link for a store without a chain."""
    snapshot: int = 0
    """The row of the newest snapshot that fits the journal; 0: there is none."""
    doubt: str = ""
    """Why a snapshot that was there was left aside."""


def recover(desk: Desk, store: Store) -> Recovered:
    """Bring a new desk to what `store` remembers; after a long replay a snapshot is kept for the next time.

    Raises JournalError (corrupt) for a row that is not what was written, DataError for one that is no record
    or does not follow from those before.
    """
    if not isinstance(store, SQLiteStore):
        rows = _replay(desk, "journal", [list(store.read())], 0)
        return Recovered(rows=rows, replayed=rows)
    found = recover_file(desk, store.path)
    if found.replayed >= SNAPSHOT_ROWS and _keep(store.path, found.head, desk):
        return structs.replace(found, snapshot=found.rows)
    return found


def recover_file(desk: Desk, path: Path, *, use_snapshot: bool = True) -> Recovered:
    """The same from a journal's file, for who only reads; its trader may write meanwhile."""
    with _collector_at_rest():
        snapshot = _fitting(path) if use_snapshot else None
        doubt = snapshot if isinstance(snapshot, str) else ""
        after = None
        if isinstance(snapshot, Snapshot):
            after, desk.state = snapshot
        chain = Chain(path, after=after)
        start = after.seq if after is not None else 0
        rows = _replay(desk, str(path), chain.pages(), start)
    return Recovered(rows=rows, replayed=rows - start, head=chain.head, snapshot=start, doubt=doubt)


def keep_at_end(desk: Desk, store: Store, begun: Recovered, added: int) -> None:
    """When `store` was closed in order: a snapshot of what `desk` has become since `begun`, if that is much.

    `added` counts the records that were remembered since. When the journal holds another number of rows,
    somebody else wrote some, and the state is not that of its head: nothing is written.
    """
    if isinstance(store, SQLiteStore):
        head = store.head
        if head.seq == begun.rows + added and head.seq - begun.snapshot >= SNAPSHOT_ROWS:
            _keep(store.path, head, desk)


def _keep(path: Path, head: Head, desk: Desk) -> bool:
    try:
        write_snapshot(snapshot_path(path), head, desk.state)
    except (OSError, OverflowError) as error:  # or a number that no snapshot can say
        log.warning("no snapshot of the state was written; the next start takes longer", reason=str(error))
        return False
    return True


def _fitting(path: Path) -> Snapshot | str | None:
    """The snapshot beside a journal when its row bears its link; else why it is left aside."""
    beside = snapshot_path(path)
    found = read_snapshot(beside)
    if isinstance(found, Snapshot) and not bears(path, found.head):
        found = f"row {found.head.seq} of the journal is not the one that it names"
    if isinstance(found, str):
        log.warning("a snapshot was left aside; the whole journal is replayed", path=str(beside), why=found)
    return found


def _replay(desk: Desk, path: str, pages: Iterable[list[bytes]], row: int) -> int:
    """Apply all that comes; the number of the last row."""
    counted = _Counted(row)
    try:
        desk.recover(counted.records(pages))
    except (TWSError, MemoryError):
        raise
    except Exception as error:
        reason = (
            f"the record does not follow from those before it ({error!r}): it was written by another "
            "program, or by a fault of this one. Keep the file, and report this row"
        )
        raise DataError(path, counted.row, reason) from error
    return counted.row


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """What is made meanwhile stays, and the collector would walk it again and again while it grows."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class _Counted:
    """Decodes, and knows at which row it stands."""

    def __init__(self, row: int) -> None:
        self.row = row

    def records(self, pages: Iterable[list[bytes]]) -> Iterator[Record]:
        for page in pages:
            for payload in page:
                self.row += 1
                yield decode_record(payload, self.row)
