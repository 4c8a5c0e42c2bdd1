"""Closing what is ours of a symbol: cancel, wait for every confirmation, re-read the position, close, verify.

The order matters (INCIDENTS.md 18): an exit leg that is still live while we close would open the other way.
What is closed is ours alone, and never more than the broker states on that side. Entries on the symbol
are denied while a flatten runs, and after one that ended NOT FLAT until another one ends FLAT. FLAT is said
when the broker's list, read after our last order ended, agrees: nothing of ours held, nothing open.

In a closed or halted market the flatten is ARMED: entries go, exits stay, and it begins when the market
does. A market that shuts while the exits are being cancelled arms it again, and the desk protects anew.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.desk.books import ask_again, confirmed_difference
from tws.desk.commands import Flatten
from tws.desk.exposure import Exposure, within
from tws.desk.handback import hand_back
from tws.desk.market import shut
from tws.desk.state import DeskState, FlattenJob
from tws.desk.submit import place_exit
from tws.desk.turn import Turn
from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.facts import AnswerKind
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType, Role, Side
from tws.model.records import FlattenMoved, FlattenPhase, Released, Severity
from tws.orders.book import OurOrder

__all__ = [
    "BY_HAND",
    "MAX_CLOSES",
    "RUNNING",
    "begin_flatten",
    "begin_for",
    "differing",
    "go_on",
    "reread",
]

MAX_CLOSES = 3
"""Rounds of closing orders. A rejected market order will not pass a fourth time; a human must look."""

RUNNING = frozenset({FlattenPhase.CANCELLING, FlattenPhase.REREADING, FlattenPhase.CLOSING})
"""The phases in which something is on its way."""

BY_HAND = "in TWS, Portfolio, right click, Close Position; or the broker's trade desk by phone"

_ZERO = Decimal(0)


def begin_flatten(turn: Turn, command: Flatten) -> None:
    """Begin for one symbol, or for each symbol of ours that holds or works anything."""
    scope = "*" if command.symbol is None else command.symbol
    if command.key and f"{command.key}/{scope}" in turn.state.flatten_keys:
        return
    symbols = [command.symbol] if command.symbol is not None else list(turn.ours.symbols())
    for symbol in symbols:
        begin_for(turn, symbol, command.reason, key=command.key)
    if command.symbol is None and command.key:
        done = FlattenJob(symbol=scope, phase=FlattenPhase.FLAT, since_ns=0, begun_ns=0, key=command.key)
        _move(turn, done, FlattenPhase.FLAT, "begun for every symbol")


def begin_for(turn: Turn, symbol: str, reason: str, *, strategy: str = "", key: str = "") -> None:
    """Begin one, unless one runs that covers it. It is armed where the market is shut."""
    running = turn.state.flattens.get(symbol)
    if running is not None and running.phase is not FlattenPhase.NOT_FLAT:
        if running.strategy and not strategy:  # it takes all from here on
            _move(turn, _as(running, ""), FlattenPhase.CANCELLING, reason)
        return
    job = FlattenJob(symbol=symbol, phase=FlattenPhase.CANCELLING, since_ns=0, begun_ns=0, strategy=strategy,
                     key=key)
    why = _shut(turn, turn.ours, symbol)
    _move(turn, job, FlattenPhase.ARMED if why else FlattenPhase.CANCELLING, why or reason)


def go_on(turn: Turn) -> None:
    """Take every running flatten as far as it goes now."""
    jobs = turn.state.flattens
    if not jobs:
        return
    ours = turn.ours
    for job in tuple(jobs.values()):
        if not turn.state.link_up:
            continue
        left = ours.held(job.symbol, job.strategy) or ours.orders(job.symbol, job.strategy)
        if job.phase is FlattenPhase.NOT_FLAT and not left:  # a human closed it, or explained it
            _move(turn, job, FlattenPhase.REREADING, "nothing is held any more: verifying")
        if job.phase is FlattenPhase.ARMED:
            _while_shut(turn, job, ours)
        if job.phase in (FlattenPhase.CANCELLING, FlattenPhase.CLOSING) and _late(turn, job):
            ask_again(turn, turn.timing.flatten_ns, AnswerKind.OPEN_ORDERS)  # what is waited for may be gone
        if job.phase is FlattenPhase.CANCELLING:
            _when_cancelled(turn, job, ours)
        if job.phase is FlattenPhase.CLOSING and not ours.orders(job.symbol, job.strategy):
            _move(turn, job, FlattenPhase.REREADING, "verifying")
        if job.phase is FlattenPhase.REREADING:
            _when_reread(turn, job, ours)
    for job in tuple(jobs.values()):
        _say_not_flat(turn, job, ours)


def _while_shut(turn: Turn, job: FlattenJob, ours: Exposure) -> None:
    """Entries go, exits stay. It begins when the market opens, or as soon as nothing is held."""
    why = _shut(turn, ours, job.symbol)
    orders = ours.orders(job.symbol, job.strategy)
    if not why or not (orders or ours.held(job.symbol, job.strategy)):
        _move(turn, job, FlattenPhase.CANCELLING, job.reason)
        return
    _cancel(turn, [order for order in orders if order.role.opens], job.reason)


def _when_cancelled(turn: Turn, job: FlattenJob, ours: Exposure) -> None:
    """Every order of ours on the symbol has ended, and every claimed fill is here: read the position anew."""
    why = _shut(turn, ours, job.symbol)
    if why and ours.held(job.symbol, job.strategy):
        _move(turn, job, FlattenPhase.ARMED, why)
        return
    orders = ours.orders(job.symbol, job.strategy)
    if orders:
        # Entries first: a fill of theirs would add to what is to be closed.
        _cancel(turn, sorted(orders, key=lambda each: not each.role.opens), job.reason)
        return
    _move(turn, job, FlattenPhase.REREADING, job.reason)


def _when_reread(turn: Turn, job: FlattenJob, ours: Exposure) -> None:
    """The broker's list came after the last order ended: close ours, at most what he states, or verify."""
    held = ours.held(job.symbol, job.strategy)
    kinds = (AnswerKind.POSITIONS,) if held else (AnswerKind.POSITIONS, AnswerKind.OPEN_ORDERS)
    if _others_follow(turn, job) or not reread(turn, job.asked, *kinds):
        return
    if ours.orders(job.symbol, job.strategy):  # a revived order
        _move(turn, job, FlattenPhase.CANCELLING, job.reason)
        return
    if not held:
        if all(each.contract.symbol != job.symbol for each in differing(turn.state)):
            _move(turn, job, FlattenPhase.FLAT, job.reason)
        return
    why = _shut(turn, ours, job.symbol)
    if why:
        _move(turn, job, FlattenPhase.ARMED, why)
    elif job.closes >= MAX_CLOSES:
        _move(turn, job, FlattenPhase.NOT_FLAT, f"{MAX_CLOSES} closing orders did not close it")
    else:
        placed = [_close(turn, job, contract, quantity) for contract, quantity in held.values()]
        if any(placed):
            _move(turn, job, FlattenPhase.CLOSING, job.reason)
        elif any(_to_be_explained(turn, contract) for contract, _ in held.values()):
            ask_again(turn, turn.timing.owing_ns, AnswerKind.EXECUTIONS, AnswerKind.POSITIONS)
        else:
            _move(turn, job, FlattenPhase.NOT_FLAT, "no closing order could be placed")


