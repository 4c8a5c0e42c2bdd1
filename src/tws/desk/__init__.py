"""The core that trades: it hears events, decides, and says what is to be done. No I/O, no clock.

    commands.py   what it is told
    effects.py    what it wants done
    state.py      what it knows
    apply.py      record into state, with no judgement; remember.py the part of it that limits need
    totals.py     running sums over our orders; worth.py what positions are worth at their worst
    reckoned.py   what is reckoned beside the state and is not in the journal
    desk.py       Desk: step (decide and apply), effects
    submit.py     wishes into intents
    limits.py     limits in force: configured, changed, latched, released; losses.py watches the day's loss
    change.py     changes of working orders, from what TWS states
    hear.py       the broker's facts into records
    protect.py    each filled share has a stop
    aim.py        the exits follow the average price when something is added
    agenda.py     which trades to look at after an event
    tidy.py       what ended long ago is packed away, and found again
    exercising.py options exercised, or let lapse
    flatten.py    the closing of positions
    kill.py       the emergency stop
    killreport.py its answer: FLAT, or NOT FLAT and why
    market.py     whether a close can execute now
    reconcile.py  after a lost link: ask, merge, prove absence
    infer.py      fills beyond the broker's memory, and fills that he took back
    books.py      our books beside the broker's word: what is missing, what blocks
    cover.py      short calls, and the shares that cover them
    cash.py       the account's cash beside what our books make of it
    standing.py   every difference as a value, for `tws status`
    human.py      what only a human can know
    noting.py     signals that were judged, for the journal
    listed.py     what a list of open orders should name and does not
"""

from __future__ import annotations

from tws.desk.commands import (
    Adjust,
    AdjustCash,
    Adopt,
    Begin,
    CancelAll,
    CancelIntent,
    CashStated,
    ChangeLimits,
    Command,
    ConfirmOpening,
    DeclareGone,
    Event,
    Flatten,
    Kill,
    ModifyOrder,
    NoteAlarm,
    NoteRules,
    NoteSignals,
    NotWritten,
    ReduceOnly,
    ReleaseLimit,
    Reload,
    Report,
    ReserveIds,
    ResetKill,
    Reverse,
    StateHours,
    SubmitBracket,
    SubmitExercise,
    SubmitOrder,
    TimerTick,
    Withdrawn,
    Written,
)
from tws.desk.desk import Desk
from tws.desk.effects import Alert, Ask, AskCash, Cancel, CancelEverything, Effect, Place
from tws.desk.killreport import KillReport, Remainder, Verdict, at_rest, kill_report
from tws.desk.state import DeskState
from tws.desk.turn import Timing

__all__ = [
    "Adjust",
    "AdjustCash",
    "Adopt",
    "Alert",
    "Ask",
    "AskCash",
    "Begin",
    "Cancel",
    "CancelAll",
    "CancelEverything",
    "CancelIntent",
    "CashStated",
    "ChangeLimits",
    "Command",
    "ConfirmOpening",
    "DeclareGone",
    "Desk",
    "DeskState",
    "Effect",
    "Event",
    "Flatten",
    "Kill",
    "KillReport",
    "ModifyOrder",
    "NotWritten",
    "NoteAlarm",
    "NoteRules",
    "NoteSignals",
    "Place",
    "ReduceOnly",
    "ReleaseLimit",
    "Reload",
    "Remainder",
    "Report",
    "ReserveIds",
    "ResetKill",
    "Reverse",
    "StateHours",
    "SubmitBracket",
    "SubmitExercise",
    "SubmitOrder",
    "TimerTick",
    "Timing",
    "Verdict",
    "Withdrawn",
    "Written",
    "at_rest",
    "kill_report",
]
