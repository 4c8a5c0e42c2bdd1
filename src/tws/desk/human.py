"""What a human tells the desk when the machine can't know: adopt, adjust, confirm, declare gone."""

from __future__ import annotations

from decimal import Decimal

from tws.desk.books import compare_position
from tws.desk.claims import annul
from tws.desk.commands import Adjust, Adopt, ConfirmOpening, DeclareGone
from tws.desk.turn import Turn
from tws.model.facts import AnswerKind
from tws.model.order import OrderType, Side
from tws.model.records import Adjusted, Adopted, Bound, OpeningConfirmed, OrderState, Severity
from tws.orders.table import OrderEvent

__all__ = ["adjust", "adopt", "confirm_opening", "declare_gone"]

_ZERO = Decimal(0)


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
    """Move a position without a fill, with a name and a reason; a warning, and no more, if it makes no sense.

    Shares of ours that go are taken from the newest trade first, those that come go to it: as
    `DeskState.in_account` reckons what is missing.
    """
    why = _no_adjustment(turn, command)
    contract = command.instrument.contract
    if why:
        turn.alarm(Severity.WARNING, f"adjust {contract.symbol} {why}",
                   f"an adjustment of {contract.symbol} was refused: {why}")
        return
    split = command.ratio is not None
    trades = _trades_moved(turn, command) if command.ours and not split else ()
    turn.emit(Adjusted(at_ns=turn.now_ns, account=command.account, contract=contract, ours=command.ours,
                       quantity=command.quantity if not split else _ZERO, price=command.price,
                       operator=command.operator, reason=command.reason, ratio=command.ratio, trades=trades,
                       effective_ns=command.effective_ns, account_too=command.account_too, paid=command.paid))
    compare_position(turn, command.account, contract)


def _no_adjustment(turn: Turn, command: Adjust) -> str:
    """Why this adjustment is refused; empty when it is not."""
    state = turn.state
    if not command.operator.strip() or not command.reason.strip():
        return "it wants a name and a reason"
    if command.account != state.account and command.account not in state.accounts:
        return f"{command.account!r} is no account of this login"
    if not command.instrument.contract.con_id:
        return "its contract has no con_id"
    if not command.ours and not command.account_too:
        return "it moves neither book"
    if command.effective_ns is not None and command.effective_ns > turn.now_ns:
        return "it lies in the future"
    if command.effective_ns is not None and command.effective_ns < state.folded_ns:
        return "what happened then is folded: record it at a later time"
    if command.ratio is not None:
        return "" if command.ratio.is_finite() and command.ratio > 0 else f"its ratio is {command.ratio}"
    if not command.quantity.is_finite() or not command.quantity:
        return f"its quantity is {command.quantity}"
    return "" if command.price.is_finite() else f"its price is {command.price}"


def _trades_moved(turn: Turn, command: Adjust) -> tuple[tuple[str, Decimal], ...]:
    """Which open trades the shares belong to, each with its change in the direction of its entry."""
    state, left = turn.state, command.quantity
    moved = []
    for group_id in reversed(state.open_groups):
        group = state.groups[group_id]
        if group.contract.con_id != command.instrument.contract.con_id or not left:
            continue
        change = left * group.side.sign
        if change < 0:
            change = -min(-change, max(state.held(group), _ZERO))
        if change:
            moved.append((group_id, change))
            left -= change * group.side.sign
    return tuple(moved)


def confirm_opening(turn: Turn, command: ConfirmOpening) -> None:
    """A human's word that an account's opening balances are what it held before us."""
    state = turn.state
    known = command.account == state.account or command.account in state.accounts
    named = command.operator.strip() and command.reason.strip()
    if not (state.opened and known and named):
        why = ("it wants a name and a reason" if not named else
               f"{command.account!r} is no account of this login" if not known else
               "the broker's positions have not been read yet")
        turn.alarm(Severity.WARNING, f"opening {command.account} {why}",
                   f"the opening balances were not confirmed: {why}")
        return
    turn.emit(OpeningConfirmed(at_ns=turn.now_ns, account=command.account, operator=command.operator,
                               reason=command.reason))


def declare_gone(turn: Turn, command: DeclareGone) -> None:
    """On a human's word end an order of unknown outcome, or what is claimed of an ended one and was never
    told; any other order is left alone.
    """
    order = turn.state.book.get(command.intent_id)
    if order is not None and order.missing and not order.live:
        annul(turn, order, f"declared gone by {command.operator}: {command.reason}")
        return
    if order is None or order.state is not OrderState.UNKNOWN:
        turn.alarm(Severity.WARNING, f"declare {command.intent_id}",
                   f"{command.intent_id!r} is no order of unknown outcome, and owes no fill")
        return
    turn.move(order, OrderEvent.ABSENCE, cause=f"declared gone by {command.operator}: {command.reason}")
