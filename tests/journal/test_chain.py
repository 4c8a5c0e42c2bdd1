"""The chain: every way of tampering with a closed journal shows, with the row at fault."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from tws.errors import JournalError
from tws.journal import SQLiteStore, read_journal, verify_journal

ROWS = 2_500  # more than two pages of the reader
NAME_LAST = "UPDATE newest SET (seq, link) = (SELECT seq, link FROM record ORDER BY seq DESC LIMIT 1)"
"""What somebody does who cuts the end and knows that the file names its last row."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of two lives: half of the rows each."""
    path = tmp_path / "journal.sqlite3"
    for start in (0, ROWS // 2):
        with closing(SQLiteStore(path)) as store:
            store.append([b"row %d" % number for number in range(start, start + ROWS // 2)])
    return path


def tamper(path: Path, *statements: str) -> None:
    """What someone with a SQLite shell can do once the triggers are gone."""
    with closing(sqlite3.connect(path)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert database.execute(statement).rowcount != 0
        database.commit()


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE record SET payload = x'00' WHERE seq = 1", 1),
        ("UPDATE record SET payload = x'00' WHERE seq = 1500", 1500),
        ("UPDATE record SET link = zeroblob(32) WHERE seq = 42", 42),
        ("UPDATE record SET payload = x'00' WHERE seq = 2500", 2500),
        ("DELETE FROM record WHERE seq = 1", 1),
        ("DELETE FROM record WHERE seq = 700", 700),
        ("DELETE FROM record WHERE seq BETWEEN 500 AND 1999", 500),
        ("UPDATE journal SET identity = zeroblob(16)", 0),
        ("UPDATE opening SET link = zeroblob(32) WHERE number = 2", 1250),
    ],
)
def test_a_changed_or_missing_row_is_named(path: Path, statement: str, row: int) -> None:
    tamper(path, statement)
    with pytest.raises(JournalError) as caught:
        list(read_journal(path))
    assert (caught.value.kind, caught.value.sequence) == ("corrupt", row)


def test_the_rows_before_the_fault_can_be_read(path: Path) -> None:
    tamper(path, "UPDATE record SET payload = x'00' WHERE seq = 1500")
    found = []
    with pytest.raises(JournalError):
        for record in read_journal(path):
            found.append(record)
    assert found == [b"row %d" % number for number in range(1499)]


def test_two_rows_that_changed_places_show(path: Path) -> None:
    tamper(
        path,
        "UPDATE record SET seq = -1 WHERE seq = 10",
        "UPDATE record SET seq = 10 WHERE seq = 11",
        "UPDATE record SET seq = 11 WHERE seq = -1",
    )
    with pytest.raises(JournalError) as caught:
        list(read_journal(path))
    assert caught.value.sequence == 10


def test_a_tail_cut_shows_in_a_copy_of_the_file_alone(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    copy.write_bytes(path.read_bytes())
    tamper(copy, "DELETE FROM record WHERE seq > 2000")
    for attempt in (lambda: list(read_journal(copy)), lambda: SQLiteStore(copy)):
        with pytest.raises(JournalError, match="cut off") as caught:
            attempt()
        assert caught.value.sequence == 2001


def test_a_tail_cut_below_the_last_opening_shows(path: Path) -> None:
    tamper(path, "DELETE FROM record WHERE seq > 1000", NAME_LAST)
    with pytest.raises(JournalError, match="cut off") as caught:
        list(read_journal(path))
    assert caught.value.sequence == 1001


def test_a_tail_cut_above_it_shows_only_by_a_head_kept_elsewhere(path: Path) -> None:
    """The stated bound of the chain: without the kept head nothing shows (tests/journal/test_head.py)."""
    tamper(path, "DELETE FROM record WHERE seq > 2000", NAME_LAST)
    assert len(list(read_journal(path))) == 2000
    with pytest.raises(JournalError) as caught:
        verify_journal(path)
    assert caught.value.sequence == 2001


def test_a_copy_chained_anew_shows_by_what_the_openings_kept(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        (identity,) = database.execute("SELECT identity FROM journal").fetchone()
        rows = [payload for (payload,) in database.execute("SELECT payload FROM record ORDER BY seq")]
    rows[99] = b"a nicer trade"
    link = sha256(identity).digest()
    links = [link := sha256(link + payload).digest() for payload in rows]
    changes = [
        f"UPDATE record SET payload = x'{payload.hex()}', link = x'{link.hex()}' WHERE seq = {seq}"
        for seq, (payload, link) in enumerate(zip(rows, links, strict=True), 1)
        if seq >= 100
    ]
    tamper(path, *changes)
    with pytest.raises(JournalError, match="a writer found") as caught:
        list(read_journal(path))
    assert caught.value.sequence == 1250


def test_a_bad_last_row_stops_the_writer(path: Path) -> None:
    tamper(path, "UPDATE record SET payload = x'00' WHERE seq = 2500")
    with pytest.raises(JournalError) as caught:
        SQLiteStore(path)
    assert (caught.value.kind, caught.value.sequence) == ("corrupt", 2500)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: _scribble(data)])
def test_a_damaged_file_is_called_corrupt(path: Path, damage: Callable[[bytes], bytes]) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(JournalError) as caught:
        list(read_journal(path))
    assert caught.value.kind == "corrupt"


def _scribble(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 20_000 + data[middle + 20_000 :]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET payload = x'00' WHERE seq = 1",
        "DELETE FROM record WHERE seq = 2500",
        "DELETE FROM record",
        "INSERT OR REPLACE INTO record VALUES (1, x'00', zeroblob(32))",
        "INSERT INTO record VALUES (9999, x'00', zeroblob(32))",
        "INSERT INTO record VALUES (-1, x'00', zeroblob(32))",
        "INSERT INTO record VALUES (NULL, x'00', zeroblob(32)), (NULL, x'00', zeroblob(32))",
        "INSERT INTO record VALUES (2501, 'a text', zeroblob(32))",
        "INSERT INTO record VALUES (2501, x'00', zeroblob(31))",
        "UPDATE journal SET identity = zeroblob(16)",
        "INSERT OR REPLACE INTO journal VALUES (1, zeroblob(16))",
        "DELETE FROM opening",
        "DELETE FROM newest",
        "UPDATE newest SET seq = 100",
        "UPDATE opening SET pid = 1",
    ],
)
def test_the_file_itself_refuses_all_but_the_next_row(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, pytest.raises(sqlite3.IntegrityError):
        database.execute(statement)
    assert len(list(read_journal(path))) == ROWS
