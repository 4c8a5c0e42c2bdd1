"""`tws verify` on a journal that a demo wrote: whole, tampered with in each way, and files that are none."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.journal.test_chain import NAME_LAST, tamper
from tests.journal.test_head import chain_anew

from tws.demo import DemoOptions, run_demo
from tws.journal import read_journal, verify_journal
from tws.journal.headfile import head_path


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A short day's journal, and the head that its report told."""
    path = tmp_path_factory.mktemp("demo") / "journal.sqlite3"
    report = asyncio.run(run_demo(DemoOptions(symbols=("CVNA",), last_minutes=15, journal=path)))
    return path, report.head


@pytest.fixture
def demo(day: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of it, the head file beside it."""
    copy = tmp_path / "journal.sqlite3"
    for source in day[0].parent.glob("journal.sqlite3*"):
        shutil.copy(source, tmp_path / source.name)
    return copy


def test_a_demos_journal_is_whole_by_the_head_of_its_report(
    demo: Path, day: tuple[Path, str], call: Call
) -> None:
    code, answer = call.json("verify", "--journal", demo, "--head", day[1])
    assert (code, answer["whole"], answer["head"]) == (0, True, day[1])
    (session,) = answer["sessions"]
    assert session["row"] == 1 and len(session["code"]) == len(session["configuration"]) == 16
    code, out = call("verify", "--journal", demo)
    assert f"code {session['code']}, configuration {session['configuration']}" in out


def altered(path: Path) -> None:
    nicer = "CAST(replace(CAST(payload AS TEXT), '1', '2') AS BLOB)"
    tamper(path, f"UPDATE record SET payload = {nicer} WHERE seq = 12")


def missing(path: Path) -> None:
    tamper(path, "DELETE FROM record WHERE seq = 12")


def reordered(path: Path) -> None:
    tamper(path, "UPDATE record SET seq = -1 WHERE seq = 12", "UPDATE record SET seq = 12 WHERE seq = 13",
           "UPDATE record SET seq = 13 WHERE seq = -1")  # fmt: skip


def cut(path: Path) -> None:
    tamper(path, "DELETE FROM record WHERE seq >= 12", NAME_LAST)


def rechained(path: Path) -> None:
    rows = list(read_journal(path))
    version, _, body = rows[11].partition(b" ")
    rows[11] = version + b" " + body.replace(b"1", b"2", 1)
    chain_anew(path, rows)


@pytest.mark.parametrize("harm", [altered, missing, reordered, cut], ids=lambda each: each.__name__)
def test_each_way_of_tampering_is_1_and_names_the_row(
    demo: Path, call: Call, harm: Callable[[Path], None]
) -> None:
    harm(demo)
    code, answer = call.json("verify", "--journal", demo)
    assert (code, answer["whole"], answer["row"]) == (1, False, 12), answer
    code, out = call("verify", "--journal", demo)
    assert code == 1 and "row 12" in out and str(demo) in out, out


def test_a_copy_chained_anew_is_1_by_the_head_beside_it_and_by_that_of_the_report(
    demo: Path, day: tuple[Path, str], call: Call
) -> None:
    rechained(demo)
    code, out = call("verify", "--journal", demo)
    assert code == 1 and "the file beside it" in out, out
    head_path(demo).unlink()
    code, answer = call.json("verify", "--journal", demo)
    assert code == 0 and answer["notes"], "whoever rewrote both is not seen from here, and it says so"
    code, answer = call.json("verify", "--journal", demo, "--head", day[1])
    assert (code, answer["whole"]) == (1, False), "but by the head that the report told"


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE trades (price REAL)")


def later(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (foreign, "journal"),
        (lambda path: path.write_text("dear diary\n" * 999, encoding="utf-8"), "journal"),
        (lambda path: path.write_bytes(b""), "journal"),
        (lambda path: path.mkdir(), "director"),
        (lambda path: None, "no such"),
    ],
    ids=["foreign", "text", "empty", "folder", "none"],
)
@pytest.mark.parametrize("command", ["verify", "orders", "positions", "risk", "explain", "export"])
def test_what_is_no_journal_is_told_with_what_where_and_what_to_do(
    tmp_path: Path, call: Call, make: Callable[[Path], object], says: str, command: str
) -> None:
    path = tmp_path / "other.sqlite3"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    words = {"explain": ("t-1",), "export": ("--out", tmp_path / "out")}.get(command, ())
    code, out = call(command, *words, "--journal", path, "--state", tmp_path)
    assert code == 2 and str(path) in out and "Traceback" not in out, out
    assert len(out.strip().splitlines()) == 1, "one line"
    assert (path.read_bytes() if path.is_file() else None) == before, "it is left as it is"


def test_a_journal_of_a_later_program_names_both_versions(demo: Path, call: Call) -> None:
    later(demo)
    code, out = call("verify", "--journal", demo)
    assert code == 2 and "99" in out and "2" in out and str(demo) in out, out


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions as POSIX has them, and root has none"
)
def test_a_journal_that_may_not_be_read_is_told(demo: Path, call: Call) -> None:
    demo.chmod(0)
    code, out = call("verify", "--journal", demo)
    assert code == 2 and str(demo) in out, out


def test_the_journal_is_unharmed_by_being_proven(demo: Path, call: Call) -> None:
    before = verify_journal(demo).head
    assert call("verify", "--journal", demo)[0] == 0
    assert verify_journal(demo).head == before
