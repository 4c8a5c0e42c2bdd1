"""The broker's facts into records: orders, statuses, fills, fees, replies.

A fact is attached by our reference or a permanent id. Only a reply (message 4), which knows nothing but an
order id, and a status without permanent id go by order id, and then only to an order that lives in
this session under our client id. What is none of ours is kept apart.
"""

from __future__ import annotations

from decimal import Decimal

from tws.desk.books import note_fill, refuse_commission, refuse_execution
from tws.desk.change import hear_terms, hear_word, keep_as_it_was, moves_by_itself
from tws.desk.cover import naked
from tws.desk.exercising import exercise_numbered
from tws.desk.handback import charge
from tws.desk.infer import inferred_for
from tws.desk.submit import MAX_ORDER_ID
from tws.desk.tidy import find, is_old_news
from tws.desk.turn import Turn
from tws.model.execution import Commission, Execution
from tws.model.facts import AnswerKind, BrokerOrder, BrokerOrderStatus, BrokerReply
from tws.model.records import Booked, Bound, Charged, FloorRaised, ForeignSeen, OrderState, Severity
from tws.orders.book import OurOrder
from tws.orders.table import STATUS_EVENTS, OrderEvent
from tws.wire.codes import Catalogue, Context, Effect, is_client_code

__all__ = ["hear_commission", "hear_execution", "hear_order", "hear_reply", "hear_status", "say_doubles"]

_ZERO = Decimal(0)
_QUESTIONS = (AnswerKind.EXECUTIONS, AnswerKind.COMPLETED_ORDERS, AnswerKind.OPEN_ORDERS)
_UNACKNOWLEDGED = (OrderState.APPROVED, OrderState.SENT, OrderState.PENDING_CANCEL, OrderState.UNKNOWN)


def hear_order(turn: Turn, fact: BrokerOrder, listed: bool = False) -> None:
    """openOrder or completedOrder; `listed` when it is a row of a complete answer."""
    raise_floor(turn, fact.client_id, fact.order_id)
    if is_old_news(turn, fact):
        return
    order = find(turn, fact.order_ref, fact.perm_id)
    if order is None and not fact.order_ref:
        order = exercise_numbered(turn, fact.client_id, fact.order_id)
    if order is None:
        _hear_foreign(turn, fact)
        return
    another = _bind(turn, order, fact.perm_id, fact.order_id)
    if order.exercise is not None:
        _hear_exercise(turn, order, fact, listed)
        return
    hear_terms(turn, order, fact, listed)
    event = STATUS_EVENTS.get(fact.status)
    if event is None:
        _strange_status(turn, order, fact.status)
    elif fact.completed and event not in (OrderEvent.FILL, OrderEvent.CANCEL):
        # The list of completed orders holds ended orders alone, whatever word it uses for it.
        turn.move(order, OrderEvent.CANCEL, perm_id=fact.perm_id, filled=fact.filled, cause=fact.status)
    else:
        turn.move(order, event, perm_id=fact.perm_id, filled=fact.filled, cause=fact.status, listed=listed)
    if another:
        _double(turn, order)


def _hear_exercise(
    turn: Turn, order: OurOrder, fact: BrokerOrder | BrokerOrderStatus, listed: bool = False
) -> None:
    """TWS's word on an exercise. What it is shown as is no term of ours, and of its figures one counts: that
    it is carried out claims all of it, until his positions bear that out (`tws.desk.exercising`).
    """
    event = STATUS_EVENTS.get(fact.status)
    if event is None:
        _strange_status(turn, order, fact.status)
        return
    claim = order.order.quantity if event is OrderEvent.FILL else None
    turn.move(order, event, perm_id=fact.perm_id, filled=claim, cause=fact.status, listed=listed)


