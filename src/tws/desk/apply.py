"""Records into state. Nothing here judges: a record says what happened, this writes it down.

One function per kind of record, in one table. What a record leads to was decided when it was made;
whoever applies a journal from its beginning arrives at the state in which it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from tws.desk.applybooks import BOOKS
from tws.desk.remember import (
    let_out,
    limit_latched,
    limit_released,
    limits_changed,
    loss_anchored,
    peak_raised,
    sent,
)
from tws.desk.state import Bundle, DeskState, FlattenJob, Group, Question, Reversal, Stop, remember
from tws.desk.totals import weighs_as_before
from tws.model import records as r
from tws.model.exercise import Exercising
from tws.model.facts import AnswerKind, LinkState
from tws.model.order import Order, OrderType, Role, Side
from tws.model.records import FlattenPhase, Record
from tws.model.signalrecords import UNSEEN
from tws.model.stop import KillState
from tws.orders.book import OurOrder, PermanentId
from tws.risk.situation import fingerprint

__all__ = ["apply", "replay"]

_ROUND = (AnswerKind.OPEN_ORDERS, AnswerKind.COMPLETED_ORDERS, AnswerKind.EXECUTIONS)


def apply(state: DeskState, record: Record) -> None:
    """Put one record into the state, and what it says of an order into the totals."""
    _TABLE[type(record)](state, record)
    intent_id = getattr(record, "intent_id", "")
    if intent_id and not weighs_as_before(record):
        _count(state, intent_id)
    elif type(record) is r.Adjusted:  # trades may hold other shares than their fills made
        exposure = state.totals.contracts.get(record.contract.con_id)
        for each in tuple(exposure.parts) if exposure is not None else ():
            _count(state, each)
    elif type(record) is r.HandedBack:
        for each in state.groups[record.group_id].intents[:1]:  # one of them: the trade's exits follow
            _count(state, each)


def replay(state: DeskState, records: Iterable[Record]) -> None:
    """Put a whole journal into the state: the same as `apply` on each, with the totals reckoned once at the
    end. They follow from the orders alone, and a million records would reckon them a million times.
    """
    for record in records:
        _TABLE[type(record)](state, record)
    state.totals.clear()
    for order in state.book.exposed():
        _count(state, order.intent_id)


def _count(state: DeskState, intent_id: str) -> None:
    """The order may have changed, and so may how far the exits of its trade reach."""
    order = state.book.get(intent_id)
    group = None if order is None else state.groups.get(order.group_id)
    if order is not None and group is None:
        state.totals.count(order, (order,), None)
    elif order is not None and group is not None:
        members = (state.book.orders[intent_id] for intent_id in group.intents)
        state.totals.count(order, members, state.held(group))


def _began(state: DeskState, record: r.Began) -> None:
    state.prefix, state.client_id = record.prefix, record.client_id
    state.account, state.port = record.account, record.port
    state.link, state.accounts = LinkState.DOWN, ()
    state.session = 0
    state.questions.clear()
    state.round_ns = None


def _stamped(state: DeskState, record: r.Stamped | r.Reloaded) -> None:
    """For whoever reads the journal: nothing is decided by it."""


def _planned(state: DeskState, record: r.Planned) -> None:
    state.groups[record.group_id] = Group(
        group_id=record.group_id, contract=record.contract, tick=record.tick, lot=record.lot,
        side=record.side, quantity=record.quantity, stop_price=record.stop_price,
        target_price=record.target_price,
        strategy=record.strategy, signal_id=record.signal_id, joins=record.joins,
        trail=record.trail, trail_percent=record.trail_percent, trigger_price=record.trigger_price,
        adjusted_stop_price=record.adjusted_stop_price, target_follows=record.target_follows,
        stop_follows=record.stop_follows)
    state.open_groups[record.group_id] = None
    base = state.groups.get(record.joins)
    if base is not None:
        base.additions += 1
    if record.signal_id:
        remember(state.signals, f"{record.strategy}/{record.signal_id}", record.group_id)
    let_out(state, record)


def _intended(state: DeskState, record: r.Intended) -> None:
    order = OurOrder(intent_id=record.intent_id, group_id=record.group_id, role=record.role,
                     contract=record.contract, order=record.order, order_id=record.order_id,
                     changed_ns=record.at_ns, after_ns=state.last_fill_ns, exercise=record.exercise)
    state.book.add(order)
    state.totals.know(record.contract)
    if record.exercise is not None:
        _exercising(state, record.intent_id, record.exercise)
    state.serial = max(state.serial, record.serial)
    state.next_order_id = max(state.next_order_id, record.order_id + 1)
    group = state.groups.get(record.group_id)
    if group is not None and record.role is Role.ENTRY:
        remember(state.fingerprints, _wish(group, record.order), record.at_ns)
    if group is not None:
        group.intents.append(record.intent_id)
        if record.role is not Role.ENTRY and not record.order.parent_id:
            group.repairs += 1
            group.repaired_ns = record.at_ns


def _exercising(state: DeskState, intent_id: str, exercise: Exercising) -> None:
    if exercise.underlying is not None:
        state.totals.know(exercise.underlying)
    if exercise.signal_id:
        remember(state.signals, f"{exercise.strategy}/{exercise.signal_id}", intent_id)


def _wish(group: Group, entry: Order) -> str:
    """What makes another entry the double of this one."""
    adds = group.joins and f"{group.joins}/{group.signal_id}"
    return fingerprint(group.contract, entry, group.strategy, adds)


def _approved(state: DeskState, record: r.Approved) -> None:
    """The approval of a placement moves by its own `Moved`; that of a change moves nothing."""
    sent(state, record.at_ns)


def _changed(state: DeskState, record: r.Changed) -> None:
    order = state.book.orders[record.intent_id]
    _begin_change(state, order, record.order, record.at_ns, record.repair)
    order.revision = record.revision


def _stated(state: DeskState, record: r.Stated) -> None:
    order = state.book.orders[record.intent_id]
    if order.before is not None:
        order.changed_ns = record.at_ns
    order.order, order.before = record.order, None
    group = state.groups.get(order.group_id)
    if group is None:
        return
    # What protects next follows what the broker has: a stop that was moved stays where it was moved to.
    if order.role is Role.ENTRY:
        group.quantity = record.order.quantity
    elif order.role is Role.STOP and group.stop_price is not None:
        stop = record.order
        group.stop_price = stop.stop_price or group.stop_price
        group.trail, group.trail_percent = stop.trail, stop.trail_percent
        group.trigger_price, group.adjusted_stop_price = stop.trigger_price, stop.adjusted_stop_price
    elif order.role is Role.TARGET and group.target_price is not None:
        group.target_price = record.order.limit_price or group.target_price


def _resized(state: DeskState, record: r.Resized) -> None:
    order = state.book.orders[record.intent_id]
    wanted = replace(order.order, quantity=record.quantity)
    _begin_change(state, order, wanted, record.at_ns, repair=True)
    order.revision = record.revision


def _agreed(state: DeskState, record: r.Agreed) -> None:
    order = state.book.orders[record.intent_id]
    order.order, order.before = replace(order.order, quantity=record.quantity), None


def _begin_change(state: DeskState, order: OurOrder, wanted: Order, at_ns: int, repair: bool) -> None:
    order.before = order.before or order.order
    order.order = wanted
    order.changed_ns = at_ns
    group = state.groups.get(order.group_id)
    if group is not None and repair:
        group.repairs += 1
        group.repaired_ns = at_ns


def _moved(state: DeskState, record: r.Moved) -> None:
    order = state.book.orders[record.intent_id]
    if record.state is not order.state:
        order.changed_ns = record.at_ns
    if record.state is r.OrderState.UNKNOWN and order.state is not r.OrderState.UNKNOWN:
        order.misses = ()
    order.doubted = record.state is r.OrderState.UNKNOWN and (order.doubted or not order.live)
    if record.perm_id:
        new = PermanentId(order_id=order.order_id, state=record.state)
        entry = order.perms.setdefault(record.perm_id, new)
        entry.state = record.perm_state or record.state
    if record.filled is not None:
        order.claimed = max(order.claimed, record.filled)
    if record.remaining is not None:
        order.claimed_remaining = record.remaining
    if record.written:
        order.written = True
    order.cause = record.cause or order.cause
    was_live = order.live
    state.book.moved(order, record.state)
    if order.live is not was_live and order.group_id not in state.groups:
        state.over.pop(order.intent_id, None)
        if was_live:
            state.over[order.intent_id] = record.at_ns


def _bound(state: DeskState, record: r.Bound) -> None:
    state.book.bind(state.book.orders[record.intent_id], record.perm_id, record.order_id)


def _adopted(state: DeskState, record: r.Adopted) -> None:
    row = record.order
    order = Order(side=Side(row.side), quantity=row.quantity, order_type=OrderType(row.order_type),
                  limit_price=row.limit_price, stop_price=row.stop_price, account=row.account,
                  order_ref=row.order_ref, parent_id=row.parent_id, oca_group=row.oca_group,
                  trail=row.trail, trail_percent=row.trail_percent, trigger_price=row.trigger_price,
                  adjusted_stop_price=row.adjusted_stop_price)
    ours = OurOrder(intent_id=record.intent_id, group_id=record.group_id, role=record.role,
                    contract=record.contract, order=order, order_id=row.order_id, written=True,
                    adopted=True, state=r.OrderState.UNKNOWN, changed_ns=record.at_ns)
    state.book.add(ours)
    state.totals.know(record.contract)
    state.serial = max(state.serial, record.serial)
    state.foreign.pop(row.perm_id, None)


def _cancel_asked(state: DeskState, record: r.CancelAsked) -> None:
    order = state.book.orders[record.intent_id]
    order.cancel_wanted, order.cancel_reason = True, record.reason
    order.changed_ns = record.at_ns
    sent(state, record.at_ns)


def _denied(state: DeskState, record: r.Denied) -> None:
    group = state.groups.get(record.group_id)
    if group is not None:
        group.repaired_ns = record.at_ns
        group.repairs += 1  # a repair that was refused counts too, or it would be tried for ever


def _link_moved(state: DeskState, record: r.LinkMoved) -> None:
    state.link, state.session = record.state, record.session
    if record.accounts:
        state.accounts = record.accounts
    if state.link_up:
        state.epoch += 1
    state.questions.clear()
    state.named.clear()
    state.round_ns = None


def _floor_raised(state: DeskState, record: r.FloorRaised) -> None:
    state.next_order_id = max(state.next_order_id, record.next_order_id)


def _asked(state: DeskState, record: r.Asked) -> None:
    if record.kind in _ROUND and state.round_ns is not None:
        state.round_ns = None
        state.named.clear()
        for kind in _ROUND:
            state.questions.pop(kind, None)
    state.asked += 1
    state.last_asked[record.kind] = record.at_ns
    state.questions[record.kind] = Question(asked_ns=record.at_ns, epoch=state.epoch, number=state.asked)


def _answered(state: DeskState, record: r.Answered) -> None:
    question = state.questions.setdefault(record.kind, Question(asked_ns=record.at_ns, epoch=state.epoch))
    question.answered_ns, question.reaches_ns = record.at_ns, record.reaches_ns
    for intent_id in record.named:
        state.named[intent_id] = None
    if record.kind is AnswerKind.POSITIONS:
        state.opened = state.opened or record.opened
    if record.round_complete:
        state.round_ns = record.at_ns
    if record.reconciled:
        state.reconciled_epoch = state.epoch


def _missed(state: DeskState, record: r.Missed) -> None:
    order = state.book.orders[record.intent_id]
    order.misses = (*order.misses[-3:], (state.epoch, record.at_ns))


def _released(state: DeskState, record: r.Released) -> None:
    group = state.groups[record.group_id]
    state.open_groups.pop(record.group_id, None)
    group.bare(record.at_ns, False)
    orders = state.orders_of(record.group_id)
    if record.flat:
        group.moved -= state.held(group)
    group.settled = not any(order.live for order in orders) and (
        not group.protected or not state.in_account(group))
    for order in orders:
        if order.role is Role.ENTRY:
            state.fingerprints.pop(_wish(group, order.order), None)  # an entry after it is no double of it
    state.over.pop(record.group_id, None)
    state.over[record.group_id] = record.at_ns


def _reopened(state: DeskState, record: r.Reopened) -> None:
    state.over.pop(record.group_id, None)
    state.open_groups[record.group_id] = None
    state.groups[record.group_id].settled = False


def _retired(state: DeskState, record: r.Retired) -> None:
    for key in record.keys:
        if record.forgotten:
            state.shelf.take(key)
            continue
        group = state.groups.pop(key, None)
        intents = [key] if group is None else group.intents
        bundle = Bundle(group=group, orders=[state.book.take_out(intent_id) for intent_id in intents])
        state.shelf.put(key, bundle, state.over.pop(key))


def _recalled(state: DeskState, record: r.Recalled) -> None:
    bundle = state.shelf.take(record.key)
    if bundle.group is not None:
        state.groups[record.key] = bundle.group
    for order in bundle.orders:
        state.book.put_back(order)
    state.over[record.key] = record.at_ns


def _handed_back(state: DeskState, record: r.HandedBack) -> None:
    state.groups[record.group_id].moved += record.moved


def _watched(state: DeskState, record: r.Watched) -> None:
    state.groups[record.group_id].bare(record.at_ns, record.bare)


def _flatten_moved(state: DeskState, record: r.FlattenMoved) -> None:
    known = state.flattens.get(record.symbol)
    if known is None or known.phase is FlattenPhase.NOT_FLAT:
        known = FlattenJob(symbol=record.symbol, phase=record.phase, since_ns=record.at_ns,
                           begun_ns=record.at_ns, reason=record.reason, key=record.key)
        state.flattens[record.symbol] = known
    known.phase, known.since_ns, known.asked = record.phase, record.at_ns, state.asked
    known.strategy, known.why = record.strategy, record.reason
    if record.phase is FlattenPhase.CLOSING:
        known.closes += 1
    elif record.phase is FlattenPhase.ARMED:
        known.closes = 0  # what a shut market refused says nothing of an open one
    if record.key:
        remember(state.flatten_keys, f"{record.key}/{record.symbol}", None)
    if record.phase in (FlattenPhase.FLAT, FlattenPhase.ABANDONED):
        del state.flattens[record.symbol]


def _reversal_moved(state: DeskState, record: r.ReversalMoved) -> None:
    job = state.reversals.get(record.symbol)
    if record.bracket is not None and record.instrument is not None:
        state.reversals[record.symbol] = Reversal(phase=record.phase, begun_ns=record.at_ns,
                                                  bracket=record.bracket, instrument=record.instrument)
    elif job is not None and record.phase in (r.ReversalPhase.FLAT, r.ReversalPhase.DROPPED):
        del state.reversals[record.symbol]
        plan = job.bracket
        if record.phase is r.ReversalPhase.DROPPED and plan.signal_id:
            remember(state.signals, f"{plan.strategy}/{plan.signal_id}", "")
    elif job is not None:
        job.phase = record.phase


def _aimed(state: DeskState, record: r.Aimed) -> None:
    """What protects next, of the trade and of what adds to it, stands at the new prices too."""
    state.groups[record.group_id].aim = record
    for group_id in state.open_groups:
        group = state.groups[group_id]
        if record.group_id in (group_id, group.joins):
            group.target_price = record.target_price or group.target_price
            group.stop_price = record.stop_price or group.stop_price
            group.trigger_price = record.trigger_price or group.trigger_price
            group.adjusted_stop_price = record.adjusted_stop_price or group.adjusted_stop_price


def _kill_moved(state: DeskState, record: r.KillMoved) -> None:
    stops, key = state.kill.stops, record.scope.key
    if record.state is KillState.ACTIVE:
        stops.pop(key, None)
        return
    stop = stops.get(key)
    if stop is None or record.ordered:
        stop = stops[key] = Stop(scope=record.scope, state=record.state, since_ns=record.at_ns,
                                 begun_ns=record.at_ns, flatten=record.flatten, reason=record.reason,
                                 operator=record.operator, asked=state.asked)
    if record.state is not stop.state:
        stop.state, stop.since_ns = record.state, record.at_ns


def _all_cancel_asked(state: DeskState, record: r.AllCancelAsked) -> None:
    stop = state.kill.stops.get(record.scope.key)
    if stop is not None:
        stop.all_asked_ns = record.at_ns


def _hours_stated(state: DeskState, record: r.HoursStated) -> None:
    state.hours[record.con_id] = record


def _foreign_seen(state: DeskState, record: r.ForeignSeen) -> None:
    if record.gone:
        state.foreign.pop(record.order.perm_id, None)
    else:
        remember(state.foreign, record.order.perm_id, record)


def _alarmed(state: DeskState, record: r.Alarmed) -> None:
    remember(state.alarms, record.subject, record.at_ns)


def _signal_judged(state: DeskState, record: r.SignalJudged) -> None:
    if record.signal_id and record.reason not in UNSEEN:
        key = f"{record.source}/{record.model}/{record.signal_id}"
        remember(state.judged, key, replace(record, figure="", bound="", text=""))


def _for_the_reader(state: DeskState, record: Record) -> None:
    """It is kept for whoever reads the journal; no decision of the desk stands on it."""


_TABLE: dict[type, Callable[[DeskState, Any], None]] = {
    **BOOKS,
    r.Began: _began,
    r.Stamped: _stamped, r.Reloaded: _stamped,
    r.Planned: _planned,
    r.Intended: _intended,
    r.Approved: _approved,
    r.Changed: _changed,
    r.Stated: _stated,
    r.Resized: _resized,
    r.Agreed: _agreed,
    r.Moved: _moved,
    r.Bound: _bound,
    r.Adopted: _adopted,
    r.CancelAsked: _cancel_asked,
    r.Denied: _denied,
    r.LinkMoved: _link_moved,
    r.FloorRaised: _floor_raised,
    r.Asked: _asked,
    r.Answered: _answered,
    r.Missed: _missed,
    r.Released: _released,
    r.Reopened: _reopened,
    r.Retired: _retired,
    r.Recalled: _recalled,
    r.HandedBack: _handed_back,
    r.Watched: _watched,
    r.FlattenMoved: _flatten_moved,
    r.ReversalMoved: _reversal_moved,
    r.Aimed: _aimed,
    r.KillMoved: _kill_moved,
    r.AllCancelAsked: _all_cancel_asked,
    r.HoursStated: _hours_stated,
    r.ForeignSeen: _foreign_seen,
    r.Alarmed: _alarmed,
    r.LimitsChanged: limits_changed,
    r.LimitLatched: limit_latched,
    r.LimitReleased: limit_released,
    r.LossAnchored: loss_anchored,
    r.PeakRaised: peak_raised,
    r.SignalJudged: _signal_judged,
    r.SignalsUnwritten: _for_the_reader,
    r.RuleSwitched: _for_the_reader,
}
