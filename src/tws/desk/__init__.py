"""The core that trades: it hears events, decides, and says what is to be done. No I/O, no clock.

    commands.py   what it is told
    effects.py    what it wants done
    state.py      what it knows
    apply.py      record into state, with no judgement
    desk.py       Desk: step (decide and apply), effects
    submit.py     wishes into intents
    hear.py       the broker's facts into records
    protect.py    each filled share has a stop
    flatten.py    the closing of positions
    reconcile.py  after a lost link: ask, merge, prove absence
    infer.py      fills beyond the broker's memory, and fills that he took back
    books.py      our books beside the broker's word: what is missing, what blocks
    standing.py   every difference as a value, for `tws status`
    human.py      what only a human can know
"""

from __future__ import annotations

from tws.desk.commands import (
    Adjust,
    Adopt,
    Begin,
    CancelAll,
    CancelIntent,
    Command,
    ConfirmOpening,
    DeclareGone,
    Event,
    Flatten,
    NotWritten,
    Report,
    ReserveIds,
    SubmitBracket,
    SubmitOrder,
    TimerTick,
    Withdrawn,
    Written,
)
from tws.desk.desk import Desk
from tws.desk.effects import Alert, Ask, Cancel, Effect, Place
from tws.desk.state import DeskState
from tws.desk.turn import Timing

__all__ = [
    "Adjust",
    "Adopt",
    "Alert",
    "Ask",
    "Begin",
    "Cancel",
    "CancelAll",
    "CancelIntent",
    "Command",
    "ConfirmOpening",
    "DeclareGone",
    "Desk",
    "DeskState",
    "Effect",
    "Event",
    "Flatten",
    "NotWritten",
    "Place",
    "Report",
    "ReserveIds",
    "SubmitBracket",
    "SubmitOrder",
    "TimerTick",
    "Timing",
    "Withdrawn",
    "Written",
]
