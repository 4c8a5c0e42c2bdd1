"""Layouts of the file: an older one is renewed on writing, with a copy kept; a newer one is refused.

`LAYOUT_1` is the file as the first version of this program made it, written down here so that no change of
ours can change it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from tws.errors import JournalError
from tws.journal import SQLiteStore, read_journal, verify_journal
from tws.journal import layout as layouts
from tws.journal.headfile import head_path

LAYOUT_1 = """
CREATE TABLE journal (id INTEGER PRIMARY KEY CHECK (id = 1), identity BLOB NOT NULL);
CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    payload BLOB NOT NULL CHECK (typeof(payload) = 'blob'),
    link BLOB NOT NULL CHECK (typeof(link) = 'blob' AND length(link) = 32));
CREATE TABLE opening (
    number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, link BLOB NOT NULL,
    pid INTEGER NOT NULL, host TEXT NOT NULL);
CREATE TRIGGER opening_no_update BEFORE UPDATE ON opening
    BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
PRAGMA application_id = 1415009098;
PRAGMA user_version = 1;
"""
ROWS = [b"row %d" % number for number in range(1, 51)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of layout 1 with fifty rows and one opening."""
    path = tmp_path / "journal.sqlite3"
    identity = bytes(range(16))
    with closing(sqlite3.connect(path)) as database:
        database.executescript(LAYOUT_1)
        database.execute("INSERT INTO journal VALUES (1, ?)", (identity,))
        link = sha256(identity).digest()
        database.execute("INSERT INTO opening VALUES (1, 0, ?, 4711, 'the old host')", (link,))
        for seq, payload in enumerate(ROWS, 1):
            link = sha256(link + payload).digest()
            database.execute("INSERT INTO record VALUES (?, ?, ?)", (seq, payload, link))
        database.commit()
    return path


def openings(path: Path) -> list[tuple[int, str, str]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT seq, host, program FROM opening ORDER BY number").fetchall()


def test_readers_read_it_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    assert list(read_journal(path)) == ROWS
    proof = verify_journal(path)
    assert (proof.layout, proof.records) == (1, 50)
    assert not any("newest" in note for note in proof.notes)
    assert path.read_bytes() == before


def test_a_writer_renews_it_and_keeps_a_copy(path: Path) -> None:
    old = verify_journal(path).head
    with closing(SQLiteStore(path)) as store:
        assert store.head == old
        store.append([b"row 51"])
    assert list(read_journal(path)) == [*ROWS, b"row 51"]
    proof = verify_journal(path, str(old))  # heads that were kept before stay true
    assert proof.layout == layouts.LAYOUT
    assert openings(path)[0] == (0, "the old host", "")
    assert openings(path)[1][2].startswith("tws ")
    copy = path.with_name(f"{path.name}-layout1")
    assert list(read_journal(copy)) == ROWS
    assert verify_journal(copy).layout == 1
    assert not list(path.parent.glob("*.tmp"))


def test_it_is_renewed_once(path: Path) -> None:
    for _ in range(2):
        SQLiteStore(path).close()
    copy = path.with_name(f"{path.name}-layout1")
    assert verify_journal(copy).layout == 1
    assert verify_journal(path).openings == 3


def test_a_renewal_that_fails_leaves_the_old_layout(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {1: (*layouts._STEPS[1], "ALTER TABLE no_such_table ADD COLUMN x")}
    with monkeypatch.context() as patched:
        patched.setattr(layouts, "_STEPS", steps)
        with pytest.raises(JournalError):
            SQLiteStore(path)
    assert verify_journal(path).layout == 1
    assert list(read_journal(path)) == ROWS
    SQLiteStore(path).close()
    assert verify_journal(path).layout == layouts.LAYOUT


def test_no_renewal_without_a_place_for_the_copy(path: Path) -> None:
    path.with_name(f"{path.name}-layout1.tmp").mkdir()
    with pytest.raises(JournalError) as caught:
        SQLiteStore(path)
    assert caught.value.kind in ("unwritable", "disk")
    assert verify_journal(path).layout == 1


def test_a_newer_layout_is_refused_and_both_are_named(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 9")
    before = path.read_bytes()
    attempts = (lambda: SQLiteStore(path), lambda: list(read_journal(path)), lambda: verify_journal(path))
    for attempt in attempts:
        with pytest.raises(JournalError, match=rf"layout 9 is newer than .* \({layouts.LAYOUT}\)") as caught:
            attempt()
        assert caught.value.kind == "foreign"
    assert path.read_bytes() == before
    assert not head_path(path).exists()


def test_the_lock_is_free_after_a_refusal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 9")
    with pytest.raises(JournalError):
        SQLiteStore(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {layouts.LAYOUT - 1}")
    SQLiteStore(path).close()
    assert head_path(path).exists()
