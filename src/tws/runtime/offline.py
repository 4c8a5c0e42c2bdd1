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
from tws.desk import Desk
from tws.errors import ConfigError
from tws.journal import SQLiteStore, read_journal
from tws.model.instrument import Instrument
from tws.model.records import Record, decode_records, encode_record
from tws.risk import Gate, Limits
from tws.runtime.adjusting import AdjustWish
from tws.runtime.place import Place
from tws.runtime.unlocking import UnlockWish, unlock
from tws.runtime.windup import left
from tws.safety import Latch, SafetyFile, Unlock

__all__ = ["adjust_offline", "desk_of", "reset_offline", "unlock_offline"]


def reset_offline(
    place: Place, journal: Path, operator: str, reason: str, accept: bool, clock: Clock
) -> tuple[Latch, ...]:
    """Take the latches away. Raises ConfigError when our books are not flat and that was not accepted."""
    if not operator.strip() or not reason.strip():
        raise ConfigError("reset", "", "wants a name and a reason", "Give --operator and --reason")
    with SafetyFile(place.safety) as safety:
        if not safety.state.readable:
            return safety.reset(at_ns=clock.now_ns())  # no lease can be taken before
        with _lease(safety, clock):
            remains = left(desk_of(journal).state) if journal.exists() else []
            if remains and not accept:
                text = "; ".join(map(str, remains))
                raise ConfigError(
                    "reset", text, "is not flat", "Close it first, or accept it: --accept-positions"
                )
            return safety.reset(at_ns=clock.now_ns())


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
        records = desk.step(command, clock.now_ns())
        store = SQLiteStore(journal)
        try:
            store.append([encode_record(record) for record in records])
        finally:
            store.close()  # commits, and waits for the disk
        return records


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
