"""From a trade to the opposite one: targets go, the close works beside the stop, then the new entry.

    CANCELLING   entries and targets of the strategy's trades on the contract are cancelled; the stops stay
    CLOSING      all of those have ended: each trade is closed at the market, in its stop's OCA group, so that
                 the stop protects until the close has filled, and whichever fills ends the other (C2)
    FLAT         no order of those trades lives, nothing is held, a quote is there (after a restart none is
                 at once): the new bracket is judged by the gate
    DROPPED      no new entry: too late, taken by a flatten or by the emergency stop, not closed, or all
                 entries are cancelled

A stop that fills meanwhile closes as well as the close would have. The wish is kept in the journal, so that
a restart goes on with it; older than `Timing.reversal_ns` it does not act any more. What was closed stays
closed: a reversal that is dropped never opens the old trade again, and what still stands keeps its stop.
"""

from __future__ import annotations

from decimal import Decimal

from tws.clock import NS_PER_S
from tws.desk.books import ask_again
from tws.desk.commands import Reverse, SubmitBracket
from tws.desk.limits import limits_in_force
from tws.desk.market import shut
from tws.desk.state import DeskState, Group, Reversal
from tws.desk.submit import blocked, place_exit, submit_bracket
from tws.desk.turn import Turn
from tws.model.contract import Contract
from tws.model.facts import AnswerKind
from tws.model.order import Bracket, Order, OrderType, Role
from tws.model.records import Denied, OrderState, ReversalMoved, ReversalPhase, Severity
from tws.orders.book import OurOrder
from tws.risk.denial import Denial

__all__ = ["begin_reversal", "drop_reversals", "go_on_reversing"]

MAX_CLOSES = 3
"""Closing orders of one trade; what was refused three times wants a human. The stop stays meanwhile."""

_OCA_REDUCES = 3
"""Reduce without block, TWS's own type for a bracket's children (C5, recorded): a part that the stop fills
takes as much from the close."""

_ZERO = Decimal(0)


def begin_reversal(turn: Turn, command: Reverse) -> None:
    """Begin, unless there is nothing to reverse or something else has the symbol in hand."""
    plan, symbol = command.bracket, command.instrument.contract.symbol
    denial = _unfit(turn, command)
    if denial is not None:
        turn.emit(Denied(at_ns=turn.now_ns, symbol=symbol, limit=denial.limit, figure=denial.figure,
                         bound=denial.bound, reason=denial.reason, role=Role.ENTRY, side=plan.side,
                         quantity=plan.quantity, strategy=plan.strategy, signal_id=plan.signal_id))
        return
    turn.emit(ReversalMoved(at_ns=turn.now_ns, symbol=symbol, phase=ReversalPhase.CANCELLING,
                            reason=command.reason, bracket=plan, instrument=command.instrument))


def go_on_reversing(turn: Turn) -> None:
    """Take every reversal as far as it goes now."""
    for symbol, job in tuple(turn.state.reversals.items()):
        _go_on(turn, symbol, job)


def drop_reversals(turn: Turn, symbol: str | None, reason: str) -> None:
    """No reversal of the symbol (None: of any) is to enter any more."""
    for each, job in tuple(turn.state.reversals.items()):
        if symbol in (None, each):
            _drop(turn, each, reason, _against(turn.state, job.bracket, job.instrument.contract))


def _unfit(turn: Turn, command: Reverse) -> Denial | None:
    state, plan, contract = turn.state, command.bracket, command.instrument.contract
    reason = ""
    if not state.link_up:
        reason = f"the link is {state.link}"
    elif contract.symbol in state.reversals:
        reason = "it is being reversed already"
    elif plan.signal_id and f"{plan.strategy}/{plan.signal_id}" in state.signals:
        reason = f"signal {plan.signal_id} has acted already"
    elif not _against(state, plan, contract):
        reason = f"{plan.strategy or 'nobody'} holds no trade against it; a bracket by itself enters"
    reason = reason or _taken(turn, plan, contract) or shut(turn, contract)
    return Denial(limit="reversal", figure=f"{plan.side} {contract.symbol}",
                  bound="an open trade the other way, in an open market", reason=reason) if reason else None


def _taken(turn: Turn, plan: Bracket, contract: Contract) -> str:
    """What else has the symbol in hand."""
    if contract.symbol in turn.state.flattens:
        return f"it is being flattened ({turn.state.flattens[contract.symbol].phase})"
    return turn.state.kill.stopped(contract.symbol, plan.strategy)


def _against(state: DeskState, plan: Bracket, contract: Contract) -> list[Group]:
    """The open trades of the strategy on the contract, the other way."""
    groups = (state.groups[group_id] for group_id in state.open_groups)
    return [group for group in groups
            if group.contract.con_id == contract.con_id and group.strategy == plan.strategy
            and group.side is not plan.side]


