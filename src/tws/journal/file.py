"""A journal open for writing: its lock, its settings, its one way to add records.

The layout of the file is in `tws.journal.layout`, its chain in `tws.journal.chain`. Opening proves the last
row and holds the chain against the head in the file beside it, so that a journal whose end was cut off, or
that was put back from an older copy, is not written on: orders that it no longer knows would be taken for
strangers.

The lock of the one writer is an exclusive transaction on a second, empty SQLite file beside the
first (`<name>-lock`): it is the same on all platforms, the operating system drops it when its
process dies, and readers of the journal are not in its way. All is for one thread at a time.
"""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from tws.errors import JournalError
from tws.journal import layout
from tws.journal.chain import Head, connect, genesis, link_at, newest
from tws.journal.faults import corrupt, family, in_words, unwritable
from tws.journal.headfile import HeadFile, head_path, read_head
from tws.log import get_logger

__all__ = ["JournalFile"]

log = get_logger("tws.journal")

_LOG_BYTES = 4_152_032
"""A write-ahead log of 1000 pages, the length at which SQLite begins it anew: 32 bytes, then 24 and a page of
4096 each.
"""

_FOLD_PAGES = 500
"""Half of it: a rest comes before the log is full."""

_FOLD_AT_LAST = 4000
"""Where no rest comes SQLite carries the log over by itself, within a commit: 16 MB, and up to 0.1 s."""


