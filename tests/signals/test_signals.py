"""File and function sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tws.errors import DataError
from tws.model.market import Bar
from tws.model.signal import Signal, Wish
from tws.signals import FileSignals, FunctionSignals, read_signals

LINES = (
    '{"signal_id": "b", "symbol": "IBM", "wish": "SHORT", "time_ns": 20}\n'
    "\n"
    '{"signal_id": "a", "symbol": "SPY", "wish": "BUY", "time_ns": 10, "confidence": 0.9}\n'
)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_json_lines_come_by_time_each_once(tmp_path: Path) -> None:
    source = FileSignals(write(tmp_path, "day.jsonl", LINES))
    assert (source.name, source.symbols) == ("day", ("IBM", "SPY"))
    assert [signal.signal_id for signal in source.due(9)] == []
    assert [signal.signal_id for signal in source.due(10)] == ["a"]
    assert [signal.signal_id for signal in source.due(10)] == []
    assert [signal.signal_id for signal in source.due(99)] == ["b"]


def test_csv_says_the_same_as_json(tmp_path: Path) -> None:
    table = "signal_id,symbol,wish,time_ns,confidence\nb,IBM,SHORT,20,\na,SPY,BUY,10,0.9\n"
    found = read_signals(write(tmp_path, "day.csv", table))
    assert found == read_signals(write(tmp_path, "day.jsonl", LINES))


@pytest.mark.parametrize(
    ("name", "text", "line", "word"),
    [
        ("a.jsonl", LINES + "{nonsense\n", 4, "JSON"),
        ("a.jsonl", LINES + "[1]\n", 4, "object"),
        ("a.jsonl", '{"signal_id": "b", "symbol": "IBM", "wish": "UP", "time_ns": 20}\n', 1, "wish"),
        ("a.csv", "signal_id,symbol,wish,time_ns\na,SPY,BUY,ten\n", 2, "time_ns"),
        ("a.csv", "signal_id,symbol,wish,time_ns\na,SPY,BUY,10,too,many\n", 2, "cells"),
        ("a.csv", "signal_id,symbol,wish\na,SPY,BUY\n", 2, "time"),
    ],
)
def test_a_bad_line_is_named_by_its_number(
    tmp_path: Path, name: str, text: str, line: int, word: str
) -> None:
    with pytest.raises(DataError, match=word) as wrong:
        read_signals(write(tmp_path, name, text))
    assert wrong.value.line == line


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read_signals(tmp_path / "none.jsonl")
    (tmp_path / "raw.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        read_signals(tmp_path / "raw.jsonl")


BAR = Bar(time_ns=0, seconds=10, open=1, high=1, low=1, close=1)


def test_a_function_wishes_for_its_own_symbols() -> None:
    wish = Signal(signal_id="f", symbol="SPY", wish=Wish.BUY, time_ns=1)
    source = FunctionSignals(lambda symbol, bar: wish, ("SPY",), name="mine")
    assert list(source.on_bar("SPY", BAR)) == [wish]
    assert list(source.on_bar("IBM", BAR)) == []


def test_a_function_that_raises_is_kept_and_stops_nobody() -> None:
    def broken(symbol: str, bar: Bar) -> Signal | None:
        raise ZeroDivisionError("oh")

    source = FunctionSignals(broken, ("SPY",))
    for _ in range(3):
        assert list(source.on_bar("SPY", BAR)) == []
    assert source.failed == 3
    assert "broken: ZeroDivisionError: oh" in source.failures[-1].text
    wrong = FunctionSignals(lambda symbol, bar: "BUY", ("SPY",), name="text")  # type: ignore[arg-type,return-value]
    assert list(wrong.on_bar("SPY", BAR)) == []
    assert "neither a Signal" in wrong.failures[0].text
