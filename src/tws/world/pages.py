"""A mapped file of a simulated world: bytes that every process sees at once, and that no crash loses.

What `tws.safety.SafetyFile` asks of its file. A change of it is one callback here, so none is ever torn and
no two processes are in the midst of one: torn slots and the lock are tested on real files (tests/safety).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Pages"]


class Pages:
    """The file as one process has it open; `memory` is what all of them share."""

    def __init__(self, memory: bytearray) -> None:
        self._memory = memory
        self.closed = False

    def __getitem__(self, part: slice) -> bytes:
        return bytes(self._memory[part])

    def __setitem__(self, part: slice, value: bytes) -> None:
        assert len(self._memory[part]) == len(value), "a file that is mapped does not grow"
        self._memory[part] = value

    def sync(self, first: int, end: int) -> None:
        """It is on disk already."""

    @contextmanager
    def locked(self, force: bool) -> Iterator[None]:
        """Nobody else runs meanwhile."""
        yield

    def close(self) -> None:
        """Safe twice."""
        self.closed = True
