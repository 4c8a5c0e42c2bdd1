"""What the limits remember: limits in force, latches, the day's losses, and how often what was sent.

These are the functions of `tws.desk.apply` for the records of risk; like the others they write down and
judge nothing. Each memory is bounded, with its reason.
"""

from __future__ import annotations

from tws.clock import NS_PER_S
from tws.desk.state import DeskState
from tws.model import records as r
from tws.risk.limits import Limits
from tws.risk.situation import Reference

__all__ = ["let_out", "limit_latched", "limit_released", "limits_changed", "loss_anchored", "peak_raised",
           "sent"]

_ENTRIES = 1_000  # the hard bound of `max_entries`
_MESSAGES = 1_000  # the hard bound of `max_messages_per_s`
_REFERENCES = 64  # more entries of one contract within the window are the throttle's business


def sent(state: DeskState, at_ns: int) -> None:
    """A message about an order leaves."""
    _put(state.messages, at_ns, _MESSAGES)
    while state.messages[0] <= at_ns - NS_PER_S:
        del state.messages[0]


def let_out(state: DeskState, record: r.Planned) -> None:
    """An entry was approved."""
    _put(state.entries.setdefault(record.contract.symbol, []), record.at_ns, _ENTRIES)
    if record.reference is None:
        return
    references = state.references.setdefault(record.contract.con_id, [])
    if len(references) >= _REFERENCES:
        del references[0]
    references.append(Reference(at_ns=record.at_ns, price=record.reference))


def limits_changed(state: DeskState, record: r.LimitsChanged) -> None:
    state.limits = Limits.from_plain(record.limits)
    if record.configured:
        state.configured = state.limits


def limit_latched(state: DeskState, record: r.LimitLatched) -> None:
    state.latches[f"{record.limit}/{record.scope}"] = record.figure


def limit_released(state: DeskState, record: r.LimitReleased) -> None:
    state.latches.pop(f"{record.limit}/{record.scope}", None)
    if record.limit == "max_entries":
        state.entries.pop(record.scope, None)
    elif record.limit in ("max_daily_loss", "max_drawdown"):
        state.loss.day = ""  # the next reading begins the day anew, or the same loss would latch at once
        state.loss.released = True


def loss_anchored(state: DeskState, record: r.LossAnchored) -> None:
    state.loss.day = record.day
    state.loss.began = state.loss.peak = record.profit
    state.loss.released = False


def peak_raised(state: DeskState, record: r.PeakRaised) -> None:
    state.loss.peak = record.profit


def _put(instants: list[int], at_ns: int, most: int) -> None:
    """Append in ascending order: what seems to lie in the future, after a clock that jumped back, counts as
    just now.
    """
    for index in range(len(instants) - 1, -1, -1):
        if instants[index] <= at_ns:
            break
        instants[index] = at_ns
    instants.append(at_ns)
    if len(instants) > most:
        del instants[0]
