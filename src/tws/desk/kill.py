"""The emergency stop: ACTIVE, REDUCE_ONLY, HALTED, FLATTENING, LATCHED (RISK.md, "The kill switch").

A command makes or raises the stop of one scope; what follows from it is looked at after every event, so
that an entry which turns up late, from a lost link or another life, is cancelled too, and a late fill is
closed. Nothing but a human's reset lowers it. Under a stop no entry passes; an exit passes when it provably
reduces, as ever. Stops of several scopes stand side by side.

    REDUCE_ONLY   every order is judged as an exit; entries that work are cancelled
    HALTED        entries are being cancelled, or what is left waits: for a market, for a human
    FLATTENING    a flatten of the scope is on its way
    LATCHED       no entry lives, and what was to be closed is closed
"""

from __future__ import annotations

from tws.desk.commands import Kill, ReduceOnly, ResetKill
from tws.desk.exposure import Exposure
from tws.desk.flatten import RUNNING, begin_for, differing, reread
from tws.desk.state import DeskState, FlattenJob, Stop
from tws.desk.turn import Turn
from tws.model.facts import AnswerKind, BrokerOrder
from tws.model.order import Role
from tws.model.records import AllCancelAsked, Denied, FlattenMoved, FlattenPhase, KillMoved
from tws.model.stop import KillState, Scope, ScopeKind
from tws.orders.book import OurOrder

__all__ = [
    "enforce",
    "foreign_orders",
    "jobs_of",
    "kill",
    "limit_of",
    "reduce_only",
    "reset_kill",
    "settle",
    "symbols_of",
    "unsettled",
]


_LISTS = (AnswerKind.POSITIONS, AnswerKind.OPEN_ORDERS)


def kill(turn: Turn, command: Kill) -> None:
    """Stop a scope. A stop that stands already is raised, never lowered: a flatten stays a flatten."""
    if command.scope.kind is ScopeKind.ACCOUNT and command.scope.name != turn.state.account:
        _refuse(turn, "kill", command.scope.name or "no account", turn.state.account,
                "the account's id must be typed in full, and be the one that we trade")
        return
    if not command.scope.whole and not command.scope.name:
        _refuse(turn, "kill", f"{command.scope.kind} without a name", "a name", "say which one is meant")
        return
    standing = turn.state.kill.stops.get(command.scope.key)
    before = standing.state if standing is not None else KillState.ACTIVE
    flatten = command.flatten or (standing is not None and standing.flatten)
    turn.emit(KillMoved(at_ns=turn.now_ns, scope=command.scope, before=before, state=KillState.HALTED,
                        ordered=True, flatten=flatten, operator=command.operator, reason=command.reason))
    if flatten:
        _flatten_again(turn, turn.state.kill.stops[command.scope.key])


def reduce_only(turn: Turn, command: ReduceOnly) -> None:
    """Let a scope shrink only. A heavier stop of the same scope stays as it is."""
    if command.scope.kind is ScopeKind.ACCOUNT and command.scope.name != turn.state.account:
        _refuse(turn, "kill", command.scope.name, turn.state.account, "it is not the account that we trade")
        return
    if command.scope.key not in turn.state.kill.stops:
        turn.emit(KillMoved(at_ns=turn.now_ns, scope=command.scope, before=KillState.ACTIVE,
                            state=KillState.REDUCE_ONLY, ordered=True, operator=command.operator,
                            reason=command.reason))


def reset_kill(turn: Turn, command: ResetKill) -> None:
    """A human ends a stop. What keeps it from that is a `Denied` of limit "reset", and nothing moves."""
    stop = turn.state.kill.stops.get(command.scope.key)
    if stop is None:
        _refuse(turn, "reset", command.scope.key, "a stop that stands", "nothing is stopped in this scope")
        return
    if not command.operator.strip() or not command.reason.strip():
        _refuse(turn, "reset", "no name or no reason", "both", "a reset names its operator and says why")
        return
    ours = turn.ours
    jobs = jobs_of(turn.state, stop.scope, ours)
    running = [job.symbol for job in jobs if job.phase in RUNNING]
    if running:
        _refuse(turn, "reset", f"{', '.join(running)} being flattened", "no flatten under way",
                "wait for its answer: FLAT or NOT FLAT")
        return
    left = unsettled(turn.state, stop.scope, ours)
    if left and not command.accept:
        _refuse(turn, "reset", "; ".join(left), "flat by the broker's word, or accepted",
                "say that what is left is known and accepted")
        return
    said = f"{command.operator}: {command.reason}"
    for job in jobs:
        turn.emit(FlattenMoved(at_ns=turn.now_ns, symbol=job.symbol, phase=FlattenPhase.ABANDONED,
                               session=turn.state.session, reason=said, strategy=job.strategy))
    turn.emit(KillMoved(at_ns=turn.now_ns, scope=stop.scope, before=stop.state, state=KillState.ACTIVE,
                        ordered=True, operator=command.operator, reason=command.reason))


