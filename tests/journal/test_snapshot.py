"""Snapshots: with one and the tail the desk is what it is without; one that does not fit is left aside."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.desk.conftest import Bench
from tests.desk.test_replay import _play, events

from tws.desk import Desk
from tws.errors import DataError
from tws.journal import Head, SQLiteStore, keep_at_end, recover, recover_file, recovery, snapshot
from tws.journal.snapshot import read_snapshot, snapshot_path, write_snapshot
from tws.model.records import Approved, Moved, OrderState, decode_records, encode_record
from tws.model.signalrecords import SignalJudged
from tws.risk import Gate, Limits


def new_desk() -> Desk:
    return Desk(Gate(Limits()))


def trading_day(trades: int = 3) -> list[bytes]:
    """The records of a few brackets that were filled, stopped, cancelled, and a lost link."""
    bench = Bench()
    bench.begin()
    for number in range(trades):
        trade = bench.enter(signal=f"s{number}")
        bench.work(trade)
        bench.fill(trade.entry, 60)
        bench.fill(trade.entry, 40)
        bench.fill(trade.stop if number % 2 else trade.target, 100, "103.5")
    bench.enter()
    bench.drop()
    bench.connect()
    return bench.rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite3"
    with closing(SQLiteStore(path)) as store:
        store.append(trading_day())
    return path


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot is worth its writing after ten rows here."""
    monkeypatch.setattr(recovery, "SNAPSHOT_ROWS", 10)


def recovered(path: Path) -> tuple[Desk, Any]:
    desk = new_desk()
    with closing(SQLiteStore(path)) as store:
        return desk, recover(desk, store)


def without(path: Path) -> Desk:
    desk = new_desk()
    assert recover_file(desk, path, use_snapshot=False).snapshot == 0
    return desk


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(script=st.lists(events, max_size=30), part=st.floats(0, 1))
def test_snapshot_and_tail_make_what_the_whole_makes(
    tmp_path_factory: pytest.TempPathFactory, script: list[Any], part: float
) -> None:
    bench = Bench()
    bench.begin()
    for step in script:
        _play(bench, *step)
    cut = round(part * len(bench.rows))
    begun = new_desk()
    begun.recover(decode_records(bench.rows[:cut]))
    file = tmp_path_factory.mktemp("snapshot") / "snapshot"
    write_snapshot(file, Head(cut, bytes(32)), begun.state)
    found = read_snapshot(file)
    assert isinstance(found, snapshot.Snapshot)
    assert found.head.seq == cut
    assert found.state == begun.state
    again = Desk(Gate(Limits()), state=found.state)
    again.recover(decode_records(bench.rows[cut:]))
    assert again.state == bench.desk.state


def test_at_every_row_of_a_day_snapshot_and_tail_make_what_the_whole_makes(tmp_path: Path) -> None:
    """Every row, since what goes wrong with a tail is a matter of single rows: a fee right after its fill."""
    rows = trading_day()
    file = tmp_path / "snapshot"
    whole = new_desk()
    whole.recover(decode_records(rows))
    begun = new_desk()
    for cut, row in enumerate(rows, 1):
        begun.recover(decode_records([row]))
        write_snapshot(file, Head(cut, bytes(32)), begun.state)
        found = read_snapshot(file)
        assert isinstance(found, snapshot.Snapshot)
        again = Desk(Gate(Limits()), state=found.state)
        again.recover(decode_records(rows[cut:]))
        assert again.state == whole.state, f"a snapshot of row {cut}"


def test_what_is_one_object_in_the_state_is_one_in_a_snapshot(tmp_path: Path) -> None:
    """A value that may be changed and is reached by two ways must not become two values."""
    begun = new_desk()
    begun.recover(decode_records(trading_day()))
    write_snapshot(tmp_path / "snapshot", Head(1, bytes(32)), begun.state)
    found = read_snapshot(tmp_path / "snapshot")
    assert isinstance(found, snapshot.Snapshot)
    joined = shared(begun.state)
    assert joined, "the book of positions has such values today; else this test can go"
    assert shared(found.state) == joined


def shared(state: object) -> list[set[str]]:
    """The ways to each value that may be changed and that is reached by more than one."""
    ways: dict[int, set[str]] = {}

    def walk(value: object, way: str) -> None:
        if isinstance(value, msgspec.Struct):
            if not value.__struct_config__.frozen:
                ways.setdefault(id(value), set()).add(way)
            for name in value.__struct_fields__:
                walk(getattr(value, name), f"{way}.{name}")
        elif isinstance(value, dict):
            for key, each in value.items():
                walk(each, f"{way}[{key}]")
        elif isinstance(value, list | tuple):
            for number, each in enumerate(value):
                walk(each, f"{way}[{number}]")

    walk(state, "")
    return sorted((each for each in ways.values() if len(each) > 1), key=sorted)


