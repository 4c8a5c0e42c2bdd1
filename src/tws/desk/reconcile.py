"""After a lost link: ask, merge, and prove absence; and what only the passing of time shows.

When the link goes, every order that has not ended becomes UNKNOWN. When it comes back, fills, completed and
open orders and positions are asked for, and each answer is heard like the facts it is made of, which
repeats harmlessly. Open, completed and executions together make a round. An order that two complete rounds
do not name, `absence_ns` apart within one epoch that began after the loss, is absent; a fill of it that was
not known yet begins that proof anew.
"""

from __future__ import annotations

from decimal import Decimal

from tws.desk.books import compare_position, make_good, refuse_position, watch_differences
from tws.desk.cash import ask_for_cash
from tws.desk.change import changes_unanswered
from tws.desk.claims import ask_for_claimed, judge_claims, note_lacking
from tws.desk.exercising import settle_exercises, watch_exercises
from tws.desk.hear import hear_execution, hear_order, say_doubles
from tws.desk.infer import infer_instead_of_absence, note_busts, reaches_behind
from tws.desk.listed import note_unlisted
from tws.desk.submit import MAX_ORDER_ID
from tws.desk.tidy import fold, tidy
from tws.desk.turn import Turn
from tws.model.account import Position
from tws.model.facts import Answer, AnswerKind, Link, LinkState, NextOrderId
from tws.model.order import Role
from tws.model.records import (
    Answered,
    FloorRaised,
    LinkMoved,
    Missed,
    OpeningSet,
    OrderState,
    PositionHeard,
    Severity,
)
from tws.orders.book import OurOrder
from tws.orders.table import OrderEvent
from tws.positions.compare import Difference, compare
from tws.positions.holding import opening_price
from tws.positions.sound import fault_of_position

__all__ = ["hear_answer", "hear_link", "hear_next_order_id", "hear_position", "pass_time"]

_ROUND = (AnswerKind.EXECUTIONS, AnswerKind.COMPLETED_ORDERS, AnswerKind.OPEN_ORDERS)
_ALL = (*_ROUND, AnswerKind.POSITIONS)
_DOWN = (LinkState.DOWN, LinkState.BROKER_LOST)
_ZERO = Decimal(0)


def hear_link(turn: Turn, fact: Link) -> None:
    """The link changed: what is under way is unknown from now, or everything is asked for."""
    state = turn.state
    if (fact.state, fact.session) == (state.link, state.session) and fact.accounts in ((), state.accounts):
        return
    lost = fact.state in _DOWN or fact.session != state.session or fact.state is LinkState.RESTORED_LOST
    turn.emit(LinkMoved(at_ns=turn.now_ns, state=fact.state, session=fact.session, cause=fact.cause,
                        accounts=fact.accounts))
    if lost:
        for order in state.book.living():
            turn.move(order, OrderEvent.LOSE, cause=fact.cause)
    if fact.state in _DOWN:
        turn.alarm(Severity.WARNING, f"link {fact.state}", f"the link is {fact.state}: {fact.cause}")
    else:
        turn.ask(*_ALL)


def hear_next_order_id(turn: Turn, fact: NextOrderId) -> None:
    """nextValidId may roll back after a restart of the gateway: it only ever raises (INCIDENTS.md 1)."""
    if turn.state.next_order_id < fact.order_id <= MAX_ORDER_ID:
        turn.emit(FloorRaised(at_ns=turn.now_ns, next_order_id=fact.order_id))


def hear_position(turn: Turn, fact: Position) -> None:
    """The broker's word on one position, compared with what the account's fills make."""
    state = turn.state
    if refuse_position(turn, fact):
        return
    key = state.ours.key(fact.account, fact.contract.con_id)
    known = state.stated.get(key)
    if known is None or known.quantity != fact.quantity or known.average_cost != fact.average_cost:
        turn.emit(PositionHeard(at_ns=turn.now_ns, account=fact.account, contract=fact.contract,
                                quantity=fact.quantity, average_cost=fact.average_cost))
    compare_position(turn, fact.account, fact.contract)


