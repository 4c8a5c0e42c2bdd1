"""Fills beyond the broker's memory, and fills that he took back: proven from what he states now.

A Gateway tells the executions of today, a TWS of up to seven days (TWS-BEHAVIOUR.md C4). A fill that
happened while we were away and is older than that comes in no answer. Three witnesses make it an *inferred
fill*: the order (the broker claims it filled, or two complete rounds of answers no longer know it), the
executions (two complete answers, `absence_ns` apart, lack it), and the position (it differs from the
account's fills by exactly these shares). Where the three do not meet nothing is inferred, and the
difference stands until a human explains it.

The quantity is proven; the price is the best that is known, and said to be so. An inferred fill is alarmed,
carries a name in place of an exec id, and gives way to the true execution if that still comes.

An order that can have filled only since the oldest execution that the broker names did not: he would name
that fill too. A bust is the opposite of an inferred fill: the broker's answers reach back behind a fill and
do not name it, and his position lacks exactly its shares. What he claims of an order is `tws.desk.claims`.
"""

from __future__ import annotations

from decimal import Decimal

from tws.desk.books import compare_position, confirmed_difference
from tws.desk.handback import charge
from tws.desk.tidy import find
from tws.desk.turn import Turn
from tws.model.execution import Execution
from tws.model.facts import Answer, AnswerKind
from tws.model.order import Order, OrderType, Role
from tws.model.records import Busted, Inferred, OrderState, Severity
from tws.orders.book import OurOrder
from tws.orders.table import OrderEvent
from tws.positions.book import split_exec_id
from tws.positions.holding import Holding, MoveKind, multiplier

__all__ = [
    "difference_of",
    "infer",
    "infer_instead_of_absence",
    "inferred_for",
    "note_busts",
    "reaches_behind",
]

_ZERO = Decimal(0)


def inferred_for(turn: Turn, order: OurOrder | None, fact: Execution) -> str:
    """The inferred fill of this order that `fact` is the truth of: one that it does not come after."""
    if order is None:
        return ""
    for record in turn.state.inferred.get(order.intent_id, ()):
        if turn.state.ours.inferred(record.name) is not None and fact.time_ns <= record.at_ns:
            return record.name
    return ""


def infer_instead_of_absence(turn: Turn, due: list[OurOrder]) -> None:
    """Two rounds no longer know these orders: whether the position says that one of them filled meanwhile."""
    question = turn.state.questions.get(AnswerKind.EXECUTIONS)
    reaches_ns = question.reaches_ns if question is not None else None
    due = [order for order in due if order.exercise is None and not reaches_behind(turn, order, reaches_ns)]
    for con_id in dict.fromkeys(order.contract.con_id for order in due):
        mine = [order for order in due if order.contract.con_id == con_id]
        difference = difference_of(turn, mine[0])
        order = _only_explanation(turn, con_id, difference) if difference else None
        if difference and order is not None and order in mine and abs(difference) <= order.open_quantity:
            basis = "two rounds of answers do not know it, and the position differs by what it would fill"
            infer(turn, order, abs(difference), basis, True)


def _only_explanation(turn: Turn, con_id: int, difference: Decimal) -> OurOrder | None:
    """The one order of unknown outcome that can have moved the position so; None where several can.

    Exits of one trade end each other: of them the stop is taken, at its price, the worse of the two for us.
    """
    rivals = [
        order
        for order in turn.state.book.living()
        if order.state is OrderState.UNKNOWN
        and order.contract.con_id == con_id
        and (order.order.side.sign > 0) is (difference > 0)
    ]
    twins = len({order.group_id or order.intent_id for order in rivals}) == 1
    if len(rivals) > 1 and not (twins and all(order.role is not Role.ENTRY for order in rivals)):
        return None
    return next((order for order in rivals if order.role is Role.STOP), rivals[0] if rivals else None)


def reaches_behind(turn: Turn, order: OurOrder, reaches_ns: int | None) -> bool:
    """Whether an answer whose oldest execution is of then would name every fill that this order can have.

    It filled after the latest execution that was known when it was intended; one that hangs on an entry, not
    before that had filled. All in the broker's own time: our clock may be another.
    """
    after_ns, group = order.after_ns, turn.state.groups.get(order.group_id)
    holding = turn.state.ours.holdings.get(turn.state.ours.key(turn.state.account, order.contract.con_id))
    if order.order.parent_id and group is not None and holding is not None:
        entries = {entry.intent_id: entry.early for entry in turn.state.members(group, Role.ENTRY)}
        fills = [each.first_ns for each in entries.values() if each is not None]
        fills += [move.time_ns for move in holding.fills.values()
                  if move.kind is MoveKind.FILL and move.owner in entries]
        after_ns = max(after_ns, min(fills, default=0))
    return reaches_ns is not None and 0 < reaches_ns <= after_ns


