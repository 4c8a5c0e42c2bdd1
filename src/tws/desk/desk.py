"""`Desk`: events in, records and effects out.

    for event in drained:            records += desk.step(event, now_ns)
    journal.append(encode each);     await journal.commit()
    for record in records:           perform(desk.effects(record))

`step` decides and applies: each record is applied to the state as soon as it is decided, so that the next
decision of the same event sees it; nothing but `apply` moves the state. Recovery is `recover(records)`,
which applies and decides nothing. `decide(state, event, now_ns)` is the same judgement on a copy, for
whoever wants to look without moving.

Quotes, the account's values and what is reckoned from them are kept beside the state (`Beside`), newest only:
they serve decisions, and decisions are in the journal.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from tws.desk import commands as c
from tws.desk.agenda import Agenda
from tws.desk.apply import replay
from tws.desk.cash import adjust_cash, hear_cash
from tws.desk.change import modify_order
from tws.desk.commands import Event
from tws.desk.effects import Alert, Ask, AskCash, Cancel, CancelEverything, Effect, Place
from tws.desk.exercising import settle_exercises, submit_exercise
from tws.desk.flatten import begin_flatten, go_on
from tws.desk.hear import hear_commission, hear_execution, hear_order, hear_reply, hear_status
from tws.desk.human import adjust, adopt, confirm_opening, declare_gone
from tws.desk.kill import enforce, kill, reduce_only, reset_kill, settle
from tws.desk.limits import change_limits, release_limit, reload
from tws.desk.losses import watch_losses
from tws.desk.market import state_hours
from tws.desk.noting import note_alarm, note_rows
from tws.desk.protect import look_after
from tws.desk.reconcile import hear_answer, hear_link, hear_next_order_id, hear_position, pass_time
from tws.desk.reports import begin, cancel_all, cancel_intent, not_written, reserve_ids, withdrawn, written
from tws.desk.reverse import begin_reversal, go_on_reversing
from tws.desk.state import DeskState
from tws.desk.submit import submit_bracket, submit_order
from tws.desk.turn import Beside, Timing, Turn
from tws.model import facts as f
from tws.model.account import AccountValue, Position
from tws.model.execution import Commission, Execution
from tws.model.exercise import Exercise
from tws.model.market import Quote
from tws.model.records import Alarmed, AllCancelAsked, Approved, Asked, CancelAsked, CashAsked, Record
from tws.risk.gate import Gate
from tws.wire.codes import CATALOGUE, Catalogue

__all__ = ["Desk", "Timing"]


class Desk:
    """One account's core. `state` moves through `apply` alone; `catalogue` says what TWS's codes mean."""

    def __init__(
        self, gate: Gate, *, timing: Timing | None = None, state: DeskState | None = None,
        catalogue: Catalogue = CATALOGUE,
    ) -> None:
        self.gate = gate
        self.catalogue = catalogue
        self.timing = timing or Timing()
        self.state = state or DeskState()
        self.moved = 0
        """How many records have moved the state here: what was read off it holds as long as this stays."""
        self.quotes: dict[int, Quote] = {}
        self._beside = Beside()

    def step(self, event: Event, now_ns: int) -> list[Record]:
        """All that follows from `event`: decided, applied to `state`, returned in order for the journal."""
        if isinstance(event, Quote):
            self.quotes[event.con_id] = event
            self._beside.reckoned.worth.hear(event)
            return []
        if isinstance(event, AccountValue):
            self._beside.reckoned.hear(event)
            return []
        records = self._step(self.state, event, now_ns, self._beside)
        self.moved += len(records)
        return records

    def look(self, now_ns: int) -> Turn:
        """A turn to look by: what it reckons is as good as the desk's own, and moves nothing of it."""
        beside = Beside()
        beside.reckoned = self._beside.reckoned.copied()
        beside.reckoned.worth = self._beside.reckoned.worth  # of this very state: no need to make it anew
        return Turn(self.state, self.gate, self.timing, self.quotes, now_ns, self.catalogue, beside)

    def effects(self, record: Record) -> list[Effect]:
        """What is to be done because of `record`, which must be on disk by now. Call it once per record."""
        match record:
            case Approved():
                permit = self.gate.mint((record.intent_id, record.revision))
                if permit is None:
                    return []  # approved by a run that is over: its outcome is asked about
                intent = self.state.book.get(record.intent_id)
                is_exit = intent is not None and not intent.role.opens
                waits = isinstance(permit.order, Exercise) or bool(permit.order.parent_id)
                return [Place(order_id=permit.order_id, intent_id=record.intent_id, contract=permit.contract,
                              order=permit.order, permit=permit, modifies=permit.modifies,
                              urgent=is_exit and (permit.modifies or not waits))]
            case AllCancelAsked():
                return [CancelEverything()]
            case CancelAsked():
                return [Cancel(order_id=record.order_id, intent_id=record.intent_id)]
            case Asked():
                return [Ask(kind=record.kind, urgent=bool(self.state.flattens))]
            case CashAsked():
                return [AskCash()]
            case Alarmed():
                return [Alert(severity=record.severity, subject=record.subject, text=record.text)]
            case _:
                return []

    def recover(self, records: Iterable[Record]) -> None:
        """Apply a journal from its beginning: nothing is decided, no effect comes of it. `Begin` is next."""
        replay(self.state, records)
        self._beside = Beside()
        self.moved += 1

    def decide(self, state: DeskState, event: Event, now_ns: int) -> list[Record]:
        """What `step` would record from that state; `state` does not move."""
        if isinstance(event, Quote | AccountValue):
            return []
        beside = Beside(Agenda(everything=True))
        beside.rows.update(self._beside.rows)
        beside.reckoned = self._beside.reckoned.copied()
        return self._step(copy.deepcopy(state), event, now_ns, beside)

    def _step(self, state: DeskState, event: Event, now_ns: int, beside: Beside) -> list[Record]:
        turn = Turn(state, self.gate, self.timing, self.quotes, now_ns, self.catalogue, beside)
        _HEARD[type(event)](turn, event)
        settle_exercises(turn)
        enforce(turn)
        look_after(turn)
        go_on(turn)
        go_on_reversing(turn)
        settle(turn)
        return turn.records


