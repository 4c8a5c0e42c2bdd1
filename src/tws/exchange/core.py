"""What all parts of the exchange share: its books, orders, accounts and ids, and the events being said.

An input begins (`begin`), the parts append events and name orders that are `ready` to be looked at
again, and the answer is taken (`take`). Iteration is over dicts and lists only, so equal inputs give
equal events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from heapq import heappush
from typing import TYPE_CHECKING

from tws.exchange.archive import Archive
from tws.exchange.book import NEVER, Book
from tws.exchange.currencies import Rates
from tws.exchange.events import (
    CompletedOrder,
    Event,
    Notice,
    OrderOpened,
    OrderView,
    StatusChanged,
)
from tws.exchange.fees import FeeTable, due
from tws.exchange.ledger import Ledger
from tws.exchange.margins import MarginModel
from tws.exchange.special import OptionMath
from tws.exchange.terms import AccountSetup, Habits, OrderTicket
from tws.exchange.working import Held, Stage, Working

if TYPE_CHECKING:
    from tws.exchange.scales import Profit

__all__ = ["NOTHING", "Core"]

NOTHING: Sequence[Event] = ()
CENT = Decimal("0.01")
OrderKey = tuple[int, int]


class Core:
    """The exchange's state. `orders` is by (client id, order id), `live` by permId in order of acceptance.

    An order that ended leaves both for the archive, but for a parent whose children still live. `crowd`
    counts the living by contract, side and account.
    """

    def __init__(
        self, habits: Habits, money: tuple[FeeTable, MarginModel, str], run: int, archive: Archive
    ) -> None:
        self.habits = habits
        self.fees, self.margin, base = money
        self.rates = Rates(base)
        self.options: OptionMath | None = None
        self.run = run
        self.archive = archive
        self.now = 0
        self.wake = NEVER
        self.books: dict[int, Book] = {}
        self.ledgers: dict[str, Ledger] = {}
        self.orders: dict[OrderKey, Working] = {}
        self.live: dict[int, Working] = {}
        self.untransmitted: dict[OrderKey, Working] = {}
        self.groups: dict[tuple[str, str], list[Working]] = {}
        self.spent: set[tuple[str, str]] = set()
        """OCA groups of which an order has filled: nothing joins them any more."""
        self.crowd: dict[tuple[int, str, str], int] = {}
        self.combos: dict[tuple[tuple[int, int], ...], int] = {}  # con_id by legs with signed ratios
        self.highest: dict[int, int] = {}
        self.refusals: dict[int, str] = {}
        self.unborrowable: dict[int, None] = {}
        self.popups: dict[OrderKey, None] = {}
        self.drifting: dict[OrderKey, None] = {}
        self.awaiting_fills: list[Working] = []  # by an execution condition
        self.busted: dict[str, None] = {}  # execIds that count no more
        self.amended: dict[int, CompletedOrder] = {}  # by permId: what an ended order became after its end
        self.fills: list[Working] = []  # who had one since they were last told
        self.alarms: list[tuple[int, int, Callable[[], None]]] = []  # heap of (due, rank, what then)
        self.bells: list[tuple[int, int, Book]] = []  # heap of (next edge of its hours, rank, whose)
        self.ready: deque[Working] = deque()
        self.births: list[tuple[OrderTicket, Profit | None]] = []  # orders of TWS itself that are due
        self.out: list[Event] = []
        self._ranks = 0
        self._perm_ids = 1_000_000_000 + run * 10_000
        self._executions = 0

    # -- accounts ---------------------------------------------------------------------------------

    def open_account(self, setup: AccountSetup) -> None:
        self.ledgers[setup.account] = Ledger(setup, self.margin, self.books, self.rates)

    # -- living orders ----------------------------------------------------------------------------

    def enter(self, order: Working) -> None:
        """The order reached the broker: it is alive and has its permId."""
        self.live[order.perm_id] = order
        kind = crowd_of(order)
        self.crowd[kind] = self.crowd.get(kind, 0) + 1

    def leave(self, order: Working) -> bool:
        """The order ended: off the lists. False when it never reached the broker."""
        ticket = order.ticket
        self.untransmitted.pop((ticket.client_id, ticket.order_id), None)
        if self.live.pop(order.perm_id, None) is None:
            return False
        kind = crowd_of(order)
        left = self.crowd[kind] - 1
        if left:
            self.crowd[kind] = left
        else:
            del self.crowd[kind]
        return True

    def retire(self, order: Working) -> None:
        """The order ended and is in the archive: forget it, but for a parent whose children live on."""
        parent = order.parent
        for one in (order,) if parent is None or parent.live else (order, parent):
            key = (one.ticket.client_id, one.ticket.order_id)
            if self.orders.get(key) is one and not any(child.live for child in one.children):
                del self.orders[key]

    def amend(self, done: CompletedOrder) -> None:
        """An ended order changed after its end."""
        self.amended[done.order.perm_id] = done
        self.archive.add_order(done)

    def completed(self) -> Iterator[CompletedOrder]:
        """Ended orders as they stand now."""
        for done in self.archive.completed():
            if self.amended.get(done.order.perm_id, done) == done:
                yield done

    def owed(self, book: Book, shares: Decimal, value: Decimal) -> Decimal:
        """Fees of an order in all once so much of it was filled, in the trade's currency."""
        contract = book.instrument.contract
        schedule = self.fees.of(contract.sec_type)
        if contract.sec_type != "CASH":
            return due(schedule, shares, value)
        rate = self.rates.of(contract.currency)
        return due(schedule, shares, value, 1 / rate if rate else Decimal(1)).quantize(CENT)

    # -- one input --------------------------------------------------------------------------------

    def begin(self, now_ns: int) -> None:
        """Time never runs back: an earlier `now_ns` counts as the latest known."""
        if now_ns > self.now:
            self.now = now_ns

    def take(self) -> Sequence[Event]:
        out, self.out = self.out, []
        return out or NOTHING

    def set_bell(self, book: Book) -> None:
        """A listed book is looked at whenever its phase may change; `elapse` asks for the next time."""
        edge = book.next_edge(self.now)
        if edge != NEVER:
            heappush(self.bells, (edge, len(self.books), book))
            self.wake = min(self.wake, edge)

    def set_alarm(self, due_ns: int, what: Callable[[], None]) -> None:
        """Have something happen at an instant; at once it happens at the next input."""
        heappush(self.alarms, (due_ns, self.next_rank(), what))
        self.wake = min(self.wake, due_ns)

    def look_again_at(self, due_ns: int, order: Working) -> None:
        """Have an order looked at again at an instant, if it lives by then; the alarm does not keep it."""
        perm_id = order.perm_id

        def look() -> None:
            living = self.live.get(perm_id)
            if living is not None:
                self.ready.append(living)

        self.set_alarm(due_ns, look)

    def next_rank(self) -> int:
        self._ranks += 1
        return self._ranks

    def next_perm_id(self) -> int:
        self._perm_ids += 1
        return self._perm_ids

    def next_exec_id(self) -> str:
        self._executions += 1
        return f"0000{self.run:04x}.{self._executions:08x}.01.01"

    def view(self, order: Working) -> OrderView:
        """The order as TWS would state it now; a child that waits for its parent says why, by habit."""
        waits = order.stage in (Stage.ACCEPTED, Stage.AWAITS_PARENT) and order.parent and order.parent.live
        held = "locate" if order.held is Held.LOCATE else ""
        return order.view(self.habits.child_why_held if waits else held)

    # -- what is said -----------------------------------------------------------------------------

    def say_pair(self, order: Working) -> OrderView:
        """openOrder and orderStatus, in this order (C1)."""
        view = self.view(order)
        self.out += (OrderOpened(view), StatusChanged(view))
        order.announced = view.status
        return view

    def say_if_changed(self, order: Working) -> None:
        if order.status != order.announced:
            self.say_pair(order)

    def say_status(self, order: Working) -> OrderView:
        """orderStatus alone, as recorded for cancels (C2)."""
        view = self.view(order)
        self.out.append(StatusChanged(view))
        order.announced = view.status
        return view

    def notify(self, order: Working, code: int, text: str) -> None:
        ticket = order.ticket
        self.out.append(Notice(client_id=ticket.client_id, order_id=ticket.order_id, code=code, text=text))


def crowd_of(order: Working) -> tuple[int, str, str]:
    """What TWS bounds the number of living orders by: contract, side, account."""
    ticket = order.ticket
    return ticket.con_id, ticket.side, ticket.account