def difference_of(turn: Turn, order: OurOrder) -> Decimal | None:
    """The broker's position less our reckoning; None while he has not answered everything on this link."""
    state = turn.state
    if not state.opened or state.reconciled_epoch != state.epoch:
        return None
    key = state.ours.key(state.account, order.contract.con_id)
    stated = state.stated.get(key)
    reckoned = state.account_book.quantity(state.account, order.contract.con_id)
    return (stated.quantity if stated is not None else _ZERO) - reckoned


def infer(turn: Turn, order: OurOrder, shares: Decimal, basis: str, alone: bool) -> None:
    state = turn.state
    quantity = shares * order.order.side.sign
    price, priced = _price(turn, order, quantity, alone)
    name = f"inferred/{order.intent_id}/{len(state.inferred.get(order.intent_id, ())) + 1}"
    turn.emit(
        Inferred(
            at_ns=turn.now_ns,
            name=name,
            intent_id=order.intent_id,
            account=state.account,
            contract=order.contract,
            quantity=quantity,
            price=price,
            basis=basis,
            priced=priced,
        )
    )
    if not order.group_id:
        charge(turn, order.contract, quantity)
    turn.alarm(
        Severity.ALARM,
        f"inferred {order.intent_id}",
        f"order {order.intent_id} ({order.contract.symbol}): {order.order.side} {shares} is taken as "
        f"filled at {price} ({priced}), without an execution: {basis}. Compare it with the statement",
    )
    complete = order.filled >= order.order.quantity
    turn.move(order, OrderEvent.FILL if complete else OrderEvent.PART, cause=f"inferred: {basis}")
    compare_position(turn, state.account, order.contract)


def _price(turn: Turn, order: OurOrder, quantity: Decimal, alone: bool) -> tuple[Decimal, str]:
    """What it filled at, as far as that can be known.

    What opens or adds shows in the broker's average cost (fees included): (stated cost - our cost) / shares.
    What closes leaves no trace in it: then the order's own limit or stop, else our own average price, so
    that it counts neither profit nor loss.
    """
    state = turn.state
    key = state.ours.key(state.account, order.contract.con_id)
    stated, holding = state.stated.get(key), state.account_book.holdings.get(key)
    held = holding.quantity if holding is not None else _ZERO
    if alone and stated is not None and stated.quantity and held * quantity >= 0:
        cost = holding.net_cost if holding is not None else _ZERO
        implied = (stated.average_cost * stated.quantity - cost) / (quantity * multiplier(order.contract))
        if implied > 0:
            return implied, "from the broker's average cost, fees included"
    return _own_price(order.order, holding)


def _own_price(order: Order, holding: Holding | None) -> tuple[Decimal, str]:
    if order.order_type is OrderType.LIMIT and order.limit_price is not None:
        return order.limit_price, "its limit"
    if order.stop_price is not None:
        return order.stop_price, "its stop price"
    average = holding.average_price if holding is not None else _ZERO
    return average, "our average price, for want of any other"


def note_busts(turn: Turn, fact: Answer) -> None:
    """A complete answer of executions: does it reach back behind a fill that it no longer names?"""
    state = turn.state
    if not state.differs or not fact.executions:
        return
    named = {split_exec_id(row.exec_id)[0] for row in fact.executions}
    reaches_ns = fact.reaches_ns or 0
    for key in tuple(state.differs):
        holding = state.account_book.holdings.get(key)
        if holding is None or not confirmed_difference(turn, key):
            continue
        gone = [
            move
            for base, move in holding.fills.items()
            if move.kind is MoveKind.FILL and base not in named and move.time_ns >= reaches_ns
        ]
        lacking = sum((move.quantity for move in gone), _ZERO)
        if gone and state.stated[key].quantity == holding.quantity - lacking:
            for move in gone:
                _bust(turn, holding, move.exec_id, move.quantity)


def _bust(turn: Turn, holding: Holding, exec_id: str, quantity: Decimal) -> None:
    owner = find(turn, turn.state.ours.owner(exec_id), 0)
    turn.emit(
        Busted(
            at_ns=turn.now_ns,
            account=holding.account,
            contract=holding.contract,
            exec_id=exec_id,
            quantity=quantity,
            intent_id=owner.intent_id if owner is not None else "",
        )
    )
    turn.alarm(
        Severity.ALARM,
        f"bust {exec_id}",
        f"{holding.contract.symbol}: the broker has taken back the fill {exec_id} of {quantity}; both "
        "books follow",
    )
    compare_position(turn, holding.account, holding.contract)
