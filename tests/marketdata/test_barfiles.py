"""Files of bars: what is written is read to the bit, and what is no such file is named and put aside."""

from __future__ import annotations

import builtins
import multiprocessing
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tws.clock import NS_PER_S, to_ns
from tws.errors import MissingExtraError
from tws.marketdata.barfiles import BarFiles, Held, Series, slot_of
from tws.model.contract import Contract
from tws.model.market import Bar

pytest.importorskip("pyarrow")

S = NS_PER_S
SPY = Contract(con_id=756733, symbol="SPY")
SERIES = Series(contract=SPY, bar_size="10 secs")
DAY_NS = to_ns(datetime(2026, 11, 23, tzinfo=UTC))
SLOT = slot_of(DAY_NS + 40_000 * S, 10)


def bars(count: int, series: Series = SERIES) -> list[Bar]:
    return [
        Bar(time_ns=DAY_NS + place * 10 * S, seconds=series.seconds, open=0.1 + place, high=1.1 + place,
            low=place, close=place + 0.3, volume=0.7 * place, wap=None if place % 3 else place + 1 / 3,
            count=place)
        for place in range(count)
    ]  # fmt: skip


def held(count: int) -> Held:
    return Held(bars(count), DAY_NS + count * 10 * S)


@pytest.fixture
def files(tmp_path: Path) -> BarFiles:
    return BarFiles(tmp_path / "bars")


def test_what_is_written_is_read_to_the_bit(files: BarFiles) -> None:
    assert files.read(SERIES, SLOT) == Held([], DAY_NS)
    files.write(SERIES, SLOT, held(500))
    assert files.read(SERIES, SLOT) == held(500)
    path = files.folder / "756733-SPY" / "10-secs-TRADES-rth" / "2026-11-23.parquet"
    assert files.path(SERIES, SLOT) == path and not list(path.parent.glob("*.tmp"))


def test_a_day_without_bars_is_known_to_have_none(files: BarFiles) -> None:
    files.write(SERIES, SLOT, Held([], SLOT.end_ns))
    assert files.read(SERIES, SLOT) == Held([], SLOT.end_ns)


def test_day_bars_have_their_date_and_a_file_a_year(files: BarFiles) -> None:
    series = Series(contract=SPY, bar_size="1 day")
    slot = slot_of(DAY_NS, series.seconds)
    assert slot.name == "2026" and slot.begin_ns <= DAY_NS < slot.end_ns
    bar = Bar(time_ns=DAY_NS, seconds=86_400, open=1, high=2, low=0.5, close=1.5, date="20261123")
    files.write(series, slot, Held([bar], DAY_NS + 1))
    assert files.read(series, slot).bars == [bar]


@pytest.mark.parametrize(
    "other",
    [
        {"bar_size": "5 secs"},
        {"what": "MIDPOINT"},
        {"use_rth": False},
        {"contract": Contract(con_id=8314, symbol="IBM")},
    ],
)
def test_every_kind_has_its_own_files(files: BarFiles, other: dict[str, Any]) -> None:
    files.write(SERIES, SLOT, held(3))
    assert files.read(replace(SERIES, **other), SLOT).bars == []


def test_the_fuller_file_stays(files: BarFiles) -> None:
    files.write(SERIES, SLOT, held(9))
    files.write(SERIES, SLOT, held(5))
    assert files.read(SERIES, SLOT) == held(9)
    files.write(SERIES, SLOT, held(12))
    assert files.read(SERIES, SLOT) == held(12)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[200] ^= 0x55
    path.write_bytes(raw)


def text(path: Path) -> None:
    path.write_text("time,price\n1,2\n", encoding="utf-8")


def foreign(path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2]}), path)


def moved(path: Path) -> None:
    """A file of another day, or of another contract, in this place."""
    slot = slot_of(DAY_NS + 86_400 * S, 10)
    files = BarFiles(path.parents[2])
    files.write(SERIES, slot, Held([], slot.end_ns))
    files.path(SERIES, slot).replace(path)


def disordered(path: Path) -> None:
    files = BarFiles(path.parents[2])
    path.unlink()
    rows = bars(5)
    files.write(SERIES, SLOT, Held([rows[0], rows[2], rows[1]], DAY_NS + 50 * S))


def beyond(path: Path) -> None:
    files = BarFiles(path.parents[2])
    path.unlink()
    files.write(SERIES, SLOT, Held(bars(5), DAY_NS + 20 * S))


def endless(path: Path) -> None:
    files = BarFiles(path.parents[2])
    path.unlink()
    files.write(SERIES, SLOT, Held([replace(bars(1)[0], high=float("inf"))], DAY_NS + 20 * S))


@pytest.mark.parametrize("spoil", [half, flipped, text, foreign, moved, disordered, beyond, endless])
def test_a_file_that_is_none_of_ours_is_named_and_put_aside(
    files: BarFiles, spoil: Callable[[Path], None]
) -> None:
    files.write(SERIES, SLOT, held(300))
    path = files.path(SERIES, SLOT)
    spoil(path)
    assert files.read(SERIES, SLOT) == Held([], DAY_NS)
    (named,) = files.unusable
    assert named.path == path and named.reason
    assert not path.exists() and path.with_suffix(".unusable").exists()
    files.write(SERIES, SLOT, held(4))
    assert files.read(SERIES, SLOT) == held(4)


def test_what_a_dead_process_left_behind_is_swept(files: BarFiles) -> None:
    files.write(SERIES, SLOT, held(3))
    folder = files.path(SERIES, SLOT).parent
    old, new = folder / "2026-11-23.x.tmp", folder / "2026-11-23.y.tmp"
    for leftover in (old, new):
        leftover.write_bytes(b"half")
    os.utime(old, (1, 1))
    files.write(SERIES, SLOT, held(4))
    assert not old.exists() and new.exists()


def test_a_writing_that_fails_leaves_the_old_file(files: BarFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(SERIES, SLOT, held(3))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tws.marketdata.barfiles.sync_handle", full)
    with pytest.raises(OSError, match="space"):
        files.write(SERIES, SLOT, held(4))
    assert files.read(SERIES, SLOT) == held(3)
    assert not list(files.path(SERIES, SLOT).parent.glob("*.tmp"))


def _write_many(folder: Path, offset: int) -> None:
    files = BarFiles(folder)
    for count in range(1 + offset, 30, 2):
        files.write(SERIES, SLOT, held(count))
        assert files.read(SERIES, SLOT).until_ns >= held(count).until_ns


def test_two_processes_at_once(tmp_path: Path) -> None:
    """Each finds a whole file at every moment, at least as full as its own."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path, offset)) for offset in (0, 1)]
    for writer in writers:
        writer.start()
    files = BarFiles(tmp_path)
    while any(writer.is_alive() for writer in writers):
        found = files.read(SERIES, SLOT)
        assert found == held(len(found.bars))
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert files.unusable == [] and files.read(SERIES, SLOT).until_ns >= held(29).until_ns


def test_without_pyarrow_the_pip_line_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'tws-trading-framework\[parquet\]'"):
        BarFiles(tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"bar_size": "7 mins"}, {"bar_size": "1 week"}, {"contract": Contract(symbol="X")}]
)
def test_what_is_no_series(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"bar_size|con_id"):
        Series(**{"contract": SPY, **wrong})
