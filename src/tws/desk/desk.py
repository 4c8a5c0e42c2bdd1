"""`Desk`: events in, records and effects out.

    for event in drained:            records += desk.step(event, now_ns)
    journal.append(encode each);     await journal.commit()
    for record in records:           perform(desk.effects(record))

`step` decides and applies: each record is applied to the state by `apply` as soon as it is decided, so
that the next decision of the same event sees it. Recovery is `desk.recover(records)`, which applies and
decides nothing. `decide(state, event, now_ns)` is the same judgement on a copy, for whoever wants to look
without moving.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.desk.commands import Event
from tws.desk.effects import Effect
from tws.desk.state import DeskState
from tws.model.records import Record
from tws.risk.gate import Gate

__all__ = ["Desk", "Timing"]


class Timing(Struct, frozen=True, kw_only=True):
    """Waits of the desk, in nanoseconds of market time; a run at N times real speed scales them by N."""

    acknowledge_ns: int = 5 * NS_PER_S
    """Sent and no word from TWS: unknown, asked about (INCIDENTS.md 9)."""
    cancel_ns: int = 10 * NS_PER_S
    """A cancel without an answer: the order is asked about, and the cancel sent again."""
    absence_ns: int = 10 * NS_PER_S
    """Between the two rounds that prove an order absent (DESIGN.md, invariant 3)."""
    partial_ns: int = 10 * NS_PER_S
    """A partly filled entry may leave its shares without a stop this long; then its rest is cancelled."""
    bare_ns: int = 2 * NS_PER_S
    """A stop that ended by itself: its twin's fill may still be on the way, so wait this long before a new one."""
    flatten_ns: int = 30 * NS_PER_S
    """One phase of a flatten; beyond it the answer is NOT FLAT, and the flatten goes on trying."""
    repeat_ns: int = 60 * NS_PER_S
    """The same alarm is repeated no sooner."""


class Desk:
    """One account's core. `state` moves through `apply` alone."""

    def __init__(self, gate: Gate, *, timing: Timing | None = None, state: DeskState | None = None) -> None:
        self.gate = gate
        self.timing = timing or Timing()
        self.state = state or DeskState()

    def step(self, event: Event, now_ns: int) -> list[Record]:
        """All that follows from `event`: decided, applied to `state`, and returned in order for the journal."""
        raise NotImplementedError

    def effects(self, record: Record) -> list[Effect]:
        """What is to be done because of `record`, which must be on disk by now. Call it once per record."""
        raise NotImplementedError

    def recover(self, records: Iterable[Record]) -> None:
        """Apply a journal from its beginning. Nothing is decided, no effect comes of it; send `Begin` next."""
        raise NotImplementedError

    def decide(self, state: DeskState, event: Event, now_ns: int) -> list[Record]:
        """What `step` would record from that state; nothing moves."""
        raise NotImplementedError
