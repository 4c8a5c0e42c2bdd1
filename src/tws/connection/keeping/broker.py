"""What the broker has told, merged: orders by permId and orderRef, executions by execId, positions.

It is filled by every fact of the connection, asked for or not, whatever the link was when they came, and by
the complete answers of each synchronisation. An order is known by its permId; until TWS has named one, by
client id and order id in this session. One orderRef may own several permIds (INCIDENTS.md 3): `of_ref` gives
them all. An execution that comes again is the same one; a correction (C4) replaces what it corrects.

It is a mirror for programs that have no desk. It decides nothing and is not the desk's book.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal

from tws.model.account import Position
from tws.model.execution import Commission, Execution
from tws.model.facts import (
    Answer,
    AnswerKind,
    BrokerOrder,
    BrokerOrderStatus,
    BrokerReply,
    Fact,
    Link,
    LinkState,
)
from tws.wire.codes import Context, Effect

__all__ = ["MOST_ORDERS", "BrokerBook", "SeenOrder"]

MOST_ORDERS = 20_000
"""Entries kept: a person's year, or a busy program's day; the oldest ended ones go first, then the oldest."""
FILLS_AN_ORDER = 5
"""Executions kept: so many times the orders; 100,000 are a day of the busiest account that a client of one
socket can serve."""

ENDED = {"Filled", "Cancelled", "ApiCancelled", "Inactive"}
"""Statuses after which an order works no more (C1). A fill may still come (C2)."""
FINAL = ENDED - {"Inactive"}
"""Those from which it does not come back (an Inactive one may be held and released)."""


class SeenOrder:
    """One order as the broker has told it. `order` is its latest description, None while only its status or
    a fill is known; `status` the latest word; `gone` when it was open and two complete answers lack it.

    Words may come late and in any order (C1), so one that says an ended order works is `doubt` alone, until a
    complete answer names the order among those that work.
    """

    __slots__ = (
        "client_id",
        "doubt",
        "fills",
        "gone",
        "order",
        "order_id",
        "order_ref",
        "perm_id",
        "refusal",
        "report",
        "status",
    )

    def __init__(self, perm_id: int, client_id: int, order_id: int) -> None:
        self.perm_id = perm_id
        self.client_id = client_id
        self.order_id = order_id
        self.order_ref = ""
        self.order: BrokerOrder | None = None
        self.report: BrokerOrderStatus | None = None
        self.status = ""
        self.doubt = ""
        self.refusal: tuple[int, str] | None = None
        """Code and text by which TWS refused it, or the last change or cancel of it."""
        self.gone = False
        self.fills: dict[str, Execution] = {}

    @property
    def is_open(self) -> bool:
        """Whether it works, as far as the broker has said."""
        return not self.gone and self.status not in ENDED

    @property
    def filled(self) -> Decimal:
        """Quantity of its own executions: neither of a combination's legs nor of the parts that an advisor's
        clients have of them.
        """
        order, fills = self.order, self.fills.values()
        own = fills if order is None else [fill for fill in fills if _is_own(order, fill)]
        return sum((fill.quantity for fill in own), Decimal(0))

    def hear(self, status: str) -> None:
        """A word about it, the latest that came."""
        if self.status in FINAL and status not in FINAL:
            self.doubt = status
        else:
            self.status, self.doubt, self.gone = status, "", False

    def __repr__(self) -> str:
        return f"SeenOrder(permId {self.perm_id}, {self.order_id} of client {self.client_id}, {self.status})"


class BrokerBook:
    """See the module. `client_id` is ours, `effect` the catalogue of codes; `found(text, what)` is told of
    what a synchronisation has brought to light, `most_orders` as in `Keep`."""

    def __init__(
        self,
        client_id: int,
        effect: Callable[[int, Context], Effect],
        found: Callable[[str, Execution | SeenOrder], None],
        most_orders: int = MOST_ORDERS,
    ) -> None:
        self._most_orders, self._most_fills = most_orders, most_orders * FILLS_AN_ORDER
        self._client_id = client_id
        self._effect = effect
        self._found = found
        self._watchers: list[asyncio.Future[None]] = []
        self._orders: dict[object, SeenOrder] = {}
        self._by_ref: dict[str, dict[int, SeenOrder]] = {}
        self._executions: dict[str, Execution] = {}
        self._commissions: dict[str, Commission] = {}
        self._positions: dict[tuple[str, int, str], Position] = {}
        self._answers: dict[AnswerKind, Answer] = {}
        self.session = 0
        self.looking_back = False
        """Whether a synchronisation is under way: what is new now was missed before."""

    # -- what is known

    @property
    def orders(self) -> tuple[SeenOrder, ...]:
        """All orders, in the order in which they were first heard of."""
        return tuple(dict.fromkeys(self._orders.values()))

    @property
    def open_orders(self) -> tuple[SeenOrder, ...]:
        return tuple(order for order in self.orders if order.is_open)

    @property
    def executions(self) -> tuple[Execution, ...]:
        """Each fill once, corrected."""
        return tuple(self._executions.values())

    @property
    def positions(self) -> tuple[Position, ...]:
        """What is held, flat ones left out."""
        return tuple(row for row in self._positions.values() if row.quantity)

    def commission(self, exec_id: str) -> Commission | None:
        """The fee of an execution, None while TWS has not told it."""
        return self._commissions.get(exec_id)

    def of_ref(self, order_ref: str) -> tuple[SeenOrder, ...]:
        """Every order that carries this orderRef."""
        return tuple(self._by_ref.get(order_ref, {}).values())

    def of_perm(self, perm_id: int) -> SeenOrder | None:
        return self._orders.get(perm_id)

    def of_id(self, order_id: int) -> SeenOrder | None:
        """The order of this client that has the id in this session, or had it last."""
        seen = self._orders.get((self.session, self._client_id, order_id))
        if seen is None:
            lives = [
                one for one in self.orders if (one.client_id, one.order_id) == (self._client_id, order_id)
            ]
            seen = lives[-1] if lives else None
        return seen

    async def changed(self) -> None:
        """Return when something more was told of any order."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append(watcher)
        await watcher

    # -- what is told

    def hear(self, fact: Fact) -> None:
        """One fact of the lane."""
        self._take(fact)
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    def _take(self, fact: Fact) -> None:
        match fact:
            case BrokerOrder():
                self._order(fact)
            case BrokerOrderStatus():
                self._status(fact)
            case Execution():
                self._execution(fact)
            case Commission():
                self._commissions[fact.exec_id] = fact
                if len(self._commissions) > self._most_fills:
                    self._commissions.pop(next(iter(self._commissions)))
            case Position():
                self._positions[fact.account, fact.contract.con_id, fact.contract.local_symbol] = fact
            case Answer():
                self._answer(fact)
            case BrokerReply() if fact.order_id > 0:
                self._reply(fact)
            case Link(state=LinkState.CONNECTED):
                self.session = fact.session
                self._answers.clear()

    def _reply(self, fact: BrokerReply) -> None:
        """A code about an order of ours: it may end a new one, never one that works (invariant 4)."""
        seen = self._orders.get((self.session, self._client_id, fact.order_id))
        works = seen is not None and (seen.order is not None or seen.report is not None)
        effect = self._effect(fact.code, Context.CHANGE if works else Context.ORDER)
        if effect is Effect.REJECTS_ORDER:
            seen = self._find(0, self._client_id, fact.order_id)
            seen.refusal = (fact.code, fact.text)
            seen.hear("Inactive")
        elif effect is Effect.REFUSES_CHANGE and seen is not None:
            seen.refusal = (fact.code, fact.text)

    def _find(self, perm_id: int, client_id: int, order_id: int) -> SeenOrder:
        """The order, made when it is new; an early one gets its permId here."""
        seen = self._orders.get(perm_id) if perm_id else None
        early = (self.session, client_id, order_id)
        if seen is None and order_id:
            seen = self._orders.get(early)
            if seen is not None and perm_id and seen.perm_id not in (0, perm_id):
                seen = None  # another life of the same order id
        if seen is None:
            seen = SeenOrder(perm_id, client_id, order_id)
            self._make_room()
        if perm_id:
            seen.perm_id = perm_id
            self._orders[perm_id] = seen
        if order_id and client_id >= 0:
            self._orders[early] = seen
        return seen

    def _order(self, fact: BrokerOrder) -> None:
        seen = self._find(fact.perm_id, fact.client_id, fact.order_id)
        seen.order = fact if fact.order_id or seen.order is None else seen.order
        self._refer(seen, fact.order_ref)
        seen.client_id, seen.order_id = (
            (fact.client_id, fact.order_id) if fact.order_id else (seen.client_id, seen.order_id)
        )
        if fact.status:
            seen.hear(fact.status)
        self._count_lives(seen)

    def _refer(self, seen: SeenOrder, order_ref: str) -> None:
        if order_ref and seen.order_ref != order_ref:
            seen.order_ref = order_ref
            self._by_ref.setdefault(order_ref, {})[id(seen)] = seen

    def _count_lives(self, seen: SeenOrder) -> None:
        if not seen.order_ref or not self.looking_back:
            return
        lives = [order for order in self.of_ref(seen.order_ref) if order.is_open]
        if len(lives) > 1:
            self._found(f"orderRef {seen.order_ref} has {len(lives)} working orders", seen)

    def _status(self, fact: BrokerOrderStatus) -> None:
        seen = self._find(fact.perm_id, fact.client_id, fact.order_id)
        seen.report = fact
        seen.hear(fact.status)

    def _execution(self, fact: Execution) -> None:
        base, known = fact.base_id, self._executions.get(fact.base_id)
        if known is not None and not _later(fact.exec_id, known.exec_id):
            return
        self._executions[base] = fact
        if len(self._executions) > self._most_fills:
            self._executions.pop(next(iter(self._executions)))
        seen = self._find(fact.perm_id, fact.client_id, fact.order_id)
        self._refer(seen, fact.order_ref)
        seen.fills[base] = fact
        if known is None and self.looking_back:
            what = f"{fact.side} {fact.quantity} {fact.contract.symbol} at {fact.price}"
            self._found(f"a fill that was not told: {what} ({fact.exec_id})", fact)

    def _answer(self, fact: Answer) -> None:
        self._answers[fact.kind] = fact
        if fact.kind is AnswerKind.POSITIONS:
            told = {(row.account, row.contract.con_id, row.contract.local_symbol) for row in fact.positions}
            for key in [key for key in self._positions if key not in told]:
                del self._positions[key]
        elif fact.kind is AnswerKind.OPEN_ORDERS:
            self._settle_doubts(fact.orders)
        open_ones = self._answers.get(AnswerKind.OPEN_ORDERS)
        ended = self._answers.get(AnswerKind.COMPLETED_ORDERS)
        if open_ones is not None and ended is not None and self.looking_back:
            self._look_for_gone([*open_ones.orders, *ended.orders])

    def _settle_doubts(self, told: Iterable[BrokerOrder]) -> None:
        """What works by a complete answer works, unless its end was told between the rows and now."""
        for row in told:
            seen = self._orders.get(row.perm_id)
            if seen is not None and seen.doubt and row.status not in FINAL:
                seen.status, seen.doubt, seen.gone = seen.doubt, "", False

    def _look_for_gone(self, told: Iterable[BrokerOrder]) -> None:
        """Orders that worked before this session and that neither answer names."""
        perms = {row.perm_id for row in told}
        for seen in self.open_orders:
            if seen.perm_id and seen.perm_id not in perms and not self._is_of_session(seen):
                seen.gone = True
                self._found(f"{seen!r} is neither open nor completed any more", seen)

    def _is_of_session(self, seen: SeenOrder) -> bool:
        return self._orders.get((self.session, seen.client_id, seen.order_id)) is seen

    def _make_room(self) -> None:
        """Twice the bound is the mark, so that looking for the old ones is paid by many new ones."""
        if len(self._orders) < 2 * self._most_orders:
            return
        oldest_last = sorted(self._orders.items(), key=lambda row: row[1].is_open)  # stable: the ended first
        for key, seen in oldest_last[: len(self._orders) - self._most_orders]:
            del self._orders[key]
            lives = self._by_ref.get(seen.order_ref, {})
            lives.pop(id(seen), None)
            if not lives:
                self._by_ref.pop(seen.order_ref, None)


def _is_own(order: BrokerOrder, fill: Execution) -> bool:
    accounts = (order.account, fill.account)
    return fill.contract.sec_type == order.contract.sec_type and (len(set(accounts)) == 1 or "" in accounts)


def _later(exec_id: str, than: str) -> bool:
    """Whether a correction follows another: the last part of the id counts up (C4)."""
    mine, theirs = exec_id.rpartition(".")[2], than.rpartition(".")[2]
    return (len(mine), mine) > (len(theirs), theirs)
