"""The database file of a journal: its layout, its lock, its hash chain, and its errors in words.

    journal   one row: a random identity, the seed of the chain
    record    seq (1, 2, 3 … without a gap), payload, link = sha256(link before + payload)
    opening   one row for each writer: its process, its host, and the head of the chain it found

Triggers refuse every UPDATE and DELETE, and an INSERT that is not the next one. The chain shows a row
that was changed, moved or taken out of the middle; the heads kept in `opening` show a tail cut off
below the last opening and a chain computed anew. Whoever rewrites those as well is seen only by a
`Head` that was kept elsewhere.

The lock of the one writer is an exclusive transaction on a second, empty SQLite file beside the
first (`<name>-lock`): it is the same on all platforms, the operating system drops it when its
process dies, and readers of the journal are not in its way. All is for one thread at a time.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tws.errors import JournalError

__all__ = ["Head", "JournalFile", "read_journal"]

_APPLICATION = 0x5457534A  # "TWSJ": what `file` and we know the database by
_LAYOUT = 1
_PAGE = 1000  # rows fetched at once, so that a slow reader pins no snapshot of the write-ahead log
_BROKEN_LINK = "its hash does not follow from the row before"
_BUSY_S = 5.0  # how long a foreign program may hold the file before a commit fails

_SCHEMA = (
    "CREATE TABLE journal (id INTEGER PRIMARY KEY CHECK (id = 1), identity BLOB NOT NULL)",
    """CREATE TABLE record (
        seq INTEGER PRIMARY KEY,
        payload BLOB NOT NULL CHECK (typeof(payload) = 'blob'),
        link BLOB NOT NULL CHECK (typeof(link) = 'blob' AND length(link) = 32))""",
    """CREATE TABLE opening (
        number INTEGER PRIMARY KEY,
        seq INTEGER NOT NULL,
        link BLOB NOT NULL,
        pid INTEGER NOT NULL,
        host TEXT NOT NULL)""",
    """CREATE TRIGGER record_next BEFORE INSERT ON record
        WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM record)
        BEGIN SELECT raise(ABORT, 'the journal is append-only: not the next row'); END""",
    """CREATE TRIGGER opening_next BEFORE INSERT ON opening
        WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM opening)
        BEGIN SELECT raise(ABORT, 'the journal is append-only: not the next row'); END""",
    """CREATE TRIGGER journal_once BEFORE INSERT ON journal WHEN EXISTS (SELECT 1 FROM journal)
        BEGIN SELECT raise(ABORT, 'the journal is append-only: not the next row'); END""",
    *(
        f"""CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
        BEGIN SELECT raise(ABORT, 'the journal is append-only'); END"""
        for table in ("journal", "record", "opening")
        for verb in ("UPDATE", "DELETE")
    ),
)


class Head(NamedTuple):
    """The end of the chain: the last row's number (0: none yet) and its link (32 bytes)."""

    seq: int
    link: bytes


class JournalFile:
    """A journal open for writing, held by the lock of its one writer. Raises JournalError everywhere."""

    def __init__(self, path: Path, page_limit: int | None = None) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(path, f"its folder can't be made ({error.strerror})") from error
        self._lock = _take_lock(path)
        self._database: sqlite3.Connection | None = None
        try:
            _check_header(path)
            self._database = _connect(path, f"{path.as_uri()}?mode=rwc")
            self._prepare(page_limit)
            self.head = self._find_head()
            self._sign()
        except sqlite3.Error as error:
            self.close()
            raise _in_words(path, error) from error
        except BaseException:
            self.close()
            raise

    @property
    def _db(self) -> sqlite3.Connection:
        if self._database is None:
            raise JournalError(self.path, "closed", "it is closed", "Open it again")
        return self._database

    def _prepare(self, page_limit: int | None) -> None:
        """The settings that make a commit durable, and the tables when the file is new."""
        database = self._db
        if not _is_new(database):
            _check_layout(self.path, database)
        mode = database.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise _unwritable(self.path, f"this disk allows no write-ahead log (mode {mode})")
        # FULL syncs the log at each commit; the two fullfsync make macOS push the drive's own cache,
        # and do nothing elsewhere (SQLite, "PRAGMA Statements").
        for setting in ("synchronous = FULL", "fullfsync = 1", "checkpoint_fullfsync = 1"):
            database.execute(f"PRAGMA {setting}")
        if page_limit is not None:
            database.execute(f"PRAGMA max_page_count = {int(page_limit)}")
        if _is_new(database):
            database.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                database.execute(statement)
            database.execute("INSERT INTO journal VALUES (1, ?)", (uuid.uuid4().bytes,))
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {_LAYOUT}")
            database.execute("COMMIT")

    def _find_head(self) -> Head:
        row = self._db.execute("SELECT seq, payload, link FROM record ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None:
            return _genesis(self._db)
        seq, payload, link = row
        before = _link_at(self._db, seq - 1)
        if before is None or sha256(before + payload).digest() != link:
            raise _corrupt(self.path, seq)
        return Head(seq, link)

    def _sign(self) -> None:
        """Say in the file who writes, for a second writer to name, and where the chain stood."""
        self._db.execute(
            "INSERT INTO opening SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ? FROM opening",
            (self.head.seq, self.head.link, os.getpid(), platform.node()),
        )

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
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):  # the first error is the one to tell; closing rolls back too
                    self._db.execute("ROLLBACK")
            raise _in_words(self.path, error) from error
        self.head = Head(seq, link)

    def close(self) -> None:
        """Close the file, then release the lock."""
        if self._database is not None:
            self._database.close()
            self._database = None
        self._lock.close()


