"""The safety file of a run: real code over bytes that outlive every life, and the truth about its lease.

Each life opens it under a name of its own, as a process on a machine of its own. One that sleeps can't be
seen from any other: its lease ends by the word of a human alone, who takes that machine for off.

Whoever writes bytes that move an order is held against what the file says at that very moment (invariant 8):
its lease must be the newest, and no entry leaves under a latch. That is sharper than to look on arrival, for
what left before may still be on its way.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.world.witness import Witness

from tws.clock import Clock
from tws.model.order import Role
from tws.model.stop import KillState
from tws.safety import Process, SafetyFile
from tws.safety.file import fresh
from tws.wire.framing import frame_id
from tws.wire.thresholds import PROTOBUF_OFFSET
from tws.world import Domain, Pages

__all__ = ["Vault"]

PATH = "/world/safety"
PLACE, CANCEL, CANCEL_ALL = 3, 4, 58
"""Requests that move an order (TWS-BEHAVIOUR.md F2)."""


class _File(SafetyFile):
    """One life's; records of an emergency are on disk, and the witness is told of them."""

    kept: Callable[[tuple[bytes, ...]], None]

    def emergency_append(self, *records: bytes) -> str:
        doubt = super().emergency_append(*records)
        self.kept(records)
        return doubt


class Vault:
    """The file, and who holds its lease."""

    def __init__(self, clock: Clock, witness: Witness) -> None:
        self._memory = bytearray(fresh())
        self._clock = clock
        self._witness = witness
        self._domains: dict[int, Domain] = {}
        self._files: dict[Domain, SafetyFile] = {}
        self._truth = SafetyFile(PATH, me=_process(-1), pages=Pages(self._memory))

    def open(self, domain: Domain, number: int) -> SafetyFile:
        """The file as the life `number` has it open."""
        self._domains[number] = domain
        file = _File(PATH, me=_process(number), alive=self._is_alive, pages=Pages(self._memory))
        file.kept = self._witness.remember_ahead
        self._files[domain] = file
        return file

    def latch(self) -> None:
        """`tws kill` from another process: the latch is on disk, and the trader does not answer."""
        self._truth.latch(
            KillState.HALTED, at_ns=self._clock.now_ns(), reason="the trader is silent", operator="ann"
        )

    def free(self) -> None:
        """`tws reset`: every latch goes."""
        self._truth.reset(at_ns=self._clock.now_ns())

    def end_lease(self) -> None:
        """A human takes the machine that holds the lease for off."""
        lease = self._truth.state.lease
        if lease is not None:
            self._truth.free_lease(lease.process.host)

    def wrote(self, domain: Domain | None, data: bytes) -> None:
        """Look at what a process puts on its way."""
        file = None if domain is None else self._files.get(domain)
        if domain is None or file is None or data.startswith(b"API"):
            return
        kind = frame_id(data)  # each write is one frame
        if kind not in (PLACE, CANCEL, CANCEL_ALL):
            return
        epoch = self._truth.state.epoch
        if file.mine != epoch:
            name = f"bytes of request {kind} left {domain.name}"
            self._witness.complain(f"{name}, whose lease is gone: epoch {file.mine} of {epoch}")
        elif kind == PLACE:
            self._look_at_latch(data)

    def _look_at_latch(self, data: bytes) -> None:
        intent = self._witness.intent_of(_order_id(data))
        if intent is None or intent.role is not Role.ENTRY:
            return
        latch = self._truth.state.latch_on(intent.contract.symbol, "")
        if latch.state is not KillState.ACTIVE:
            name = f"bytes of entry {intent.intent_id}"
            self._witness.complain(f"{name} left though {latch.scope.key} is latched on disk")

    def _is_alive(self, process: Process) -> bool | None:
        domain = self._domains[process.pid]
        return None if domain.alive and domain.asleep else domain.alive


def _order_id(data: bytes) -> int:
    """The order that a request to place is about: its first field in every encoding (TWS-BEHAVIOUR.md F1)."""
    if data[4:5] != b"\0":
        return int(data[4:].split(b"\0")[1])
    if int.from_bytes(data[4:8], "big") <= PROTOBUF_OFFSET:
        return int(data[8:].split(b"\0")[0])
    return sum((byte & 127) << 7 * place for place, byte in enumerate(_varint(data[9:])))


def _varint(data: bytes) -> bytes:
    end = next(place for place, byte in enumerate(data) if byte < 128)
    return data[: end + 1]


def _process(number: int) -> Process:
    return Process(host=f"host {number}", pid=number, started=f"life {number}")
