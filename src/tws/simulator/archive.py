"""Executions and ended orders of a long session: the latest in memory, the older ones on disk.

`SpillingArchive` gathers what the exchange adds until there are twice `keep` of a kind, then writes the
older half as one compressed batch into a temporary SQLite database, which SQLite keeps in its own
temporary file and which vanishes with the process. A small index there finds an ended order by its id;
everything else is read batch by batch, so answering takes no more memory than one batch. So a million
orders cost about as much memory as the first twenty thousand.

The rows are pickled: they are our own frozen values, written and read by this process alone.
"""

from __future__ import annotations

import pickle
import sqlite3
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

from tws.exchange import CompletedOrder, ExecutionReport

__all__ = ["SpillingArchive"]

KEEP = 10_000
"""Rows of each kind that always stay in memory: some ten megabytes."""
BATCH = 500
"""Rows that are packed, and later unpacked, together."""
EXECUTION, ORDER = 0, 1
LEVEL = 1
"""Of compression: the fastest already packs orders ten to one."""
CACHE_KIB = 4096
SCHEMA = """
CREATE TABLE batch (id INTEGER PRIMARY KEY, kind INTEGER, first INTEGER, last INTEGER, data BLOB);
CREATE TABLE ended (client INTEGER, number INTEGER, batch INTEGER, place INTEGER,
    PRIMARY KEY (client, number)) WITHOUT ROWID;
"""


class SpillingArchive:
    """A `tws.exchange.Archive` with bounded memory. One thread at a time; `close` frees the disk."""

    _disk: sqlite3.Connection | None = None

    def __init__(self, keep: int = KEEP) -> None:
        self._keep = max(1, keep)
        self._reports: list[ExecutionReport] = []
        self._done: list[CompletedOrder] = []
        self._recent: dict[tuple[int, int], CompletedOrder] = {}
        self._batches = 0
        self._oldest_ns = 0

    # -- in ---------------------------------------------------------------------------------------

    def add_execution(self, report: ExecutionReport) -> None:
        self._reports.append(report)
        if len(self._reports) >= 2 * self._keep:
            old, self._reports = self._reports[: self._keep], self._reports[self._keep :]
            self._spill(EXECUTION, old, [row.executed.time_ns for row in old])

    def add_order(self, done: CompletedOrder) -> None:
        self._done.append(done)
        self._recent[done.order.client_id, done.order.order_id] = done
        if len(self._done) >= 2 * self._keep:
            old, self._done = self._done[: self._keep], self._done[self._keep :]
            self._spill(ORDER, old, [row.completed_ns for row in old])
            for row in old:
                key = (row.order.client_id, row.order.order_id)
                if self._recent.get(key) is row:
                    del self._recent[key]

    def _spill(self, kind: int, rows: list[Any], times: list[int]) -> None:
        disk = self._disk or self._open()
        for at in range(0, len(rows), BATCH):
            part = rows[at : at + BATCH]
            data = zlib.compress(pickle.dumps(part, pickle.HIGHEST_PROTOCOL), LEVEL)
            span = times[at : at + BATCH]
            self._batches += 1
            batch = (self._batches, kind, min(span), max(span), data)
            disk.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?)", batch)
            if kind == ORDER:
                disk.executemany(
                    "INSERT OR REPLACE INTO ended VALUES (?, ?, ?, ?)",
                    [(r.order.client_id, r.order.order_id, self._batches, n) for n, r in enumerate(part)],
                )
        disk.commit()

    def _open(self) -> sqlite3.Connection:
        """SQLite's own private temporary database, which it removes by itself."""
        # the thread that wrote may have ended when the disk is freed
        disk = self._disk = sqlite3.connect("", check_same_thread=False)
        for setting in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KIB}"):
            disk.execute(f"PRAGMA {setting}")
        disk.executescript(SCHEMA)
        return disk

    # -- out --------------------------------------------------------------------------------------

    def executions(self, since_ns: int = 0) -> Iterator[ExecutionReport]:
        since_ns = max(since_ns, self._oldest_ns)
        rows = chain(self._old(EXECUTION, since_ns), list(self._reports))
        return (row for row in rows if row.executed.time_ns >= since_ns)

    def completed(self) -> Iterator[CompletedOrder]:
        oldest = self._oldest_ns
        rows = chain(self._old(ORDER, oldest), list(self._done))
        return (row for row in rows if row.order.perm_id and row.completed_ns >= oldest)

    def _old(self, kind: int, since_ns: int) -> Iterator[Any]:
        """What was spilled up to now, a batch in memory at a time."""
        if self._disk is None:
            return iter(())
        query = "SELECT id FROM batch WHERE kind = ? AND last >= ? ORDER BY id"
        ids = [row[0] for row in self._disk.execute(query, (kind, since_ns))]
        return chain.from_iterable(map(self._batch, ids))

    def _batch(self, number: int) -> list[Any]:
        found = self._disk.execute("SELECT data FROM batch WHERE id = ?", (number,)) if self._disk else None
        row = found.fetchone() if found else None
        if row is None:  # forgotten while somebody read
            return []
        rows: list[Any] = pickle.loads(zlib.decompress(row[0]))
        return rows

    def order(self, client_id: int, order_id: int) -> CompletedOrder | None:
        done = self._recent.get((client_id, order_id))
        if done is None and self._disk is not None:
            query = "SELECT batch, place FROM ended WHERE client = ? AND number = ?"
            row = self._disk.execute(query, (client_id, order_id)).fetchone()
            rows = self._batch(row[0]) if row else []
            done = rows[row[1]] if rows else None
        return done if done is not None and done.completed_ns >= self._oldest_ns else None

    def forget(self, before_ns: int) -> None:
        self._oldest_ns = max(self._oldest_ns, before_ns)
        self._reports = [row for row in self._reports if row.executed.time_ns >= before_ns]
        self._done = [row for row in self._done if row.completed_ns >= before_ns]
        self._recent = {key: row for key, row in self._recent.items() if row.completed_ns >= before_ns}
        if self._disk is not None:
            self._disk.execute("DELETE FROM batch WHERE last < ?", (before_ns,))
            self._disk.execute("DELETE FROM ended WHERE batch NOT IN (SELECT id FROM batch)")
            self._disk.commit()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Free the disk; what was spilled is gone."""
        if self._disk is not None:
            self._disk.close()
            self._disk = None
