"""What the runtime and the writer of the socket tell: a run begins, bytes left, bytes did not."""

from __future__ import annotations

from tws.desk.change import keep_as_it_was
from tws.desk.commands import Begin, CancelAll, CancelIntent, NotWritten, ReserveIds, Withdrawn, Written
from tws.desk.limits import take_configuration
from tws.desk.reverse import drop_reversals
from tws.desk.turn import Turn
from tws.model.records import Began, FloorRaised, Severity, Stamped
from tws.orders.table import OrderEvent

__all__ = ["begin", "cancel_all", "cancel_intent", "not_written", "reserve_ids", "withdrawn", "written"]


def begin(turn: Turn, command: Begin) -> None:
    """A run begins: whatever was under way when the last one ended is of unknown outcome."""
    turn.emit(Began(at_ns=turn.now_ns, prefix=command.prefix, client_id=command.client_id,
                    account=command.account, port=command.port))
    if command.code:
        turn.emit(Stamped(at_ns=turn.now_ns, code=command.code, configuration=command.configuration,
                          program=command.program))
    take_configuration(turn)
    for order in turn.state.book.living():
        turn.move(order, OrderEvent.LOSE, cause="the program was started anew")


def cancel_intent(turn: Turn, command: CancelIntent) -> None:
    """Cancel one order. An id that is none of ours is a warning."""
    order = turn.state.book.get(command.intent_id)
    if order is None:
        turn.alarm(Severity.WARNING, f"cancel {command.intent_id}",
                   f"{command.intent_id!r} is no order of ours")
        return
    turn.cancel(order, command.reason)


def cancel_all(turn: Turn, command: CancelAll) -> None:
    """Cancel what works, entries first; a reversal on its way enters no more."""
    drop_reversals(turn, command.symbol, command.reason)
    orders = [order for order in turn.state.book.living() if command.symbol in (None, order.contract.symbol)]
    for order in sorted(orders, key=lambda each: not each.role.opens):
        if order.role.opens or not command.entries_only:
            turn.cancel(order, command.reason)


def written(turn: Turn, report: Written) -> None:
    """The bytes of an order left."""
    order = turn.state.book.numbered(report.order_id)
    if order is not None and not order.written:
        turn.move(order, OrderEvent.WRITE)


def withdrawn(turn: Turn, report: Withdrawn) -> None:
    """A cancel met the order in the queue. A change that was withdrawn leaves the order as it was."""
    order = turn.state.book.numbered(report.order_id)
    if order is None:
        return
    if order.changing:
        keep_as_it_was(turn, order, "withdrawn before its bytes left")
    elif not order.written:
        turn.move(order, OrderEvent.WITHDRAW, cause="withdrawn before its bytes left")


def not_written(turn: Turn, report: NotWritten) -> None:
    """The bytes of an order, or of a change, will not leave; or nobody is sure whether they did."""
    order = turn.state.book.numbered(report.order_id)
    if order is None:
        return
    turn.alarm(Severity.ALARM, f"not written {order.intent_id}",
               f"order {order.intent_id} ({order.contract.symbol}) was not sent: {report.reason}")
    if report.any_byte_left:
        turn.move(order, OrderEvent.UNSURE, cause=report.reason)
    elif order.changing:
        keep_as_it_was(turn, order, report.reason)
    elif not order.written:
        turn.move(order, OrderEvent.DENY, cause=report.reason)


def reserve_ids(turn: Turn, command: ReserveIds) -> None:
    """Order ids for somebody else on our client id; none before TWS has named the next one."""
    if turn.state.next_order_id >= 1 and command.count >= 1:
        turn.emit(FloorRaised(at_ns=turn.now_ns, next_order_id=turn.state.next_order_id + command.count))