class JournalFile:
    """A journal open for writing, held by the lock of its one writer. Raises JournalError everywhere.

    `head` is the last row that is durable, and its link.
    """

    def __init__(self, path: Path, page_limit: int | None = None) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path, f"its folder can't be made ({error.strerror})") from error
        self._lock = _take_lock(path)
        self._database: sqlite3.Connection | None = None
        self._heads: HeadFile | None = None
        self._log_pages = 0
        try:
            layout.check_header(path)
            self._database = connect(path, f"{path.as_uri()}?mode=rwc")
            self._prepare(page_limit)
            self.head = self._find_head()
            self._keep_head()
            self._sign()
            self._widen_log()
        except sqlite3.Error as error:
            self.close()
            raise in_words(path, error) from error
        except BaseException:
            self.close()
            raise

    @property
    def _db(self) -> sqlite3.Connection:
        if self._database is None:
            raise JournalError(self.path, "closed", "it is closed", "Open it again")
        return self._database

    def _prepare(self, page_limit: int | None) -> None:
        """The settings that make a commit durable, and the tables of our layout."""
        database = self._db
        new = layout.is_new(database)
        found = layout.LAYOUT if new else layout.check_layout(self.path, database)
        mode = database.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise unwritable(self.path, f"this disk allows no write-ahead log (mode {mode})")
        # FULL syncs the log at each commit; the two fullfsync make macOS push the drive's own cache,
        # and do nothing elsewhere (SQLite, "PRAGMA Statements").
        for setting in ("synchronous = FULL", "fullfsync = 1", "checkpoint_fullfsync = 1",
                        f"wal_autocheckpoint = {_FOLD_AT_LAST}"):
            database.execute(f"PRAGMA {setting}")
        if page_limit is not None:
            database.execute(f"PRAGMA max_page_count = {int(page_limit)}")
        if new:
            layout.create(database)
        elif found < layout.LAYOUT:
            layout.migrate(self.path, database, found)
            log.warning(
                "the journal's layout was renewed; a copy of the old one is kept",
                path=str(self.path),
                before=found,
                now=layout.LAYOUT,
            )

    def _find_head(self) -> Head:
        start = genesis(self.path, self._db)
        row = self._db.execute("SELECT seq, payload, link FROM record ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None and newest(self.path, self._db) is None:
            return start
        if row is None:
            raise corrupt(self.path, 1, "the end was cut off: no row is left")
        seq, payload, link = row
        before = link_at(self.path, self._db, seq - 1)
        if before is None or sha256(before + payload).digest() != link:
            raise corrupt(self.path, seq)
        head, named = Head(seq, link), newest(self.path, self._db)
        if named != head:
            raise corrupt(
                self.path, seq + 1, "the end was cut off, or the row that names the last one changed"
            )
        return head

    def _keep_head(self) -> None:
        """Hold the chain against the head beside it, then keep that of now."""
        beside = head_path(self.path)
        kept = read_head(beside)
        if kept is not None and link_at(self.path, self._db, kept.seq) != kept.link:
            cut = kept.seq > self.head.seq
            what = "the end was cut off" if cut else "the chain was computed anew"
            cure = (
                "Put the newest copy of the journal back; if this one is meant, take that file away and "
                "reconcile with the broker"
            )
            row = min(self.head.seq + 1, kept.seq)
            raise corrupt(self.path, row, f"{what}: {beside.name} names row {kept.seq}", cure)
        if kept is None and self.head.seq and beside.exists():
            log.warning("the file that keeps the journal's head held none", path=str(beside))
        self._heads = HeadFile(beside, self.head)

    def _sign(self) -> None:
        """Say in the file who writes, for a second writer to name, and where the chain stood."""
        self._db.execute(
            "INSERT INTO opening SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ? FROM opening",
            (self.head.seq, self.head.link, os.getpid(), platform.node(), _program()),
        )

    def _widen_log(self) -> None:
        """Give SQLite's write-ahead log its full length. A commit that makes the file longer waits for
        the file system's own journal too (one in five, 3.5 ms in place of 0.4: docs/performance.md);
        what lies behind the last commit is not read (SQLite, "WAL File Format"). Without it all is well.
        """
        log_path = self.path.with_name(f"{self.path.name}-wal")
        with suppress(OSError), log_path.open("r+b") as file:
            missing = _LOG_BYTES - file.seek(0, os.SEEK_END)
            if missing > 0:
                file.write(bytes(missing))
                file.flush()
                os.fsync(file.fileno())

    def write(self, payloads: Sequence[bytes]) -> None:
        """Add records in one transaction; when it returns they are on the disk, all of them."""
        seq, link = self.head
        rows: list[tuple[int, bytes, bytes]] = []
        for payload in payloads:
            seq += 1
            link = sha256(link + payload).digest()
            rows.append((seq, payload, link))
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO record VALUES (?, ?, ?)", rows)
            self._db.execute("UPDATE newest SET seq = ?, link = ?", (seq, link))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):  # the first error is the one to tell; closing rolls back too
                    self._db.execute("ROLLBACK")
            raise in_words(self.path, error) from error
        self.head = Head(seq, link)
        # At most: a page has room for two records of that size, and four more are the tree's and `newest`.
        self._log_pages += 4 + sum(len(payload) + 64 for payload in payloads) // 2048

    @property
    def log_is_long(self) -> bool:
        """Whether the log is worth a `fold` at the next rest."""
        return self._log_pages >= _FOLD_PAGES

    def fold(self) -> None:
        """Carry the log over into the file, so that it begins anew. It takes 2 to 26 ms (two syncs): no
        commit should have to do it. What a reader holds back, or a disk that is full, is tried again after
        more commits.
        """
        self._log_pages = 0
        with suppress(sqlite3.Error):  # all of it is durable; what is wrong with the disk a commit will tell
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def note_head(self) -> None:
        """Write the head into the file beside, when nobody waits for the commit any more.

        It is evidence, not memory: its failure is told once and stops nothing.
        """
        if self._heads is None:
            return
        try:
            self._heads.write(self.head)
        except OSError as error:
            log.error(
                "the journal's head can't be kept beside it", path=str(self._heads.path), reason=str(error)
            )
            self._heads.close()
            self._heads = None

    def close(self) -> None:
        """Close the file, then release the lock."""
        if self._heads is not None:
            self._heads.close()
            self._heads = None
        if self._database is not None:
            self._database.close()
            self._database = None
        self._lock.close()


def _program() -> str:
    return f"tws {version('tws-trading-framework')}"


def _take_lock(path: Path) -> sqlite3.Connection:
    lock_path = path.with_name(f"{path.name}-lock")
    lock: sqlite3.Connection | None = None
    try:
        # rwc in a URI: unlike a plain name it never falls back to reading only.
        uri = f"{lock_path.as_uri()}?mode=rwc"
        lock = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if lock is not None:
            lock.close()
        if family(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            cure = "Stop the other one first, or give this one another state folder"
            cause = f"{_holder(path)} writes it (lock {lock_path.name})"
            raise JournalError(path, "locked", cause, cure) from error
        raise in_words(lock_path, error) from error
    return lock


def _holder(path: Path) -> str:
    """Who wrote the last opening; the lock itself does not say."""
    try:
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0)
        try:
            row = database.execute("SELECT pid, host FROM opening ORDER BY number DESC LIMIT 1").fetchone()
        finally:
            database.close()
    except sqlite3.Error:
        row = None
    return "another writer" if row is None else f"process {row[0]} on {row[1] or 'this machine'}"