def hear_status(turn: Turn, fact: BrokerOrderStatus) -> None:
    """orderStatus: the word that ends orders."""
    raise_floor(turn, fact.client_id, fact.order_id)
    order = find(turn, "", fact.perm_id) if fact.perm_id else None
    order = order or exercise_numbered(turn, fact.client_id, fact.order_id)
    if order is not None and order.exercise is not None:
        _bind(turn, order, fact.perm_id, fact.order_id)
        _hear_exercise(turn, order, fact)
        return
    if order is None and fact.client_id == turn.state.client_id:
        order = _by_order_id(turn, fact.order_id)
        if order is not None and not order.live:
            order = None
        elif order is not None and fact.perm_id:
            # An id that was used before, or an openOrder that never came: ask, do not guess (INCIDENTS.md 2).
            turn.ask(AnswerKind.OPEN_ORDERS)
            order = None
    if order is None:
        known = turn.state.foreign.get(fact.perm_id)
        event = STATUS_EVENTS.get(fact.status)
        if known is not None and event in (OrderEvent.FILL, OrderEvent.CANCEL):
            turn.emit(ForeignSeen(at_ns=turn.now_ns, order=known.order, gone=True))
        return
    event = STATUS_EVENTS.get(fact.status)
    if event is None:
        _strange_status(turn, order, fact.status)
        return
    hear_word(turn, order, fact.status)
    turn.move(order, event, perm_id=fact.perm_id, filled=fact.filled, remaining=fact.remaining,
              cause=f"{fact.status} {fact.why_held}".strip())
    if event is OrderEvent.CANCEL and moves_by_itself(order):
        turn.ask(AnswerKind.COMPLETED_ORDERS)  # this word does not say where it stood (change.py takes it)


def hear_execution(turn: Turn, fact: Execution) -> None:
    """A fill, live or repeated by an answer, or the correction of one. Heard whatever the link is."""
    raise_floor(turn, fact.client_id, fact.order_id)
    state = turn.state
    if fact.contract.sec_type == "BAG":
        return  # a combo's own row: its legs are told each by itself, and they alone are positions (reported)
    if state.account_book.knows(fact):
        return
    order = find(turn, fact.order_ref, fact.perm_id)
    if refuse_execution(turn, fact, order):
        return
    outside = order is not None and not order.group_id
    before = state.net(fact.contract) if outside else _ZERO
    turn.emit(Booked(at_ns=turn.now_ns, execution=fact, intent_id=order.intent_id if order else "",
                     replaces=inferred_for(turn, order, fact)))
    if outside:
        charge(turn, fact.contract, state.net(fact.contract) - before)
    note_fill(turn, fact, order)
    bare = naked(state, fact)
    if bare:
        turn.alarm(Severity.ALARM, f"naked {fact.contract.symbol}", bare)
    if order is None:
        return
    another = _bind(turn, order, fact.perm_id, fact.order_id)
    complete = order.filled >= order.most
    turn.move(order, OrderEvent.FILL if complete else OrderEvent.PART, perm_id=fact.perm_id,
              cause=f"{fact.quantity} at {fact.price}")
    if another:
        _double(turn, order)
    if order.filled > order.most:
        turn.alarm(Severity.ALARM, f"excess {order.intent_id}",
                   f"order {order.intent_id} filled {order.filled} of {order.most}: "
                   f"{len(order.perms)} permanent ids")


def hear_commission(turn: Turn, fact: Commission) -> None:
    """The fee of a fill; it may come before its fill."""
    if not turn.state.account_book.knows_fee(fact) and not refuse_commission(turn, fact):
        turn.emit(Charged(at_ns=turn.now_ns, commission=fact))


def hear_reply(turn: Turn, fact: BrokerReply) -> None:
    """A code about an order: notices end nothing, refusals end what awaits them, the rest is asked about."""
    order = _by_order_id(turn, fact.order_id)
    if order is None:
        return
    said = f"{fact.code} {fact.text}".strip()
    effect = Effect.QUESTION if is_client_code(fact.code) else _effect(turn.catalogue, order, fact.code)
    if effect is Effect.NOTICE:
        return
    if effect is Effect.REJECTS_ORDER:
        turn.move(order, OrderEvent.REJECT, cause=said)
        if order.order.parent_id == 0 or order.filled:
            turn.alarm(Severity.WARNING, f"rejected {order.intent_id}",
                       f"order {order.intent_id} ({order.contract.symbol}) rejected: {said}")
        return
    if effect is Effect.REFUSES_CHANGE:
        changing = order.changing
        keep_as_it_was(turn, order, said)
        if not changing or order.cancel_wanted:  # it may as well refuse the cancel: asked about
            turn.move(order, OrderEvent.REFUSE, cause=said)
    elif is_client_code(fact.code):
        turn.move(order, OrderEvent.UNSURE, cause=said)
    if order.live:
        # 202 before its Cancelled, a refused change, a code that nobody knows: the broker's list decides.
        if effect is Effect.QUESTION:
            turn.alarm(Severity.WARNING, f"code {fact.code}", f"order {order.intent_id}: {said}")
        turn.ask(*_QUESTIONS)


