"""What happened in a run, line by line, and its hash: two runs are the same if their hashes are.

Every line is hashed; the last few hundred are kept for the report of a failed run, all of them if
asked (to compare two runs that should have been one).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from hashlib import sha256

__all__ = ["Trace"]

_TAIL = 400  # lines kept for a report: the last seconds of a session, still readable


class Trace:
    """Lines in order, each with its virtual time. `now` answers that time in seconds."""

    def __init__(self, now: Callable[[], float], *, keep_all: bool = False) -> None:
        self._now = now
        self._hash = sha256()
        self._lines: deque[str] = deque(maxlen=None if keep_all else _TAIL)
        self.count = 0

    def note(self, text: str) -> None:
        """Add a line."""
        line = f"{self._now():.9f} {text}"
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        self._lines.append(line)
        self.count += 1

    def step(self, now: float, label: str) -> None:
        """Add a step of the loop to the hash alone: there are too many to read."""
        self._hash.update(f"{now!r} {label}\n".encode())

    def data(self, text: str, data: bytes) -> None:
        """Add a line about bytes: all of them are hashed, their start is shown."""
        self._hash.update(data)
        self.note(f"{text} {len(data)} {bytes(data[:96])!r}")

    @property
    def digest(self) -> str:
        """The hash of all lines so far, in hexadecimal."""
        return self._hash.hexdigest()

    @property
    def lines(self) -> list[str]:
        """The lines that are kept, oldest first."""
        return list(self._lines)
