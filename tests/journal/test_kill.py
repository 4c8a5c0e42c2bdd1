"""Writing processes, killed at moments drawn by lot: what was acknowledged is there, in whole groups.

One journal goes through many lives. Each writes groups of seven numbered records and says aloud what was
acknowledged; it is killed in the middle of whatever it does: opening, writing, syncing, renaming.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tws.errors import JournalError
from tws.journal import SQLiteStore, read_journal, verify_journal

GROUP = 7
LIVES = 12

WRITER = """
import asyncio, sys
from tws.journal import SQLiteStore

async def main():
    store = SQLiteStore(sys.argv[1])
    number = store.head.seq
    print(number, flush=True)
    while True:
        group = [b"%d" % (number + i) for i in range(7)]
        number += 7
        store.append(group)
        await store.commit()
        print(number, flush=True)

asyncio.run(main())
"""


def life(path: Path, kill_after_s: float) -> int:
    """Let a process write for a while, kill it; the highest count that it said to be durable."""
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    first = child.stdout.readline()  # it is open; a kill before that is the business of the draws below zero
    time.sleep(max(0.0, kill_after_s))
    child.kill()
    rest, _ = child.communicate()
    lines = (first + rest).split(b"\n")[:-1]
    return int(lines[-1]) if lines else 0


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_acknowledged_survives_kills_at_any_moment(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "journal.sqlite3"
    rng = random.Random(seed)
    said = 0
    for _ in range(LIVES):
        said = max(said, life(path, rng.uniform(0, 0.15)))
        proof = verify_journal(path)
        assert proof.records >= said
        assert proof.notes == ()  # the head beside it is whole too
    found = list(read_journal(path))
    assert found == [b"%d" % number for number in range(len(found))]
    assert len(found) % GROUP == 0
    assert len(found) >= said > 0
    with closing(SQLiteStore(path)) as store:
        assert store.head.seq == len(found)


def test_it_can_be_proven_while_it_is_written(tmp_path: Path) -> None:
    """A reader in the midst of commits sees neither a cut end nor a broken row."""
    path = tmp_path / "journal.sqlite3"
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        counts = [verify_journal(path).records]
        end = time.monotonic() + 60
        while counts[-1] < counts[0] + 20 * GROUP and time.monotonic() < end:
            counts.append(verify_journal(path).records)
    finally:
        child.kill()
        child.communicate()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0], "it was written meanwhile"


def test_a_kill_while_it_opens_leaves_a_journal_that_opens(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    rng = random.Random(3)
    for _ in range(LIVES):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not path.exists() and child.poll() is None and time.monotonic() < end:
            pass  # no sleep: the moment that is wanted is shorter than one
        time.sleep(rng.uniform(0, 0.01))
        child.kill()
        child.wait()
        with closing(SQLiteStore(path)) as store:
            count = store.head.seq
        assert verify_journal(path).records == count
        for file in path.parent.iterdir():
            file.unlink()


def copy_of_a_running_journal(tmp_path: Path) -> tuple[Path, int]:
    """Database, log and head as a power cut would leave them, and how many records were acknowledged."""
    path, left = tmp_path / "journal.sqlite3", tmp_path / "left.sqlite3"
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    said = 0
    while said < 70:
        said = int(child.stdout.readline())
    child.kill()
    rest, _ = child.communicate()
    lines = rest.split(b"\n")[:-1]
    said = int(lines[-1]) if lines else said
    for suffix in ("", "-wal", "-head"):
        shutil.copy(f"{path}{suffix}", f"{left}{suffix}")
    return left, said


def test_a_last_page_torn_by_a_power_cut_was_never_acknowledged(tmp_path: Path) -> None:
    """What a write that was under way leaves in the log, half of a page, is not taken for a record."""
    path, said = copy_of_a_running_journal(tmp_path)
    log = path.with_name(f"{path.name}-wal")
    data = log.read_bytes().rstrip(b"\0")  # it has its full length from the start
    log.write_bytes(data + data[32 : 32 + 24 + 2000])  # a frame's header, and half of its page
    assert verify_journal(path).records >= said
    with closing(SQLiteStore(path)) as store:
        store.append([b"%d" % store.head.seq])
    found = list(read_journal(path))
    assert found == [b"%d" % number for number in range(len(found))]


def test_a_disk_that_lost_what_it_had_acknowledged_is_told(tmp_path: Path) -> None:
    """Such a journal no longer knows orders that were sent; nobody trades on it."""
    path, said = copy_of_a_running_journal(tmp_path)
    log = path.with_name(f"{path.name}-wal")
    data = log.read_bytes().rstrip(b"\0")
    log.write_bytes(data[: len(data) // 2])
    for attempt in (lambda: verify_journal(path), lambda: SQLiteStore(path)):
        with pytest.raises(JournalError, match="cut off") as caught:
            attempt()
        assert caught.value.kind == "corrupt"
        assert caught.value.sequence is not None
        assert caught.value.sequence <= said
