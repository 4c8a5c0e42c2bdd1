"""A JSON Lines file that grows: each whole line is one signal, given out when its time has come.

What is written without its end of line waits for the rest. A line that is no signal is a refusal, kept for
the gate with its line number: a running trader does not stop for a slip of whoever writes. A file that does
not hold any more what was read last begins anew, as a log does that was rotated; signals that it holds once
more are duplicates to the gate. What was written after the last look to one that is then rotated away is not
seen.
"""

from __future__ import annotations

import heapq
import json
from pathlib import Path

from msgspec import Struct

from tws.model.signal import Signal
from tws.strategy import Reason, Refusal, signal_from

__all__ = ["FollowedSignals", "Piece"]

_MAX_READ = 1 << 20  # bytes a look: a backlog is read over several, and a turn stays short
_MAX_LINE = 65_536
_KNOWN = 128  # bytes before our place that are looked at again: two signals, with an id each, end otherwise
_MAX_WAITING = 100_000  # signals dated ahead; more is no list of wishes but a fault


class Piece(Struct, frozen=True, kw_only=True):
    """What was read: bytes, or why none could be. `anew`: it is another file by now, and begins again."""

    data: bytes = b""
    anew: bool = False
    wrong: str = ""


class FollowedSignals:
    """`look()` reads what is new and answers the refusals; `due(now_ns)` gives out signals, each once.

    `read` and `hear` are the two halves of a look, for whoever reads on another thread: `read` touches the
    file and its place in it alone.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._path = path
        self._at, self._known = 0, b""  # of `read` alone: its place, and the last bytes before it
        self._rest = b""
        self._line = 0
        self._waiting: list[tuple[int, int, Signal]] = []  # (its time, the order in which it came, itself)
        self._came = 0

    def look(self, now_ns: int) -> list[Refusal]:
        """Read whole lines that are new. A file that can't be read is a refusal too, once a look."""
        return self.hear(self.read(_MAX_READ), now_ns)

    def read(self, most: int) -> Piece:
        """The next bytes of the file, at most so many."""
        anew = False
        try:
            with self._path.open("rb") as file:
                file.seek(self._at - len(self._known))
                if file.read(len(self._known)) != self._known:
                    self._at, self._known, anew = 0, b"", True
                    file.seek(0)
                data = file.read(most)
        except OSError as wrong:
            return Piece(wrong=f"{self._path.name}: {wrong.strerror or wrong}", anew=anew)
        self._at, self._known = self._at + len(data), (self._known + data)[-_KNOWN:]
        return Piece(data=data, anew=anew)

    def hear(self, piece: Piece, now_ns: int) -> list[Refusal]:
        """Take the whole lines of what was read; answers the refusals."""
        if piece.anew:
            self._rest, self._line = b"", 0
        if piece.wrong:
            return [_refusal(piece.wrong, now_ns, Reason.FAILED)]
        *lines, self._rest = (self._rest + piece.data).split(b"\n")
        refusals = [refusal for line in lines if (refusal := self._take(line, now_ns)) is not None]
        if len(self._rest) > _MAX_LINE:
            self._rest = b""
            refusals.append(self._wrong(f"a line of more than {_MAX_LINE} bytes", now_ns))
        return refusals

    @property
    def waiting(self) -> int:
        """Signals whose time has not come, or that nobody asked for yet."""
        return len(self._waiting)

    def behind(self, now_ns: int) -> bool:
        """Whether so many wait, some of them due, that it is better to read on when they were taken."""
        return len(self._waiting) >= _MAX_WAITING // 2 and self._waiting[0][0] <= now_ns

    def due(self, now_ns: int, most: int = _MAX_WAITING) -> tuple[Signal, ...]:
        """The signals up to and including `now_ns` that were not given out yet, by their time."""
        found: list[Signal] = []
        while self._waiting and self._waiting[0][0] <= now_ns and len(found) < most:
            found.append(heapq.heappop(self._waiting)[2])
        return tuple(found)

    def _take(self, line: bytes, now_ns: int) -> Refusal | None:
        self._line += 1
        text = line.decode("utf-8-sig", errors="replace").strip()
        if not text:
            return None
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as wrong:
            return self._wrong(f"not JSON: {wrong}", now_ns)
        if not isinstance(raw, dict):
            return self._wrong("not a JSON object", now_ns)
        signal = signal_from(raw, now_ns)
        if isinstance(signal, Refusal):
            return self._wrong(signal.text, now_ns)
        if len(self._waiting) >= _MAX_WAITING:
            return self._wrong(f"{_MAX_WAITING} signals wait for their time already", now_ns)
        self._came += 1  # no line number: those begin anew with a file
        heapq.heappush(self._waiting, (signal.time_ns, self._came, signal))
        return None

    def _wrong(self, text: str, now_ns: int) -> Refusal:
        return _refusal(f"{self._path.name}, line {self._line}: {text}", now_ns, Reason.SCHEMA)


def _refusal(text: str, now_ns: int, reason: Reason) -> Refusal:
    return Refusal(reason=reason, text=text, time_ns=now_ns)
