"""The store of a real trader: SQLite behind one writer thread, awaited from an event loop.

`append` puts records into a bounded list; `commit` wakes the writer, which takes everything
appended so far, by whomever, into one transaction, and answers all who waited for it at once
(group commit). So a busy loop pays one disk sync for many commits, and the loop itself never
waits for the disk. What no commit should wait for, the folding of the log, the writer does when it
has rested a while. After a failure nothing more is written: what is on disk is then known only by
opening it again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path
from queue import Empty, SimpleQueue

from tws.errors import JournalError
from tws.journal.chain import Head, read_journal
from tws.journal.file import JournalFile

__all__ = ["SQLiteStore"]

_BACKLOG_BYTES = 64 * 2**20  # a day of a busy trader is less; more at once means that nobody commits
_CLOSE_S = 30.0  # a sync of a sleeping or failing disk takes seconds; beyond that it is not coming back
_REST_S = 0.1  # what a signal leads to is written by then: its orders, and TWS's answers to them
_ROW_COST = 100  # what a record costs in memory and on disk beside its own bytes


class SQLiteStore:
    """An append-only journal at `path` (`tws.journal.store.Store`). Opens, or creates, and locks it.

    `backlog_bytes` bounds what may be appended and not yet written; `page_limit` bounds the file, in
    pages of 4096 bytes (None: by the disk alone). Opening reads the last row only; `read` proves all.

    Raises JournalError: locked (by whom), foreign (not a journal), corrupt, unwritable, full.
    """

    def __init__(
        self, path: str | PathLike[str], *, backlog_bytes: int = _BACKLOG_BYTES, page_limit: int | None = None
    ) -> None:
        self._path = Path(path).absolute()
        self._backlog_bytes = backlog_bytes
        self._page_limit = page_limit
        self._calls: SimpleQueue[None] = SimpleQueue()  # one for each batch of waiters, one for the end
        self._mutex = threading.Lock()
        # All below is guarded by `_mutex`.
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._waiters: list[asyncio.Future[None]] = []
        self._closing = False
        self._failure: JournalError | None = None
        self._head = Head(0, b"")
        self._transactions = 0

        opened = threading.Event()
        # A daemon: a journal that nobody closed must not keep a dying interpreter alive.
        self._thread = threading.Thread(target=self._run, args=(opened,), name="journal writer", daemon=True)
        self._thread.start()
        opened.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    @property
    def path(self) -> Path:
        """The database file."""
        return self._path

    @property
    def head(self) -> Head:
        """The last durable row and its link; whoever keeps it elsewhere can prove the journal whole later."""
        with self._mutex:
            return self._head

    @property
    def transactions(self) -> int:
        """How many transactions were written since the opening: one may serve many commits."""
        with self._mutex:
            return self._transactions

    def append(self, records: Sequence[bytes]) -> None:
        """See `Store.append`."""
        size = sum(len(record) for record in records) + _ROW_COST * len(records)
        with self._mutex:
            if self._closing or self._failure is not None:
                raise self._refusal()
            if self._pending_bytes + size > self._backlog_bytes:
                cause = f"{self._pending_bytes + size} bytes wait to be written, bound {self._backlog_bytes}"
                raise JournalError(self._path, "backlog", cause, "Commit more often; see to the disk")
            self._pending.extend(bytes(record) for record in records)
            self._pending_bytes += size

    def commit(self) -> asyncio.Future[None]:
        """See `Store.commit`. Call it on a running event loop; the future completes there."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._mutex:
            if self._closing or self._failure is not None:
                waiter.set_exception(self._refusal())
            else:
                self._waiters.append(waiter)
                if len(self._waiters) == 1:
                    self._calls.put(None)
        return waiter

    def read(self) -> Iterator[bytes]:
        """See `Store.read`. Reads, on a connection of its own, what is durable when it starts."""
        return read_journal(self._path)

    def close(self) -> None:
        """See `Store.close`. Waits for the disk, at most 30 s."""
        with self._mutex:
            first = not self._closing
            self._closing = True
            self._calls.put(None)
        self._thread.join(_CLOSE_S)
        if self._thread.is_alive():
            cause = f"its writer did not end within {_CLOSE_S:.0f} s"
            raise JournalError(self._path, "disk", cause, "Check the disk; the last records may be missing")
        if first and self._failure is not None and self._pending:
            raise self._failure

    def _refusal(self) -> JournalError:
        return self._failure or JournalError(self._path, "closed", "it is closed", "Open it again")

    def _run(self, opened: threading.Event) -> None:
        """The writer thread: open, then one transaction a turn until the end."""
        try:
            file = JournalFile(self._path, self._page_limit)
        except BaseException as error:  # the opener waits for it, on another thread
            self._failure = self._as_failure(error)
            return
        else:
            self._head = file.head
        finally:
            opened.set()
        try:
            while self._turn(file):
                pass
        finally:
            file.close()

    def _turn(self, file: JournalFile) -> bool:
        """Write all that is pending and answer all who wait; False at the end."""
        try:
            self._calls.get(timeout=_REST_S if file.log_is_long else None)
        except Empty:
            file.fold()
            return True
        with self._mutex:
            records, waiters, size = self._pending, self._waiters, self._pending_bytes
            self._pending, self._waiters = [], []
            last = self._closing
        failure: JournalError | None = None
        if records:
            try:
                file.write(records)
            except BaseException as error:  # who awaits the commit must hear of it
                failure = self._as_failure(error)
        with self._mutex:
            self._head = file.head
            self._pending_bytes -= size  # what is being written still counts: it fills memory
            self._transactions += bool(records) and failure is None
            if failure is not None:
                self._failure = failure
                self._pending = records + self._pending  # told by close: this was appended and is lost
                waiters += self._waiters
                self._waiters = []
        self._answer(waiters, failure)
        if records and failure is None:
            file.note_head()
        return not last and failure is None

    def _as_failure(self, error: BaseException) -> JournalError:
        if isinstance(error, JournalError):
            return error
        cause = f"the writer failed ({error!r})"
        failure = JournalError(self._path, "disk", cause, "See the cause, then start again")
        failure.__cause__ = error
        return failure

    @staticmethod
    def _answer(waiters: list[asyncio.Future[None]], failure: JournalError | None) -> None:
        """Complete futures on the loops they belong to, with one hop for each loop."""
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for waiter in waiters:
            by_loop.setdefault(waiter.get_loop(), []).append(waiter)
        for loop, group in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed: nobody is left to hear it
                loop.call_soon_threadsafe(_complete, group, failure)


def _complete(waiters: list[asyncio.Future[None]], failure: JournalError | None) -> None:
    for waiter in waiters:
        if waiter.done():  # whoever waited was cancelled meanwhile
            continue
        if failure is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(failure)
