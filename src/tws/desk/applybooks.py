"""Records about positions into state: the part of `apply` that moves the two books. Nothing here judges."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tws.desk.state import Cash, DeskState, Group, remember
from tws.model import records as r
from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.order import Role, Side
from tws.orders.book import Early
from tws.positions.book import split_exec_id
from tws.positions.holding import Move, MoveKind, new_and_old

__all__ = ["BOOKS"]


def _booked(state: DeskState, record: r.Booked) -> None:
    execution = record.execution
    state.account_book.book(execution, record.replaces)
    state.refused.pop(execution.exec_id, None)
    state.last_fill_ns = max(state.last_fill_ns, execution.time_ns)
    if record.intent_id:
        before = state.ours.quantity(execution.account, execution.contract.con_id)
        change = state.ours.book(execution, record.replaces, record.intent_id,
                                 state.strategy_of(state.book.orders[record.intent_id]))
        _filled(state, record.intent_id, change * execution.side.sign)
        _note_beside(state, execution.account, execution.contract, before)


def _inferred(state: DeskState, record: r.Inferred) -> None:
    account, contract = record.account, record.contract
    before = state.ours.quantity(account, contract.con_id)
    for book in (state.account_book, state.ours):
        move = Move(
            kind=MoveKind.INFERRED,
            exec_id=record.name,
            owner=record.intent_id,
            strategy=state.strategy_of(state.book.orders[record.intent_id]),
            time_ns=record.at_ns,
            quantity=record.quantity,
            price=record.price,
        )
        book.infer(record.name, account, contract, move)
    state.inferred.setdefault(record.intent_id, []).append(record)
    _filled(state, record.intent_id, abs(record.quantity))
    _note_beside(state, account, contract, before)


def _busted(state: DeskState, record: r.Busted) -> None:
    state.account_book.bust(record.exec_id)
    if record.intent_id:
        change = state.ours.bust(record.exec_id)
        order = state.book.orders[record.intent_id]
        order.filled += change * order.order.side.sign
        order.busted -= change * order.order.side.sign  # or it would be taken for a fill not told yet
        state.book.settle(order)


def _annulled(state: DeskState, record: r.Annulled) -> None:
    order = state.book.orders[record.intent_id]
    order.busted += record.quantity
    state.book.settle(order)
    state.lacked.pop(record.intent_id, None)


def _filled(state: DeskState, intent_id: str, shares: Decimal) -> None:
    order = state.book.orders[intent_id]
    order.filled += shares
    order.misses = ()  # it lived when it filled: a proof of its absence begins anew
    state.book.settle(order)
    if not order.missing:
        state.lacked.pop(intent_id, None)


def _note_beside(state: DeskState, account: str, contract: Contract, before: Decimal) -> None:
    """When our position opens or turns: what others hold beside it."""
    after = state.ours.quantity(account, contract.con_id)
    key = state.ours.key(account, contract.con_id)
    if not after:
        state.beside.pop(key, None)
    elif not before or (before > 0) is not (after > 0):
        state.beside[key] = state.account_book.quantity(account, contract.con_id) - after


def _charged(state: DeskState, record: r.Charged) -> None:
    state.account_book.charge(record.commission)
    state.ours.charge(record.commission)


def _folded(state: DeskState, record: r.Folded) -> None:
    state.folded_ns = record.before_ns
    for move in state.account_book.fold(record.before_ns):
        if move.kind is MoveKind.FILL:
            remember(state.folded, split_exec_id(move.exec_id)[0], None)
    for move in state.ours.fold(record.before_ns):
        order = state.book.get(move.owner)
        if order is not None:
            early = order.early = order.early or Early(first_ns=move.time_ns)
            early.shares += move.quantity
            early.value += move.quantity * move.price


def _position_heard(state: DeskState, record: r.PositionHeard) -> None:
    key = state.ours.key(record.account, record.contract.con_id)
    state.stated[key] = Position(
        account=record.account,
        contract=record.contract,
        quantity=record.quantity,
        average_cost=record.average_cost,
    )


def _differs(state: DeskState, record: r.Differs) -> None:
    key = state.ours.key(record.account, record.contract.con_id)
    if record.reckoned == record.stated:
        state.differs.pop(key, None)
    else:
        state.differs.setdefault(key, record.at_ns)


def _opening_set(state: DeskState, record: r.OpeningSet) -> None:
    price = record.average_cost if record.price is None else record.price
    state.account_book.open_with(record.account, record.contract, record.quantity, price)


def _opening_confirmed(state: DeskState, record: r.OpeningConfirmed) -> None:
    state.confirmed[record.account] = record


def _adjusted(state: DeskState, record: r.Adjusted) -> None:
    account, contract = record.account, record.contract
    at_ns = record.at_ns if record.effective_ns is None else record.effective_ns
    before = state.ours.quantity(account, contract.con_id)
    books = [
        book for book, moves in ((state.account_book, record.account_too), (state.ours, record.ours)) if moves
    ]
    kind = MoveKind.ADJUSTMENT if record.ratio is None else MoveKind.SPLIT
    move = Move(
        kind=kind,
        time_ns=at_ns,
        quantity=record.quantity,
        price=record.price,
        paid=record.paid,
        ratio=record.ratio,
    )
    for book in books:
        book.adjust(account, contract, move)
    if record.ours and record.ratio is not None:
        _split_trades(state, account, contract, record.ratio)
    for group_id, shares in record.trades:
        state.groups[group_id].moved += shares
    _note_beside(state, account, contract, before)


def _split_trades(state: DeskState, account: str, contract: Contract, ratio: Decimal) -> None:
    """The open trades in a contract hold so many times as much, and their prices are divided: but that of an
    exit which the broker has restated for so many shares already (`Stated` has taken its new price).
    """
    new, old = new_and_old(ratio)
    for group_id in state.open_groups:
        group = state.groups[group_id]
        if group.contract.con_id != contract.con_id or account != state.account:
            continue
        before = state.held(group)
        group.moved += before * new / old - before
        group.quantity = group.quantity * new / old
        exits = [order for order in state.members(group, Role.STOP, Role.TARGET) if order.live]
        held = state.held(group)
        restated = {order.role for order in exits if order.order.quantity - order.filled == held}
        if group.stop_price is not None and Role.STOP not in restated:
            _split_stop(group, old, new)
        if group.target_price is not None and Role.TARGET not in restated:
            group.target_price = group.instrument.snap(group.target_price * old / new)


def _split_stop(group: Group, old: Decimal, new: Decimal) -> None:
    """The stop's prices, and those by which the broker moves it."""
    snap, up = group.instrument.snap, group.side is Side.BUY

    def divided(price: Decimal | None, up: bool) -> Decimal | None:
        return None if price is None else snap(price * old / new, up=up)

    group.stop_price = divided(group.stop_price, up)
    group.trail = divided(group.trail, True)
    group.trigger_price = divided(group.trigger_price, up)
    group.adjusted_stop_price = divided(group.adjusted_stop_price, up)


