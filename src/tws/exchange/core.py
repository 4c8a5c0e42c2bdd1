"""What all parts of the exchange share: its books, orders, accounts and ids, and the events being said.

An input begins (`begin`), the parts append events and name orders that are `ready` to be looked at
again, and the answer is taken (`take`). Iteration is over dicts and lists only, so equal inputs give
equal events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from tws.exchange.book import NEVER, Book
from tws.exchange.events import (
    CompletedOrder,
    Event,
    ExecutionReport,
    Notice,
    OrderOpened,
    OrderView,
    StatusChanged,
)
from tws.exchange.ledger import Ledger
from tws.exchange.terms import AccountSetup, FeeSchedule, Habits, MarginModel
from tws.exchange.working import Stage, Working
from tws.model.instrument import decimal

__all__ = ["NOTHING", "Core"]

NOTHING: Sequence[Event] = ()
OrderKey = tuple[int, int]


class Core:
    """The exchange's state. `orders` is by (client id, order id), `live` by permId in order of acceptance."""

    def __init__(self, habits: Habits, fees: FeeSchedule, margin: MarginModel, run: int) -> None:
        self.habits = habits
        self.fees = fees
        self.margin = margin
        self.run = run
        self.now = 0
        self.wake = NEVER
        self.books: dict[int, Book] = {}
        self.ledgers: dict[str, Ledger] = {}
        self.orders: dict[OrderKey, Working] = {}
        self.live: dict[int, Working] = {}
        self.untransmitted: dict[OrderKey, Working] = {}
        self.groups: dict[tuple[str, str], list[Working]] = {}
        self.completed: list[CompletedOrder] = []
        self.reports: list[ExecutionReport] = []
        self.highest: dict[int, int] = {}
        self.refusals: dict[int, str] = {}
        self.pending_cancels: list[tuple[int, int, Working]] = []  # heap of (due, rank, order)
        self.ready: deque[Working] = deque()
        self.out: list[Event] = []
        self._ranks = 0
        self._perm_ids = 1_000_000_000 + run * 10_000
        self._executions = 0

    # -- accounts ---------------------------------------------------------------------------------

    def open_account(self, setup: AccountSetup) -> None:
        self.ledgers[setup.account] = Ledger(setup, self.margin, self.worth)

    def worth(self, con_id: int, shares: Decimal) -> Decimal | None:
        """The market value of signed shares at the mark, None while there is none."""
        book = self.books[con_id]
        mark = book.mark()
        return None if mark is None else book.instrument.price(mark) * shares * multiplier(book)

    # -- one input --------------------------------------------------------------------------------

    def begin(self, now_ns: int) -> None:
        """Time never runs back: an earlier `now_ns` counts as the latest known."""
        if now_ns > self.now:
            self.now = now_ns

    def take(self) -> Sequence[Event]:
        out, self.out = self.out, []
        return out or NOTHING

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
        return order.view(self.habits.child_why_held if waits else "")

    # -- what is said -----------------------------------------------------------------------------

    def say_pair(self, order: Working) -> None:
        """openOrder and orderStatus, in this order (C1)."""
        view = self.view(order)
        self.out.append(OrderOpened(view))
        self.out.append(StatusChanged(view))
        order.announced = view.status

    def say_if_changed(self, order: Working) -> None:
        if order.status != order.announced:
            self.say_pair(order)

    def say_status(self, order: Working) -> None:
        """orderStatus alone, as recorded for cancels (C2)."""
        view = self.view(order)
        self.out.append(StatusChanged(view))
        order.announced = view.status

    def notify(self, order: Working, code: int, text: str) -> None:
        ticket = order.ticket
        self.out.append(Notice(client_id=ticket.client_id, order_id=ticket.order_id, code=code, text=text))


def multiplier(book: Book) -> Decimal:
    """Currency per point and contract; 1 for stocks."""
    text = book.instrument.contract.multiplier
    return decimal(text, "multiplier") if text else Decimal(1)
