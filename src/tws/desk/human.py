"""What a human tells the desk when the machine can't know: adopt, adjust, declare gone."""

from __future__ import annotations

from tws.desk.commands import Adjust, Adopt, DeclareGone
from tws.desk.reconcile import compare_position
from tws.desk.turn import Turn
from tws.model.facts import AnswerKind
from tws.model.order import OrderType, Side
from tws.model.records import Adjusted, Adopted, Bound, OrderState, Severity
from tws.orders.table import OrderEvent

__all__ = ["adjust", "adopt", "declare_gone"]


def adopt(turn: Turn, command: Adopt) -> None:
    """Take a foreign working order as ours, of unknown state until the broker's list names it.

    Refused for an order of another client id (only its owner can cancel it) or of a type that we do not know.
    """
    state = turn.state
    seen = state.foreign.get(command.perm_id)
    known = seen is not None and seen.order.order_type in tuple(OrderType) and seen.order.side in tuple(Side)
    if seen is None or not known or seen.order.client_id != state.client_id:
        turn.alarm(Severity.WARNING, f"adopt {command.perm_id}",
                   f"order {command.perm_id} can't be adopted: unseen, another client's, or a strange type")
        return
    serial = state.serial + 1
    intent_id = seen.order.order_ref or f"{state.prefix}-{serial}"
    turn.emit(Adopted(at_ns=turn.now_ns, intent_id=intent_id, serial=serial, group_id="", role=command.role,
                      contract=seen.order.contract, order=seen.order,
                      reason=f"{command.operator}: {command.reason}"))
    turn.emit(Bound(at_ns=turn.now_ns, intent_id=intent_id, perm_id=command.perm_id,
                    order_id=seen.order.order_id))
    turn.ask(AnswerKind.OPEN_ORDERS)


def adjust(turn: Turn, command: Adjust) -> None:
    """Move a position without a fill, with a name and a reason."""
    turn.emit(Adjusted(at_ns=turn.now_ns, account=command.account, contract=command.instrument.contract,
                       quantity=command.quantity, price=command.price, ours=command.ours,
                       operator=command.operator, reason=command.reason))
    compare_position(turn, command.account, command.instrument.contract)


def declare_gone(turn: Turn, command: DeclareGone) -> None:
    """End an order of unknown outcome on a human's word; any other order is left alone."""
    order = turn.state.book.get(command.intent_id)
    if order is None or order.state is not OrderState.UNKNOWN:
        turn.alarm(Severity.WARNING, f"declare {command.intent_id}",
                   f"{command.intent_id!r} is no order of unknown outcome")
        return
    turn.move(order, OrderEvent.ABSENCE, cause=f"declared gone by {command.operator}: {command.reason}")