def _pass_time(turn: Turn, event: c.TimerTick) -> None:
    pass_time(turn)
    watch_losses(turn)


_HEARD: dict[type, Callable[[Turn, Any], None]] = {
    f.BrokerOrder: hear_order,
    f.BrokerOrderStatus: hear_status,
    f.BrokerReply: hear_reply,
    Execution: hear_execution,
    Commission: hear_commission,
    Position: hear_position,
    f.NextOrderId: hear_next_order_id,
    f.Link: hear_link,
    f.Answer: hear_answer,
    c.Begin: begin,
    c.SubmitBracket: submit_bracket,
    c.SubmitOrder: submit_order,
    c.SubmitExercise: submit_exercise,
    c.Reverse: begin_reversal,
    c.CancelIntent: cancel_intent,
    c.CancelAll: cancel_all,
    c.Flatten: begin_flatten,
    c.Adopt: adopt,
    c.Adjust: adjust,
    c.ConfirmOpening: confirm_opening,
    c.AdjustCash: adjust_cash,
    c.CashStated: hear_cash,
    c.DeclareGone: declare_gone,
    c.ReserveIds: reserve_ids,
    c.ChangeLimits: change_limits,
    c.ReleaseLimit: release_limit,
    c.Reload: reload,
    c.TimerTick: _pass_time,
    c.Kill: kill,
    c.ReduceOnly: reduce_only,
    c.ResetKill: reset_kill,
    c.StateHours: state_hours,
    c.NoteSignals: note_rows,
    c.NoteRules: note_rows,
    c.NoteAlarm: note_alarm,
    c.ModifyOrder: modify_order,
    c.Written: written,
    c.Withdrawn: withdrawn,
    c.NotWritten: not_written,
}
