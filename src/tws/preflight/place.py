"""What a trader of this port and client id has left behind: its lease, its latches, its unlock, its journal,
what its rules remember.

Only what is there is read: a safety file that does not exist is not made, and no lease is taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from msgspec import Struct

from tws.clock import SystemClock, to_datetime
from tws.config import mask_account
from tws.desk import Desk, DeskState
from tws.errors import DataError, JournalError, SafetyError
from tws.journal import recover_file
from tws.model.stop import KillState
from tws.preflight.line import Line, Weight
from tws.risk import Gate, Limits
from tws.rules import Engine
from tws.runtime.plan import RunPlan
from tws.runtime.rulefile import CURE, read_memory
from tws.runtime.unlocking import why_locked
from tws.safety import SafetyFile, SafetyState, is_alive

__all__ = ["Books", "latches", "look_at_place", "read_journal", "read_safety", "runs", "traded"]


class Books(Struct, frozen=True, kw_only=True):
    """What the journal says; `desk` None: there is none, or it can't be read, as `line` tells."""

    line: Line
    desk: DeskState | None = None


def look_at_place(plan: RunPlan) -> list[Line]:
    """Lease, latches, unlock, the memory of the rules."""
    try:
        safety = read_safety(plan)
    except SafetyError as wrong:
        safe = [Line(about="safety", weight=Weight.BLOCKER, text=wrong.cause, cure=wrong.cure)]
    else:
        safe = [_lease(plan, safety), *latches(plan, safety), *_unlock(plan, safety)]
    return [*safe, *_writable(plan), *_remembered(plan)]


def _writable(plan: RunPlan) -> Iterator[Line]:
    """Where it does not exist yet, a run makes it: in the nearest folder above that is there."""
    folder = plan.place.folder
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        text = f"{folder} can't be written: {nearest} is {'closed to you' if nearest.is_dir() else 'a file'}"
        cure = "Run it as the folder's owner, or name another one: [state] folder, or --state"
        yield Line(about="state", weight=Weight.BLOCKER, text=text, cure=cure)


def read_safety(plan: RunPlan) -> SafetyState | None:
    """What the safety file says; None before the first run. Raises SafetyError."""
    if not plan.place.safety.exists():
        return None
    with SafetyFile(plan.place.safety) as file:
        return file.state


def runs(safety: SafetyState | None) -> bool:
    """Whether somebody trades now, as far as this machine can see; one on another host counts."""
    lease = None if safety is None else safety.lease
    return lease is not None and is_alive(lease.process) is not False


def traded(plan: RunPlan) -> bool:
    """The same of a plan; a file that can't be read says of nobody that he trades."""
    try:
        return runs(read_safety(plan))
    except SafetyError:
        return False


def read_journal(plan: RunPlan) -> Books:
    """The desk that the journal makes, to look at; its trader may write meanwhile."""
    path = plan.journal
    if not path.exists():
        return Books(line=Line(about="journal", weight=Weight.OK, text=f"begins with the first run: {path}"))
    desk = Desk(Gate(Limits()))
    try:
        found = recover_file(desk, path)
    except JournalError as wrong:
        return Books(line=Line(about="journal", weight=Weight.BLOCKER, text=wrong.cause, cure=wrong.cure))
    text = f"{found.rows} records, head {found.head}"
    return Books(line=Line(about="journal", weight=Weight.OK, text=text), desk=desk.state)


def _lease(plan: RunPlan, safety: SafetyState | None) -> Line:
    lease = None if safety is None else safety.lease
    if lease is None:
        return Line(about="lease", weight=Weight.OK, text="nobody trades with this port and client id")
    alive = is_alive(lease.process)
    if alive is False:
        return Line(about="lease", weight=Weight.OK, text=f"left by {lease}, which no longer runs")
    cure = f"Stop it before you start another: tws stop --protected --trader {plan.place.name}"
    text = f"held by {lease}: a second run would be refused"
    if alive is None:
        text = f"held by {lease}, which can't be seen from here"
        host = lease.process.host
        free = f"tws reset --lease {host} --operator NAME --reason TEXT"
        cure = f"Look on {host}; if that machine is off: {free}"
    return Line(about="lease", weight=Weight.WARNING, text=text, cure=cure)


def latches(plan: RunPlan, safety: SafetyState | None) -> Iterator[Line]:
    """What keeps entries back until a named human takes it away."""
    for each in () if safety is None else safety.latches:
        if each.state is not KillState.ACTIVE:
            yield Line(
                about="latch",
                weight=Weight.BLOCKER,
                text=f"{each.state} on {each.scope.key}: {each.reason} ({each.operator})",
                cure=f"tws reset --trader {plan.place.name} --operator NAME --reason TEXT",
            )


def _remembered(plan: RunPlan) -> Iterator[Line]:
    """What a run of these rules goes on from; it would not start with half of it."""
    if not plan.rules:
        return
    try:
        memory = read_memory(plan.place.rules)
    except DataError as wrong:
        text = f"{wrong.path}: {wrong.reason.removesuffix(f'; {CURE}')}"
        yield Line(about="rules.json", weight=Weight.BLOCKER, text=text, cure=CURE.capitalize())
        return
    engine = Engine(plan.rules, memory)
    for name in (rule.name for rule in plan.rules if rule.enabled):
        if not engine.is_enabled(name):
            text = f"{name} is switched off: {engine.why_disabled(name)}"
            cure = f"Once it runs: tws rules enable {name} --trader {plan.place.name}"
            yield Line(about="rules.json", weight=Weight.WARNING, text=text, cure=cure)


def _unlock(plan: RunPlan, safety: SafetyState | None) -> Iterator[Line]:
    """Of a configuration that means real money: whether it may trade, and for how long."""
    if not plan.live:
        return
    account, now_ns = plan.config.account_id, SystemClock().now_ns()
    why = why_locked(safety or SafetyState(), account, plan.settings, now_ns)
    if why:
        cure = f"tws unlock {plan.path.name} --account ACCOUNT --operator NAME --for 8h"
        yield Line(about="unlock", weight=Weight.BLOCKER, text=f"{mask_account(account)}: {why}", cure=cure)
        return
    given = None if safety is None else safety.unlocked(account, now_ns)
    until = "" if given is None else f" until {to_datetime(given.until_ns):%Y-%m-%d %H:%M} UTC"
    yield Line(about="unlock", weight=Weight.OK, text=f"{mask_account(account)} may trade{until}")
