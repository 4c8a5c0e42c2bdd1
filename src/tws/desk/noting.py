"""What was judged or switched beside the desk: it goes into the journal, and decides nothing."""

from __future__ import annotations

from msgspec.structs import replace

from tws.desk.commands import NoteAlarm, NoteRules, NoteSignals
from tws.desk.turn import Turn
from tws.model.records import Severity

__all__ = ["note_alarm", "note_rows"]


def note_rows(turn: Turn, command: NoteSignals | NoteRules) -> None:
    """Each row at the time of this turn, so that instants in a journal do not run backwards."""
    for row in command.rows:
        turn.emit(replace(row, at_ns=turn.now_ns))


def note_alarm(turn: Turn, command: NoteAlarm) -> None:
    turn.alarm(Severity.ALARM, command.subject, command.text)
