"""What may be written while no trader runs: a reset, an unlock, an adjustment.

Each takes the lease for its moment, so that no trader starts in its midst, and gives it back. The journal is
opened as a trader opens it, replayed into a desk, and what the desk records goes to disk before the answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tws.clock import Clock
from tws.config import Settings
from tws.desk import Command, Desk, ResetKill
from tws.errors import ConfigError
from tws.journal import SQLiteStore, read_journal
from tws.model.instrument import Instrument
from tws.model.records import (
    Adjusted,
    Denied,
    Differs,
    FlattenMoved,
    KillMoved,
    Record,
    decode_records,
    encode_record,
)
from tws.risk import Gate, Limits
from tws.runtime.adjusting import AdjustWish
from tws.runtime.place import Place
from tws.runtime.stopping import named
from tws.runtime.unlocking import UnlockWish, unlock
from tws.runtime.windup import left
from tws.safety import SafetyFile, Unlock

__all__ = ["adjust_offline", "desk_of", "reset_offline", "unlock_offline"]

_HUMAN = (Adjusted, Denied, Differs, FlattenMoved, KillMoved)


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
                desk = desk_of(journal)
                empty = not left(desk.state)
                for stop in tuple(desk.state.kill.stops.values()):
                    command = ResetKill(
                        operator=operator, reason=reason, scope=stop.scope, accept=accept or empty
                    )
                    _refuse_denied(_write(journal, desk, command, clock))
                    ended.append(f"{stop.state} on {stop.scope.key}")
            gone = safety.reset(at_ns=clock.now_ns())
            return ended or [f"{each.state} on {each.scope.key}" for each in gone]


def unlock_offline(place: Place, settings: Settings, wish: UnlockWish, clock: Clock) -> Unlock:
    """Let a live account trade for a time. Raises ConfigError with what is missing."""
    with SafetyFile(place.safety) as safety, _lease(safety, clock):
        return unlock(safety, place, settings, wish, clock.now_ns())


def adjust_offline(place: Place, journal: Path, wish: AdjustWish, clock: Clock) -> list[Record]:
    """Move a position by a human's word; the records that the journal has of it now.

    Raises ConfigError for a symbol that the journal does not know, JournalError.
    """
    with SafetyFile(place.safety) as safety, _lease(safety, clock):
        desk = desk_of(journal)
        command = wish.to_command(desk.state.account, _instrument(desk, wish.symbol))
        return _write(journal, desk, command, clock)


def _write(journal: Path, desk: Desk, command: Command, clock: Clock) -> list[Record]:
    """What the desk records of a human's word, and no more: nothing that would have to be sent."""
    decided = desk.decide(desk.state, command, clock.now_ns())
    records: list[Record] = [each for each in decided if isinstance(each, _HUMAN)]
    desk.recover(records)
    store = SQLiteStore(journal)
    try:
        store.append([encode_record(record) for record in records])
    finally:
        store.close()  # commits, and waits for the disk
    return records


def _refuse_denied(records: list[Record]) -> None:
    denied = next((each for each in records if isinstance(each, Denied)), None)
    if denied is not None:
        raise ConfigError("reset", denied.figure, denied.reason, "Close it first, or: --accept-positions")


def desk_of(journal: Path) -> Desk:
    """The desk as its journal leaves it: to be looked at, without limits, never to trade."""
    desk = Desk(Gate(Limits()))
    desk.recover(decode_records(read_journal(journal)))
    return desk


def _instrument(desk: Desk, symbol: str) -> Instrument:
    for group in reversed(desk.state.groups.values()):
        if group.contract.symbol == symbol:
            return group.instrument
    for row in desk.state.stated.values():
        if row.contract.symbol == symbol:
            return Instrument(contract=row.contract)
    raise ConfigError(
        "symbol", symbol, "is unknown to this journal", "Start the trader, then adjust it there"
    )


@contextlib.contextmanager
def _lease(safety: SafetyFile, clock: Clock) -> Iterator[None]:
    before = safety.state.lease
    safety.take_lease(client_id=0 if before is None else before.client_id, at_ns=clock.now_ns())
    try:
        yield
    finally:
        safety.release()
