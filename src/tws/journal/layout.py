"""The tables of a journal's file, in every layout that there was, and the way from each to the next.

    journal   one row: a random identity, the seed of the chain
    record    seq (1, 2, 3 … without a gap), payload, link = sha256(link before + payload)
    opening   one row for each writer: its process, its host, its program (since layout 2), and the head
              of the chain that it found
    newest    (since layout 2) one row: the last record and its link, moved on by each commit

Triggers refuse every UPDATE and DELETE, and an INSERT that is not the next one; `newest` moves forwards only.

Whoever opens an older layout for writing migrates it: first a copy is kept beside it
(`<name>-layout1`), then all steps run in one transaction, so that a crash leaves the old layout or the
new one. No step touches a record or its link: heads that were kept elsewhere stay true. Readers read each
layout as it is. A newer one is refused by both.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

from tws.journal.faults import foreign, unwritable

__all__ = ["LAYOUT", "TRIGGERS", "check_header", "check_layout", "create", "guards", "is_new", "migrate"]

APPLICATION = 0x5457534A  # "TWSJ": what `file` and we know the database by
LAYOUT = 2
"""What this program writes. Layout 1 had no `opening.program`, no `newest`, and no head beside the file."""

_NEWEST = """CREATE TABLE newest (
    id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, link BLOB NOT NULL)"""

_TABLES = (
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
        host TEXT NOT NULL,
        program TEXT NOT NULL DEFAULT '')""",
    _NEWEST,
)

TRIGGERS = {
    "record_next": """CREATE TRIGGER record_next BEFORE INSERT ON record
        WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM record)
        BEGIN SELECT raise(ABORT, 'the journal is append-only: not the next row'); END""",
    "opening_next": """CREATE TRIGGER opening_next BEFORE INSERT ON opening
        WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM opening)
        BEGIN SELECT raise(ABORT, 'the journal is append-only: not the next row'); END""",
    "journal_once": """CREATE TRIGGER journal_once BEFORE INSERT ON journal
        WHEN EXISTS (SELECT 1 FROM journal)
        BEGIN SELECT raise(ABORT, 'the journal is append-only: not the next row'); END""",
    "newest_forward": """CREATE TRIGGER newest_forward BEFORE UPDATE ON newest
        WHEN NEW.id IS NOT OLD.id OR NEW.seq < OLD.seq
        BEGIN SELECT raise(ABORT, 'the journal is append-only'); END""",
    "newest_stays": """CREATE TRIGGER newest_stays BEFORE DELETE ON newest
        BEGIN SELECT raise(ABORT, 'the journal is append-only'); END""",
    **{
        f"{table}_no_{verb.lower()}": f"""CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
        BEGIN SELECT raise(ABORT, 'the journal is append-only'); END"""
        for table in ("journal", "record", "opening")
        for verb in ("UPDATE", "DELETE")
    },
}
"""By name. Layout 1 had all but the two of `newest`."""

_STEPS: dict[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE opening ADD COLUMN program TEXT NOT NULL DEFAULT ''",
        _NEWEST,
        "INSERT INTO newest VALUES (1, 0, x'')",
        """UPDATE newest SET (seq, link) = (SELECT seq, link FROM record ORDER BY seq DESC LIMIT 1)
            WHERE EXISTS (SELECT 1 FROM record)""",
        TRIGGERS["newest_forward"],
        TRIGGERS["newest_stays"],
    ),
}
"""What leads from a layout to the next one."""


def guards(layout: int) -> set[str]:
    """The names of the triggers that a layout has."""
    return {name for name in TRIGGERS if layout > 1 or not name.startswith("newest")}


def is_new(database: sqlite3.Connection) -> bool:
    """Whether the file holds nothing at all."""
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    return bool(tables == 0 and application == 0)


def create(database: sqlite3.Connection) -> None:
    """The tables of a new journal, in one transaction."""
    database.execute("BEGIN IMMEDIATE")
    for statement in (*_TABLES, *TRIGGERS.values()):
        database.execute(statement)
    database.execute("INSERT INTO journal VALUES (1, ?)", (uuid.uuid4().bytes,))
    database.execute("INSERT INTO newest VALUES (1, 0, x'')")
    database.execute(f"PRAGMA application_id = {APPLICATION}")
    database.execute(f"PRAGMA user_version = {LAYOUT}")
    database.execute("COMMIT")


def check_header(path: Path) -> None:
    """Refuse a file that is no database before SQLite has touched it."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(path, f"it can't be read ({error.strerror})") from error
    if start and start != b"SQLite format 3\0":
        raise foreign(path, "it is not a database")


def check_layout(path: Path, database: sqlite3.Connection) -> int:
    """The layout of a journal. Raises JournalError (foreign) for what is none, and for a newer one."""
    if is_new(database):
        raise foreign(path, "it is empty")
    (application,) = database.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise foreign(path, "it is a database of another program")
    (layout,) = database.execute("PRAGMA user_version").fetchone()
    if layout > LAYOUT:
        raise foreign(path, f"its layout {layout} is newer than this version reads ({LAYOUT})")
    return int(layout)


def migrate(path: Path, database: sqlite3.Connection, layout: int) -> None:
    """From an older layout to ours, with a copy of the old file kept. Does nothing for ours."""
    if layout >= LAYOUT:
        return
    _keep_copy(path.with_name(f"{path.name}-layout{layout}"), database)
    database.execute("BEGIN IMMEDIATE")
    for step in range(layout, LAYOUT):
        for statement in _STEPS[step]:
            database.execute(statement)
    database.execute(f"PRAGMA user_version = {LAYOUT}")
    database.execute("COMMIT")


def _keep_copy(target: Path, database: sqlite3.Connection) -> None:
    """All of the database, log included, in one file; under another name until it is whole."""
    unfinished = target.with_name(f"{target.name}.tmp")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as copy:
        database.backup(copy)
    unfinished.replace(target)