def unsettled(state: DeskState, scope: Scope, ours: Exposure) -> list[str]:
    """What speaks against "flat, proven": the link, books that differ, shares, open orders."""
    found = []
    if not state.link_up or state.reconciled_epoch != state.epoch:
        found.append("the broker's orders, fills and positions have not all been read since the link came up")
    for each in differing(state):
        symbol = each.contract.symbol
        if scope.kind is not ScopeKind.SYMBOL or symbol == scope.name:
            found.append(f"{symbol}: the broker states {each.quantity}, which its fills do not make")
    for symbol in symbols_of(scope, ours):
        strategy = limit_of(scope)
        held = ours.held(symbol, strategy).values()
        found += [f"{quantity} {symbol} held" for _, quantity in held]
        found += [f"order {each.intent_id} {each.state}" for each in ours.orders(symbol, strategy)]
    return found


def enforce(turn: Turn) -> None:
    """What each stop that stands asks for, whatever happened: entries go, and what is to be flattened is."""
    if not turn.state.kill.stops:
        return
    ours = turn.ours
    ours.symbols()  # as they are before anything is cancelled here
    for stop in tuple(turn.state.kill.stops.values()):
        for order in turn.state.book.living():
            if order.role.opens and not order.cancel_wanted and _in_scope(turn, stop.scope, order):
                turn.cancel(order, f"stopped: {stop.reason}")
        if stop.state is KillState.REDUCE_ONLY:
            continue
        if stop.scope.kind is ScopeKind.ACCOUNT:
            _cancel_all(turn, stop)
        if stop.flatten:
            for symbol in symbols_of(stop.scope, ours):
                job, limit = turn.state.flattens.get(symbol), limit_of(stop.scope)
                if job is None or (job.strategy and not limit):
                    begin_for(turn, symbol, stop.reason, strategy=limit)


def settle(turn: Turn) -> None:
    """How far each stop has gone; to be looked at when all else of an event is decided."""
    if not turn.state.kill.stops:
        return
    ours = turn.ours
    for stop in tuple(turn.state.kill.stops.values()):
        state = stop.state if stop.state is KillState.REDUCE_ONLY else _gone_to(turn, stop, ours)
        if state is not stop.state:
            turn.emit(KillMoved(at_ns=turn.now_ns, scope=stop.scope, before=stop.state, state=state,
                                flatten=stop.flatten, operator=stop.operator, reason=stop.reason))


def _gone_to(turn: Turn, stop: Stop, ours: Exposure) -> KillState:
    jobs = jobs_of(turn.state, stop.scope, ours) if stop.flatten else []
    if any(job.phase in RUNNING for job in jobs):
        return KillState.FLATTENING
    entries = any(order.role.opens and _in_scope(turn, stop.scope, order)
                  for order in turn.state.book.exposed())
    if jobs or entries or (stop.scope.kind is ScopeKind.ACCOUNT and foreign_orders(turn.state)):
        return KillState.HALTED
    # The broker's word from after the order, also where nothing was to be cancelled or closed.
    if stop.state is not KillState.LATCHED and not reread(turn, stop.asked, *_LISTS):
        return stop.state
    return KillState.LATCHED


def _flatten_again(turn: Turn, stop: Stop) -> None:
    """An order to flatten begins anew what an earlier one gave up."""
    for job in tuple(turn.state.flattens.values()):
        if job.phase is FlattenPhase.NOT_FLAT and stop.scope.covers(job.symbol, job.strategy):
            begin_for(turn, job.symbol, stop.reason, strategy=limit_of(stop.scope))


def _cancel_all(turn: Turn, stop: Stop) -> None:
    """The account's own scope: once at the beginning, and again while an order of it is still open."""
    if not turn.state.link_up:
        return
    last = stop.all_asked_ns
    late = last is not None and turn.now_ns - last >= turn.timing.cancel_ns
    if last is None or (late and foreign_orders(turn.state)):
        turn.emit(AllCancelAsked(at_ns=turn.now_ns, scope=stop.scope, reason=stop.reason))


def foreign_orders(state: DeskState) -> list[BrokerOrder]:
    """Open orders of the account that are none of ours."""
    seen = [each.order for each in state.foreign.values()]
    return [order for order in seen if order.account in ("", state.account)]


def jobs_of(state: DeskState, scope: Scope, ours: Exposure) -> list[FlattenJob]:
    """The flattens that a scope waits for."""
    symbols = symbols_of(scope, ours)
    return [job for job in state.flattens.values()
            if scope.covers(job.symbol, job.strategy) or (job.symbol in symbols and not job.strategy)]


def symbols_of(scope: Scope, ours: Exposure) -> list[str]:
    """The symbols on which the scope has anything."""
    if scope.kind is ScopeKind.SYMBOL:
        return [scope.name] if scope.name in ours.symbols() else []
    if scope.whole:
        return list(ours.symbols())
    return [symbol for symbol in ours.symbols()
            if ours.orders(symbol, scope.name) or ours.held(symbol, scope.name)]


def limit_of(scope: Scope) -> str:
    """The strategy to which a scope limits a flatten; empty: none."""
    return scope.name if scope.kind is ScopeKind.STRATEGY else ""


def _in_scope(turn: Turn, scope: Scope, order: OurOrder) -> bool:
    return scope.covers(order.contract.symbol, turn.state.strategy_of(order))


def _refuse(turn: Turn, limit: str, figure: str, bound: str, reason: str) -> None:
    turn.emit(Denied(at_ns=turn.now_ns, symbol="", limit=limit, figure=figure, bound=bound, reason=reason,
                     role=Role.CLOSE))