def read_journal(path: Path) -> Iterator[bytes]:
    """The payloads of a journal from its first row to the last that is durable now, each proven by the chain.

    Needs no lock: it may be read while its trader writes. Raises JournalError: foreign (not a journal),
    corrupt (with `sequence`, the first row that is not what was written), unwritable (can't be opened).
    """
    path = Path(path).absolute()
    if not path.exists():
        raise JournalError(path, "foreign", "there is no such file", "Name a journal that exists")
    _check_header(path)
    seq = 0
    database: sqlite3.Connection | None = None
    try:
        database = _connect(path, f"{path.as_uri()}?mode=ro")
        _check_layout(path, database)
        seq, link = _genesis(database)
        (last,) = database.execute("SELECT coalesce(max(seq), 0) FROM record").fetchone()
        signed = _signed_heads(database)
        _check_signed(path, signed, Head(seq, link))
        while seq < last:
            for row, payload, stored in _rows_after(database, seq, last):
                seq += 1
                if row != seq or not isinstance(payload, bytes):
                    raise _corrupt(path, seq, "it is missing or of another type")
                link = sha256(link + payload).digest()
                if link != stored:
                    raise _corrupt(path, seq)
                _check_signed(path, signed, Head(seq, link))
                yield payload
        if signed and max(signed) > last:
            raise _corrupt(path, last + 1, f"the end was cut off: row {max(signed)} was once written")
    except sqlite3.DatabaseError as error:
        raise _in_words(path, error, after=seq) from error
    finally:
        if database is not None:
            database.close()


def _rows_after(database: sqlite3.Connection, seq: int, last: int) -> list[tuple[int, object, bytes]]:
    rows = database.execute(
        "SELECT seq, payload, link FROM record WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (seq, last, _PAGE),
    )
    return rows.fetchall()


def _signed_heads(database: sqlite3.Connection) -> dict[int, list[bytes]]:
    signed: dict[int, list[bytes]] = {}
    for seq, link in database.execute("SELECT seq, link FROM opening ORDER BY number"):
        signed.setdefault(seq, []).append(link)
    return signed


def _check_signed(path: Path, signed: dict[int, list[bytes]], head: Head) -> None:
    if any(link != head.link for link in signed.get(head.seq, ())):
        raise _corrupt(path, head.seq, "the chain up to it is not the one that a writer found here")


def _connect(path: Path, uri: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _in_words(path, error) from error


def _is_new(database: sqlite3.Connection) -> bool:
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    return bool(tables == 0 and application == 0)


def _check_header(path: Path) -> None:
    """Refuse a file that is no database before SQLite has touched it."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unwritable(path, f"it can't be read ({error.strerror})") from error
    if start and start != b"SQLite format 3\0":
        raise _foreign(path, "it is not a database")


def _check_layout(path: Path, database: sqlite3.Connection) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    if application != _APPLICATION:
        raise _foreign(path, "it is a database of another program")
    (layout,) = database.execute("PRAGMA user_version").fetchone()
    if layout > _LAYOUT:
        raise _foreign(path, f"its layout {layout} is newer than this version reads ({_LAYOUT})")


def _genesis(database: sqlite3.Connection) -> Head:
    (identity,) = database.execute("SELECT identity FROM journal").fetchone()
    return Head(0, sha256(identity).digest())


def _link_at(database: sqlite3.Connection, seq: int) -> bytes | None:
    if seq == 0:
        return _genesis(database).link
    row = database.execute("SELECT link FROM record WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else bytes(row[0])


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
        if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            cure = "Stop the other one first, or give this one another state folder"
            cause = f"{_holder(path)} writes it (lock {lock_path.name})"
            raise JournalError(path, "locked", cause, cure) from error
        raise _in_words(lock_path, error) from error
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


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # the low byte is the family


def _in_words(path: Path, error: sqlite3.Error, after: int | None = None) -> JournalError:
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        cause = "the disk, or the bound on the file, is full"
        return JournalError(path, "full", cause, "Free space, then start again")
    if code == sqlite3.SQLITE_CORRUPT:
        return _corrupt(path, None if after is None else after + 1, str(error))
    if code == sqlite3.SQLITE_NOTADB:
        return _foreign(path, "it is not a database")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return JournalError(path, "locked", "another program holds it", "Close the program that has it open")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _unwritable(path, str(error))
    return JournalError(path, "disk", f"the disk failed ({error})", "Check the disk, then start again")


def _unwritable(path: Path, cause: str) -> JournalError:
    return JournalError(path, "unwritable", cause, "Choose a folder on a local disk that you may write to")


def _foreign(path: Path, cause: str) -> JournalError:
    return JournalError(path, "foreign", cause, "Name another file; this one is left as it is")


def _corrupt(path: Path, seq: int | None, cause: str = _BROKEN_LINK) -> JournalError:
    where = "a row" if seq is None else f"row {seq}"
    cure = "Keep the file as evidence, restore the last good copy, reconcile with the broker"
    return JournalError(path, "corrupt", f"{where} is not what was written: {cause}", cure, seq)
