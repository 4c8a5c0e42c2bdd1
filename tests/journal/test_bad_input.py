"""Files that are no whole journal: each is named in one sentence that says what, where and what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tws.errors import JournalError
from tws.journal import SQLiteStore, read_journal, verify_journal

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed journal of some pages; its log is empty, all is in the one file."""
    path = tmp_path / "journal.sqlite3"
    with closing(SQLiteStore(path)) as store:
        store.append([b"row %d " % number * 20 for number in range(1, 2001)])
    assert not path.with_name(f"{path.name}-wal").exists()
    return path


def hurt(path: Path, change: Callable[[bytearray], bytes | bytearray]) -> None:
    path.write_bytes(change(bytearray(path.read_bytes())))


def scribbled(data: bytearray, page: int) -> bytearray:
    start = (page % (len(data) // PAGE)) * PAGE
    data[start : start + PAGE] = b"\xa5" * PAGE
    return data


@pytest.mark.parametrize("page", range(1, 120, 7))
def test_a_scribbled_page_is_never_read_as_records(path: Path, page: int) -> None:
    good = list(read_journal(path))
    hurt(path, lambda data: scribbled(data, page))
    found: list[bytes] = []
    with pytest.raises(JournalError) as caught:
        found.extend(read_journal(path))
    assert found == good[: len(found)]
    assert caught.value.kind == "corrupt"
    assert caught.value.cure in str(caught.value)
    with pytest.raises(JournalError):
        verify_journal(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[: len(data) - PAGE],
        lambda data: data[: len(data) - PAGE // 2],
        lambda data: data[: len(data) // 2],
        lambda data: data[: PAGE + 100],
        lambda data: data[:PAGE],
        lambda data: data[:100],
        lambda data: data[:50],
        lambda data: scribbled(data, -1),
        lambda data: data[: len(data) - PAGE] + bytes(PAGE),
    ],
)
def test_a_file_cut_short_is_neither_read_nor_written_on(
    path: Path, change: Callable[[bytearray], bytearray]
) -> None:
    hurt(path, change)
    for attempt in (lambda: verify_journal(path), lambda: SQLiteStore(path)):
        with pytest.raises(JournalError) as caught:
            attempt()
        assert caught.value.kind in ("corrupt", "foreign", "disk")
        assert str(path) in str(caught.value)
        assert caught.value.cure in str(caught.value)


def test_an_empty_file_is_no_journal_to_read_and_a_new_one_to_write(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.touch()
    for attempt in (lambda: list(read_journal(path)), lambda: verify_journal(path)):
        with pytest.raises(JournalError, match="it is empty") as caught:
            attempt()
        assert caught.value.kind == "foreign"
    SQLiteStore(path).close()
    assert verify_journal(path).records == 0


def test_an_empty_file_in_the_place_of_a_journal_that_was_is_not_written_on(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(JournalError, match="the end was cut off") as caught:
        SQLiteStore(path)
    assert caught.value.kind == "corrupt"


@pytest.mark.parametrize("name", ["journal", "record", "opening"])
def test_a_journal_without_one_of_its_tables_is_named(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"DROP TABLE {name}")
    for attempt in (lambda: verify_journal(path), lambda: SQLiteStore(path)):
        with pytest.raises(JournalError) as caught:
            attempt()
        assert caught.value.kind == "corrupt"


@pytest.mark.parametrize("statement", ["DELETE FROM journal", "UPDATE journal SET identity = 'a text'"])
def test_a_journal_without_its_identity_is_named(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
        database.commit()
    with pytest.raises(JournalError) as caught:
        verify_journal(path)
    assert caught.value.kind == "corrupt"


async def test_a_disk_that_is_full_at_the_opening_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with pytest.raises(JournalError, match="full") as caught:
        SQLiteStore(path, page_limit=2)
    assert caught.value.kind == "full"