def _exercised(state: DeskState, record: r.Exercised) -> None:
    """Options go at 0, so what they cost is a loss; what comes instead costs the strike (as TWS books it)."""
    order = state.book.orders[record.intent_id]
    moves = [(record.contract, -record.quantity, Decimal(0))]
    if record.underlying is not None and record.shares:
        moves.append((record.underlying, record.shares, record.strike))
    for contract, quantity, price in moves:
        before = state.ours.quantity(record.account, contract.con_id)
        move = Move(kind=MoveKind.ADJUSTMENT, strategy=state.strategy_of(order), time_ns=record.at_ns,
                    quantity=quantity, price=price)
        for book in (state.account_book, state.ours):
            book.adjust(record.account, contract, move)
        _note_beside(state, record.account, contract, before)
    _filled(state, record.intent_id, record.quantity)
    state.book.exercises.pop(record.intent_id, None)


def _lacked(state: DeskState, record: r.Lacked) -> None:
    state.lacked[record.intent_id] = (state.epoch, record.at_ns)


def _refused(state: DeskState, record: r.Refused) -> None:
    key = record.exec_id or state.ours.key(record.account, record.contract.con_id)
    if record.cleared:
        state.refused.pop(key, None)
    else:
        remember(state.refused, key, record)


def _shortfall(state: DeskState, record: r.Shortfall) -> None:
    key = state.ours.key(record.account, record.contract.con_id)
    if record.quantity:
        state.shortfall[key] = record.quantity
    else:
        state.shortfall.pop(key, None)


def _cash_asked(state: DeskState, record: r.CashAsked) -> None:
    state.cash_asked = (state.epoch, record.at_ns)


def _cash_heard(state: DeskState, record: r.CashHeard) -> None:
    key = f"{record.account}/{record.currency}"
    known = state.cash.get(key)
    since_ns = record.at_ns if record.difference else None
    if known is not None and known.difference == record.difference:
        since_ns = known.since_ns
    state.cash[key] = Cash(
        base=record.base,
        stated=record.stated,
        difference=record.difference,
        lasts=record.lasts,
        since_ns=since_ns,
    )


def _cash_adjusted(state: DeskState, record: r.CashAdjusted) -> None:
    cash = state.cash[f"{record.account}/{record.currency}"]
    cash.base += record.amount
    cash.difference -= record.amount
    if not cash.difference:
        cash.lasts, cash.since_ns = False, None


BOOKS: dict[type, Callable[[DeskState, Any], None]] = {
    r.Booked: _booked,
    r.Inferred: _inferred,
    r.Busted: _busted,
    r.Annulled: _annulled,
    r.Charged: _charged,
    r.Folded: _folded,
    r.PositionHeard: _position_heard,
    r.OpeningSet: _opening_set,
    r.OpeningConfirmed: _opening_confirmed,
    r.Adjusted: _adjusted,
    r.Exercised: _exercised,
    r.Lacked: _lacked,
    r.Refused: _refused,
    r.Shortfall: _shortfall,
    r.Differs: _differs,
    r.CashAsked: _cash_asked,
    r.CashHeard: _cash_heard,
    r.CashAdjusted: _cash_adjusted,
}
"""One function for each kind of record."""