def hear_answer(turn: Turn, fact: Answer) -> None:
    """A complete answer: hear its rows, then judge what it does not name.

    Its rows came as facts of their own already, and later facts may have overtaken the answer: a row is heard
    again only where it can settle something, about an order of unknown outcome or one that is not ours.
    """
    state = turn.state
    if fact.session != state.session or not state.link_up:
        return  # it speaks of an earlier link
    for row in fact.orders:
        order = state.book.named(row.order_ref, row.perm_id)
        if order is None or order.state is OrderState.UNKNOWN or order.changing:
            hear_order(turn, row, listed=True)
    note_unlisted(turn, fact)
    for execution in fact.executions:
        hear_execution(turn, execution)
    if fact.kind is AnswerKind.EXECUTIONS:
        note_lacking(turn)
        note_busts(turn, fact)
    opened = fact.kind is AnswerKind.POSITIONS and _hear_positions(turn, fact)
    named = tuple(order.intent_id for order in state.book.living() if _names(fact, order))
    others = [kind for kind in _ROUND if kind is not fact.kind]
    complete = fact.kind in _ROUND and all(_answered(turn, kind) for kind in others)
    asked = _answered_all(turn, fact.kind, _ALL)
    asked_ns = min((state.questions[kind].asked_ns for kind in _ROUND if kind in state.questions),
                   default=turn.now_ns)
    turn.emit(Answered(at_ns=turn.now_ns, kind=fact.kind, session=fact.session, named=named,
                       round_complete=complete, opened=opened,
                       reconciled=asked and state.reconciled_epoch != state.epoch,
                       reaches_ns=fact.reaches_ns))
    ask_for_cash(turn)
    if fact.kind in (AnswerKind.EXECUTIONS, AnswerKind.POSITIONS):
        judge_claims(turn)
    if complete:
        _judge_absence(turn, asked_ns)


def pass_time(turn: Turn) -> None:
    """What only the passing of time shows. Every wait here is bounded by `Timing`."""
    state, timing = turn.state, turn.timing
    for order in state.book.living():
        age_ns = turn.now_ns - order.changed_ns
        if order.state in (OrderState.APPROVED, OrderState.SENT) and age_ns >= timing.acknowledge_ns:
            _never_acknowledged(turn, order)
        elif order.state is OrderState.PENDING_CANCEL and age_ns >= timing.cancel_ns:
            turn.move(order, OrderEvent.SILENCE, cause="the cancel was neither confirmed nor refused")
        elif order.cancel_wanted and _cancel_again(turn, order, age_ns):
            turn.cancel(order, "still there after a cancel")
    ask_for_claimed(turn)
    settle_exercises(turn)
    watch_exercises(turn)
    changes_unanswered(turn)
    say_doubles(turn)
    unknown = [order for order in state.book.living() if order.state is OrderState.UNKNOWN]
    if unknown:
        _ask_about(turn, unknown)
    tidy(turn)
    fold(turn)
    for kind, question in tuple(state.questions.items()):
        if question.answered_ns is None and turn.now_ns - question.asked_ns >= timing.answer_ns:
            turn.ask(kind)
    if state.reconciled_epoch != state.epoch:  # a single question began a round anew before all was answered
        turn.ask(*(kind for kind in _ALL if state.questions and kind not in state.questions))
    watch_differences(turn)
    if state.reconciled_epoch == state.epoch:
        # Not what no question is left of: each flatten begins a round anew, and the day's lists are long.
        turn.ask(*(kind for kind in _ALL
                   if turn.now_ns - state.last_asked.get(kind, 0) >= timing.reconcile_ns))
        ask_for_cash(turn)


def _hear_positions(turn: Turn, fact: Answer) -> bool:
    """Take the opening balances from the first complete list; later ones are compared."""
    state = turn.state
    for row in fact.positions:
        hear_position(turn, row)
    sound = [row for row in fact.positions if not fault_of_position(row)]
    names = {(row.account, row.contract.con_id) for row in fact.positions}  # a refused row is no absence
    for each in tuple(state.stated.values()):
        listed = (each.account, each.contract.con_id) in names
        if each.quantity and each.account in state.accounts and not listed:
            hear_position(turn, Position(account=each.account, contract=each.contract, quantity=_ZERO,
                                         average_cost=_ZERO))
    opens = not state.opened and _answered(turn, AnswerKind.EXECUTIONS)
    if opens:  # without the day's fills an opening balance can't be reckoned
        for difference in compare(state.account_book, sound, state.accounts):
            _open_with(turn, difference)
    elif state.opened:
        _compare_all(turn, sound)
    return opens


def _open_with(turn: Turn, difference: Difference) -> None:
    """What was held before the first fill that we know of, at the price that the broker's cost makes it."""
    state, account, contract = turn.state, difference.account, difference.contract
    stated = state.stated.get(state.ours.key(account, contract.con_id))
    average = stated.average_cost if stated is not None else _ZERO
    quantity = difference.stated - difference.reckoned
    holding = state.account_book.holding(account, contract)
    price, proven = opening_price(holding, quantity, average * difference.stated)
    turn.emit(OpeningSet(at_ns=turn.now_ns, account=account, contract=contract, quantity=quantity,
                         average_cost=average, price=price, proven=proven))


def _compare_all(turn: Turn, rows: list[Position]) -> None:
    """A complete list beside the account's book: what it lacks is compared too, what agrees is made good."""
    state = turn.state
    differences = compare(state.account_book, rows, state.accounts)
    for difference in differences:
        key = state.ours.key(difference.account, difference.contract.con_id)
        if key not in state.stated:  # the broker denies a position of which he never spoke
            hear_position(turn, Position(account=difference.account, contract=difference.contract,
                                         quantity=difference.stated, average_cost=_ZERO))
        compare_position(turn, difference.account, difference.contract)
    wrong = {(each.account, each.contract.con_id) for each in differences}
    for refused in tuple(state.refused.values()):
        if (refused.account, refused.contract.con_id) not in wrong:
            make_good(turn, refused.account, refused.contract)