def _to_be_explained(turn: Turn, contract: Contract) -> bool:
    """Whether the broker's word differs, and not for so long yet that no late fill can be the reason."""
    key = turn.state.ours.key(turn.state.account, contract.con_id)
    return key in turn.state.differs and not confirmed_difference(turn, key)


def _others_follow(turn: Turn, job: FlattenJob) -> bool:
    """Whether to wait a moment, so that one question serves more symbols: each costs a message."""
    if not 0 <= turn.now_ns - job.since_ns < turn.timing.reread_ns:
        return False
    question = turn.state.questions.get(AnswerKind.POSITIONS)
    asked = question is not None and question.number > job.asked
    moving = (FlattenPhase.CANCELLING, FlattenPhase.CLOSING)
    return not asked and any(each.phase in moving for each in turn.state.flattens.values())


def reread(turn: Turn, asked: int, *kinds: AnswerKind) -> bool:
    """Whether each was asked after so many questions, and answered; asks when not.

    One question serves all symbols that wait for it. None before the link's own first round is complete:
    it would begin that round anew.
    """
    state = turn.state
    if state.reconciled_epoch != state.epoch:
        return False
    done = True
    for kind in kinds:
        question = state.questions.get(kind)
        if question is None or question.number <= asked:
            turn.ask(kind)
            done = False
        elif question.answered_ns is None:
            done = False
    return done


def _close(turn: Turn, job: FlattenJob, contract: Contract, held: Decimal) -> bool:
    key = turn.state.ours.key(turn.state.account, contract.con_id)
    stated = turn.state.stated.get(key)
    broker = stated.quantity if stated is not None else _ZERO
    quantity = abs(within(held, broker))
    if not job.strategy:  # as the gate will judge it; of a strategy each trade knows what is left of it
        quantity = min(quantity, abs(held) - turn.state.shortfall.get(key, _ZERO))
    if quantity < abs(held):
        turn.alarm(Severity.ALARM, f"flatten differs {job.symbol}",
                   f"{job.symbol}: ours is {held}, the broker states {broker}; closing {quantity}")
    if quantity == 0:
        return False
    order = Order(side=Side.SELL if held > 0 else Side.BUY, quantity=quantity, order_type=OrderType.MARKET)
    if job.strategy:
        return _close_trades(turn, job, contract, order)
    return place_exit(turn, None, _tradable(turn, contract), Role.CLOSE, order) is not None


