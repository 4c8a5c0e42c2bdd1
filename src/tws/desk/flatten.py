"""Closing what is ours of a symbol: cancel, wait for every confirmation, re-read the position, then close.

The order matters (INCIDENTS.md 18): an exit leg that is still live while we close would open the other way.
What is closed is ours alone, and never more than the broker states on that side. Entries on the symbol
are denied while a flatten runs, and after one that ended NOT FLAT until another one ends FLAT.
"""

from __future__ import annotations

from decimal import Decimal

from tws.desk.commands import Flatten
from tws.desk.state import FlattenJob
from tws.desk.submit import place_exit
from tws.desk.turn import Turn
from tws.model.facts import AnswerKind
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType, Role, Side
from tws.model.records import FlattenMoved, FlattenPhase, Released, Severity
from tws.orders.book import OurOrder
from tws.positions.book import Holding

__all__ = ["MAX_CLOSES", "begin_flatten", "go_on"]

MAX_CLOSES = 3
"""Closing orders of one flatten. A rejected market order will not pass a fourth time; a human must look."""

_ZERO = Decimal(0)


def begin_flatten(turn: Turn, command: Flatten) -> None:
    """Begin for one symbol, or for each symbol of ours that holds or works anything."""
    state = turn.state
    scope = "*" if command.symbol is None else command.symbol
    if command.key and f"{command.key}/{scope}" in state.flatten_keys:
        return
    symbols = [command.symbol] if command.symbol is not None else _exposed_symbols(turn)
    for symbol in symbols:
        running = state.flattens.get(symbol)
        if running is not None and running.phase is not FlattenPhase.NOT_FLAT:
            continue
        _to(turn, symbol, FlattenPhase.CANCELLING, command.reason, key=command.key)
        for group_id in tuple(state.open_groups):
            if state.groups[group_id].contract.symbol == symbol:
                turn.emit(Released(at_ns=turn.now_ns, group_id=group_id, reason=f"flatten: {command.reason}"))
    if command.symbol is None and command.key:
        _to(turn, scope, FlattenPhase.FLAT, "begun for every symbol", key=command.key)


def go_on(turn: Turn) -> None:
    """Take every running flatten as far as it goes now."""
    for job in tuple(turn.state.flattens.values()):
        if job.phase is FlattenPhase.NOT_FLAT or not turn.state.link_up:
            continue
        if job.phase is FlattenPhase.CANCELLING:
            _when_cancelled(turn, job)
        if job.phase is FlattenPhase.REREADING:
            _when_reread(turn, job)
        elif job.phase is FlattenPhase.CLOSING:
            _when_closed(turn, job)
    for job in turn.state.flattens.values():
        _say_not_flat(turn, job)


def _when_cancelled(turn: Turn, job: FlattenJob) -> None:
    """Every order of ours on the symbol has ended, and every claimed fill is here: read the position anew."""
    if _open_orders(turn, job.symbol):
        _cancel(turn, job.symbol, job.reason)
        return
    _to(turn, job.symbol, FlattenPhase.REREADING, job.reason)
    turn.ask(AnswerKind.POSITIONS)


def _when_reread(turn: Turn, job: FlattenJob) -> None:
    """The broker's list came after the last cancel: close what is ours, at most what the broker states."""
    question = turn.state.questions.get(AnswerKind.POSITIONS)
    if question is None or question.asked_ns < job.since_ns:
        turn.ask(AnswerKind.POSITIONS)
        return
    if question.answered_ns is None:
        return
    if _open_orders(turn, job.symbol):  # a revived order
        _to(turn, job.symbol, FlattenPhase.CANCELLING, job.reason)
        return
    holdings = _holdings(turn, job.symbol)
    if not holdings:
        _to(turn, job.symbol, FlattenPhase.FLAT, job.reason)
        return
    if job.closes >= MAX_CLOSES:
        _give_up(turn, job, f"{MAX_CLOSES} closing orders did not close it")
        return
    placed = [_close(turn, job, holding) for holding in holdings]
    if any(placed):
        _to(turn, job.symbol, FlattenPhase.CLOSING, job.reason)
    else:
        _give_up(turn, job, "no closing order could be placed")


