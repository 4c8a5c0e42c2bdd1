"""What must hold after a run, by the simulated market's own truth. Each check answers its complaints.

The exchange computes its books apart from ours; the disk holds what a next life would know. Nothing
here looks at what the trader believes of itself without holding it against one of the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tws.clock import NS_PER_S
from tws.desk import Desk, DeskState
from tws.exchange import Exchange, OrderTicket
from tws.model.records import Asked, Booked, Changed, Charged, Intended, Record, Resized, decode_records
from tws.positions import split_exec_id
from tws.risk import Gate, Limits

__all__ = ["Arrivals", "check_books", "check_end", "check_fills", "check_memory"]


ASKED_MAX = 20  # four kinds, for a few events that fall into one second


@dataclass
class Arrivals:
    """Looks at each order as it arrives at the broker, and at what is on the disk at that moment."""

    records: list[Record] = field(default_factory=list)
    read: int = 0
    places: Counter[tuple[str, int]] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def arrived(self, ticket: OrderTicket, durable: Sequence[bytes]) -> None:
        """Invariants 1 and 3: the intent is on disk before its bytes, and none is sent twice."""
        self.records += decode_records(durable[self.read :])
        self.read = len(durable)
        ref, order_id = ticket.order_ref, ticket.order_id
        intents = [r for r in self.records if isinstance(r, Intended) and r.intent_id == ref]
        if not intents:
            self.complaints.append(f"order {order_id} ({ref!r}) arrived before its intent was on disk")
        elif order_id not in {record.order_id for record in intents}:
            named = intents[0].order_id
            self.complaints.append(f"intent {ref} arrived as order {order_id}, on disk it is {named}")
        others = {other for (name, other) in self.places if name == ref} - {order_id}
        if others:
            self.complaints.append(f"intent {ref} arrived as order {order_id}, before as {sorted(others)}")
        self.places[ref, order_id] += 1
        changes = sum(1 for r in self.records if isinstance(r, Changed | Resized) and r.intent_id == ref)
        if self.places[ref, order_id] > 1 + changes:
            self.complaints.append(f"order {order_id} ({ref}) arrived {self.places[ref, order_id]} times")


def check_fills(exchange: Exchange, durable: Iterable[bytes]) -> list[str]:
    """Invariant 2: the journal holds each fill of the market once, with its price and fee, and no other."""
    records = list(decode_records(durable))
    booked = Counter(split_exec_id(r.execution.exec_id)[0] for r in records if isinstance(r, Booked))
    charged = {r.commission.exec_id: r.commission.amount for r in records if isinstance(r, Charged)}
    told = {r.execution.exec_id: r.execution for r in records if isinstance(r, Booked)}
    found = []
    for report in exchange.executions():
        true = report.executed
        count = booked.pop(split_exec_id(true.exec_id)[0], 0)
        if count != 1:
            found.append(f"fill {true.exec_id} of {true.order_ref} is in the journal {count} times")
            continue
        ours = told[true.exec_id]
        if (ours.quantity, ours.price, ours.order_ref) != (true.quantity, true.price, true.order_ref):
            found.append(f"fill {true.exec_id}: {ours.quantity} at {ours.price}, the market says {true}")
        if charged.get(true.exec_id) != report.commission.amount:
            fee = charged.get(true.exec_id)
            found.append(f"fee of {true.exec_id}: {fee}, not {report.commission.amount}")
    return found + [f"fill {exec_id} is in the journal, the market knows none" for exec_id in booked]


def check_books(exchange: Exchange, state: DeskState) -> list[str]:
    """Both books hold what the broker's ledger holds; only we traded there."""
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


def check_memory(state: DeskState, durable: Iterable[bytes]) -> list[str]:
    """Recovery applies records and arrives where the living desk stood."""
    again = Desk(Gate(Limits()))
    again.recover(decode_records(durable))
    if again.state == state:
        return []
    fields = [name for name in state.__struct_fields__ if getattr(state, name) != getattr(again.state, name)]
    return [f"the journal rebuilds another state: {', '.join(fields)} differ"]


def check_pace(durable: Iterable[bytes]) -> list[str]:
    """Questions are bounded: a desk that asks because it was answered would drown TWS (B)."""
    asked = Counter(r.at_ns // NS_PER_S for r in decode_records(durable) if isinstance(r, Asked))
    return [f"{count} questions in second {second}" for second, count in asked.items() if count > ASKED_MAX]


def check_end(exchange: Exchange) -> list[str]:
    """After the last flatten nothing is held and nothing works."""
    found = [f"still held: {row.quantity} of {row.con_id}" for row in exchange.positions() if row.quantity]
    return found + [f"still working: {view.ticket.order_ref}" for view in exchange.open_orders()]
