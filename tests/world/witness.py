"""Who watches a run while it goes on: each order and cancel as it arrives at the broker, each record as it
comes to be on the disk, and the broker's own truth at that moment.

What is seen here cannot be seen afterwards: that an order's bytes came before its intent was on disk, or that
the desk called an order ended while it worked. Nothing here asks the trader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from tws.exchange import Exchange, OrderTicket
from tws.model.order import Order, Role
from tws.model.positionrecords import HandedBack
from tws.model.records import (
    Alarmed,
    Approved,
    Booked,
    CancelAsked,
    Changed,
    FlattenMoved,
    FlattenPhase,
    Intended,
    KillMoved,
    Moved,
    OrderState,
    Planned,
    Record,
    Released,
    Stated,
    decode_record,
)
from tws.model.stop import KillState, Scope
from tws.orders.table import ENDED

__all__ = ["Witness"]

OURS = 1
"""Our client id."""
SAID_BY_BROKER = (OrderState.CANCELLED, OrderState.FILLED, OrderState.REJECTED, OrderState.ABSENT)
ALIVE = (OrderState.ACKNOWLEDGED, OrderState.WORKING, OrderState.HELD)
NEVER_LEFT = (OrderState.DENIED, OrderState.WITHDRAWN)


class Witness:
    """Attached to the disk and to the simulated exchange before the trader starts."""

    def __init__(self, account: str, note: Callable[[str], None], journal_failed: Callable[[], bool]) -> None:
        """`journal_failed`: a trader lives on whose disk is full or hangs. Its emergency stop cancels entries
        without the journal (docs/design/kill.md); nothing else may leave then.
        """
        self.records: list[Record] = []
        """All that is durable, decoded."""
        self.complaints: list[str] = []
        self.places: Counter[tuple[str, int]] = Counter()
        """Orders of ours by reference and order id, and how often each arrived."""
        self._account = account
        self._note = note
        self._journal_failed = journal_failed
        self._exchange: Exchange | None = None
        self._intents: dict[str, Intended] = {}
        self._approved: set[tuple[str, int]] = set()
        self._terms: dict[str, list[Order]] = {}
        """What each intent was to be: as intended, and as it was to become by each change."""
        self._heard: dict[str, set[Decimal]] = {}
        """Other sizes of an order that the broker has told of."""
        self._states: dict[str, OrderState] = {}
        self._cancels: set[int] = set()
        self._stops: dict[str, Scope] = {}
        self._by_id: dict[int, str] = {}
        self._members: dict[str, list[Intended]] = {}
        self.booked: set[str] = set()
        self.alarms: dict[str, int] = {}
        """Subjects of alarms, and when each was last told."""
        self.trades: dict[str, Planned] = {}
        """Those with a stop that the desk looks after."""
        self.moved: Counter[str] = Counter()
        """Shares of a trade that a flatten's close has taken, or given back."""
        self.closing: set[str] = set()
        """Symbols that a flatten has in hand."""
        self._ahead = Counter[bytes]()

    # -- the disk

    def remember_ahead(self, group: tuple[bytes, ...]) -> None:
        """A group is durable in the safety file; it comes into the journal later, or is there already."""
        self.remember(group)
        self._ahead.update(group)

    def remember(self, group: tuple[bytes, ...]) -> None:
        """A group of records is durable."""
        for data in group:
            if self._ahead[data]:
                self._ahead[data] -= 1
                continue
            record = decode_record(data, len(self.records) + 1)
            self.records.append(record)
            look = self._LOOKS.get(type(record))
            if look is not None:
                look(self, record)

    def _intended(self, record: Intended) -> None:
        self._intents[record.intent_id] = record
        self._terms[record.intent_id] = [record.order]
        self._members.setdefault(record.group_id, []).append(record)
        if record.role is Role.ENTRY:
            symbol = record.contract.symbol
            for scope in self._stops.values():
                if scope.covers(symbol, ""):
                    self.complain(f"entry {record.intent_id} on {symbol} though {scope.key} is stopped")
            for other, state in self._states.items():
                if state is OrderState.UNKNOWN and self._intents[other].contract.symbol == symbol:
                    self.complain(f"entry {record.intent_id} on {symbol} though {other} is unknown")

    def _planned(self, record: Planned) -> None:
        if record.stop_price is not None:
            self.trades[record.group_id] = record

    def _released(self, record: Released) -> None:
        self.trades.pop(record.group_id, None)

    def _handed_back(self, record: HandedBack) -> None:
        self.moved[record.group_id] += record.moved  # type: ignore[assignment]

    def _booked(self, record: Booked) -> None:
        self.booked.add(record.execution.exec_id)

    def _alarmed(self, record: Alarmed) -> None:
        self.alarms[record.subject] = record.at_ns

    def _flattens(self, record: FlattenMoved) -> None:
        self.closing.discard(record.symbol)
        if record.phase not in (FlattenPhase.FLAT, FlattenPhase.ARMED, FlattenPhase.ABANDONED):
            self.closing.add(record.symbol)

    def _was_approved(self, record: Approved) -> None:
        self._approved.add((record.intent_id, record.revision))

    def _changed(self, record: Changed) -> None:
        self._terms[record.intent_id].append(record.order)

    def _stated(self, record: Stated) -> None:
        self._heard.setdefault(record.intent_id, set()).add(record.order.quantity)

    def _stopped(self, record: KillMoved) -> None:
        self._stops.pop(record.scope.key, None)
        if record.state is not KillState.ACTIVE:
            self._stops[record.scope.key] = record.scope

    def _cancel_asked(self, record: CancelAsked) -> None:
        self._cancels.add(record.order_id)

    def _moved(self, record: Moved) -> None:
        """Invariants 3 and 4: what the desk calls ended has ended at the broker, who alone ends orders."""
        ref = record.intent_id
        self._states[ref] = record.state
        if record.state is record.before:
            return
        if record.state in SAID_BY_BROKER and self._works(ref):
            self.complain(f"order {ref} is {record.state} on disk, and works at the broker ({record.cause})")
        ended = (
            record.before in ENDED and record.before is not OrderState.ABSENT
        )  # which any later fact revives
        if ended and record.state in ALIVE and not self._works(ref):
            self.complain(
                f"order {ref} is revived on disk ({record.event}), and does not work at the broker"
            )
        if record.state in NEVER_LEFT and any(name == ref for name, _ in self.places):
            self.complain(f"order {ref} is {record.state} on disk, and has arrived")

    _LOOKS: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        Planned: _planned,
        Released: _released,
        HandedBack: _handed_back,
        Booked: _booked,
        Alarmed: _alarmed,
        FlattenMoved: _flattens,
        Intended: _intended,
        Approved: _was_approved,
        Changed: _changed,
        Stated: _stated,
        CancelAsked: _cancel_asked,
        Moved: _moved,
        KillMoved: _stopped,
    }

    # -- the broker

    def attach(self, exchange: Exchange) -> None:
        """Look at what arrives there."""
        self._exchange = exchange
        place, cancel = exchange.place, exchange.cancel

        def placed(ticket: OrderTicket, now_ns: int) -> Any:
            self._note(f"order {ticket.order_id} {ticket.order_ref} arrives")
            self._arrived(ticket)
            return place(ticket, now_ns)

        def cancelled(client_id: int, order_id: int, now_ns: int) -> Any:
            if client_id == OURS and order_id not in self._cancels and not self._may_stop(order_id):
                self.complain(f"a cancel of order {order_id} arrived, and the journal asks for none")
            return cancel(client_id, order_id, now_ns)

        exchange.place = placed  # type: ignore[method-assign]
        exchange.cancel = cancelled  # type: ignore[method-assign]

    def _arrived(self, ticket: OrderTicket) -> None:
        """Invariants 1, 3 and 7: as its intent on disk says, approved, once, under our id and account."""
        ref, order_id = ticket.order_ref, ticket.order_id
        self.places[ref, order_id] += 1
        intent = self._intents.get(ref)
        if intent is None:
            self.complain(f"order {order_id} ({ref!r}) arrived before its intent was on disk")
            return
        if order_id != intent.order_id:
            self.complain(f"intent {ref} arrived as order {order_id}, on disk it is {intent.order_id}")
        other = self._by_id.setdefault(order_id, ref)
        if other != ref:
            self.complain(f"order id {order_id} arrived as {ref}, before as {other}")
        if self.places[ref, order_id] > len(self._terms[ref]):
            self.complain(f"order {order_id} ({ref}) arrived {self.places[ref, order_id]} times")
        if not any(ref == name for name, _ in self._approved):
            self.complain(f"order {order_id} ({ref}) arrived, and no gate approved it")
        if ticket.account != self._account:
            self.complain(f"order {order_id} ({ref}) arrived for account {ticket.account}")
        if _said(ticket) not in map(_said, self._terms[ref]):
            self.complain(f"order {order_id} arrived as {ticket}, the intent is {self._terms[ref]}")

    def intent(self, ref: str) -> Intended | None:
        """The intent of this reference."""
        return self._intents.get(ref)

    def members(self, group_id: str) -> list[Intended]:
        """The orders of a trade."""
        return self._members.get(group_id, [])

    def state(self, ref: str) -> OrderState | None:
        """What the disk says of an order."""
        return self._states.get(ref)

    def knows_size(self, ref: str, quantity: Decimal) -> bool:
        """Whether the disk tells of this size of an order: a human may give it another in TWS."""
        sizes = {each.quantity for each in self._terms.get(ref, ())} | self._heard.get(ref, set())
        return quantity in sizes

    def intent_of(self, order_id: int) -> Intended | None:
        """The intent that was given an order id."""
        return next((each for each in self._intents.values() if each.order_id == order_id), None)

    def _may_stop(self, order_id: int) -> bool:
        """Whether an emergency stop may cancel this one though nothing on disk asks for it: an entry, the
        exit of a trade that never held a share, or what has not arrived.
        """
        if not self._journal_failed():
            return False
        if order_id not in self._by_id:
            return True
        intent = self._intents[self._by_id[order_id]]
        return intent.role is Role.ENTRY or not self._ever_held(intent.group_id)

    def _ever_held(self, group_id: str) -> bool:
        assert self._exchange is not None
        filled = {report.executed.order_ref for report in self._exchange.executions()}
        return any(each.group_id == group_id and ref in filled for ref, each in self._intents.items())

    def _works(self, ref: str) -> bool:
        assert self._exchange is not None
        return any(view.ticket.order_ref == ref for view in self._exchange.open_orders(OURS))

    def complain(self, text: str) -> None:
        self._note(f"witness: {text}")
        self.complaints.append(text)


def _said(order: OrderTicket | Order) -> tuple[Any, ...]:
    """What money hangs on."""
    return order.side, order.order_type, order.quantity, order.limit_price
