"""Fills that the broker claims of an order and no execution tells: inferred, or void.

A status counts what is filled; the executions are told beside it, a moment apart. What is still owed after
two complete answers of executions, `absence_ns` apart in one session of the link, will not come. Then:

* the broker's position bears the claims out: they are taken as filled (`tws.desk.infer`);
* his answers reach back behind all that these orders can have filled, and his position, read anew, is what
  our books make without the claims: they are void, as a fill is that was annulled before it was heard;
* else nothing is taken as so. The alarm repeats until a human explains the position or declares it gone.
"""

from __future__ import annotations

from decimal import Decimal

from tws.desk.books import ask_again
from tws.desk.infer import difference_of, infer, reaches_behind
from tws.desk.turn import Turn
from tws.model.facts import AnswerKind
from tws.model.records import Annulled, Lacked, Severity
from tws.orders.book import OurOrder

__all__ = ["annul", "ask_for_claimed", "judge_claims", "note_lacking"]

_ZERO = Decimal(0)
_BOTH = (AnswerKind.EXECUTIONS, AnswerKind.POSITIONS)


def ask_for_claimed(turn: Turn) -> None:
    """With the passing of time: ask for what is claimed. Each `owing_ns` at first, each minute later."""
    state, timing = turn.state, turn.timing
    pause_ns = None
    for order in state.book.exposed():
        if not order.missing or (not order.live and turn.now_ns - order.changed_ns < timing.owing_ns):
            continue
        epoch, first_ns = state.lacked.get(order.intent_id, (-1, 0))
        if order.exercise is not None:
            epoch, first_ns = state.epoch, order.changed_ns
        old = epoch == state.epoch and turn.now_ns - first_ns >= timing.repeat_ns
        mine_ns = timing.repeat_ns if old else timing.owing_ns
        pause_ns = mine_ns if pause_ns is None else min(pause_ns, mine_ns)
    if pause_ns is not None:
        ask_again(turn, pause_ns, *_BOTH)


def note_lacking(turn: Turn) -> None:
    """A complete answer of executions was heard: who is still owed fills that the broker claims?"""
    state = turn.state
    for order in tuple(state.book.exposed()):
        lacks = order.missing and order.exercise is None  # no execution tells it (`tws.desk.exercising`)
        if lacks and state.lacked.get(order.intent_id, (-1, 0))[0] != state.epoch:
            turn.emit(Lacked(at_ns=turn.now_ns, intent_id=order.intent_id))


def judge_claims(turn: Turn) -> None:
    """An answer of executions or positions was heard: which claims have two answers lacked by now?

    Both are asked for together meanwhile (`ask_for_claimed`), so his position is newer than the first answer.
    """
    state = turn.state
    executions, positions = (state.questions.get(kind) for kind in _BOTH)
    if executions is None or positions is None or None in (executions.answered_ns, positions.answered_ns):
        return
    ready = []
    for order in tuple(state.book.exposed()):
        if order.missing:
            epoch, first_ns = state.lacked.get(order.intent_id, (-1, 0))
            waited = executions.asked_ns >= first_ns + turn.timing.absence_ns
            if epoch == state.epoch and waited:
                ready.append(order)
    for con_id in dict.fromkeys(order.contract.con_id for order in ready):
        mine = [order for order in ready if order.contract.con_id == con_id]
        _judge(turn, mine, executions.reaches_ns)


def _judge(turn: Turn, orders: list[OurOrder], reaches_ns: int | None) -> None:
    """All claims on one contract together must make what the position lacks, or none of them."""
    state = turn.state
    difference = difference_of(turn, orders[0])
    claims = sum((order.missing * order.order.side.sign for order in orders), _ZERO)
    con_id = orders[0].contract.con_id
    owed = [each for each in state.book.exposed() if each.missing and each.contract.con_id == con_id]
    if difference == 0 and all(reaches_behind(turn, order, reaches_ns) for order in orders):
        for order in orders:
            annul(turn, order, "his answers reach back behind it and lack it, as his position does")
    elif difference is not None and difference == claims and len(owed) == len(orders):
        for order in orders:
            basis = "the broker claims it filled, and his position agrees"
            infer(turn, order, order.missing, basis, len(orders) == 1)
    else:
        stated = "nothing yet" if difference is None else f"a difference of {difference}"
        ids = ", ".join(order.intent_id for order in orders)
        turn.alarm(Severity.ALARM, f"owed {orders[0].intent_id}",
                   f"{orders[0].contract.symbol}: the broker claims fills of {claims} that no answer names "
                   f"({ids}), and his position shows {stated}: nothing is inferred. Look in TWS, then "
                   "`tws adjust` the position or `tws declare` the claim gone")


def annul(turn: Turn, order: OurOrder, basis: str) -> None:
    """What is claimed of it and was not told is void."""
    quantity = order.missing
    turn.emit(Annulled(at_ns=turn.now_ns, intent_id=order.intent_id, quantity=quantity, basis=basis))
    turn.alarm(Severity.ALARM, f"annulled {order.intent_id}",
               f"order {order.intent_id} ({order.contract.symbol}): {order.order.side} {quantity} that the "
               f"broker claimed filled counts as never filled: {basis}. Compare it with the statement")
