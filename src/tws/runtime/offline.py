"""What may be written while no trader runs: a reset, an unlock, an adjustment, the end of a lost lease.

Each takes the lease for its moment, so that no trader starts in its midst, and gives it back. The journal is
opened as a trader opens it: locked, emergency records put behind it, recovered from its snapshot; what the
desk records goes to disk before the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from tws.clock import Clock
from tws.config import Settings
from tws.desk import Command, Desk, ResetKill
from tws.errors import ConfigError, JournalError
from tws.journal import SQLiteStore, recover
from tws.model.records import (
    Adjusted,
    Alarmed,
    CashAdjusted,
    Denied,
    Differs,
    FlattenMoved,
    KillMoved,
    LimitReleased,
    LimitsChanged,
    OpeningConfirmed,
    Record,
    Severity,
    Shortfall,
    encode_record,
)
from tws.risk import Gate, Limits
from tws.runtime.adjusting import Told, Wish, command_of, told
from tws.runtime.emergency import merge_emergency
from tws.runtime.limiting import LimitWish, changed, refuse_loosened
from tws.runtime.place import Place
from tws.runtime.stopping import named
from tws.runtime.unlocking import Ground, UnlockWish, unlock
from tws.runtime.windup import left
from tws.safety import SafetyFile, Unlock

__all__ = ["adjust_offline", "free_lease", "limits_offline", "reset_offline", "unlock_offline"]

_HUMAN = (
    Adjusted, CashAdjusted, Denied, Differs, FlattenMoved, KillMoved, LimitReleased, LimitsChanged,
    OpeningConfirmed, Shortfall,
)  # fmt: skip


def reset_offline(
    place: Place, journal: Path, operator: str, reason: str, accept: bool, clock: Clock
) -> list[str]:
    """End every stop, in the journal and in the safety file; what stood.

    Without a trader nobody has the broker's word, so what the journal holds has to be accepted unless it
    holds nothing. Raises ConfigError when it is not, or when a flatten is under way: start the trader, it
    goes on with it.
    """
    operator, reason = named(operator, reason)
    with SafetyFile(place.safety) as safety:
        if not safety.state.readable:
            safety.reset(at_ns=clock.now_ns())  # no lease can be taken before
            return ["a safety file that could not be read"]
        with _lease(safety, clock):
            ended = []
            if journal.exists():
                with _opened(journal, safety) as (desk, store):
                    empty = not left(desk.state)
                    for stop in tuple(desk.state.kill.stops.values()):
                        command = ResetKill(
                            operator=operator, reason=reason, scope=stop.scope, accept=accept or empty
                        )
                        _refuse_denied(_write(store, desk, command, clock))
                        ended.append(f"{stop.state} on {stop.scope.key}")
            gone = safety.reset(at_ns=clock.now_ns())
            return ended or [f"{each.state} on {each.scope.key}" for each in gone]


def free_lease(place: Place, journal: Path, host: str, operator: str, reason: str, clock: Clock) -> str:
    """Take the lease from a machine that a human states to be off; the sentence that the journal keeps.

    `host` is its name, typed: a lease of another, of this machine, or none at all is refused (ConfigError).
    The epoch moves on, so that its holder sends nothing more if it sees this very file after all.
    """
    operator, reason = named(operator, reason)
    with SafetyFile(place.safety) as safety:
        gone = safety.free_lease(host)
        said = f"{operator} took the lease from {gone}, stating that this machine is off: {reason}"
        with _lease(safety, clock):
            if journal.exists():
                with _opened(journal, safety) as (_, store):
                    record = Alarmed(
                        at_ns=clock.now_ns(), severity=Severity.WARNING, subject="lease", text=said
                    )
                    store.append([encode_record(record)])
        return said


def unlock_offline(place: Place, settings: Settings, wish: UnlockWish, clock: Clock) -> Unlock:
    """Let a live account trade for a time. Raises ConfigError with what is missing."""
    journal = Path(place.note().journal) if (place.folder / "note.json").exists() else place.journal
    with SafetyFile(place.safety) as safety, _lease(safety, clock):
        ground = Ground(place=place, settings=settings, desk=None)
        if journal.exists():
            with _opened(journal, safety) as (desk, _):
                ground = replace(ground, desk=desk.state)
        return unlock(safety, ground, wish, clock.now_ns())


def adjust_offline(place: Place | None, journal: Path, wish: Wish, clock: Clock) -> Told:
    """What only a human knows of positions and cash, into the journal; how the books stand then.

    Raises ConfigError for what the journal does not know and what the desk refuses, JournalError.
    """
    with _at_rest(place, journal, clock) as (desk, store):
        records = _write(store, desk, command_of(desk.state, wish), clock)
        return told(desk.state, wish, records)


def limits_offline(place: Place | None, journal: Path, wish: LimitWish, clock: Clock) -> list[str]:
    """Limits changed or released; the kinds of records. Raises ConfigError when refused, JournalError."""
    with _at_rest(place, journal, clock) as (desk, store):
        refuse_loosened(wish, desk.state)
        return changed(wish, _write(store, desk, wish.to_command(), clock))


@contextlib.contextmanager
def _at_rest(place: Place | None, journal: Path, clock: Clock) -> Iterator[tuple[Desk, SQLiteStore]]:
    """The journal and its desk, while no trader can start on them: by the lease of the place, or, for a
    journal of no place (a demo's, a copy), by the journal's own lock.
    """
    if not journal.exists():
        raise JournalError(
            journal, "unwritable", "there is none", "Start the trader once, or name its journal"
        )
    if place is None:
        with _opened(journal, None) as opened:
            yield opened
        return
    with SafetyFile(place.safety) as safety, _lease(safety, clock), _opened(journal, safety) as opened:
        yield opened


@contextlib.contextmanager
def _opened(journal: Path, safety: SafetyFile | None) -> Iterator[tuple[Desk, SQLiteStore]]:
    """The journal as a trader's start opens it, and the desk that it makes. On disk when this is left."""
    store = SQLiteStore(journal)
    try:
        if safety is not None:
            asyncio.run(merge_emergency(store, safety))
        desk = Desk(Gate(Limits()))  # to be looked at, never to trade
        recover(desk, store)
        yield desk, store
    finally:
        store.close()  # commits, and waits for the disk


def _write(store: SQLiteStore, desk: Desk, command: Command, clock: Clock) -> list[Record]:
    """What the desk records of a human's word, and no more: nothing that would have to be sent.

    Answers that, and behind it the desk's warnings, which are not kept: a refusal's reason stands in them.
    """
    decided = desk.decide(desk.state, command, clock.now_ns())
    records: list[Record] = [each for each in decided if isinstance(each, _HUMAN)]
    desk.recover(records)
    store.append([encode_record(record) for record in records])
    return [*records, *(each for each in decided if isinstance(each, Alarmed))]


def _refuse_denied(records: list[Record]) -> None:
    denied = next((each for each in records if isinstance(each, Denied)), None)
    if denied is not None:
        raise ConfigError("reset", denied.figure, denied.reason, "Close it first, or: --accept-positions")


@contextlib.contextmanager
def _lease(safety: SafetyFile, clock: Clock) -> Iterator[None]:
    before = safety.state.lease
    safety.take_lease(client_id=0 if before is None else before.client_id, at_ns=clock.now_ns())
    try:
        yield
    finally:
        safety.release()