def _close_trades(turn: Turn, job: FlattenJob, contract: Contract, order: Order) -> bool:
    """Trade by trade, since an exit takes no more than its trade has: so each of them comes to nothing."""
    placed, left = False, order.quantity
    for group in tuple(turn.state.groups.values()):
        if group.strategy != job.strategy or group.contract.con_id != contract.con_id:
            continue
        part = min(turn.state.in_account(group), left) if group.side is not order.side else _ZERO
        if part > 0:
            its = replace(order, quantity=part)
            placed = place_exit(turn, group, _tradable(turn, contract), Role.CLOSE, its) is not None or placed
            left -= part
    return placed


def differing(state: DeskState) -> list[Position]:
    """The broker's words with which the account's fills do not agree: nothing is proven of their symbols."""
    found = [each for each in state.stated.values() if each.account == state.account]
    book = state.account_book
    return [each for each in found if book.quantity(each.account, each.contract.con_id) != each.quantity]


def _late(turn: Turn, job: FlattenJob) -> bool:
    return turn.now_ns - job.since_ns >= turn.timing.flatten_ns


def _say_not_flat(turn: Turn, job: FlattenJob, ours: Exposure) -> None:
    """Beyond its bound the answer is NOT FLAT, with the reason and the manual way; it repeats."""
    if not _late(turn, job) and job.phase not in (FlattenPhase.NOT_FLAT, FlattenPhase.ARMED):
        return
    orders = ours.orders(job.symbol, job.strategy)
    left = ", ".join(f"{order.intent_id} {order.state}" for order in orders)
    held = ", ".join(str(held) for _, held in ours.held(job.symbol, job.strategy).values()) or "0"
    link = "" if turn.state.link_up else f"; the link is {turn.state.link}"
    if job.phase is FlattenPhase.ARMED:
        if held == "0":
            return
        turn.alarm(Severity.ALARM, f"not flat {job.symbol}",
                   f"{job.symbol} is HALTED, NOT FLAT: {held} held, {left or 'no order'} stays; "
                   f"{job.why}{link}; it closes when the market opens. By hand: {BY_HAND}")
        return
    turn.alarm(Severity.ALARM, f"not flat {job.symbol}",
               f"{job.symbol} is NOT FLAT: {held} held, {left or 'no order'} open, {job.phase}{link}. "
               f"By hand: {BY_HAND}")


def _move(turn: Turn, job: FlattenJob, phase: FlattenPhase, reason: str) -> None:
    """Into the next phase. FLAT ends its trades; NOT FLAT gives them back what is left, to be guarded."""
    held = turn.ours.held(job.symbol, job.strategy)
    turn.emit(FlattenMoved(at_ns=turn.now_ns, symbol=job.symbol, phase=phase, session=turn.state.session,
                           reason=reason, key=job.key, strategy=job.strategy,
                           remainder=sum((quantity for _, quantity in held.values()), _ZERO)))
    opened = (turn.state.groups[group_id] for group_id in tuple(turn.state.open_groups))
    trades = [group for group in opened
              if group.contract.symbol == job.symbol and job.strategy in ("", group.strategy)]
    if phase is FlattenPhase.NOT_FLAT:
        hand_back(turn, trades, {con_id: quantity for con_id, (_, quantity) in held.items()})
    elif phase is FlattenPhase.FLAT:
        for group in trades:
            turn.emit(Released(at_ns=turn.now_ns, group_id=group.group_id, reason="flatten: flat", flat=True))


def _as(job: FlattenJob, strategy: str) -> FlattenJob:
    return FlattenJob(symbol=job.symbol, phase=job.phase, since_ns=job.since_ns, begun_ns=job.begun_ns,
                      key=job.key, strategy=strategy)


def _cancel(turn: Turn, orders: list[OurOrder], reason: str) -> None:
    for order in orders:
        if order.live and not order.cancel_wanted:
            turn.cancel(order, reason)


def _shut(turn: Turn, ours: Exposure, symbol: str) -> str:
    """Why the market of what is ours in a symbol is shut; empty when a close can execute."""
    words = (shut(turn, each) for each in ours.contracts(symbol))
    return next((word for word in words if word), "")


def _tradable(turn: Turn, contract: Contract) -> Instrument:
    """The instrument under which we traded it: the contract of a fill names no exchange to route to."""
    for group in reversed(turn.state.groups.values()):
        if group.contract.con_id == contract.con_id:
            return group.instrument
    for order in reversed(turn.state.book.orders.values()):
        if order.contract.con_id == contract.con_id:
            return Instrument(contract=order.contract)
    return Instrument(contract=contract)
