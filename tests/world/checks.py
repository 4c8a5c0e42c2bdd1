"""What must hold when a run is over, by the simulated market's own truth. Each check answers its complaints.

The exchange computes its books apart from ours; the disk holds what a next life would know. Nothing
here looks at what the trader believes of itself without holding it against one of the two. What must hold
while a run goes on is `tests.world.witness`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from tests.world.witness import OURS

from tws.clock import NS_PER_S
from tws.desk import Desk, DeskState
from tws.exchange import Exchange, OrderView
from tws.model.order import Role
from tws.model.records import Asked, Booked, Charged, Record
from tws.positions import split_exec_id
from tws.risk import Gate, Limits

__all__ = [
    "check_books",
    "check_end",
    "check_fills",
    "check_memory",
    "check_pace",
    "check_permanent_ids",
    "check_protection",
]


ASKED_MAX = 20
"""Questions in any second: four kinds, for a few events that fall into one second."""
_ZERO = Decimal(0)


def check_fills(exchange: Exchange, records: Sequence[Record], busted: set[str]) -> list[str]:
    """Invariant 2: the journal holds each fill of the market once, with its price and fee, and no other.

    `busted`: what the broker annulled, which no message tells.
    """
    told = {r.execution.exec_id: r.execution for r in records if isinstance(r, Booked)}
    booked = Counter(r.execution.exec_id for r in records if isinstance(r, Booked))
    charged = {r.commission.exec_id: r.commission.amount for r in records if isinstance(r, Charged)}
    known = {split_exec_id(exec_id)[0] for exec_id in booked}
    found = [
        f"fill {exec_id} is in the journal {count} times" for exec_id, count in booked.items() if count > 1
    ]
    for report in exchange.executions():
        true = report.executed
        known.discard(split_exec_id(true.exec_id)[0])
        ours = told.get(true.exec_id)
        if ours is None:
            found.append(f"fill {true.exec_id} of {true.order_ref} is in the journal 0 times")
            continue
        if (ours.quantity, ours.price, ours.order_ref) != (true.quantity, true.price, true.order_ref):
            found.append(f"fill {true.exec_id}: {ours.quantity} at {ours.price}, the market says {true}")
        if charged.get(true.exec_id) != report.commission.amount:
            fee = charged.get(true.exec_id)
            found.append(f"fee of {true.exec_id}: {fee}, not {report.commission.amount}")
    return found + [
        f"fill {base} is in the journal, the market knows none" for base in sorted(known - busted)
    ]


def check_books(exchange: Exchange, state: DeskState) -> list[str]:
    """Both books hold what the broker's ledger holds; what others did there has been taken back."""
    found = []
    truth = {row.con_id: row.quantity for row in exchange.positions(state.account) if row.quantity}
    for name, book in (("ours", state.ours), ("the account's", state.account_book)):
        held = {h.contract.con_id: h.quantity for h in book.holdings.values() if h.quantity}
        if held != truth:
            found.append(f"{name} book holds {held}, the broker {truth}")
    working = Counter(view.ticket.order_ref for view in exchange.open_orders())
    known = Counter(order.intent_id for order in state.book.living())
    if working != known:
        found.append(f"working at the broker: {dict(working)}, living in the desk: {dict(known)}")
    return found


def check_permanent_ids(exchange: Exchange, state: DeskState) -> list[str]:
    """Invariant 3: an order of ours that works or has filled is known by the broker's own id for it."""
    there = {(view.ticket.order_ref, view.perm_id) for view in exchange.open_orders(OURS)}
    done = (report.executed for report in exchange.executions())
    there |= {(each.order_ref, each.perm_id) for each in done if each.client_id == OURS}
    return [
        f"order {ref} has the permanent id {perm_id} at the broker, and {sorted(order.perms)} in the desk"
        for ref, perm_id in sorted(there)
        if (order := state.book.get(ref)) is not None and perm_id not in order.perms
    ]


def check_protection(exchange: Exchange, state: DeskState) -> list[str]:
    """Invariant 5: what each protected trade holds by the broker's executions, its stops there cover exactly.

    While the entry still works its children may be larger: TWS lets them act for the filled part alone. What
    no open trade holds, a flatten must be closing.
    """
    held, loose = Counter[str](), Counter[str]()
    for report in exchange.executions():
        done = report.executed
        signed = done.quantity if done.side == "BOT" else -done.quantity
        order = state.book.get(done.order_ref)
        if order is not None:
            held[done.order_ref] += signed
            loose[order.contract.symbol] += signed
    working = {view.ticket.order_ref: view for view in exchange.open_orders(OURS)}
    found = []
    for group in (state.groups[group_id] for group_id in state.open_groups):
        shares = sum((held[ref] for ref in group.intents), _ZERO) * group.side.sign + group.moved
        loose[group.contract.symbol] -= shares * group.side.sign
        stops, closes, entries = (
            _left(working, state, group.intents, role) for role in (Role.STOP, Role.CLOSE, Role.ENTRY)
        )
        covered = stops + closes
        if shares < 0 or (shares > covered if entries else shares != covered):
            name = f"trade {group.group_id} holds {shares} of {group.contract.symbol}"
            found.append(f"{name}, {covered} are guarded")
    for symbol, shares in loose.items():
        if shares and symbol not in state.flattens:
            found.append(f"{shares} shares of {symbol} belong to no open trade, and nobody closes them")
    return found


def _left(working: dict[str, OrderView], state: DeskState, intents: Iterable[str], role: Role) -> Decimal:
    """What orders of a role can still fill, by the broker."""
    refs = [ref for ref in intents if state.book.orders[ref].role is role and ref in working]
    return sum((working[ref].remaining for ref in refs), _ZERO)


def check_memory(state: DeskState, records: Iterable[Record]) -> list[str]:
    """Recovery applies records and arrives where the living desk stood."""
    again = Desk(Gate(Limits()))
    again.recover(records)
    if again.state == state:
        return []
    fields = [name for name in state.__struct_fields__ if getattr(state, name) != getattr(again.state, name)]
    return [f"the journal rebuilds another state: {', '.join(fields)} differ"]


def check_pace(records: Iterable[Record]) -> list[str]:
    """Questions are bounded: a desk that asks because it was answered would drown TWS (B)."""
    asked = Counter(r.at_ns // NS_PER_S for r in records if isinstance(r, Asked))
    return [f"{count} questions in second {second}" for second, count in asked.items() if count > ASKED_MAX]


def check_end(exchange: Exchange) -> list[str]:
    """After the last flatten nothing is held and nothing works."""
    found = [f"still held: {row.quantity} of {row.con_id}" for row in exchange.positions() if row.quantity]
    return found + [f"still working: {view.ticket.order_ref}" for view in exchange.open_orders()]
