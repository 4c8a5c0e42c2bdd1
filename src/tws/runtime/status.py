"""What `tws status` shows: of a running trader all of it, of one at rest what its journal and its safety file
say.

`books(desk, now_ns)` is what a desk knows, live or rebuilt from a journal: every difference from the broker
with what cures it, every holding with what others hold beside it, the time without a stop beside its bound,
the emergency stops, and the limits that are nearest to their bound. `status_of(run)` puts what only a process
knows before it.
"""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tws.clock import NS_PER_S, to_datetime
from tws.config import mask_account
from tws.desk import Desk
from tws.desk.distances import report
from tws.desk.standing import Discrepancy, Held, discrepancies, holdings
from tws.model.expiry import ending
from tws.model.records import OrderState
from tws.risk.distance import Distance
from tws.runtime.adjusting import described
from tws.runtime.report import Protection
from tws.runtime.windup import bare, left
from tws.safety import SafetyState

if TYPE_CHECKING:
    from tws.runtime.run import Run

__all__ = ["books", "protection", "safety_of", "status_of"]

NEAREST = 5
"""Limits shown: as many as a glance takes in. `tws risk` has them all."""


def status_of(run: Run) -> dict[str, Any]:
    """A running trader's answer to `tws status`."""
    trader = run.trader
    state, safety, now_ns = trader.desk.state, run.safety.state, run.clock.now_ns()
    lease, config = safety.lease, run.plan.config
    return {
        "pid": os.getpid(),
        "account": mask_account(state.account),
        "session": f"{config.host}:{config.port}, client id {config.client_id}",
        "since": None if lease is None else to_datetime(lease.since_ns).isoformat(),
        "link": str(state.link),
        **safety_of(safety, now_ns),
        **books(trader.desk, now_ns),
        "mode": run.plan.mode + (f", {run.plan.grade}" if run.plan.grade is not None else ""),
        **_pilot(run),
        "alarms": run.alarms[-10:],
        "failure": None if trader.failure is None else str(trader.failure),
        "journal": str(run.plan.journal),
        "head": trader.head,
    }


def _pilot(run: Run) -> dict[str, Any]:
    """Its markets, where signals come from, and how strategies in Python do; the way to the opening while it
    is closed.
    """
    pilot, opening = run.pilot, run.opening
    way = None if opening is None or opening.opened else opening.now
    told: dict[str, Any] = {"closed": "" if way is None else f"{way.symbol} opens in {way.left_s} s"}
    if pilot is not None:
        held = (each.contract for each in run.trader.desk.state.ours.exposed())
        told["ending"] = ending((*held, *pilot.markets.contracts()), run.clock.now_ns())
        told["market"] = pilot.markets.lines(run.clock.now_ns())
        told["sources"] = [each.line() for each in pilot.sources.health()]
        told["strategies"] = [each.line() for each in pilot.programs.values()]
        told["disabled"] = [f"{name}: {why}" for name, why in pilot.disabled.items()]
    return told


def safety_of(safety: SafetyState, now_ns: int) -> dict[str, Any]:
    """Epoch, latches and unlocks, as the safety file has them."""
    return {
        "epoch": safety.epoch,
        "latches": [
            f"{each.state} on {each.scope.key}: {each.reason} ({each.operator})" for each in safety.latches
        ],
        "unlocks": [
            {
                "account": mask_account(each.account),
                "until": to_datetime(each.until_ns).isoformat(),
                "left_s": max(0, (each.until_ns - now_ns) // NS_PER_S),
                "operator": each.operator,
            }
            for each in safety.unlocks
        ],
    }


def books(desk: Desk, now_ns: int) -> dict[str, Any]:
    """What the desk knows of orders, positions, protection, stops and limits, as plain values."""
    state = desk.state
    found = discrepancies(state, now_ns, desk.timing)
    stops = state.kill.stops.values()
    return {
        "reconciled": state.link_up and state.reconciled_epoch == state.epoch and not state.differs,
        "discrepancies": [_discrepancy(each, now_ns) for each in found],
        "holdings": [_held(each) for each in holdings(state) if each.ours or each.others or each.stated],
        "left": [str(each) for each in left(state)],
        "unprotected": bare(state),
        "protection": msgspec.to_builtins(protection(desk, now_ns)),
        "unknown": [each.intent_id for each in state.book.exposed() if each.state is OrderState.UNKNOWN],
        "kill": [
            {
                "scope": each.scope.key, "state": str(each.state), "flatten": each.flatten,
                "since": to_datetime(each.since_ns).isoformat(), "reason": each.reason,
                "operator": each.operator,
            }
            for each in stops
        ],
        "ending": ending((each.contract for each in state.ours.exposed()), now_ns),
        "latched_limits": dict(state.latches),
        "nearest_limits": [_limit(each) for each in _nearest(desk, now_ns)],
    }  # fmt: skip


def _discrepancy(each: Discrepancy, now_ns: int) -> dict[str, Any]:
    contract = each.contract
    since_ns = each.since_ns
    return {
        "kind": str(each.kind),
        "account": each.account,
        "symbol": "" if contract is None else described(contract),
        "con_id": None if contract is None else contract.con_id,
        "ours": each.ours,
        "theirs": each.theirs,
        "since": None if since_ns is None else to_datetime(since_ns).isoformat(),
        "for_s": None if since_ns is None else max(0, now_ns - since_ns) / NS_PER_S,
        "cure": each.cure,
        "blocks": each.blocks,
    }


def _held(each: Held) -> dict[str, Any]:
    return {
        "account": each.account,
        "symbol": described(each.contract),
        "con_id": each.contract.con_id,
        "ours": _text(each.ours),
        "others": _text(each.others),
        "stated": None if each.stated is None else _text(each.stated),
        "opening": _text(each.opening),
        "confirmed": each.confirmed,
        "average_cost": _text(round(each.average_cost, 6)),
        "currency": each.contract.currency,
    }


def protection(desk: Desk, now_ns: int) -> Protection:
    """The time that held shares were without a full live stop, measured, beside its bound."""
    groups = desk.state.groups.values()
    running = [now_ns - since for each in groups if (since := each.bare_since_ns) is not None]
    longest = max((each.bare_longest_ns for each in groups), default=0)
    return Protection(
        now_s=max(running, default=0) / NS_PER_S,
        longest_s=max([longest, *running]) / NS_PER_S,
        bound_s=desk.timing.alarm_ns / NS_PER_S,
        times=sum(each.bare_times for each in groups),
    )


def _nearest(desk: Desk, now_ns: int) -> list[Distance]:
    """Those with a figure, the fullest first; one that has latched before all."""
    rows = [each for each in report(desk, now_ns) if each.latched or each.part]
    rows.sort(key=lambda each: (not each.latched, -(each.part or Decimal(0))))
    return rows[:NEAREST]


def _limit(each: Distance) -> dict[str, Any]:
    return {
        "name": each.name,
        "about": each.about,
        "figure": None if each.figure is None else _text(each.figure),
        "bound": None if each.bound is None else _text(each.bound),
        "part": None if each.part is None else float(each.part),
        "latched": each.latched,
    }


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"
