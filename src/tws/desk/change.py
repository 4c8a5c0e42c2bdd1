"""Changes of working orders: built on what TWS last stated, approved by the gate, ended by TWS's own word.

A change is a placeOrder under the same id with all fields anew: what it leaves out, TWS drops. So it begins
with the openOrder as TWS last stated it in this session of the link (`Turn.rows`), not with what we once
sent. While it is out, `OurOrder.before` holds what TWS has; the order's exposure is the greater of the two.
It ends when TWS states something else than before: normally what was asked, or what a human or a preset made
of it. A refusal leaves the order as it was. While TWS says PendingSubmit the change is not through, and an
order whose change is out is not changed again (2102 would be the answer).

What TWS states without a change of ours (a stop dragged on the chart, one that trails or was adjusted) is
taken as well: the exposure that the limits see, and the prices of the next protection, are those of the
broker's order. A change sends back where a trailing stop stands as TWS last stated it; while the change is
out, its moving on neither confirms nor denies it.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.desk.commands import ModifyOrder
from tws.desk.state import Group
from tws.desk.submit import situation
from tws.desk.turn import Turn
from tws.model.facts import AnswerKind, BrokerOrder
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType, Role
from tws.model.records import Approved, Changed, Denied, OrderState, Severity, Stated
from tws.orders.book import OurOrder
from tws.orders.table import STATUS_EVENTS, OrderEvent
from tws.orders.terms import PENDING, as_sent_back, as_stated, same_terms, trailed
from tws.risk.denial import Denial
from tws.risk.grid import wild
from tws.risk.situation import Proposal, Situation

__all__ = ["change", "changeable", "changes_unanswered", "hear_terms", "hear_word", "keep_as_it_was",
           "modify_order", "moves_by_itself", "reprice"]

_CHANGEABLE = (OrderState.ACKNOWLEDGED, OrderState.WORKING, OrderState.HELD)
_ENDS = (OrderEvent.FILL, OrderEvent.CANCEL)


def modify_order(turn: Turn, command: ModifyOrder) -> None:
    """Judge a wish to change an order, and change it; with an entry's quantity that of its children."""
    order = turn.state.book.get(command.intent_id)
    if order is None:
        turn.emit(Denied(at_ns=turn.now_ns, symbol="", limit="change", figure=command.intent_id,
                         bound="an order of ours", reason="it is none, or one that ended long ago"))
        return
    group = turn.state.groups.get(order.group_id)
    denial = wild(quantity=command.quantity, limit_price=command.limit_price, stop_price=command.stop_price,
                  trail=command.trail, trail_percent=command.trail_percent)
    wanted = order.order if denial is not None else _wanted(turn, order, group, command)
    denial = (denial or _unfit(turn, order) or _not_free(turn, order, group, command)
              or _wrong_sides(order, group, wanted))
    family = [(order, wanted)]
    if order.role is Role.ENTRY and wanted.quantity != order.order.quantity:
        for child in _children(turn, order, group):
            denial = denial or _unfit(turn, child)
            family.append((child, replace(_base(turn, child), quantity=wanted.quantity)))
    for one, its in family:
        denial = denial or turn.gate.judge(*_proposed(turn, one, its, command.instrument, wanted.quantity))
    if denial is not None:
        _deny(turn, order, wanted, denial)
        return
    for one, its in family:  # the entry first: a child is held to what was sent for its parent
        if not same_terms(one.order, its):
            judged = _proposed(turn, one, its, command.instrument, wanted.quantity)
            _send(turn, one, its, command.reason or "asked", judged, repair=False)


def change(turn: Turn, order: OurOrder, quantity: Decimal, reason: str) -> bool:
    """The desk's own change of a protection's size. False when it can't be now."""
    if _unfit(turn, order, stated=False) is not None or not _stands_known(turn, order):
        return False  # what it waits for comes as a fact
    wanted = replace(_base(turn, order), quantity=quantity)
    judged = _proposed(turn, order, wanted, None, quantity)
    denial = turn.gate.judge(*judged)
    if denial is not None:
        _deny(turn, order, wanted, denial, group_id=order.group_id)
        return False
    _send(turn, order, wanted, reason, judged, repair=True)
    return True


def changeable(turn: Turn, order: OurOrder) -> bool:
    """Whether an order can be changed now. If not, the fact that lets it be touches its trade."""
    return _unfit(turn, order) is None


