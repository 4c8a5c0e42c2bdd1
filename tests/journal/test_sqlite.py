"""The store on SQLite: what a commit promises, what a second writer hears, what a bad file is called."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tws.errors import JournalError
from tws.journal import SQLiteStore, read_journal, sqlite
from tws.journal.file import JournalFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite3"


def fill(path: Path, *records: bytes) -> None:
    """A closed journal with these records."""
    with closing(SQLiteStore(path)) as store:
        store.append(records)


def payloads(count: int) -> list[bytes]:
    return [f"record {number}".encode() for number in range(1, count + 1)]


async def test_a_commit_makes_what_was_appended_durable_in_order(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append([b"one", b""])
        store.append([bytes(range(256))])
        await store.commit()
        assert list(store.read()) == [b"one", b"", bytes(range(256))]
        assert store.head.seq == 3
    assert list(read_journal(path)) == [b"one", b"", bytes(range(256))]


async def test_nothing_is_durable_before_the_commit(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append([b"one"])
        assert list(store.read()) == []
        await store.commit()
        assert list(store.read()) == [b"one"]


async def test_a_second_life_goes_on_where_the_first_ended(path: Path) -> None:
    fill(path, b"one")
    with closing(SQLiteStore(path)) as store:
        assert list(store.read()) == [b"one"]
        store.append([b"two"])
        await store.commit()
        assert list(store.read()) == [b"one", b"two"]


async def test_many_commits_share_a_transaction(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        waits = []
        for record in payloads(500):
            store.append([record])
            waits.append(store.commit())
        await asyncio.gather(*waits)
        assert list(store.read()) == payloads(500)
        assert store.transactions < 250  # the loop makes hundreds while the disk syncs once


async def test_a_commit_covers_everything_before_it_even_when_its_waiter_is_gone(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append([b"one"])
        store.commit().cancel()
        store.append([b"two"])
        await store.commit()
        assert list(store.read()) == [b"one", b"two"]


async def test_an_append_is_whole_or_absent_and_a_commit_without_one_is_quick(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        await store.commit()
        assert store.transactions == 0
        store.append([])
        await store.commit()
        assert store.transactions == 0


def test_commits_complete_on_the_loop_that_asked(path: Path) -> None:
    """Two loops on two threads share one store; each future completes on its own thread."""
    seen: dict[int, int] = {}
    store = SQLiteStore(path)

    async def work(number: int) -> None:
        for _ in range(20):
            store.append([b"%d" % number])
            future = store.commit()
            future.add_done_callback(lambda _: seen.__setitem__(number, threading.get_ident()))
            await future

    threads = [threading.Thread(target=lambda n=n: asyncio.run(work(n))) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert seen == {number: thread.ident for number, thread in enumerate(threads)}
    assert sorted(read_journal(path)) == [b"0"] * 20 + [b"1"] * 20


def test_close_commits_what_was_appended_and_may_be_repeated(path: Path) -> None:
    store = SQLiteStore(path)
    store.append([b"last words"])
    store.close()
    store.close()
    assert list(read_journal(path)) == [b"last words"]
    with pytest.raises(JournalError) as caught:
        store.append([b"too late"])
    assert caught.value.kind == "closed"


async def test_a_closed_store_refuses_a_commit(path: Path) -> None:
    store = SQLiteStore(path)
    store.close()
    with pytest.raises(JournalError) as caught:
        await store.commit()
    assert caught.value.kind == "closed"


def test_the_backlog_is_bounded(path: Path) -> None:
    with closing(SQLiteStore(path, backlog_bytes=10_000)) as store:
        store.append([b"x" * 9_000])
        with pytest.raises(JournalError) as caught:
            store.append([b"x" * 1_000])
        assert caught.value.kind == "backlog"
    assert list(read_journal(path)) == [b"x" * 9_000]


async def test_the_bound_is_free_again_after_a_commit(path: Path) -> None:
    with closing(SQLiteStore(path, backlog_bytes=10_000)) as store:
        for _ in range(5):
            store.append([b"x" * 9_000])
            await store.commit()


def test_durability_settings(path: Path) -> None:
    """What SQLite itself says about the connection that writes."""
    file = JournalFile(path)
    try:
        asked = {
            name: file._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync")
        }
    finally:
        file.close()
    assert asked == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "checkpoint_fullfsync": 1}


# A second writer


def test_a_second_writer_is_refused_by_name_and_a_reader_is_not(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append([b"one"])
        with pytest.raises(JournalError, match=f"process {os.getpid()} on ") as caught:
            SQLiteStore(path)
        assert caught.value.kind == "locked"
        assert list(read_journal(path)) == []
    SQLiteStore(path).close()


HOLDER = """
import sys
from tws.journal import SQLiteStore
store = SQLiteStore(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_a_writer_in_another_process_is_named_and_its_death_frees_the_lock(path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"open"
        with pytest.raises(JournalError, match=f"process {child.pid} on ") as caught:
            SQLiteStore(path)
        assert caught.value.kind == "locked"
    finally:
        child.kill()
        child.communicate()
    SQLiteStore(path).close()


# Failures


async def test_a_full_file_fails_the_commit_and_all_later_ones(path: Path) -> None:
    store = SQLiteStore(path, page_limit=20)
    store.append([b"small"])
    await store.commit()
    store.append([b"x" * 200_000])
    with pytest.raises(JournalError) as caught:
        await store.commit()
    assert caught.value.kind == "full"
    with pytest.raises(JournalError) as caught:
        store.append([b"more"])
    assert caught.value.kind == "full"
    with pytest.raises(JournalError) as caught:
        await store.commit()
    assert caught.value.kind == "full"
    # What was appended is lost, so closing may not pass in silence.
    with pytest.raises(JournalError) as caught:
        store.close()
    assert caught.value.kind == "full"
    assert list(read_journal(path)) == [b"small"]
    with closing(SQLiteStore(path)) as again:
        again.append([b"after"])
        await again.commit()
    assert list(read_journal(path)) == [b"small", b"after"]


async def test_everyone_who_waits_hears_of_a_failure(path: Path) -> None:
    store = SQLiteStore(path, page_limit=20)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")  # the writer waits for this one
        store.append([b"x" * 200_000])
        waits = [store.commit()]
        await asyncio.sleep(0.1)
        for _ in range(3):  # these come while it is under way
            store.append([b"small"])
            waits.append(store.commit())
        assert not any(wait.done() for wait in waits)
        holder.execute("ROLLBACK")
    results = await asyncio.gather(*waits, return_exceptions=True)
    assert [getattr(result, "kind", result) for result in results] == ["full"] * 4
    with pytest.raises(JournalError):
        store.close()


@pytest.mark.parametrize(
    "content", [b"plain text, no database", b"\0" * 5000, b"SQLite format 3\0 and then rubbish" * 400]
)
def test_a_file_that_is_no_journal_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for attempt in (lambda: SQLiteStore(path), lambda: list(read_journal(path))):
        with pytest.raises(JournalError) as caught:
            attempt()
        assert caught.value.kind in ("foreign", "corrupt")
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE trades (price REAL)")
    before = path.read_bytes()
    with pytest.raises(JournalError) as caught:
        SQLiteStore(path)
    assert caught.value.kind == "foreign"
    assert path.read_bytes() == before


def test_a_missing_file_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(JournalError) as caught:
        list(read_journal(path))
    assert caught.value.kind == "foreign"
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(JournalError) as caught:
        SQLiteStore(tmp_path / "state" / "journal.sqlite3")
    assert caught.value.kind == "unwritable"


def test_a_folder_in_the_place_of_the_file_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalError) as caught:
        SQLiteStore(path)
    assert caught.value.kind == "unwritable"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bit on folders for this")
def test_a_read_only_folder_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o500)
    try:
        if os.access(path.parent, os.W_OK):
            pytest.skip("this user (root) may write anywhere")
        with pytest.raises(JournalError) as caught:
            SQLiteStore(path)
        assert caught.value.kind == "unwritable"
    finally:
        path.parent.chmod(0o700)


