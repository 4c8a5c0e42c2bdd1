"""The limits in force: from the configuration, changed by a human through the journal, latched, released.

The configuration's limits hold from the first run on. What a human changes while we trade holds over
restarts, until the configuration itself says something else than it did when the last run began: then that is
the newer word. `DeskState.limits` is moved by `LimitsChanged` alone, so a journal rebuilds it.
"""

from __future__ import annotations

from tws.desk.commands import ChangeLimits, ReleaseLimit, Reload
from tws.desk.state import DeskState
from tws.desk.turn import Turn
from tws.model.records import LimitLatched, LimitReleased, LimitsChanged, Reloaded, Severity
from tws.risk.denial import Denial
from tws.risk.limits import Limits

__all__ = ["change_limits", "latch", "latch_if_broken", "latches_on", "limits_in_force", "release_limit",
           "reload", "take_configuration"]

_EVERYWHERE = ("max_daily_loss", "max_drawdown")
"""Limits that latch for the whole account; `max_entries` does for a symbol."""


def limits_in_force(turn: Turn) -> Limits:
    """Those of the journal; those of the gate as long as no run has begun."""
    return turn.state.limits or turn.gate.limits


def take_configuration(turn: Turn) -> None:
    """A run begins: take the configuration's limits, unless they are those of the last run."""
    configured = turn.gate.limits
    if configured != turn.state.configured:
        turn.emit(LimitsChanged(at_ns=turn.now_ns, operator="configuration", reason="a run began",
                                limits=configured.to_plain(), configured=True))


def change_limits(turn: Turn, command: ChangeLimits) -> None:
    """All changes or none: what is nonsense, or comes without a name and a reason, changes nothing."""
    if not command.operator.strip() or not command.reason.strip() or not command.changes:
        _refuse(turn, "limits", "a change of limits wants an operator, a reason and what to change")
        return
    try:
        limits = limits_in_force(turn).changed(command.changes)
    except ValueError as wrong:
        _refuse(turn, f"limits {wrong}", f"{command.operator} asked for limits that can't be: {wrong}")
        return
    turn.emit(LimitsChanged(at_ns=turn.now_ns, operator=command.operator, reason=command.reason,
                            changes=command.changes, limits=limits.to_plain()))


def reload(turn: Turn, command: Reload) -> None:
    """The configuration was read anew: its limits hold, unless they are those it had before."""
    limits = Limits.from_plain(command.limits)
    if limits != turn.state.configured:
        turn.emit(LimitsChanged(at_ns=turn.now_ns, operator=command.operator, reason=command.reason,
                                limits=command.limits, configured=True))
    turn.emit(Reloaded(at_ns=turn.now_ns, operator=command.operator, reason=command.reason,
                       configuration=command.configuration, changes=command.changes))


def latches_on(state: DeskState, symbol: str) -> tuple[str, ...]:
    """The limits that have latched for all, or for this symbol."""
    if not state.latches:
        return ()
    names = [name for name in _EVERYWHERE if f"{name}/" in state.latches]
    return (*names, "max_entries") if f"max_entries/{symbol}" in state.latches else tuple(names)


def latch_if_broken(turn: Turn, denial: Denial, symbol: str) -> None:
    """One entry too many of a symbol: no more of them before a human has looked."""
    if denial.limit == "max_entries" and f"max_entries/{symbol}" not in turn.state.latches:
        latch(turn, "max_entries", denial.figure, denial.bound, symbol)


def latch(turn: Turn, limit: str, figure: str, bound: str, scope: str = "") -> None:
    """Let no entry out any more in this scope, and tell a human."""
    turn.emit(LimitLatched(at_ns=turn.now_ns, limit=limit, figure=figure, bound=bound, scope=scope))
    turn.alarm(Severity.ALARM, f"latched {limit} {scope}".strip(),
               f"{limit} has latched{' for ' + scope if scope else ''}: {figure}, bound {bound}. "
               "No entry leaves before a human re-enables it; exits and cancels do")


def release_limit(turn: Turn, command: ReleaseLimit) -> None:
    """A human lets entries out again; what has not latched, or nobody signs, is a warning."""
    if not command.operator.strip() or not command.reason.strip():
        _refuse(turn, "release", "to release a limit wants an operator and a reason")
        return
    key = f"{command.limit}/{command.scope}"
    if key not in turn.state.latches:
        known = ", ".join(turn.state.latches) or "none"
        _refuse(turn, f"release {key}", f"{key!r} has not latched. Latched: {known}")
        return
    turn.emit(LimitReleased(at_ns=turn.now_ns, limit=command.limit, scope=command.scope,
                            operator=command.operator, reason=command.reason))


def _refuse(turn: Turn, subject: str, text: str) -> None:
    turn.alarm(Severity.WARNING, subject, text)