def reprice(turn: Turn, order: OurOrder, prices: dict[str, Decimal], reason: str) -> None:
    """The desk's own change of an exit's prices, named as in `Order`; a `Denied` when the gate objects."""
    wanted = replace(_base(turn, order), **prices)
    judged = _proposed(turn, order, wanted, None, wanted.quantity)
    denial = turn.gate.judge(*judged)
    if denial is not None:
        _deny(turn, order, wanted, denial)
    else:
        _send(turn, order, wanted, reason, judged, repair=False)


def _stands_known(turn: Turn, order: OurOrder) -> bool:
    """Whether TWS has just said where a trailing stop stands: that goes back with the change, and an old word
    would move it back. Asks if not.
    """
    if order.order.order_type is not OrderType.TRAIL:
        return True
    question = turn.state.questions.get(AnswerKind.OPEN_ORDERS)
    answered_ns = question.answered_ns if question is not None else None
    if answered_ns is not None and turn.now_ns - answered_ns <= turn.timing.bare_ns:
        return True
    turn.ask(AnswerKind.OPEN_ORDERS)
    turn.next_ns = turn.now_ns  # the answer touches no trade: looked at again after every event
    return False


# -- what TWS says


def hear_terms(turn: Turn, order: OurOrder, row: BrokerOrder, listed: bool = False) -> None:
    """An openOrder of an order of ours: keep it, and see whether the order is still what we think.

    `listed`: it is a row of a complete answer. The row of an order that ended, or of one that lives under
    several permanent ids, settles nothing.
    """
    known = turn.rows.get(order.intent_id)
    if row.completed or not order.live or STATUS_EVENTS.get(row.status) in _ENDS:
        turn.rows.pop(order.intent_id, None)
        _hear_where_it_ended(turn, order, row)
        return
    turn.rows[order.intent_id] = row
    if known is None or (known.status in PENDING) is not (row.status in PENDING):
        turn.agenda.touch(order.group_id)  # whether it is proven at the broker has changed
    if len(order.live_perms) > 1:
        return
    if order.before is None:
        stated = as_stated(order.order, row)
        if not same_terms(stated, order.order):
            turn.emit(Stated(at_ns=turn.now_ns, intent_id=order.intent_id, order=stated,
                             cause="TWS states it so"))
        elif trailed(stated, order.order):
            turn.emit(Stated(at_ns=turn.now_ns, intent_id=order.intent_id, order=stated, cause="it trails"))
        return
    if same_terms(as_stated(order.before, row), order.before):
        if listed and _asked_since(turn, order):
            keep_as_it_was(turn, order, "the broker's list has it as it was")
    elif row.status not in PENDING:
        stated = as_stated(order.order, row)
        taken = "TWS took the change" if same_terms(stated, order.order) else "TWS made something else of it"
        turn.emit(Stated(at_ns=turn.now_ns, intent_id=order.intent_id, order=stated, cause=taken))


def _hear_where_it_ended(turn: Turn, order: OurOrder, row: BrokerOrder) -> None:
    """A stop that moved by itself and ended: the next one begins where TWS says that it stood."""
    group, own = turn.state.groups.get(order.group_id), order.order
    if group is None or group.stop_price is None or order.before is not None or not moves_by_itself(order):
        return
    newest = turn.state.members(group, Role.STOP)[-1]
    stated = as_stated(own, row)
    nearer = stated.stop_price is not None and (stated.stop_price - group.stop_price) * group.side.sign > 0
    if newest is order and nearer:
        turn.emit(Stated(at_ns=turn.now_ns, intent_id=order.intent_id,
                         order=replace(stated, quantity=own.quantity), cause="there it ended"))


def moves_by_itself(order: OurOrder) -> bool:
    """Whether it is a stop that TWS may have moved without a word."""
    trails = order.order.order_type is OrderType.TRAIL
    return order.role is Role.STOP and (trails or order.order.trigger_price is not None)


def keep_as_it_was(turn: Turn, order: OurOrder, cause: str) -> None:
    """A change of the order was refused, or never left: the order is what it was before."""
    if order.before is not None:
        turn.emit(Stated(at_ns=turn.now_ns, intent_id=order.intent_id, order=order.before, cause=cause))
        turn.alarm(Severity.WARNING, f"change refused {order.intent_id}",
                   f"order {order.intent_id} ({order.contract.symbol}) stays as it was: {cause}")


