"""Invariant 5 while the faults last: how long a protected share goes without a stop, by the broker's truth.

What a trade holds is what the broker executed; what guards it are its stops, and closes, working there. Once
the trader has been told all that makes a trade bare (its fills, the ends of its stops and their sizes, which
a human may change, are on disk), with a link that is up and asked out, it has its bound to set that right;
beyond it an alarm must name the trade.
Nothing is asked of the trader but whether it is up.

What it was not told it can't set right: that it is told everything is invariants 2 to 4. Where it closes a
symbol it takes the stops away by itself; that has a bound and alarms of its own (docs/design/desk.md).
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from tests.world.witness import ALIVE, OURS, Witness

from tws.clock import NS_PER_S
from tws.desk import Timing
from tws.exchange import Exchange, OrderView
from tws.model.order import Role
from tws.model.records import Planned

__all__ = ["Lookout"]

TICK_S = 1.0
SLACK_S = 2.0
"""Beside the desk's own bound: a tick of its timer, and the seconds between two looks."""
KINDS = ("bare", "unprotected", "exit unknown", "given up", "reopened", "overfilled")
"""Alarms about a trade that say that its stop is not as it should be."""
_ZERO = Decimal(0)


class Lookout:
    """Looks at every protected trade once a second. `longest_s`: the longest that one was bare and told."""

    def __init__(self, exchange: Exchange, witness: Witness, sync_s: float) -> None:
        self.longest_s = 0.0
        self.next_s = 0.0
        self._exchange = exchange
        self._witness = witness
        self._bound_s = Timing().alarm_ns / NS_PER_S + TICK_S + SLACK_S + sync_s
        self._others = False
        self._since: dict[str, float] = {}
        self._accused: set[str] = set()

    def look(self, now_s: float, is_up: bool, others: bool) -> None:
        """`is_up`: the trader runs, and has asked the broker out in this session. `others`: somebody else has
        moved the account too; then what is there may be nobody's for a while, and that has an alarm first.
        """
        self._others = others
        bound_s = self._bound_s + (Timing().differs_ns / NS_PER_S if others else 0.0)
        self.next_s = now_s + TICK_S
        bare = self._bare() if is_up else {}
        self._since = {group: self._since.get(group, now_s) for group in bare}
        for group, shares in bare.items():
            lasted_s = now_s - self._since[group]
            self.longest_s = max(self.longest_s, lasted_s)
            if lasted_s > bound_s and group not in self._accused and not self._is_told(group):
                self._accused.add(group)
                name = f"{shares} shares of trade {group}"
                self._witness.complain(f"{name} were bare for {lasted_s:.1f} s, and no alarm told")

    def _is_told(self, group: str) -> bool:
        alarms = self._witness.alarms
        if any(f"{kind} {group}" in alarms for kind in KINDS):
            return True
        holding = f"/{self._witness.trades[group].contract.con_id}"
        return any(holding in subject for subject in alarms if subject.startswith(("differs ", "shortfall ")))

    def _bare(self) -> dict[str, Decimal]:
        """Shares that nothing guards, by trade, of which the trader has been told."""
        witness, held = self._witness, Counter[str]()
        deaf = set()
        for report in self._exchange.executions():
            done = report.executed
            intent = witness.intent(done.order_ref)
            if intent is not None:
                held[intent.group_id] += done.quantity if done.side == "BOT" else -done.quantity  # type: ignore[assignment]
                if done.exec_id not in witness.booked:
                    deaf.add(intent.group_id)
        if not any(held.values()):
            return {}
        left = {view.ticket.order_ref: view for view in self._exchange.open_orders(OURS)}
        found = {}
        for group, plan in witness.trades.items():
            shares = self._there(plan, held[group] * plan.side.sign + witness.moved[group])
            if shares <= 0 or group in deaf or plan.contract.symbol in witness.closing:
                continue
            guarded, told = self._guard(plan, left)
            if told and guarded < shares:
                found[group] = shares - guarded
        return found

    def _there(self, plan: Planned, shares: Decimal) -> Decimal:
        """Of these shares no more than the account still has on that side, where others move it too."""
        if not self._others:
            return shares
        rows = self._exchange.positions()
        held = sum((row.quantity for row in rows if row.con_id == plan.contract.con_id), _ZERO)
        return min(shares, held * plan.side.sign)

    def _guard(self, plan: Planned, left: dict[str, OrderView]) -> tuple[Decimal, bool]:
        """What its stops can still fill; and whether the ends and the sizes of all its orders are on disk."""
        guarded, told = _ZERO, True
        for intent in self._witness.members(plan.group_id):
            ref, works = intent.intent_id, left.get(intent.intent_id)
            if works is None:
                told = told and self._witness.state(ref) not in ALIVE
                continue
            told = told and self._witness.knows_size(ref, works.ticket.quantity)
            if intent.role in (Role.STOP, Role.CLOSE):
                guarded += works.remaining
        return guarded, told
