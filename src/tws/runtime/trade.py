"""A trade as its owner sees it: a view on the desk's book, and ways to wait for what it will say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from tws.errors import RequestTimeoutError
from tws.model.execution import Execution
from tws.model.records import Booked, Denied, Record
from tws.model.order import Role
from tws.orders import OurOrder

__all__ = ["Trade"]

_ZERO = Decimal(0)


class Trade:
    """What `Trader.submit` answers. `denial` is the gate's word, None when the trade was approved."""

    def __init__(self, orders: Callable[[], list[OurOrder]], denial: Denied | None) -> None:
        self._orders = orders
        self._changed = asyncio.Event()
        self._fills: dict[str, list[Execution]] = {}
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
        fills = self._fills.get(self.intent_id, [])
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
        """The fills of one of its orders, in the order in which they were heard."""
        return list(self._fills.get(intent_id, ()))

    async def entry_filled(self, timeout_s: float = 30.0) -> Decimal:
        """The shares of the entry that filled, once it is filled or has ended.

        Raises RequestTimeoutError after `timeout_s`: the entry still works, nothing is cancelled by that.
        """
        await self._until(lambda: not any(o.live for o in self.orders if o.role is Role.ENTRY), timeout_s)
        return self.filled

    async def closed(self, timeout_s: float = 30.0) -> None:
        """Return when none of its orders can act any more; RequestTimeoutError after `timeout_s`."""
        await self._until(lambda: self.over, timeout_s)

    def hear(self, record: Record) -> None:
        """For the trader: the desk remembered something."""
        if isinstance(record, Booked) and record.intent_id:
            self._fills.setdefault(record.intent_id, []).append(record.execution)
        self._changed.set()

    async def _until(self, done: Callable[[], bool], timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not done():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise RequestTimeoutError(f"{self.intent_id}: not so within {timeout_s} s; the order still works") from None