def _answered(turn: Turn, kind: AnswerKind) -> bool:
    question = turn.state.questions.get(kind)
    return question is not None and question.answered_ns is not None


def _answered_all(turn: Turn, now: AnswerKind, kinds: tuple[AnswerKind, ...]) -> bool:
    return all(kind is now or _answered(turn, kind) for kind in kinds)


def _names(fact: Answer, order: OurOrder) -> bool:
    """A list of orders speaks of it. Executions say what it filled once: a new one begins the proof anew."""
    return order.state is OrderState.UNKNOWN and any(
        _same(row.order_ref, row.perm_id, order) for row in fact.orders)


def _same(order_ref: str, perm_id: int, order: OurOrder) -> bool:
    return order_ref == order.intent_id or (perm_id != 0 and perm_id in order.perms)


def _judge_absence(turn: Turn, asked_ns: int) -> None:
    """A round is complete: who was not named in it, once or for the second time?"""
    state = turn.state
    due = []
    for order in state.book.living():
        if order.state is not OrderState.UNKNOWN or order.intent_id in state.named:
            continue
        if order.changed_ns > asked_ns:
            continue  # it became unknown after the round's first question
        earlier = [at for epoch, at in order.misses if epoch == state.epoch]
        turn.emit(Missed(at_ns=turn.now_ns, intent_id=order.intent_id, session=state.session))
        if earlier and turn.now_ns - earlier[0] >= turn.timing.absence_ns:
            due.append(order)
    infer_instead_of_absence(turn, due)
    question = state.questions.get(AnswerKind.EXECUTIONS)
    reaches_ns = question.reaches_ns if question is not None else None
    for order in due:
        if order.state is not OrderState.UNKNOWN:
            continue  # it has filled, as the position shows
        key = state.ours.key(state.account, order.contract.con_id)
        if order.exercise is not None and key in state.differs:
            continue  # it may be what the position shows
        if _untransmitted(turn, order):
            turn.alarm(Severity.ALARM, f"untransmitted {order.intent_id}",
                       f"order {order.intent_id} ({order.contract.symbol}) may be held in TWS, untransmitted:"
                       " restart TWS or look there, then declare it gone")
            continue
        turn.move(order, OrderEvent.ABSENCE, cause="two complete rounds of answers did not name it")
        unseen = ("" if reaches_behind(turn, order, reaches_ns) else
                  ". His executions do not reach back behind it: had it filled and been closed again before "
                  "that, his cash alone would show it")
        turn.alarm(Severity.ALARM, f"absent {order.intent_id}",
                   f"order {order.intent_id} ({order.contract.symbol}) is proven absent: the broker does not "
                   f"know it{unseen}")


def _untransmitted(turn: Turn, order: OurOrder) -> bool:
    """Whether TWS may hold it untransmitted: the child that transmits its bracket may not have left."""
    if order.order.transmit:
        return False
    group = turn.state.groups.get(order.group_id)
    if group is None:
        return True
    stops = turn.state.members(group, Role.STOP)
    return not any(each.written for each in stops if each.order.parent_id and each.order.transmit)


def _never_acknowledged(turn: Turn, order: OurOrder) -> None:
    """Sent, and no word (INCIDENTS.md 9): asked about, and a dialog in TWS named as a likely cause."""
    turn.move(order, OrderEvent.SILENCE, cause="sent, never acknowledged")
    turn.alarm(Severity.WARNING, f"silence {order.intent_id}",
               f"order {order.intent_id} ({order.contract.symbol}) was sent and never acknowledged; "
               "TWS may be showing a dialog that waits for a click")


def _cancel_again(turn: Turn, order: OurOrder, age_ns: int) -> bool:
    found = order.state in (OrderState.ACKNOWLEDGED, OrderState.WORKING, OrderState.HELD)
    return turn.state.link_up and (found or age_ns >= turn.timing.cancel_ns)


def _newer(unknown: list[OurOrder], round_ns: int) -> bool:
    """Whether an order became unknown after the last round: it wants a round of its own at once."""
    return any(order.changed_ns >= round_ns for order in unknown)


def _ask_about(turn: Turn, unknown: list[OurOrder]) -> None:
    """Run rounds of questions, `absence_ns` apart, while any order is unknown."""
    state = turn.state
    if state.round_ns is None:
        missing = [kind for kind in _ROUND if kind not in state.questions]
        turn.ask(*missing)
    elif turn.now_ns - state.round_ns >= turn.timing.absence_ns or _newer(unknown, state.round_ns):
        turn.ask(*_ROUND)
    for order in unknown:
        turn.alarm(Severity.WARNING, f"unknown {order.intent_id}",
                   f"order {order.intent_id} ({order.contract.symbol}) is of unknown outcome: {order.cause}")