def changes_unanswered(turn: Turn) -> None:
    """With the passing of time: ask about changes without an answer; unknown when that does not help."""
    question, timing = turn.state.questions.get(AnswerKind.OPEN_ORDERS), turn.timing
    for order in turn.state.book.living():
        age_ns = turn.now_ns - order.changed_ns
        if not order.changing or order.state is OrderState.UNKNOWN or age_ns < timing.acknowledge_ns:
            continue
        if age_ns >= timing.acknowledge_ns + 3 * timing.answer_ns:
            turn.move(order, OrderEvent.UNSURE, cause="a change of it was never answered")
        elif (question is None or question.asked_ns <= order.changed_ns
              or turn.now_ns - question.asked_ns >= timing.answer_ns):
            turn.ask(AnswerKind.OPEN_ORDERS)


def hear_word(turn: Turn, order: OurOrder, status: str) -> None:
    """An orderStatus says more of the order that an openOrder stated."""
    row = turn.rows.get(order.intent_id)
    if row is not None and row.status != status:
        if (row.status in PENDING) is not (status in PENDING):
            turn.agenda.touch(order.group_id)
        turn.rows[order.intent_id] = replace(row, status=status)


# -- what is wanted


def _base(turn: Turn, order: OurOrder) -> Order:
    """The order by which a change begins."""
    row = turn.rows.get(order.intent_id)
    if row is None:
        return replace(order.order, transmit=True)
    return as_sent_back(order.order, row)


def _wanted(turn: Turn, order: OurOrder, group: Group | None, command: ModifyOrder) -> Order:
    """The order as it is to be. Prices on the grid: an entry no dearer than wished, a stop no farther."""
    base, instrument = _base(turn, order), _instrument(order, group, command.instrument)
    buy = order.order.side.sign > 0
    limit, stop = command.limit_price, command.stop_price
    if limit is not None:
        limit = instrument.snap(limit, up=not buy)
    if stop is not None:
        stop = instrument.snap(stop, up=not buy)
        later = base.adjusted_stop_price
        if later is not None and (stop - later) * base.side.sign <= 0:
            base = replace(base, trigger_price=None, adjusted_stop_price=None)  # it is there, or past it
    if command.trail is not None or command.trail_percent is not None:
        # A stop that stood begins to trail where it stands: it is never farther than it was.
        trail = None if command.trail is None else instrument.snap(command.trail, up=True)
        base = replace(base, order_type=OrderType.TRAIL, trail=trail, trail_percent=command.trail_percent,
                       trigger_price=None, adjusted_stop_price=None)
    return replace(
        base,
        quantity=base.quantity if command.quantity is None else command.quantity,
        limit_price=base.limit_price if limit is None else limit,
        stop_price=base.stop_price if stop is None else stop,
    )


def _unfit(turn: Turn, order: OurOrder, *, stated: bool = True) -> Denial | None:
    """Why an order can't be changed now; `stated`: TWS must have stated it in this session of the link."""
    reason = ""
    if not turn.state.link_up:
        reason = f"the link is {turn.state.link}"
    elif order.changing:
        reason = "a change of it is out, and TWS has not answered it"
    elif order.state not in _CHANGEABLE:
        reason = f"it is {order.state}"
    elif order.cancel_wanted:
        reason = "it is to be cancelled"
    elif len(order.live_perms) > 1:
        reason = f"it lives under {len(order.live_perms)} permanent ids"
    elif order.exercise is not None:
        reason = "an exercise can be taken back, not changed"
    elif order.adopted:
        reason = "it was taken over from TWS and may have more to it than we can say; change it there"
    elif stated and order.intent_id not in turn.rows:
        reason = "TWS has not stated it since the link came up"
    elif order.intent_id in turn.rows and turn.rows[order.intent_id].status in PENDING:
        reason = "TWS is still submitting it"
    return Denial(limit="change", figure=order.intent_id, bound="a working order that TWS has stated",
                  reason=reason) if reason else None


