"""The chain of a journal: each row bears the hash of all before it, so what was changed shows.

    link(0) = sha256(the journal's identity)        link(n) = sha256(link(n - 1) + payload(n))

A row that was changed, moved or taken out breaks the chain at that row. A tail cut off, and a chain computed
anew, show by the heads that were kept: the file itself names its last row, and the heads that its writers
found; the file beside it keeps the newest (`tws.journal.headfile`); and whoever holds a report or an alert
has one that no rewriting of files reaches.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tws.errors import JournalError
from tws.journal.faults import BROKEN_LINK, corrupt, in_words
from tws.journal.layout import check_header, check_layout

__all__ = [
    "Chain",
    "Head",
    "Kept",
    "bears",
    "connect",
    "genesis",
    "link_at",
    "newest",
    "open_to_read",
    "read_journal",
]

_PAGE = 1000  # rows fetched at once, so that a slow reader pins no snapshot of the write-ahead log
_BUSY_S = 5.0  # how long a foreign program may hold the file before a commit fails


class Head(NamedTuple):
    """The end of the chain: the last row's number (0: none yet) and its link (32 bytes).

    As text it is `<row>:<64 hexadecimal digits>`; it proves every row up to its own.
    """

    seq: int
    link: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.link.hex()}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """The head that `str` wrote. Raises ValueError for what is none."""
        number, _, digits = text.strip().partition(":")
        if not (number.isascii() and number.isdigit()) or len(digits) != 64:
            raise ValueError(f"{text[:80]!r} is no head: write <row>:<64 hexadecimal digits>")
        return cls(int(number), bytes.fromhex(digits))


class Kept(NamedTuple):
    """A head to hold the chain against, and who kept it."""

    head: Head
    keeper: str


class Chain:
    """The rows of one journal, each proven before it is given out. `head` is how far that has come.

    Starts behind `after` (which must be a head of this chain) or at the first row. Needs no lock: it may be
    read while its trader writes, and ends with what is durable when it starts.
    """

    def __init__(self, path: Path, *, after: Head | None = None, kept: Sequence[Kept] = ()) -> None:
        self.path = Path(path).absolute()
        self.head = after or Head(0, b"")
        self.openings = 0
        self._after = after
        self._kept = tuple(kept)

    def pages(self) -> Iterator[list[bytes]]:
        """The payloads in order, some at a time.

        Raises JournalError: foreign (not a journal), corrupt (with `sequence`, the first row that is not what
        was written; the good rows before it were given), unwritable (can't be opened).
        """
        database: sqlite3.Connection | None = None
        try:
            database = open_to_read(self.path)
            if self._after is None:
                self.head = genesis(self.path, database)
            elif link_at(self.path, database, self._after.seq) != self._after.link:
                raise corrupt(self.path, self._after.seq, "it is not the head from which to go on")
            kept = self._heads(database)  # before the last row: a writer may add some meanwhile
            (last,) = database.execute("SELECT coalesce(max(seq), 0) FROM record").fetchone()
            self._hold(kept.get(self.head.seq, ()), self.head)
            while self.head.seq < last:
                page, fault = self._prove(_rows_after(database, self.head.seq, last), kept)
                yield page
                if fault is not None:
                    raise fault
            self._find_cut(kept, last)
        except sqlite3.DatabaseError as error:
            raise in_words(self.path, error, after=self.head.seq) from error
        finally:
            if database is not None:
                database.close()

    def _prove(
        self, rows: list[tuple[int, object, bytes]], kept: dict[int, list[Kept]]
    ) -> tuple[list[bytes], JournalError | None]:
        """The payloads of `rows` up to the first bad one, and what is wrong with that."""
        seq, link = self.head
        good: list[bytes] = []
        fault: JournalError | None = None
        for row, payload, stored in rows:
            if row != seq + 1 or type(payload) is not bytes:
                fault = corrupt(self.path, seq + 1, "it is missing or of another type")
                break
            new = sha256(link + payload).digest()
            if new != stored:
                fault = corrupt(self.path, seq + 1, BROKEN_LINK)
                break
            if row in kept:
                try:
                    self._hold(kept[row], Head(row, new))
                except JournalError as error:
                    fault = error
                    break
            seq, link = row, new
            good.append(payload)
        self.head = Head(seq, link)
        return good, fault

    def _heads(self, database: sqlite3.Connection) -> dict[int, list[Kept]]:
        """What the file itself and our caller kept, by row."""
        kept: dict[int, list[Kept]] = {}
        rows = database.execute("SELECT seq, link FROM opening ORDER BY number").fetchall()
        self.openings = len(rows)
        found = (Kept(Head(seq, link), "a writer found here") for seq, link in rows)
        last = newest(self.path, database)
        own = [] if last is None else [Kept(last, "the commit of the last row left")]
        for each in (*found, *own, *self._kept):
            if each.head.seq >= self.head.seq:
                kept.setdefault(each.head.seq, []).append(each)
        return kept

    def _hold(self, kept: Sequence[Kept], head: Head) -> None:
        for each in kept:
            if each.head.link != head.link:
                raise corrupt(self.path, head.seq, f"the chain up to it is not the one that {each.keeper}")

    def _find_cut(self, kept: dict[int, list[Kept]], last: int) -> None:
        farthest = max(kept, default=0)
        if farthest > last:
            keeper = kept[farthest][0].keeper
            cause = f"the end was cut off: row {farthest} was once written (so says what {keeper})"
            raise corrupt(self.path, last + 1, cause)


def read_journal(path: Path, after: Head | None = None) -> Iterator[bytes]:
    """The payloads of a journal from its first row, or the one behind `after`, to the last that is durable
    now, each proven by the chain. Raises JournalError as `Chain.pages` does.
    """
    for page in Chain(path, after=after).pages():
        yield from page


def bears(path: Path, head: Head) -> bool:
    """Whether the journal's row of that number has that link. Raises JournalError."""
    path = Path(path).absolute()
    database = open_to_read(path)
    try:
        return link_at(path, database, head.seq) == head.link
    except sqlite3.DatabaseError as error:
        raise in_words(path, error) from error
    finally:
        database.close()


def connect(path: Path, uri: str) -> sqlite3.Connection:
    """A connection on a database's URI. Raises JournalError."""
    try:
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise in_words(path, error) from error


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that only reads, on a journal of any layout that we know."""
    if not path.exists():
        raise JournalError(path, "foreign", "there is no such file", "Name a journal that exists")
    check_header(path)
    database = connect(path, f"{path.as_uri()}?mode=ro")
    try:
        check_layout(path, database)
    except BaseException:
        database.close()
        raise
    return database


def genesis(path: Path, database: sqlite3.Connection) -> Head:
    """Where the chain begins. Raises JournalError (corrupt) when the journal's identity is not there."""
    row = database.execute("SELECT identity FROM journal").fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise corrupt(path, 0, "its identity is missing")
    return Head(0, sha256(row[0]).digest())


def newest(path: Path, database: sqlite3.Connection) -> Head | None:
    """The last row by the file's own word; None before the first, and in layout 1, which did not keep it."""
    if check_layout(path, database) < 2:
        return None
    row = database.execute("SELECT seq, link FROM newest").fetchone()
    if row is None:
        raise corrupt(path, None, "the row that names the last one is missing")
    return Head(*row) if row[0] else None


def link_at(path: Path, database: sqlite3.Connection, seq: int) -> bytes | None:
    """The link that a row bears; None where there is no such row."""
    if seq == 0:
        return genesis(path, database).link
    row = database.execute("SELECT link FROM record WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else bytes(row[0])


def _rows_after(database: sqlite3.Connection, seq: int, last: int) -> list[tuple[int, object, bytes]]:
    rows = database.execute(
        "SELECT seq, payload, link FROM record WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (seq, last, _PAGE),
    )
    return rows.fetchall()
