"""A model of the journal's store (`tws.journal.store.Store`) on a disk that can crash.

A commit takes virtual time and, as on a real writer thread, takes along all that was appended until
its turn came. A crash keeps what commits acknowledged and, by a draw, some of what was under
way: whole appends in their order, for SQLite writes a transaction entirely or not at all, and
the last of it torn, which the reader of the next life must never see. Whatever a dying process
still writes goes nowhere, and its commits never answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from tws.clock import Rng
from tws.errors import JournalError
from tws.world.domain import Domain, current_domain
from tws.world.trace import Trace

__all__ = ["Disk", "DiskFaults", "WorldStore"]


class DiskFaults(Struct, frozen=True, kw_only=True):
    """Seconds that a sync takes, evenly between the two; after `full_after` appends the disk is full."""

    sync_min_s: float = 0.0005
    sync_max_s: float = 0.003
    full_after: int | None = None


class Disk:
    """What survives: the appends that were synced. One store at a time may be open on it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rng: Rng,
        faults: DiskFaults | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.loop = loop
        self.rng = rng
        self.faults = faults or DiskFaults()
        self.trace = trace or Trace(loop.time)
        self.groups: list[tuple[bytes, ...]] = []
        self.on_kept: Callable[[tuple[bytes, ...]], None] = lambda group: None
        """Told of each group once it is durable."""
        self.store: WorldStore | None = None

    def open(self) -> WorldStore:
        """The store of a new life. Raises JournalError (locked) while another is open."""
        if self.store is not None:
            raise JournalError("the simulated disk", "locked", "another store is open", "Close it first")
        self.store = WorldStore(self)
        self.trace.note(f"disk opened with {len(self.groups)} groups")
        return self.store

    def crash(self) -> None:
        """The process dies: keep what is synced, and by a draw a part of what was under way."""
        store, self.store = self.store, None
        if store is None:
            return
        under_way = store.lose()
        kept = self.rng.randint(0, len(under_way)) if under_way else 0
        self.keep(under_way[:kept])
        self.trace.note(f"disk crashed: {kept} of {len(under_way)} groups under way survive")

    def free(self) -> None:
        """Somebody made room on it; a store that failed stays failed."""
        self.faults = replace(self.faults, full_after=None)

    def keep(self, groups: Sequence[tuple[bytes, ...]]) -> None:
        """These are durable from now on."""
        self.groups += groups
        for group in groups:
            digest = sha256(b"".join(group)).hexdigest()[:12]
            self.trace.note(f"disk keeps {len(group)} records {digest}")
            self.on_kept(group)

    @property
    def records(self) -> list[bytes]:
        """All that is durable now."""
        return [record for group in self.groups for record in group]


class WorldStore:
    """The store of one life; see `tws.journal.store.Store` for what each method promises."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.domain: Domain | None = current_domain()
        self._pending: list[tuple[bytes, ...]] = []
        self._syncing: list[tuple[bytes, ...]] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._served: list[asyncio.Future[None]] = []
        self._busy = False
        self._inert = False
        self._failure: JournalError | None = None
        self.commits = 0

    def append(self, records: Sequence[bytes]) -> None:
        """Take a group of records."""
        if self._inert:
            return
        if self._failure is not None:
            raise self._failure
        if records:
            self._pending.append(tuple(bytes(record) for record in records))

    def commit(self) -> asyncio.Future[None]:
        """Done when all that was appended before is synced."""
        waiter: asyncio.Future[None] = self._disk.loop.create_future()
        if self._inert:
            return waiter
        if self._failure is not None:
            waiter.set_exception(self._failure)
            return waiter
        self._waiters.append(waiter)
        self._start()
        return waiter

    def read(self) -> Iterator[bytes]:
        """What is durable now, in order."""
        return iter(self._disk.records)

    def close(self) -> None:
        """Sync what is left, at once: whoever closes waits for the disk."""
        if self._inert or self._disk.store is not self:
            return
        if self._failure is None:
            self._disk.keep(self._syncing + self._pending)
        self._disk.store = None
        self._failure = JournalError("the simulated disk", "closed", "it is closed", "Open it again")
        waiters = self._served + self._waiters
        self._syncing, self._pending, self._served, self._waiters = [], [], [], []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def lose(self) -> list[tuple[bytes, ...]]:
        """Turn inert; what was under way."""
        self._inert = True
        return self._syncing + self._pending

    def _start(self) -> None:
        if self._busy:
            return
        self._busy = True
        self._syncing, self._pending = self._pending, []
        self._served, self._waiters = self._waiters, []
        faults = self._disk.faults
        sync_s = self._disk.rng.uniform(faults.sync_min_s, faults.sync_max_s)
        self._disk.loop.call_later(sync_s, self._synced)

    def _synced(self) -> None:
        if self._inert or self._disk.store is not self:
            return
        self._busy = False
        groups, served = self._syncing, self._served
        self._syncing, self._served = [], []
        limit = self._disk.faults.full_after
        if groups and limit is not None and len(self._disk.groups) + len(groups) > limit:
            self._fail(served + self._waiters)
            return
        self._disk.keep(groups)
        self.commits += 1
        for waiter in served:
            if not waiter.done():
                waiter.set_result(None)
        if self._waiters:
            self._start()

    def _fail(self, waiters: list[asyncio.Future[None]]) -> None:
        cure = "Free space, then start again"
        self._failure = JournalError("the simulated disk", "full", "the disk is full", cure)
        self._waiters = []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(self._failure)