async def test_the_log_has_its_full_length_before_the_first_commit(path: Path) -> None:
    """A commit that makes a file longer is slow; behind the last one the log holds nobody's record."""
    log = path.with_name(f"{path.name}-wal")
    with closing(SQLiteStore(path)) as store:
        length = log.stat().st_size
        store.append([bytes(100_000)])
        await store.commit()
        assert log.stat().st_size == length > 1000 * 4096
        assert list(read_journal(path)) == [bytes(100_000)]


async def test_the_log_is_folded_at_rest_and_by_no_commit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file takes the records over when nobody has asked for a while; none that waits is lost by it."""
    monkeypatch.setattr(sqlite, "_REST_S", 3600.0)
    with closing(SQLiteStore(path)) as store:
        for _ in range(100):  # 1300 pages, and SQLite by itself would begin after 1000
            store.append([b"x" * 50_000])
            await store.commit()
        before = path.stat().st_size
        assert before < 50_000
        monkeypatch.setattr(sqlite, "_REST_S", 0.01)
        await store.commit()
        store.append([b"waits"])
        async with asyncio.timeout(10):
            while path.stat().st_size == before:  # noqa: ASYNC110 - what is waited for sets no event
                await asyncio.sleep(0.01)
        await store.commit()
        assert list(store.read()) == [b"x" * 50_000] * 100 + [b"waits"]