def raise_floor(turn: Turn, client_id: int, order_id: int) -> None:
    """Our next id lies above all of our client id; manual and bound orders do not count (INCIDENTS.md 1)."""
    ours = client_id == turn.state.client_id and 1 <= order_id <= MAX_ORDER_ID
    if ours and order_id >= turn.state.next_order_id:
        turn.emit(FloorRaised(at_ns=turn.now_ns, next_order_id=order_id + 1))


def _effect(catalogue: Catalogue, order: OurOrder, code: int) -> Effect:
    """What a code does to this order, as it stands."""
    if order.changing:
        return catalogue.effect(code, Context.CHANGE)
    acknowledged = bool(order.perms) or order.state not in _UNACKNOWLEDGED
    # An exercise is a request until TWS shows it as an order: 322 against the natural action (recorded), 321.
    asked = order.exercise is not None and not acknowledged and not order.cancel_wanted
    if asked and catalogue.effect(code, Context.REQUEST) is Effect.ENDS_REQUEST:
        return Effect.REJECTS_ORDER
    fresh = catalogue.effect(code, Context.ORDER)
    if acknowledged and fresh is Effect.REJECTS_ORDER and code != 201:
        # TWS has taken it: a code that refuses *placing* now speaks of something else under its id.
        fresh = Effect.QUESTION
    if not order.cancel_wanted:
        return fresh
    change = catalogue.effect(code, Context.CHANGE)
    first, second = (change, fresh) if acknowledged else (fresh, change)
    return second if first is Effect.QUESTION else first


def _by_order_id(turn: Turn, order_id: int) -> OurOrder | None:
    """The latest intent with this id, as long as it was under way in this session: ended ones answer too."""
    return turn.state.book.numbered(order_id) if order_id > 0 else None


def _bind(turn: Turn, order: OurOrder, perm_id: int, order_id: int) -> bool:
    """Remember a permanent id; True when the intent had one already, so that it may be two orders."""
    if not perm_id or perm_id in order.perms:
        return False
    another = bool(order.perms)
    turn.emit(Bound(at_ns=turn.now_ns, intent_id=order.intent_id, perm_id=perm_id, order_id=order_id))
    return another


def _double(turn: Turn, order: OurOrder) -> None:
    """One intent has become several orders: as long as one of them lives, all are to go (INCIDENTS.md 3)."""
    if order.live:
        _say_double(turn, order)
        turn.cancel(order, "one intent became several orders")


def say_doubles(turn: Turn) -> None:
    """With the passing of time: the alarm of each intent that still is several orders, again."""
    for order in turn.state.book.living():
        if len(order.perms) > 1:
            _say_double(turn, order)


def _say_double(turn: Turn, order: OurOrder) -> None:
    turn.alarm(Severity.ALARM, f"double {order.intent_id}",
               f"order {order.intent_id} ({order.contract.symbol}) lives under {len(order.perms)} "
               "permanent ids; all are cancelled")


def _hear_foreign(turn: Turn, fact: BrokerOrder) -> None:
    known = turn.state.foreign.get(fact.perm_id)
    event = STATUS_EVENTS.get(fact.status)
    gone = fact.completed or event in (OrderEvent.FILL, OrderEvent.CANCEL)
    if gone and known is not None:
        turn.emit(ForeignSeen(at_ns=turn.now_ns, order=fact, gone=True))
    elif not gone and fact.perm_id and (known is None or known.order != fact):
        turn.emit(ForeignSeen(at_ns=turn.now_ns, order=fact))
        prefix = turn.state.prefix
        if prefix and fact.order_ref.startswith(f"{prefix}-"):
            turn.alarm(Severity.ALARM, f"orphan {fact.order_ref}",
                       f"an order of ours ({fact.order_ref}, {fact.contract.symbol}) that no journal knows; "
                       "adopt it or cancel it in TWS")


def _strange_status(turn: Turn, order: OurOrder, status: str) -> None:
    turn.alarm(Severity.WARNING, f"status {status}", f"order {order.intent_id}: unknown status {status!r}")
    turn.ask(*_QUESTIONS)
