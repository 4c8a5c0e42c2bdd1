"""The commands that read a journal: verify, explain, orders, positions, export; on one that a desk wrote."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.desk.conftest import Bench
from tests.journal.test_chain import tamper

from tws.journal import SQLiteStore, verify_journal
from tws.journal.headfile import head_path
from tws.platform import state_folder

# verify


def test_a_whole_journal_is_0_with_count_and_head(path: Path, call: Call, bench: Bench) -> None:
    head = str(verify_journal(path).head)
    code, out = call("verify", "--journal", path)
    assert code == 0
    assert f"{len(bench.rows)} records" in out
    assert head in out
    code, answer = call.json("verify", "--journal", path, "--head", head)
    assert (code, answer["whole"], answer["records"], answer["head"]) == (0, True, len(bench.rows), head)
    assert any("was named" in each for each in answer["held_against"])


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE record SET payload = x'00' WHERE seq = 17", 17),
        ("DELETE FROM record WHERE seq = 18", 18),
        ("DELETE FROM record WHERE seq > 20", 21),
    ],
)
def test_tampering_is_1_and_names_the_row(path: Path, call: Call, statement: str, row: int) -> None:
    tamper(path, statement)
    code, out = call("verify", "--journal", path)
    assert code == 1
    assert f"row {row} " in out
    code, answer = call.json("verify", "--journal", path)
    assert (code, answer["whole"], answer["row"]) == (1, False, row)


def test_a_row_of_nonsense_with_a_right_hash_is_1(path: Path, call: Call) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append([b"no record at all"])
        row = store.head.seq + 1
    code, answer = call.json("verify", "--journal", path)
    assert (code, answer["row"]) == (1, row)


def test_a_head_of_elsewhere_in_a_file(path: Path, call: Call, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(f"{verify_journal(path).head}\n", encoding="utf-8")
    assert call("verify", "--journal", path, "--head", kept)[0] == 0
    assert call("verify", "--journal", path, "--head", head_path(path))[0] == 0
    assert call("verify", "--journal", path, "--head", "1:" + "0" * 64)[0] == 1
    code, out = call("verify", "--journal", path, "--head", "nonsense")
    assert code == 2
    assert "<row>:<hash>" in out


def test_what_is_no_journal_is_2(path: Path, call: Call, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE trades (price REAL)")
    for file in (other, tmp_path / "none.sqlite3"):
        for command in (["verify"], ["orders"], ["positions"], ["explain", "t-1"]):
            code, out = call(*command, "--journal", file)
            assert code == 2, command
            assert str(file) in out


# which journal


def test_without_a_name_the_only_one_in_the_state_folder_is_read(
    path: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HOME", "LOCALAPPDATA", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    folder = state_folder()
    folder.mkdir(parents=True)
    code, out = call("verify")
    assert code == 2
    assert "Name one with --journal FILE" in out
    for suffix in ("", "-head"):
        Path(f"{path}{suffix}").rename(folder / f"journal-7497-account-1.sqlite3{suffix}")
    assert call("verify")[0] == 0
    SQLiteStore(folder / "journal-7497-account-2.sqlite3").close()
    code, out = call("verify")
    assert code == 2
    assert "journal-7497-account-2.sqlite3" in out


# explain


def test_an_orders_life_is_told(path: Path, call: Call) -> None:
    code, out = call("explain", "t-1", "--journal", path)
    assert code == 0
    assert "We meant to place t-1, the entry of trade t-1" in out
    assert "t-1 ended filled, 100 of 100 filled" in out
    assert "max_order_quantity 100 of 10000, stale_quote_s 0 of" in out, "what it was approved by"
    assert "2023-11-14 (UTC)" in out
    code, answer = call.json("explain", "t-1", "--trade", "--journal", path)
    assert len(answer["ends"]) == 3
    assert answer["sentences"][0]["at"].startswith("2023-11-14T22:13:20")


def test_an_order_is_found_by_each_of_its_names(path: Path, call: Call, bench: Bench) -> None:
    order = bench.desk.state.book.orders["t-1"]
    (perm,) = order.perms
    told = call("explain", "t-1", "--journal", path)
    for name in (order.order_id, perm):
        assert call("explain", name, "--journal", path) == told
    code, answer = call.json("explain", perm + 1_000_000, "--journal", path)
    assert code == 1 and answer["sentences"] == []


def test_a_denied_signal_is_told(path: Path, call: Call) -> None:
    code, out = call("explain", "greedy", "--journal", path)
    assert code == 0
    assert "No order came of it" in out


def test_a_name_that_nobody_bears_is_1(path: Path, call: Call) -> None:
    code, out = call("explain", "t-99", "--journal", path)
    assert code == 1
    assert "knows no order" in out
    assert "near it: t-9" in out, "a slip of the finger is answered with what is near"
    assert call.json("explain", "t-99", "--journal", path)[0] == 1


# the books


def test_orders_that_may_act_and_all_of_them(path: Path, call: Call, bench: Bench) -> None:
    code, answer = call.json("orders", "--journal", path)
    assert code == 0
    assert {row["intent"] for row in answer["orders"]} == set(bench.desk.state.book.alive)
    code, answer = call.json("orders", "--all", "--journal", path)
    assert [row["intent"] for row in answer["orders"]] == list(bench.desk.state.book.orders)
    assert answer["head"] == str(verify_journal(path).head)
    code, out = call("orders", "--all", "--journal", path)
    assert "t-1" in out and "filled" in out


def test_positions_in_two_books(path: Path, call: Call) -> None:
    code, answer = call.json("positions", "--journal", path)
    assert code == 0
    (row,) = answer["positions"]
    assert (row["symbol"], row["ours"], row["account's"], row["price"]) == ("AAPL", "50", "50", "100.01")
    code, answer = call.json("positions", "--all", "--journal", path)
    done = next(row for row in answer["positions"] if row["symbol"] == "SPY")
    assert (done["ours"], done["realized"], done["fees"], done["net"]) == ("0", "399", "2", "397")
    code, out = call("positions", "--journal", path)
    assert "AAPL" in out and "records, head" in out


# export


def test_every_record_is_in_its_table_exactly(path: Path, call: Call, bench: Bench, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "tables"
    code, answer = call.json("export", "--journal", path, "--out", out)
    assert code == 0
    assert sum(each["rows"] for each in answer["files"]) == len(bench.rows)
    table = parquet.read_table(out / "booked.parquet")
    booked = [each for each in bench.all_records if type(each).__name__ == "Booked"]
    assert table.column("execution_price").to_pylist() == [each.execution.price for each in booked]
    assert table.column("execution_quantity").to_pylist() == [each.execution.quantity for each in booked]
    assert str(table.schema.field("execution_price").type) == "decimal128(38, 2)"
    assert str(table.schema.field("at").type) == "timestamp[ns, tz=UTC]"
    assert table.column("execution_contract_symbol").to_pylist() == [
        each.execution.contract.symbol for each in booked
    ]
    assert table.schema.metadata[b"tws.journal.head"].decode() == str(verify_journal(path).head)
    rows = [
        row for file in out.glob("*.parquet") for row in parquet.read_table(file).column("row").to_pylist()
    ]
    assert sorted(rows) == list(range(1, len(bench.rows) + 1))
    assert not list(out.glob("*.tmp"))


def test_without_the_extra_the_pip_line_is_told(
    path: Path, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, out = call("export", "--journal", path, "--out", tmp_path / "tables")
    assert code == 2
    assert "pip install 'tws-trading-framework[parquet]'" in out
    assert not (tmp_path / "tables").exists()


def test_a_journal_that_is_not_whole_replaces_no_table(path: Path, call: Call, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    out = tmp_path / "tables"
    assert call("export", "--journal", path, "--out", out)[0] == 0
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    tamper(path, "UPDATE record SET payload = x'00' WHERE seq = 17")
    assert call("export", "--journal", path, "--out", out)[0] == 2
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
