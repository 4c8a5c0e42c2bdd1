"""Signals from a file: JSON Lines, or CSV with a header; fields as `tws.strategy.schema` says them.

A line that is not a signal stops the reading with its number: a replay that lacks one proves nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tws.errors import DataError
from tws.model.signal import Signal
from tws.strategy import Refusal, signal_from

__all__ = ["FileSignals", "read_signals"]

_NUMBERS = ("confidence", "price", "time", "time_ns")


def read_signals(path: Path) -> list[Signal]:
    """The signals of a `.jsonl` or `.csv` file, by time. Raises DataError with path, line and reason."""
    signals = []
    for line, raw in _rows(path):
        signal = signal_from(raw, 0)
        if isinstance(signal, Refusal):
            raise DataError(path, line, signal.text)
        signals.append(signal)
    return sorted(signals, key=lambda signal: signal.time_ns)


class FileSignals:
    """A file replayed by market time: `due(now_ns)` answers the signals whose time has come, each once."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._signals = read_signals(path)
        self._next = 0

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of the file, in alphabetical order."""
        return tuple(sorted({signal.symbol for signal in self._signals}))

    def due(self, now_ns: int) -> tuple[Signal, ...]:
        """The signals up to and including `now_ns` that were not given out yet."""
        first = self._next
        while self._next < len(self._signals) and self._signals[self._next].time_ns <= now_ns:
            self._next += 1
        return tuple(self._signals[first : self._next])


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".csv":
                reader = csv.DictReader(file, restval=None)
                for row in reader:
                    yield reader.line_num, _numbers(path, reader.line_num, row)
                return
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield number, _object(path, number, text)
    except UnicodeDecodeError as wrong:
        raise DataError(path, 0, f"not UTF-8: {wrong.reason}") from wrong
    except (OSError, csv.Error) as wrong:
        raise DataError(path, 0, str(wrong)) from wrong


def _object(path: Path, number: int, text: str) -> Mapping[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise DataError(path, number, f"not JSON: {wrong}") from None
    if not isinstance(value, dict):
        raise DataError(path, number, "not a JSON object")
    return value


def _numbers(path: Path, number: int, row: Mapping[str | None, object]) -> Mapping[str, object]:
    """A CSV row with its numbers as numbers; an empty cell is a field that is not given."""
    found: dict[str, object] = {}
    for name, text in row.items():
        if name is None:
            raise DataError(path, number, "more cells than the header has names")
        if not isinstance(text, str) or not text.strip():
            continue
        found[name] = text.strip()
        if name in _NUMBERS:
            try:
                found[name] = int(text) if name == "time_ns" else float(text)
            except ValueError:
                if name != "time":  # an ISO text may stand there too
                    raise DataError(path, number, f"{name} is {text[:40]!r}: not a number") from None
    return found