def _go_on(turn: Turn, symbol: str, job: Reversal) -> None:
    plan, contract = job.bracket, job.instrument.contract
    trades = _against(turn.state, plan, contract)
    taken = _taken(turn, plan, contract)
    if taken:
        _drop(turn, symbol, taken, trades)
        return
    if turn.now_ns - job.begun_ns >= turn.timing.reversal_ns:
        what = "not flat" if trades else "no fresh quote"
        _drop(turn, symbol, f"{what} within {turn.timing.reversal_ns / NS_PER_S:g} s", trades)
        return
    if not turn.state.link_up:
        return
    if job.phase is ReversalPhase.CANCELLING and _cancelled(turn, trades):
        _move(turn, symbol, ReversalPhase.CLOSING, "its entries and targets have ended")
    if (job.phase is ReversalPhase.CLOSING and _closed(turn, trades) and not blocked(turn, contract, symbol)
            and _quoted(turn, contract)):
        _move(turn, symbol, ReversalPhase.FLAT, "nothing is held")
        submit_bracket(turn, SubmitBracket(bracket=plan, instrument=job.instrument))


def _quoted(turn: Turn, contract: Contract) -> bool:
    """Whether a quote is there on which an entry may stand; the gate has the last word on it."""
    quote = turn.quotes.get(contract.con_id)
    if quote is None or not (quote.bid and quote.ask):
        return False
    return abs(turn.now_ns - quote.time_ns) <= limits_in_force(turn).stale_quote_ns


def _cancelled(turn: Turn, trades: list[Group]) -> bool:
    """Entries and targets are asked to go; whether all have ended and every claimed fill is here."""
    done = True
    for group in trades:
        for order in turn.state.members(group, Role.ENTRY, Role.TARGET):
            if order.live and not order.cancel_wanted and not _goes_by_itself(turn, group, order):
                turn.cancel(order, "reversed")
            done = done and not order.live and not order.missing
    return done


def _goes_by_itself(turn: Turn, group: Group, target: OurOrder) -> bool:
    """Whether it is a child of an entry that is cancelled: TWS ends it too, so a moment is given to it."""
    entries = turn.state.members(group, Role.ENTRY) if target.role is Role.TARGET else []
    unfilled = [order for order in entries if order.state is not OrderState.FILLED]
    return any(order.live or not turn.over(order.changed_ns, turn.timing.bare_ns) for order in unfilled)


def _closed(turn: Turn, trades: list[Group]) -> bool:
    """Whether no order of the trades lives and nothing is held of them; places what closes them."""
    done = True
    for group in trades:
        orders = turn.state.members(group, *Role)
        held = turn.state.in_account(group)
        if held > 0 and not any(order.missing for order in orders):
            _close(turn, group, held, orders)
        done = done and held == 0 and not any(order.live or order.missing for order in orders)
    return done


def _close(turn: Turn, group: Group, held: Decimal, orders: list[OurOrder]) -> None:
    """At the market beside the stop, unless a close of the trade works already."""
    closes = [order for order in orders if order.role is Role.CLOSE]
    if len(closes) >= MAX_CLOSES or any(order.live for order in closes):
        return
    if closes and not turn.over(closes[-1].changed_ns, turn.timing.bare_ns):
        return
    stop = next((order for order in orders if order.role is Role.STOP and order.live), None)
    row = turn.rows.get(stop.intent_id) if stop is not None else None
    name = row.oca_group if row is not None else ""
    if stop is not None and row is None:
        # TWS has not stated it, nor its group, since the link came up; one that it has lost it never will
        ask_again(turn, turn.timing.bare_ns, AnswerKind.OPEN_ORDERS)
        return
    barred = any(each.order.oca_group == name and each.state is OrderState.REJECTED for each in closes)
    if stop is not None and (not name or barred):  # the close can't join it, so it must not meet it
        if not stop.cancel_wanted:
            turn.cancel(stop, "reversed: the close can't join its OCA group")
        return
    order = Order(side=group.side.opposite, quantity=held, order_type=OrderType.MARKET, oca_group=name,
                  oca_type=(row.oca_type if row is not None else 0) or (_OCA_REDUCES if name else 0))
    place_exit(turn, group, group.instrument, Role.CLOSE, order)


def _drop(turn: Turn, symbol: str, reason: str, trades: list[Group]) -> None:
    """There will be no new entry; what is still held keeps its stop, and a human hears of it."""
    _move(turn, symbol, ReversalPhase.DROPPED, reason)
    held = sum((turn.state.in_account(group) for group in trades), _ZERO)
    turn.alarm(Severity.WARNING, f"reversal {symbol}",
               f"{symbol} was not reversed: {reason}; {held} of the old trade are held, behind their stop")


def _move(turn: Turn, symbol: str, phase: ReversalPhase, reason: str) -> None:
    turn.emit(ReversalMoved(at_ns=turn.now_ns, symbol=symbol, phase=phase, reason=reason))
