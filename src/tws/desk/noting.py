"""What was judged before the desk was asked: it goes into the journal, and nothing is decided by it."""

from __future__ import annotations

from msgspec.structs import replace

from tws.desk.commands import NoteSignals
from tws.desk.turn import Turn

__all__ = ["note_signals"]


def note_signals(turn: Turn, command: NoteSignals) -> None:
    """Each row at the time of this turn, so that instants in a journal do not run backwards."""
    for row in command.rows:
        turn.emit(replace(row, at_ns=turn.now_ns))
