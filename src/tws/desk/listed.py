"""What a complete list of open orders does not name, and should.

An order that the broker acknowledged stays among the open orders until it ends, and TWS tells of the end
before it leaves it out. So one that we believe alive, of which the last word is older than the question, and
that the list does not name, has ended unheard: it becomes unknown, and rounds of questions find out how.
Orders that are held (Inactive) are left out of the list by TWS before 10.48 (TWS-BEHAVIOUR.md C4), and prove
nothing.
"""

from __future__ import annotations

from tws.desk.turn import Turn
from tws.model.facts import Answer, AnswerKind
from tws.model.records import OrderState
from tws.orders.table import OrderEvent

__all__ = ["note_unlisted"]

_LISTED = (OrderState.ACKNOWLEDGED, OrderState.WORKING)


def note_unlisted(turn: Turn, fact: Answer) -> None:
    """Judge a complete answer of open orders, once its rows were heard."""
    question = turn.state.questions.get(fact.kind)
    if fact.kind is not AnswerKind.OPEN_ORDERS or question is None:
        return
    refs = {row.order_ref for row in fact.orders}
    perms = {row.perm_id for row in fact.orders}
    for order in turn.state.book.living():
        if order.state not in _LISTED or order.changed_ns >= question.asked_ns:
            continue
        if order.intent_id not in refs and perms.isdisjoint(order.perms):
            turn.move(order, OrderEvent.UNLISTED, cause="the broker's complete list does not name it")
