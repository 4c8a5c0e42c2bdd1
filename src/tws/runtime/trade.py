"""A trade as its owner sees it: a view on the desk's book, and ways to wait for what it will say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from weakref import WeakValueDictionary

from msgspec import Struct

from tws.desk import DeskState
from tws.errors import RequestTimeoutError, TWSError
from tws.model.execution import Execution
from tws.model.order import Role
from tws.model.records import Booked, Denied, Intended, Planned, Record
from tws.orders import OurOrder

__all__ = ["Trade", "Trades"]

_ZERO = Decimal(0)


class Trade:
    """What `Trader.submit` answers. `denial` is the gate's word, None when the trade was approved."""

    def __init__(
        self, orders: Callable[[], list[OurOrder]], denial: Denied | None, group_id: str = ""
    ) -> None:
        self.group_id = group_id
        """Its name in the desk; empty when the trade was denied."""
        self._orders = orders
        self._changed = asyncio.Event()
        self._fills: dict[str, dict[str, Execution]] = {}
        self._failure: TWSError | None = None
        self.denial = denial

    @property
    def orders(self) -> list[OurOrder]:
        """Entry, stop and target as the desk knows them now; replaced ones included."""
        return self._orders()

    @property
    def intent_id(self) -> str:
        """The entry's intent id; empty when the trade was denied."""
        return next((order.intent_id for order in self.orders if order.role is Role.ENTRY), "")

    @property
    def filled(self) -> Decimal:
        """Shares of the entry that are filled."""
        return sum((order.filled for order in self.orders if order.role is Role.ENTRY), _ZERO)

    @property
    def average_price(self) -> Decimal | None:
        """What the entry's shares cost on average, fees not included; None before the first fill."""
        fills = self.fills(self.intent_id)
        quantity = sum((fill.quantity for fill in fills), _ZERO)
        return sum((fill.quantity * fill.price for fill in fills), _ZERO) / quantity if quantity else None

    @property
    def over(self) -> bool:
        """Whether none of its orders can act any more."""
        return not any(order.live for order in self.orders)

    @property
    def stopped_out(self) -> bool:
        """Whether its stop took shares away."""
        return any(order.role is Role.STOP and order.filled for order in self.orders)

    def fills(self, intent_id: str) -> list[Execution]:
        """The fills of one of its orders as they were heard, each as it was last corrected."""
        return list(self._fills.get(intent_id, {}).values())

    async def entry_filled(self, timeout_s: float = 30.0) -> Decimal:
        """The shares of the entry that filled, once it has ended, filled or not, and every fill that the
        broker claims is here and on disk.

        Raises RequestTimeoutError after `timeout_s`: the entry still works, nothing is cancelled by that.
        Raises what ended the trader, if it ends first.
        """
        await self._until(
            lambda: all(self._is_told(each) for each in self.orders if each.role is Role.ENTRY), timeout_s
        )
        return self.filled

    async def closed(self, timeout_s: float = 30.0) -> None:
        """Return when none of its orders can act any more; RequestTimeoutError after `timeout_s`."""
        await self._until(lambda: self.over, timeout_s)

    def _is_told(self, order: OurOrder) -> bool:
        """It has ended and its fills are all here. The desk's book runs ahead of the disk by one commit."""
        heard = sum((fill.quantity for fill in self.fills(order.intent_id)), _ZERO)
        return not order.live and not order.missing and heard == order.filled

    def hear(self, record: Record) -> None:
        """For the trader: the desk remembered something of this trade."""
        if isinstance(record, Booked) and record.intent_id:
            fill = record.execution
            self._fills.setdefault(record.intent_id, {})[fill.base_id] = fill
        self._changed.set()

    def fail(self, error: TWSError) -> None:
        """For the trader: nothing will be heard any more, and why."""
        self._failure = error
        self._changed.set()

    async def _until(self, done: Callable[[], bool], timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not done():
                    if self._failure is not None:
                        raise self._failure
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise RequestTimeoutError(
                f"{self.intent_id}: not so within {timeout_s} s; the order still works"
            ) from None


class ExerciseAnswer(Struct, frozen=True, kw_only=True):
    """What `Trader.exercise` answers: the intent, or why there is none. How it goes on stands in the desk's
    book (`trader.desk.state.book.get(intent_id)`) and in the journal.
    """

    intent_id: str = ""
    denial: Denied | None = None

    @staticmethod
    def of(records: list[Record]) -> ExerciseAnswer:
        """Of what the desk recorded."""
        denial = next((record for record in records if isinstance(record, Denied)), None)
        intents = (record.intent_id for record in records if isinstance(record, Intended))
        return ExerciseAnswer(intent_id="" if denial else next(intents, ""), denial=denial)


class Trades:
    """The trades that somebody still holds; each hears of its own orders alone."""

    def __init__(self, state: Callable[[], DeskState]) -> None:
        self._state = state
        self._held: WeakValueDictionary[str, Trade] = WeakValueDictionary()
        self._failure: TWSError | None = None

    def made_by(self, records: list[Record]) -> Trade:
        """The trade that a `SubmitBracket` led to, or its denial."""
        denial = next((record for record in records if isinstance(record, Denied)), None)
        plan = next((record for record in records if isinstance(record, Planned)), None)
        if denial is not None or plan is None:
            return Trade(list, denial)
        group_id = plan.group_id

        def orders() -> list[OurOrder]:
            return self._state().orders_of(group_id)

        trade = self._held[group_id] = Trade(orders, None, group_id)
        if self._failure is not None:
            trade.fail(self._failure)
        return trade

    def hear(self, record: Record) -> None:
        """A record is durable: tell the trade whose order it is about."""
        order = self._state().book.get(getattr(record, "intent_id", ""))
        trade = self._held.get(order.group_id) if order is not None else None
        if trade is not None:
            trade.hear(record)

    def fail(self, error: TWSError) -> None:
        """The trader has ended: nobody waits for ever."""
        self._failure = error
        for trade in list(self._held.values()):
            trade.fail(error)
