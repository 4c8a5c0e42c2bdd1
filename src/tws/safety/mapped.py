"""The safety file's bytes: preallocated, mapped, synced at each change, with a lock beside them.

`SafetyFile` says what the bytes mean. Whoever plays a disk in memory (the simulated world) hands it other
`Pages`; everything else is then the very code that trades.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from tws.errors import SafetyError
from tws.platform import lock_handle, sync_folder, sync_handle, unlock_handle

__all__ = ["LOCK_S", "Mapped", "Pages", "unwritable"]

LOCK_S = 1.0
"""How long a change waits for another's: a change takes two syncs of the disk, milliseconds each."""


class Pages(Protocol):
    """Bytes of a fixed size that every process with the file sees at once."""

    closed: bool

    def __getitem__(self, part: slice, /) -> bytes: ...
    def __setitem__(self, part: slice, value: bytes, /) -> None: ...

    def sync(self, first: int, end: int) -> None:
        """These bytes are on disk when it returns."""
        ...

    def locked(self, force: bool) -> AbstractContextManager[None]:
        """Alone among those who change them, waiting `LOCK_S`; forced, then not alone. Raises SafetyError."""
        ...

    def close(self) -> None:
        """Let go of them."""
        ...


class Mapped:
    """`Pages` of a file, which is created with `fresh` where there is none.

    Raises SafetyError: unwritable, full (no space to create it), size.
    """

    def __init__(self, path: Path, fresh: bytes) -> None:
        self._path = path
        self.closed = False
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self.lock = os.open(path.with_name(path.name + "-lock"), flags, 0o600)
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            self._open(flags, fresh)
        except OSError as error:
            os.close(self.lock)
            raise unwritable(path, error) from error
        except BaseException:
            os.close(self.lock)
            raise

    def _open(self, flags: int, fresh: bytes) -> None:
        with self.locked(force=True):
            if not self._path.exists():
                self._create(fresh)
            self._handle = os.open(self._path, flags & ~os.O_CREAT)
        try:
            size = os.fstat(self._handle).st_size
            if size != len(fresh):
                cause = f"it has {size} bytes, not {len(fresh)}"
                raise SafetyError(self._path, "size", cause, "Keep it as evidence and move it away")
            self._map = mmap.mmap(self._handle, size)
        except BaseException:
            os.close(self._handle)
            raise

    def _create(self, fresh: bytes) -> None:
        """Written elsewhere and moved into place, so that nobody ever sees half of it."""
        draft = self._path.with_name(f"{self._path.name}-{os.getpid()}")
        try:
            with draft.open("wb") as file:
                file.write(fresh)
                file.flush()
                sync_handle(file.fileno())
            draft.chmod(0o600)
            draft.replace(self._path)
            sync_folder(self._path.parent)
        finally:
            draft.unlink(missing_ok=True)

    def __getitem__(self, part: slice) -> bytes:
        return self._map[part]

    def __setitem__(self, part: slice, value: bytes) -> None:
        self._map[part] = value

    def sync(self, first: int, end: int) -> None:
        """Whole pages of the map, then the file."""
        page = mmap.ALLOCATIONGRANULARITY
        begin = first // page * page
        self._map.flush(begin, end - begin)
        sync_handle(self._handle)

    @contextlib.contextmanager
    def locked(self, force: bool) -> Iterator[None]:
        """See `Pages`."""
        until = time.monotonic() + LOCK_S
        while not (got := lock_handle(self.lock)) and time.monotonic() < until:
            time.sleep(0.005)
        if not got and not force:
            cause = f"another process changed it for {LOCK_S:g} s"
            raise SafetyError(self._path, "busy", cause, "See which one hangs")
        try:
            yield
        finally:
            if got:
                unlock_handle(self.lock)

    def close(self) -> None:
        """Safe twice."""
        if not self.closed:
            self.closed = True
            self._map.close()
            os.close(self._handle)
            os.close(self.lock)


def unwritable(path: Path, error: OSError) -> SafetyError:
    """What the operating system said, with its cure."""
    if error.errno == errno.ENOSPC:
        return SafetyError(path, "full", "the disk is full", "Free space, then start again")
    cause = str(error.strerror or error)
    return SafetyError(path, "unwritable", cause, "Choose a local folder that you may write to")