def _not_free(turn: Turn, order: OurOrder, group: Group | None, command: ModifyOrder) -> Denial | None:
    """What of an order is not the caller's to change."""
    reason = ""
    kind, quantity = order.order.order_type, command.quantity
    trails = command.trail is not None or command.trail_percent is not None
    if command.limit_price is not None and kind not in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        reason = f"{kind} has no limit price"
    elif command.stop_price is not None and kind not in (OrderType.STOP, OrderType.STOP_LIMIT):
        reason = f"{kind} has no stop price of its own"
    elif command.trail is not None and command.trail_percent is not None:
        reason = "it trails by an amount or by a percent"
    elif trails and kind is not OrderType.TRAIL and (order.role, kind) != (Role.STOP, OrderType.STOP):
        reason = f"{kind} {order.role} can't trail"
    elif quantity is not None and quantity <= order.filled:
        reason = f"{order.filled} are filled already"
    elif quantity is not None and order.role is not Role.ENTRY and group is not None and group.protected:
        reason = "what protects a trade has the size of what it holds"
    return Denial(limit="change", figure=f"{order.intent_id} {order.role}", bound="what an order may be",
                  reason=reason) if reason else None


def _wrong_sides(order: OurOrder, group: Group | None, wanted: Order) -> Denial | None:
    """Stop and target of a trade must lie on either side of each other."""
    if group is None or group.stop_price is None or group.target_price is None:
        return None
    stop = wanted.stop_price if order.role is Role.STOP else group.stop_price
    target = wanted.limit_price if order.role is Role.TARGET else group.target_price
    sign = group.side.sign
    entry = wanted.limit_price if order.role is Role.ENTRY else None
    if stop is None or target is None:
        return None
    inside = entry is None or stop * sign < entry * sign < target * sign
    if stop * sign < target * sign and inside:
        return None
    return Denial(limit="bracket_sides", figure=f"stop {stop}, target {target}",
                  bound="the trade between them", reason="an exit would act at once")


def _children(turn: Turn, entry: OurOrder, group: Group | None) -> list[OurOrder]:
    if group is None:
        return []
    exits = turn.state.members(group, Role.STOP, Role.TARGET)
    return [each for each in exits if each.live and each.order.parent_id]


def _proposed(
    turn: Turn, order: OurOrder, wanted: Order, instrument: Instrument | None, parent: Decimal
) -> tuple[Proposal, Situation]:
    """What the gate is to judge of a change: what it adds counts, a child is held to its parent's size."""
    group = turn.state.groups.get(order.group_id)
    exits_of = order.group_id if order.role is not Role.ENTRY else ""
    if order.role is Role.ENTRY:
        most = None
    elif order.order.parent_id or group is None:
        most = parent if order.order.parent_id else None
    else:  # held to what its trade has: another trade may hold the same shares the other way
        most = order.filled + abs(turn.state.in_account(group))
    proposal = Proposal(
        instrument=_instrument(order, group, instrument),
        order=replace(wanted, account=order.order.account),
        role=order.role,
        strategy=group.strategy if group is not None else "",
        parent_quantity=most,
        grows_by=wanted.quantity - order.order.quantity,
    )
    return proposal, situation(turn, order.contract, order.order.side, without_exits_of=exits_of)


def _instrument(order: OurOrder, group: Group | None, given: Instrument | None) -> Instrument:
    if given is not None:
        return given
    return group.instrument if group is not None else Instrument(contract=order.contract)


def _send(
    turn: Turn, order: OurOrder, wanted: Order, reason: str, judged: tuple[Proposal, Situation], *,
    repair: bool,
) -> None:
    revision = order.revision + 1
    figures = turn.gate.measure(*judged)
    turn.emit(Changed(at_ns=turn.now_ns, intent_id=order.intent_id, revision=revision, order=wanted,
                      reason=reason, repair=repair))
    turn.gate.approve((order.intent_id, revision), order.order_id, order.contract, wanted, wanted.quantity)
    turn.emit(Approved(at_ns=turn.now_ns, intent_id=order.intent_id, order_id=order.order_id,
                       revision=revision, figures=figures))


def _deny(turn: Turn, order: OurOrder, wanted: Order, denial: Denial, group_id: str = "") -> None:
    """`group_id`: it counts among the attempts to protect that trade."""
    turn.emit(Denied(at_ns=turn.now_ns, symbol=order.contract.symbol, limit=denial.limit,
                     figure=denial.figure, bound=denial.bound, reason=denial.reason, role=order.role,
                     side=wanted.side, quantity=wanted.quantity, group_id=group_id))


def _asked_since(turn: Turn, order: OurOrder) -> bool:
    """Whether the running answer's question was put after the change."""
    question = turn.state.questions.get(AnswerKind.OPEN_ORDERS)
    return question is not None and question.asked_ns > order.changed_ns