def test_a_long_replay_keeps_one_and_the_next_start_uses_it(path: Path) -> None:
    first, told = recovered(path)
    assert told.rows == told.replayed == told.snapshot > 100
    second, told = recovered(path)
    assert (told.replayed, told.snapshot, told.doubt) == (0, told.rows, "")
    assert second.state == first.state == without(path).state
    assert told.head == recover_file(new_desk(), path, use_snapshot=False).head


def test_the_tail_is_replayed_on_top(path: Path) -> None:
    recovered(path)
    bench = Bench()
    bench.begin()
    with closing(SQLiteStore(path)) as store:
        store.append(bench.rows[:5])
    desk, told = recovered(path)
    assert told.replayed == 5
    assert desk.state == without(path).state


def test_an_orderly_end_keeps_one(path: Path) -> None:
    desk = new_desk()
    store = SQLiteStore(path)
    begun = recover(desk, store)
    more = trading_day()
    store.append(more)
    desk.recover(decode_records(more))
    store.close()
    keep_at_end(desk, store, begun, len(more))
    again, told = recovered(path)
    assert told.snapshot == begun.rows + len(more)
    assert told.replayed == 0
    assert again.state == desk.state == without(path).state


def test_no_end_keeps_one_whose_rows_are_not_all_its_own(path: Path) -> None:
    desk = new_desk()
    store = SQLiteStore(path)
    begun = recover(desk, store)
    store.append(trading_day())
    store.close()
    keep_at_end(desk, store, begun, 7)  # somebody else wrote more than the desk knows
    _, told = recovered(path)
    assert told.replayed > 0


def _other_journal(path: Path) -> None:
    path.unlink()
    path.with_name(f"{path.name}-head").unlink()
    with closing(SQLiteStore(path)) as store:
        store.append(trading_day())


def _shorter_journal(path: Path) -> None:
    path.unlink()
    path.with_name(f"{path.name}-head").unlink()
    with closing(SQLiteStore(path)) as store:
        store.append(trading_day()[:20])


def _scribble(path: Path) -> None:
    data = bytearray(snapshot_path(path).read_bytes())
    data[len(data) // 2] ^= 1
    snapshot_path(path).write_bytes(data)


def _halve(path: Path) -> None:
    data = snapshot_path(path).read_bytes()
    snapshot_path(path).write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("harm", "doubt"),
    [
        (_other_journal, "is not the one that it names"),
        (_shorter_journal, "is not the one that it names"),
        (_scribble, "not what was written"),
        (_halve, "not what was written"),
        (lambda path: snapshot_path(path).write_bytes(b""), "no snapshot of ours"),
        (lambda path: snapshot_path(path).write_bytes(b"\xff" * 300), "no snapshot of ours"),
    ],
)
def test_one_that_does_not_fit_is_left_aside(
    path: Path, harm: Any, doubt: str, caplog: pytest.LogCaptureFixture
) -> None:
    recovered(path)
    harm(path)
    desk = new_desk()
    told = recover_file(desk, path)
    assert doubt in told.doubt
    assert told.replayed == told.rows > 0
    assert desk.state == without(path).state
    assert "left aside" in caplog.text


def test_one_of_other_code_is_left_aside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recovered(path)
    monkeypatch.setattr(snapshot, "code_mark", lambda: "other")
    told = recover_file(new_desk(), path)
    assert "another version" in told.doubt
    assert told.replayed == told.rows


def test_a_disk_that_takes_none_stops_nothing(path: Path) -> None:
    snapshot_path(path).with_name(f"{snapshot_path(path).name}.tmp").mkdir()
    desk, told = recovered(path)
    assert told.snapshot == 0
    assert desk.state == without(path).state


def test_a_number_that_no_snapshot_can_say_stops_nothing(path: Path) -> None:
    """A signal of the year 2999, in a journal that was written when its time was still kept."""
    row = SignalJudged(at_ns=1, source="api", signal_id="a", symbol="SPY", passed=False, signal_ns=2**65)
    with closing(SQLiteStore(path)) as store:
        store.append([encode_record(row)])
    desk, told = recovered(path)
    assert told.snapshot == 0 and desk.state.judged
    assert not snapshot_path(path).exists()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (b"nonsense", "record version"),
        (b'1 {"is":"nonsense","at_ns":1}', "no record"),
        (
            encode_record(
                Moved(
                    at_ns=1, intent_id="t-9999", event="ack", before=OrderState.SENT, state=OrderState.WORKING
                )
            ),
            "does not follow from those before",
        ),
    ],
)
def test_a_row_of_nonsense_is_named(path: Path, row: bytes, says: str) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append([row, encode_record(Approved(at_ns=1, intent_id="t-1", order_id=1))])
    with closing(SQLiteStore(path)) as store:
        number = store.head.seq - 1
        with pytest.raises(DataError, match=says) as caught:
            recover(new_desk(), store)
    assert caught.value.line == number
    assert "report this row" in str(caught.value) or "read it with the newer one" in str(caught.value)
