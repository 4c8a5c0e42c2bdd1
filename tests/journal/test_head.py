"""The head beside the journal: it follows every commit, and what it knows can't be taken out unseen."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from tests.journal.test_chain import NAME_LAST, tamper

from tws.errors import JournalError
from tws.journal import Head, SQLiteStore, verify_journal
from tws.journal.headfile import HeadFile, head_path, read_head


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed journal of a hundred rows."""
    path = tmp_path / "journal.sqlite3"
    with closing(SQLiteStore(path)) as store:
        store.append([b"row %d" % number for number in range(100)])
    return path


def chain_anew(path: Path, rows: list[bytes]) -> None:
    """Replace all rows, links and openings, as someone does who knows how the chain is made."""
    with closing(sqlite3.connect(path)) as database:
        (identity,) = database.execute("SELECT identity FROM journal").fetchone()
    link = sha256(identity).digest()
    inserts = []
    for seq, payload in enumerate(rows, 1):
        link = sha256(link + payload).digest()
        inserts.append(f"INSERT INTO record VALUES ({seq}, x'{payload.hex()}', x'{link.hex()}')")
    tamper(path, "DELETE FROM record", *inserts, NAME_LAST)


async def test_it_follows_each_commit(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(SQLiteStore(path)) as store:
        assert read_head(head_path(path)) == store.head
        for number in range(5):
            store.append([b"%d" % number])
            await store.commit()
            assert store.head.seq == number + 1
            async with asyncio.timeout(10):  # it is written when nobody waits for the commit any more
                while read_head(head_path(path)) != store.head:  # noqa: ASYNC110 - no event tells of it
                    await asyncio.sleep(0.001)
    assert verify_journal(path).head == read_head(head_path(path))


def test_a_line_that_was_cut_short_leaves_the_other_one(tmp_path: Path) -> None:
    path = tmp_path / "head"
    older, newer = Head(7, b"\7" * 32), Head(8, b"\x08" * 32)
    file = HeadFile(path, older)
    file.write(newer)
    file.close()
    data = path.read_bytes()
    assert read_head(path) == newer
    at = data.index(b"8:")
    for kept in (0, 3, 40, 80):
        torn = bytearray(data)
        torn[at + kept : at + 128] = bytes(128 - kept)
        path.write_bytes(torn)
        assert read_head(path) == older
    path.write_bytes(data.replace(newer.link.hex().encode(), b"f" * 64))
    assert read_head(path) == older
    path.write_bytes(b"nonsense")
    assert read_head(path) is None


def test_a_tail_cut_off_shows_although_the_openings_were_cleaned(path: Path) -> None:
    tamper(path, "DELETE FROM record WHERE seq > 60", NAME_LAST)
    with pytest.raises(JournalError, match="cut off: row 100 was once written") as caught:
        verify_journal(path)
    assert (caught.value.kind, caught.value.sequence) == ("corrupt", 61)


def test_nobody_writes_on_after_a_cut(path: Path) -> None:
    tamper(path, "DELETE FROM record WHERE seq > 60", NAME_LAST)
    with pytest.raises(JournalError, match="the end was cut off") as caught:
        SQLiteStore(path)
    assert (caught.value.kind, caught.value.sequence) == ("corrupt", 61)
    head_path(path).unlink()  # the way back that the error names
    SQLiteStore(path).close()


def test_a_copy_chained_anew_shows(path: Path) -> None:
    chain_anew(path, [b"a nicer row %d" % number for number in range(100)])
    with pytest.raises(JournalError, match="the file beside it keeps") as caught:
        verify_journal(path)
    assert caught.value.sequence == 100
    with pytest.raises(JournalError, match="computed anew"):
        SQLiteStore(path)


def test_a_journal_put_back_from_an_older_copy_is_not_written_on(path: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.sqlite3"
    shutil.copy(path, older)
    with closing(SQLiteStore(path)) as store:
        store.append([b"an order"])
    shutil.copy(older, path)
    with pytest.raises(JournalError, match=r"names row 101.*take that file away and reconcile"):
        SQLiteStore(path)


def test_whoever_rewrites_both_files_is_caught_by_a_head_from_elsewhere(path: Path) -> None:
    kept = str(verify_journal(path).head)
    chain_anew(path, [b"a nicer row %d" % number for number in range(100)])
    head_path(path).unlink()
    assert verify_journal(path).records == 100
    for head in (kept, kept.partition(":")[2]):
        with pytest.raises(JournalError) as caught:
            verify_journal(path, head)
        assert caught.value.kind == "corrupt"


def test_a_journal_that_grew_still_fits_its_older_heads(path: Path, tmp_path: Path) -> None:
    kept = verify_journal(path).head
    copy = tmp_path / "kept-head"
    shutil.copy(head_path(path), copy)
    with closing(SQLiteStore(path)) as store:
        store.append([b"more"])
    for head in (str(kept), kept.link.hex(), str(copy)):
        assert verify_journal(path, head).records == 101


def test_without_the_file_the_proof_says_what_it_does_not_reach(path: Path) -> None:
    assert verify_journal(path).notes == ()
    head_path(path).unlink()
    (note,) = verify_journal(path).notes
    assert "an end cut off" in note


def test_triggers_that_are_gone_are_told(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER record_no_update")
    (note,) = verify_journal(path).notes
    assert "record_no_update" in note


def test_a_head_that_can_no_longer_be_written_stops_no_commit(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(SQLiteStore(path)) as store:
        store.append([b"one"])
    store = SQLiteStore(path)
    try:
        beside = head_path(path)
        beside.unlink()  # what the writer has open goes nowhere now; on Windows this line fails
    except PermissionError:
        pytest.skip("this system does not let go of a file in use")
    store.append([b"two"])
    store.close()
    assert verify_journal(path).records == 2


@pytest.mark.parametrize(
    "text", ["", "12", "x:" + "0" * 64, "1:" + "0" * 63, "1:" + "g" * 64, "-1:" + "0" * 64]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"head|hexadecimal"):
        Head.parse(text)
    head = Head(12, bytes(range(32)))
    assert Head.parse(str(head)) == head
