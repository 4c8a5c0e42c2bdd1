"""Signals from a file: JSON Lines, or CSV with a header; fields as `tws.strategy.schema` says them.

Read as a whole (`read_signals`, `FileSignals`), a line that is not a signal stops the reading with its
number: a replay that lacks one proves nothing. `FileSource` is either kind under the one interface of
sources: CSV is read once, JSON Lines are followed as they grow, on a thread of their own and a bounded piece
at a time, so that a drive that hangs makes nobody wait.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tws.clock import Clock, Rng
from tws.errors import DataError
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal
from tws.signals.follow import FollowedSignals
from tws.signals.source import Health, Heard, Kept, Outbox
from tws.signals.worker import Worker
from tws.strategy import Refusal, signal_from

__all__ = ["FileSignals", "FileSource", "read_signals"]

LOOK_S = 0.2
"""How often a file that grows is looked at: a seek and an empty read, some microseconds on a local disk."""
PIECE = 65_536  # bytes that are parsed between two breaths of the loop: about 600 signals, some 10 ms

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

    @property
    def waiting(self) -> int:
        """Signals whose time has not come, or that nobody asked for yet."""
        return len(self._signals) - self._next

    def due(self, now_ns: int, most: int | None = None) -> tuple[Signal, ...]:
        """The signals up to and including `now_ns` that were not given out yet; at most so many."""
        first = self._next
        last = len(self._signals) if most is None else min(len(self._signals), first + most)
        while self._next < last and self._signals[self._next].time_ns <= now_ns:
            self._next += 1
        return tuple(self._signals[first : self._next])

class FileSource:
    """Raises DataError for a CSV that can't be read; a JSON Lines file may come and go."""

    def __init__(self, path: Path, *, clock: Clock, rng: Rng, name: str = "", look_s: float = LOOK_S) -> None:
        self.name = name or path.stem
        self._feed = FileSignals(path) if path.suffix.lower() == ".csv" else FollowedSignals(path)
        self._clock, self._look_s = clock, look_s
        self._outbox = Outbox(self.name, "file")
        self._kept = Kept(self._outbox, clock, rng, self._follow)
        self._worker = Worker(f"signals {self.name}")
        self._state = "stopped"

    async def start(self) -> None:
        if isinstance(self._feed, FollowedSignals):
            self._kept.start()
            self._state = "followed"
        else:
            self._state = "running"

    async def stop(self) -> None:
        self._state = "stopped"
        await self._kept.stop()
        self._worker.shutdown()

    def on_news(self, ring: Callable[[], object]) -> None:
        self._outbox.ring = ring

    def take(self, now_ns: int, most: int) -> Sequence[Heard]:
        found = self._outbox.take(now_ns, most)
        due = self._feed.due(now_ns, most - len(found))
        self._outbox.signals += len(due)
        return [*found, *due]

    def health(self) -> Health:
        state = self._kept.state if self._state == "followed" else self._state
        return self._outbox.health(state, waiting=self._feed.waiting)

    def on_session(self, symbol: str, session: Session) -> None:
        """A file has its own times."""

    def on_bar(self, symbol: str, bar: Bar) -> None:
        """Nor does it hear bars."""

    async def _follow(self) -> None:
        feed, loop = self._feed, asyncio.get_running_loop()
        assert isinstance(feed, FollowedSignals)
        while True:
            while feed.behind(self._clock.now_ns()):  # noqa: ASYNC110 - whoever takes them tells nobody
                await asyncio.sleep(self._look_s)
            piece = await loop.run_in_executor(self._worker, feed.read, PIECE)
            now_ns = self._clock.now_ns()
            for refusal in feed.hear(piece, now_ns):
                self._outbox.put(refusal)
            if piece.wrong == "":
                self._outbox.answered(now_ns)
            if piece.data:
                self._outbox.ring()
            await asyncio.sleep(0 if len(piece.data) == PIECE else self._look_s)


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
