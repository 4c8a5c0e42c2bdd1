"""`SafetyFile`: latch, lease, epoch, unlocks and emergency records in one preallocated file that is mapped.

    with SafetyFile(folder / "safety") as safety:
        epoch = safety.take_lease(client_id=1, at_ns=clock.now_ns())    # or SafetyError "held"
        ...
        safety.latched                                      # read before each byte that moves money

The file is as long as it will ever be from its creation, so that a full disk stops nothing (a file system
that copies on write may still need space). Its state stands in one of two slots; a change goes into the other
one, whole with its checksum, and to the disk before the call returns. A torn write leaves the older slot.
When neither is whole, all is latched, no epoch is right, and only `reset` by a named human begins anew.

Several processes may have it open. Changes take a lock beside the file, at most `LOCK_S`; a latch is made
without the lock then, into both slots, so that a process that hangs in the midst of its own change can
neither prevent it nor undo it. Reading needs no lock: 112 bytes show whether anything changed.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from tws.errors import ConfigError, SafetyError
from tws.model.stop import EVERYTHING, KillState, Scope
from tws.safety.emergency import PLACE_SIZE, PLACES, Emergency
from tws.safety.mapped import LOCK_S, Mapped, Pages, unwritable
from tws.safety.process import Process, is_alive, this_process
from tws.safety.slots import HEAD_SIZE, SLOT_SIZE, Slot, decode_slot, encode_slot
from tws.safety.state import Latch, Lease, SafetyState, Unlock, damaged

__all__ = ["LOCK_S", "SIZE", "SafetyFile", "fresh"]

_PREFACE = b"TWS safety file, layout 1\n"
_BEAT = struct.Struct(">Q")
_BEAT_AT = 512  # a page's part of its own: it is written every second and never synced
_SLOTS_AT = (4096, 4096 + SLOT_SIZE)
_HEADS_AT = tuple(slice(at, at + HEAD_SIZE) for at in _SLOTS_AT)
_PLACES_AT = 4096 + 2 * SLOT_SIZE
SIZE = _PLACES_AT + PLACES * PLACE_SIZE
_LOOKS = 5  # a reader that met a writer in both slots looks again; a writer is done in microseconds
_MAX_TEXT = 200  # signs of a name or a reason: 16 latches and 16 unlocks then fill half of a slot
_MAX_LINES = 8
_MAX_UNLOCKS = 16


class SafetyFile:
    """See the module. Raises SafetyError: unwritable, full (no space to create it), size, foreign."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        me: Process | None = None,
        alive: Callable[[Process], bool | None] = is_alive,
        pages: Pages | None = None,
    ) -> None:
        """`me` stands in for this process, in tests of what other hosts and earlier lives left; `alive` for
        the operating system's word on a holder, `pages` for the file (`path` then only names it).
        """
        self.path = Path(path).absolute()
        self._me = me or this_process()
        self._alive = alive
        self._mutex = threading.RLock()
        self._mine = 0
        self._heads = b""
        self._known = damaged("not read yet")
        self._last: int | None = None  # the last emergency record's number, once it is known
        self._map = pages or Mapped(self.path, fresh())
        if self._map[: len(_PREFACE)] != _PREFACE and self._slots() == [None, None]:
            self._map.close()
            cure = "Name another file; this one is left as it is"
            raise self._error("foreign", "it is no safety file", cure)
        self._emergency = Emergency(self._map, _PLACES_AT)

    def close(self) -> None:
        """Let go of the file; safe twice. The lease stays: `release` ends it."""
        with self._mutex:
            self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- reading

    @property
    def state(self) -> SafetyState:
        """What it says now, whoever wrote it."""
        heads = self._map[_HEADS_AT[0]] + self._map[_HEADS_AT[1]]
        if heads != self._heads:
            with self._mutex:
                found = self._newest()
                self._known = (
                    damaged("neither slot of the safety file is whole") if found is None else found[1].state
                )
                self._heads = heads if found is not None else b""
        return self._known

    @property
    def epoch(self) -> int:
        """How many leases were given; -1 when nothing can be read."""
        return self.state.epoch

    @property
    def mine(self) -> int:
        """The epoch of the lease that this object took; 0 without one."""
        return self._mine

    @property
    def latched(self) -> bool:
        """Whether a latch on everything stands; a file that can't be read counts as one."""
        return self.state.kill is not KillState.ACTIVE

    @property
    def fenced(self) -> str:
        """Why this process may send nothing that moves money; empty while its lease is the newest."""
        epoch = self.state.epoch
        if epoch == self._mine != 0:
            return ""
        if epoch < 0:
            return "the safety file can't be read"
        holder = self.state.lease
        now = "nobody" if holder is None else str(holder.process)
        return f"the lease is {now}'s, epoch {epoch}; this process had epoch {self._mine}"

    @property
    def beat_ns(self) -> int:
        """The market time of the holder's last `renew`; 0 when it never did. Told to people, judged by
        nobody.
        """
        return int(_BEAT.unpack(self._map[_BEAT_AT : _BEAT_AT + 8])[0])

    # -- the lease

    def take_lease(self, *, client_id: int, account: str = "", at_ns: int) -> int:
        """Become the one that trades; answers the new epoch. A lease whose process is gone is taken over.

        Raises SafetyError: held (by whom, since when), damaged, busy.
        """

        def take(state: SafetyState) -> SafetyState:
            self._refuse_unreadable(state)
            holder = state.lease
            if holder is not None and self._alive(holder.process) is not False:
                raise self._held(holder)
            epoch = state.epoch + 1
            lease = Lease(process=self._me, epoch=epoch, client_id=client_id, account=account, since_ns=at_ns)
            return replace(state, epoch=epoch, lease=lease)

        with self._mutex:
            self._mine = self._change(take).epoch
            self._last = None
            self.renew(at_ns)
            return self._mine

    def name_account(self, account: str) -> None:
        """Write the account into our own lease, once TWS has named it."""

        def name(state: SafetyState) -> SafetyState:
            if state.lease is None or state.epoch != self._mine:
                return state
            return replace(state, lease=replace(state.lease, account=account))

        self._change(name)

    def renew(self, at_ns: int) -> None:
        """Show that the holder still turns. Not synced, and no more than a sign: a lease does not expire."""
        self._map[_BEAT_AT : _BEAT_AT + 8] = _BEAT.pack(at_ns)

    def release(self) -> None:
        """End our lease; somebody else's is left alone."""
        with self._mutex:
            mine, self._mine = self._mine, 0
        if mine:
            self._change(lambda state: replace(state, lease=None) if state.epoch == mine else state)

    def free_lease(self, host: str) -> Lease:
        """End the lease of a machine that a human knows to be off; answers it. The epoch moves on, so that a
        holder who lives after all, and sees this file, sends nothing more.

        Raises ConfigError: no lease stands, it is one of this machine, or of another host than was named.
        """
        gone: list[Lease] = []

        def free(state: SafetyState) -> SafetyState:
            self._refuse_unreadable(state)
            holder = state.lease
            if holder is None:
                raise ConfigError("lease", host, "is held by nobody", "Start the trader")
            if holder.process.host == self._me.host:
                cure = "A lease of this machine ends with its process: tws stop, or tws kill when it hangs"
                raise ConfigError("lease", host, f"is held here, by {holder}", cure)
            if holder.process.host != host:
                cure = f"If {holder.process.host} is off, type its name: --lease {holder.process.host}"
                raise ConfigError("lease", host, f"is not where it is held: by {holder}", cure)
            gone.append(holder)
            return replace(state, epoch=state.epoch + 1, lease=None)

        self._change(free)
        return gone[-1]

    # -- the latch, and what a human does

    def latch(
        self, state: KillState, *, at_ns: int, reason: str, operator: str, scope: Scope = EVERYTHING
    ) -> None:
        """Stop, on disk when it returns. Any process may; it waits for nobody longer than `LOCK_S`."""
        scope = replace(scope, name=_plain(scope.name))
        latch = Latch(state=state, scope=scope, at_ns=at_ns, reason=_plain(reason), operator=_plain(operator))
        self._change(lambda before: before.latched(latch), force=True)

    def reset(self, *, at_ns: int, scope: Scope | None = None) -> tuple[Latch, ...]:
        """Take the latches away (of one scope, or all); answers those that stood. Who may is asked elsewhere.

        A file that can't be read begins anew with an epoch that no earlier one can have had, so that whoever
        held a lease by it sends nothing more.
        """
        gone: list[Latch] = []

        def free(state: SafetyState) -> SafetyState:
            gone.extend(each for each in state.latches if scope in (None, each.scope))
            if not state.readable:
                return SafetyState(epoch=at_ns // 10**9)  # seconds since 1970: no count of leases is there
            return replace(state, latches=tuple(each for each in state.latches if each not in gone))

        self._change(free)
        return tuple(gone)

    def unlock(self, unlock: Unlock) -> None:
        """Let a live account trade for a time. One unlock an account; those that are over are forgotten."""
        lines = tuple(_plain(line) for line in unlock.evidence[:_MAX_LINES])
        unlock = replace(unlock, operator=_plain(unlock.operator), evidence=lines)

        def add(state: SafetyState) -> SafetyState:
            self._refuse_unreadable(state)
            others = [each for each in state.unlocks if each.account != unlock.account]
            kept = [each for each in others if each.until_ns > unlock.at_ns][-(_MAX_UNLOCKS - 1) :]
            return replace(state, unlocks=(*kept, unlock))

        self._change(add)

    # -- emergency records

    def emergency_append(self, *records: bytes) -> str:
        """Keep one group of records, on disk when it returns: all of it is read back, or none.

        A disk that refuses (broken, or no longer there) leaves them in the mapped memory, which outlives this
        process though not this machine: the answer then says why, else it is empty. Only who holds the lease
        may. Raises SafetyError: held (by another), full (`PLACES` wait to be merged).
        """
        with self._mutex:
            if self.fenced:
                raise self._error("held", self.fenced, "Stop this process")
            merged = self.state.merged
            last = self._newest_record(merged)
            try:
                first, end = self._emergency.write(records, merged, last)
            except ValueError as error:
                raise self._error("full", str(error), "Stop, and see to the journal") from error
            self._last = last + len(records)
            try:
                self._map.sync(first, end)
            except OSError as error:
                return str(error)
            return ""

    def emergency_room(self) -> int:
        """How many records more it can keep."""
        with self._mutex:
            merged = self.state.merged
            return PLACES - (self._newest_record(merged) - merged)

    def _newest_record(self, merged: int) -> int:
        if self._last is None:
            self._last = self._emergency.read(merged).highest
        return max(self._last, merged)

    def emergency_read(self) -> list[bytes]:
        """The records that were kept and are not in the journal yet, in order."""
        return self._emergency.read(self.state.merged).records

    def emergency_clear(self) -> None:
        """All of them are in the journal now: they are never read again."""
        self._change(lambda state: replace(state, merged=self._emergency.read(state.merged).highest))

    # -- writing

    def _change(self, change: Callable[[SafetyState], SafetyState], force: bool = False) -> SafetyState:
        """Put a changed state into the slot that does not stand; forced, into both, one after the other.

        Raises SafetyError (unwritable) for a disk that refuses: the mapped memory then says it all the same.
        """
        try:
            return self._write_change(change, force)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _write_change(self, change: Callable[[SafetyState], SafetyState], force: bool) -> SafetyState:
        with self._mutex, self._map.locked(force):
            after: SafetyState | None = None
            for _ in range(2 if force else 1):
                found = self._newest()
                place, number, before = (
                    (1, 0, damaged("unreadable"))
                    if found is None
                    else (found[0], found[1].number, found[1].state)
                )
                after = after or change(before)
                if after is before:
                    return after
                self._put(1 - place, number + 1, after)
            assert after is not None
            return after

    def _put(self, place: int, number: int, state: SafetyState) -> None:
        data = encode_slot(number, state)
        at = _SLOTS_AT[place]
        self._map[at + HEAD_SIZE : at + len(data)] = data[HEAD_SIZE:]
        self._map[at : at + HEAD_SIZE] = data[:HEAD_SIZE]
        self._map.sync(at, at + len(data))

    def _slots(self) -> list[Slot | None]:
        return [decode_slot(self._map[at : at + SLOT_SIZE]) for at in _SLOTS_AT]

    def _newest(self) -> tuple[int, Slot] | None:
        """The slot that stands, and its place. Looks again when neither is whole: somebody may be writing."""
        for look in range(_LOOKS):
            if look:
                time.sleep(0.001)
            whole = [(place, slot) for place, slot in enumerate(self._slots()) if slot is not None]
            if whole:
                return max(whole, key=lambda each: each[1].number)
        return None

    # -- what is said

    def _refuse_unreadable(self, state: SafetyState) -> None:
        if not state.readable:
            raise self._error(
                "damaged",
                "neither of its slots is whole, so everything is latched",
                "See the account in TWS, then: tws reset --operator NAME --reason TEXT",
            )

    def _held(self, holder: Lease) -> SafetyError:
        if holder.process.host == self._me.host:
            cure = "Stop that one first: tws stop --protected"
        else:
            cure = (
                "It can't be seen from here: end it there; or, once you know that machine to be off: "
                f"tws reset --lease {holder.process.host} --operator NAME --reason TEXT"
            )
        return self._error("held", f"{holder} trades", cure)

    def _error(self, kind: str, cause: str, cure: str) -> SafetyError:
        return SafetyError(self.path, kind, cause, cure)


def fresh() -> bytes:
    """A file that says nothing yet."""
    slots = encode_slot(1, SafetyState()).ljust(SLOT_SIZE, b"\0")
    return (_PREFACE.ljust(_SLOTS_AT[0], b"\0") + slots).ljust(SIZE, b"\0")


def _plain(text: str) -> str:
    """A text of a human in one line, short enough to fit."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:_MAX_TEXT]).split())
