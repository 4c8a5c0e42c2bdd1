"""The answer of an emergency stop: FLAT, proven, or NOT FLAT with each remainder, its reason, the manual way.

A value made from the desk's state alone, so that whoever has the journal can give it: the trader, a second
process, a page of the dashboard. FLAT is said when nothing of ours is held or open and the broker's own
lists, read after the stop was ordered, agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tws.desk.exposure import Exposure
from tws.desk.flatten import BY_HAND
from tws.desk.kill import foreign_orders, jobs_of, limit_of, symbols_of, unsettled
from tws.desk.state import DeskState, FlattenJob, Stop
from tws.model.order import Role
from tws.model.records import FlattenPhase, OrderState
from tws.model.stop import EVERYTHING, KillState, Scope, ScopeKind
from tws.orders.book import OurOrder

__all__ = ["KillReport", "Remainder", "Verdict", "at_rest", "kill_report"]


class Verdict(StrEnum):
    """The first word of the answer. HALTED_NOT_FLAT: closing waits for a market, the stops are kept."""

    FLAT = "FLAT"
    NOT_FLAT = "NOT FLAT"
    HALTED_NOT_FLAT = "HALTED, NOT FLAT"


class Remainder(Struct, frozen=True, kw_only=True):
    """What is left on one symbol: signed shares, our orders that may still act, why, and the manual way."""

    symbol: str
    held: Decimal
    orders: tuple[str, ...] = ()
    reason: str = ""
    by_hand: str = ""


class KillReport(Struct, frozen=True, kw_only=True):
    """Where a stop stands at `at_ns`. `reason` says, for NOT FLAT without a remainder, what is not proven.

    `foreign_orders` and `foreign_holdings` are seen, listed and left.
    """

    verdict: Verdict
    state: KillState
    scope: Scope
    flatten: bool
    ordered_by: str
    ordered_because: str
    begun_ns: int
    at_ns: int
    settled: bool
    """Whether it is at rest: what was ordered is done, or waits for a market or a human."""
    reason: str = ""
    remainders: tuple[Remainder, ...] = ()
    foreign_orders: tuple[str, ...] = ()
    foreign_holdings: tuple[str, ...] = ()

    @property
    def flat(self) -> bool:
        return self.verdict is Verdict.FLAT

    def sentences(self) -> list[str]:
        """The answer in words, the verdict first."""
        head = f"{self.verdict} ({self.scope.key}, {self.state})"
        lines = [f"{head}: {self.reason}" if self.reason else head]
        for each in self.remainders:
            orders = f"; open: {', '.join(each.orders)}" if each.orders else ""
            lines.append(f"{each.symbol}: {each.held} held{orders}; {each.reason}. By hand: {each.by_hand}")
        lines += [f"left alone, not ours: order {each}" for each in self.foreign_orders]
        lines += [f"left alone, not ours: {each}" for each in self.foreign_holdings]
        return lines


def kill_report(state: DeskState, now_ns: int, scope: Scope = EVERYTHING) -> KillReport:
    """The answer of the stop of `scope`; of a scope that no stop covers, with state ACTIVE."""
    stop = state.kill.stops.get(scope.key)
    if stop is None:
        stop = Stop(scope=scope, state=KillState.ACTIVE, since_ns=now_ns, begun_ns=now_ns)
    ours = Exposure(state)
    jobs = {job.symbol: job for job in jobs_of(state, scope, ours)}
    rest = tuple(_remainder(state, stop, each, ours, jobs.get(each)) for each in symbols_of(scope, ours))
    open_points = unsettled(state, scope, ours)
    if not open_points and stop.state not in (KillState.LATCHED, KillState.REDUCE_ONLY):
        open_points = ["the broker's lists have not been read since the stop was ordered"]
    verdict = Verdict.FLAT
    if open_points:
        waits = bool(jobs) and all(job.phase is FlattenPhase.ARMED for job in jobs.values())
        verdict = Verdict.HALTED_NOT_FLAT if waits and stop.flatten else Verdict.NOT_FLAT
    return KillReport(
        verdict=verdict, state=stop.state, settled=at_rest(state, scope), scope=scope, flatten=stop.flatten,
        ordered_by=stop.operator, ordered_because=stop.reason, begun_ns=stop.begun_ns,
        at_ns=now_ns, reason="; ".join(open_points), remainders=rest,
        foreign_orders=_foreign_orders(state, scope), foreign_holdings=_foreign_holdings(state, scope))


def at_rest(state: DeskState, scope: Scope = EVERYTHING) -> bool:
    """Whether what the stop of `scope` ordered is done, or waits for a market or a human."""
    stop = state.kill.stops.get(scope.key)
    if stop is None or stop.state is not KillState.HALTED:
        return stop is not None and stop.state in (KillState.LATCHED, KillState.REDUCE_ONLY)
    jobs = jobs_of(state, scope, Exposure(state))
    return bool(jobs) and all(job.phase in (FlattenPhase.ARMED, FlattenPhase.NOT_FLAT) for job in jobs)


def _remainder(
    state: DeskState, stop: Stop, symbol: str, ours: Exposure, job: FlattenJob | None
) -> Remainder:
    strategy = limit_of(stop.scope)
    orders = ours.orders(symbol, strategy)
    held = sum((quantity for _, quantity in ours.held(symbol, strategy).values()), Decimal(0))
    return Remainder(symbol=symbol, held=held, orders=tuple(_words(order) for order in orders),
                     reason=_reason(state, stop, orders, held, job), by_hand=BY_HAND)


def _reason(
    state: DeskState, stop: Stop, orders: Sequence[OurOrder], held: Decimal, job: FlattenJob | None
) -> str:
    """Why this is left."""
    unknown = [order.intent_id for order in orders if order.state is OrderState.UNKNOWN]
    if not state.link_up:
        return f"the link is {state.link}"
    if unknown:
        return f"of unknown outcome, being asked about: {', '.join(unknown)}"
    if job is not None and job.phase in (FlattenPhase.ARMED, FlattenPhase.NOT_FLAT):
        return job.why
    if job is not None:
        return f"being flattened: {job.phase}"
    waiting = [order.intent_id for order in orders if order.role.opens]
    if waiting:
        return f"its entry is being cancelled: {', '.join(waiting)}"
    stops = [order.open_quantity for order in orders if order.role is Role.STOP and order.live]
    if held and not stop.flatten:
        covered = sum(stops, Decimal(0))
        return f"kept as ordered, with stops for {covered}{'' if covered >= abs(held) else ' only'}"
    return "waits for the broker's word"


def _words(order: OurOrder) -> str:
    return f"{order.intent_id} {order.role} {order.order.side} {order.open_quantity} ({order.state})"


def _foreign_orders(state: DeskState, scope: Scope) -> tuple[str, ...]:
    seen = [order for order in foreign_orders(state) if _shown(scope, order.contract.symbol)]
    return tuple(f"{each.side} {each.quantity} {each.contract.symbol} {each.order_type}, permanent id "
                 f"{each.perm_id}" for each in seen)


def _foreign_holdings(state: DeskState, scope: Scope) -> tuple[str, ...]:
    """What the broker states beyond ours."""
    found = []
    for each in state.stated.values():
        beyond = each.quantity - state.ours.quantity(each.account, each.contract.con_id)
        if beyond and each.account == state.account and _shown(scope, each.contract.symbol):
            found.append(f"{beyond} {each.contract.symbol}")
    return tuple(found)


def _shown(scope: Scope, symbol: str) -> bool:
    """A foreign thing names no strategy: it is listed unless the scope is another symbol."""
    return scope.kind is not ScopeKind.SYMBOL or scope.name == symbol
