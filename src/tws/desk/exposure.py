"""What is ours by symbol: open orders, and what is held. A stop of everything asks for it again and again.

An `Exposure` is a look at the state, each half of it as it was when it was first asked for. `Sight` keeps one
from decision to decision and from event to event, and forgets of it what a record moved: with fifty flattens
under way most facts (a fee, an answer, a status that changes nothing) move none of it. Which records move
nothing is listed; every other one does.
"""

from __future__ import annotations

from decimal import Decimal

from tws.desk.state import DeskState
from tws.model import records as r
from tws.model.contract import Contract
from tws.model.records import Record
from tws.orders.book import OurOrder
from tws.orders.table import ENDED

__all__ = ["Exposure", "Sight", "within"]

_ZERO = Decimal(0)

_NOTHING = frozenset({
    r.AllCancelAsked, r.Alarmed, r.Answered, r.Asked, r.CancelAsked, r.CashAsked, r.CashHeard, r.Charged,
    r.Differs, r.FlattenMoved, r.HoursStated, r.KillMoved, r.PositionHeard,
})
"""They move no order's life, no holding and no trade."""

_ORDERS = frozenset({r.Approved, r.Bound, r.Intended, r.Missed, r.Moved})
"""They move orders alone: what is held stays."""

_Orders = dict[str, list[OurOrder]]
_Held = dict[str, dict[int, tuple[Contract, Decimal]]]


class Exposure:
    """What is ours by symbol, and by strategy where one is asked for: open orders, and what is held."""

    def __init__(self, state: DeskState, held: _Held | None = None) -> None:
        """`held` is that of an earlier look, where it still holds."""
        self._state = state
        self._orders: _Orders | None = None
        self._held = held
        self._symbols: dict[str, None] | None = None

    @property
    def by_symbol(self) -> _Orders:
        """The open orders, gathered when they are first asked for."""
        if self._orders is None:
            self._orders = {}
            for order in self._state.book.exposed():
                self._orders.setdefault(order.contract.symbol, []).append(order)
        return self._orders

    @property
    def held_by_symbol(self) -> _Held:
        """What is held, likewise: signed shares of each contract, by con_id."""
        if self._held is None:
            self._held = {}
            for each in self._state.ours.exposed():
                if each.account == self._state.account:
                    here = self._held.setdefault(each.contract.symbol, {})
                    here[each.contract.con_id] = each.contract, each.quantity
        return self._held

    @property
    def held_is_known(self) -> bool:
        """Whether that was gathered already."""
        return self._held is not None

    def orders(self, symbol: str, strategy: str = "") -> list[OurOrder]:
        """The orders that may still act, or owe us a fill."""
        found = self.by_symbol.get(symbol, [])
        if not strategy:
            return found
        return [order for order in found if self._state.strategy_of(order) == strategy]

    def held(self, symbol: str, strategy: str = "") -> dict[int, tuple[Contract, Decimal]]:
        """The signed shares of each contract, none of them 0."""
        found = self.held_by_symbol.get(symbol, {})
        if not strategy or not found:
            return found
        state, sums = self._state, dict.fromkeys(found, _ZERO)
        for group in state.groups.values():
            if group.strategy == strategy and group.contract.con_id in sums:
                sums[group.contract.con_id] += state.held(group) * group.side.sign
        # Never more than we hold of it in all: an adjustment may have taken shares away from under a trade.
        parts = {con_id: (contract, within(sums[con_id], net)) for con_id, (contract, net) in found.items()}
        return {con_id: part for con_id, part in parts.items() if part[1]}

    def symbols(self) -> dict[str, None]:
        """All symbols with an order, a holding or an open trade of ours: two trades may hold the same both
        ways, and each will have its stop.
        """
        if self._symbols is None:
            state = self._state
            opened = (state.groups[group_id] for group_id in state.open_groups)
            traded = [group.contract.symbol for group in opened if state.held(group)]
            self._symbols = dict.fromkeys([*self.by_symbol, *self.held_by_symbol, *traded])
        return self._symbols

    def contracts(self, symbol: str) -> list[Contract]:
        """What is held or ordered under a symbol."""
        found = {order.contract.con_id: order.contract for order in self.by_symbol.get(symbol, ())}
        held = self.held_by_symbol.get(symbol, {})
        found.update((con_id, contract) for con_id, (contract, _) in held.items())
        return list(found.values())


class Sight:
    """The newest look at one state. It stands beside it, and serves decisions."""

    def __init__(self) -> None:
        self._now: Exposure | None = None
        self._held: _Held | None = None

    def of(self, state: DeskState) -> Exposure:
        """What is ours now."""
        if self._now is None:
            self._now = Exposure(state, self._held)
        return self._now

    def before(self, state: DeskState, record: Record) -> None:
        """A record is about to be applied: forget what it moves."""
        kind = type(record)
        if kind in _NOTHING or (isinstance(record, r.Moved) and _lives_on(state, record)):
            return
        if kind not in _ORDERS:
            self._held = None
        elif self._now is not None and self._now.held_is_known:
            self._held = self._now.held_by_symbol
        self._now = None


def within(wanted: Decimal, most: Decimal) -> Decimal:
    """As much of `wanted` as `most` has on that side."""
    if not most or (wanted > 0) is not (most > 0):
        return _ZERO
    return wanted if abs(wanted) <= abs(most) else most


def _lives_on(state: DeskState, record: r.Moved) -> bool:
    """Whether an order lives before and after: then it stays in its place."""
    order = state.book.get(record.intent_id)
    return order is not None and order.live and record.state not in ENDED