def _close(turn: Turn, job: FlattenJob, holding: Holding) -> bool:
    stated = turn.state.stated.get(turn.state.ours.key(holding.account, holding.contract.con_id))
    broker = stated.quantity if stated is not None else _ZERO
    same_side = (broker > 0) is (holding.quantity > 0) and broker != 0
    quantity = min(abs(holding.quantity), abs(broker)) if same_side else _ZERO
    if quantity < abs(holding.quantity):
        turn.alarm(Severity.ALARM, f"flatten differs {job.symbol}",
                   f"{job.symbol}: ours is {holding.quantity}, the broker states {broker}; "
                   f"closing {quantity}")
    if quantity == 0:
        return False
    side = Side.SELL if holding.quantity > 0 else Side.BUY
    contract = _tradable(turn, holding)
    order = Order(side=side, quantity=quantity, order_type=OrderType.MARKET)
    return place_exit(turn, None, contract, Role.CLOSE, order) is not None


def _when_closed(turn: Turn, job: FlattenJob) -> None:
    """The closing orders have ended: flat, or once more from the re-reading."""
    if _open_orders(turn, job.symbol):
        return
    if _holdings(turn, job.symbol):
        _to(turn, job.symbol, FlattenPhase.REREADING, job.reason)
        turn.ask(AnswerKind.POSITIONS)
    else:
        _to(turn, job.symbol, FlattenPhase.FLAT, job.reason)


def _say_not_flat(turn: Turn, job: FlattenJob) -> None:
    """Beyond its bound the answer is NOT FLAT, with the reason and the manual way; it repeats."""
    late = turn.now_ns - job.since_ns >= turn.timing.flatten_ns
    if not late and job.phase is not FlattenPhase.NOT_FLAT:
        return
    left = ", ".join(f"{order.intent_id} {order.state}" for order in _open_orders(turn, job.symbol))
    held = ", ".join(str(holding.quantity) for holding in _holdings(turn, job.symbol)) or "0"
    link = "" if turn.state.link_up else f"; the link is {turn.state.link}"
    turn.alarm(Severity.ALARM, f"not flat {job.symbol}",
               f"{job.symbol} is NOT FLAT: {held} held, {left or 'no order'} open, {job.phase}{link}. "
               "By hand: in TWS, Portfolio, right click, Close Position; or the broker's trade desk by phone")


def _give_up(turn: Turn, job: FlattenJob, why: str) -> None:
    _to(turn, job.symbol, FlattenPhase.NOT_FLAT, why)


def _to(turn: Turn, symbol: str, phase: FlattenPhase, reason: str, key: str = "") -> None:
    remainder = sum((holding.quantity for holding in _holdings(turn, symbol)), _ZERO)
    turn.emit(FlattenMoved(at_ns=turn.now_ns, symbol=symbol, phase=phase, session=turn.state.session,
                           reason=reason, key=key, remainder=remainder))


def _cancel(turn: Turn, symbol: str, reason: str) -> None:
    """Entries first: a fill of theirs would add to what is to be closed."""
    orders = [order for order in turn.state.book.living() if order.contract.symbol == symbol]
    for order in sorted(orders, key=lambda each: each.role is not Role.ENTRY):
        if not order.cancel_wanted:
            turn.cancel(order, reason)


def _open_orders(turn: Turn, symbol: str) -> list[OurOrder]:
    return [order for order in turn.state.book.exposed() if order.contract.symbol == symbol]


def _holdings(turn: Turn, symbol: str) -> list[Holding]:
    state = turn.state
    held = [each for each in state.ours.exposed() if each.contract.symbol == symbol]
    return [each for each in held if each.account == state.account]


def _exposed_symbols(turn: Turn) -> list[str]:
    symbols = dict.fromkeys(order.contract.symbol for order in turn.state.book.exposed())
    symbols.update(dict.fromkeys(each.contract.symbol for each in turn.state.ours.exposed()))
    return list(symbols)


def _tradable(turn: Turn, holding: Holding) -> Instrument:
    """The instrument under which we traded it: the contract of a fill names no exchange to route to."""
    for group in reversed(turn.state.groups.values()):
        if group.contract.con_id == holding.contract.con_id:
            return group.instrument
    for order in reversed(turn.state.book.orders.values()):
        if order.contract.con_id == holding.contract.con_id:
            return Instrument(contract=order.contract)
    return Instrument(contract=holding.contract)
