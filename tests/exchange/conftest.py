"""A trading floor for the tests: one exchange, two stocks, and events told as short lines.

`told` writes an event as TWS's message number and what matters: "5 Filled #1 100/100",
"11 BOT #1 60@100.01", "59 1.00 None", "4 202 #1". Position and account events are left out, since
they are no messages of the order's own sequence.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from tws.exchange import (
    AccountSetup,
    CommissionCharged,
    Event,
    Exchange,
    Executed,
    Habits,
    Listing,
    Notice,
    OrderOpened,
    OrderTicket,
    Session,
    StatusChanged,
    WhatIfAnswered,
)
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Side

SPY, IBM = 756733, 8314


def _contract(con_id: int, symbol: str) -> Contract:
    return Contract(con_id=con_id, symbol=symbol, primary_exchange="ARCA")


def told(events: Iterable[Event]) -> list[str]:
    lines = []
    for event in events:
        match event:
            case OrderOpened(order=order) | StatusChanged(order=order):
                number = 5 if isinstance(event, OrderOpened) else 3
                lines.append(f"{number} {order.status} #{order.order_id} {order.filled}/{order.total}")
            case Executed():
                lines.append(f"11 {event.side} #{event.order_id} {event.quantity}@{event.price}")
            case CommissionCharged():
                lines.append(f"59 {event.amount} {event.realized_pnl}")
            case Notice():
                lines.append(f"4 {event.code} #{event.order_id}")
            case WhatIfAnswered(order=order):
                lines.append(f"5 what-if {order.status} #{order.order_id}")
    return lines


class Floor:
    """An exchange with SPY and IBM at 100.00 / 100.01 (300 x 60), last 100.00, and a clock of its own."""

    SPY, IBM = SPY, IBM
    told = staticmethod(told)

    def __init__(
        self,
        session: Session | None = None,
        *,
        accounts: tuple[str, ...] = ("DU1",),
        start: int = 1,
        cash: str = "1000000",
        **options: Any,
    ) -> None:
        listings = [
            Listing(
                instrument=Instrument(contract=_contract(con_id, symbol)),
                session=session or Session(),
            )
            for con_id, symbol in ((SPY, "SPY"), (IBM, "IBM"))
        ]
        setups = [AccountSetup(account=account, cash=Decimal(cash)) for account in accounts]
        habits = options.pop("habits", None) or Habits(**options)
        self.exchange = Exchange(listings, setups, habits=habits, now_ns=start)
        self.now = start
        for con_id in (SPY, IBM):
            self.exchange.quote(con_id, 10000, 300, 10001, 60, self.now)
            self.exchange.trade(con_id, 10000, 10, self.now)

    def ticket(
        self, order_id: int, side: str, quantity: object, kind: str = "MKT", **more: Any
    ) -> OrderTicket:
        """`limit` and `stop` are shorthands; prices as text or number."""
        for short, name in (("limit", "limit_price"), ("stop", "stop_price")):
            if short in more:
                more[name] = Decimal(str(more.pop(short)))
        fields: dict[str, Any] = {"client_id": 1, "account": "DU1", "con_id": SPY} | more
        return OrderTicket(
            order_id=order_id, side=Side(side), quantity=Decimal(str(quantity)), order_type=kind, **fields
        )  # fmt: skip

    def raw(self, order_id: int, side: str, quantity: object, kind: str = "MKT", **more: Any) -> list[Event]:
        self.now += 1
        return list(self.exchange.place(self.ticket(order_id, side, quantity, kind, **more), self.now))

    def place(self, order_id: int, side: str, quantity: object, kind: str = "MKT", **more: Any) -> list[str]:
        return told(self.raw(order_id, side, quantity, kind, **more))

    def bracket(self, quantity: int = 100, first: int = 1, **more: Any) -> list[str]:
        """A market buy with a target at 102 and a stop at 98; returns what the transmission said."""
        assert self.place(first, "BUY", quantity, transmit=False) == []
        assert (
            self.place(first + 1, "SELL", quantity, "LMT", limit=102, parent_id=first, transmit=False, **more)
            == []
        )
        return self.place(first + 2, "SELL", quantity, "STP", stop=98, parent_id=first, **more)

    def quote(self, bid: int, bid_lots: int, ask: int, ask_lots: int, con_id: int = SPY) -> list[str]:
        self.now += 1
        return told(self.exchange.quote(con_id, bid, bid_lots, ask, ask_lots, self.now))

    def trade(self, price: int, con_id: int = SPY) -> list[str]:
        self.now += 1
        return told(self.exchange.trade(con_id, price, 1, self.now))

    def cancel(self, order_id: int, client_id: int = 1) -> list[str]:
        self.now += 1
        return told(self.exchange.cancel(client_id, order_id, self.now))

    def advance(self, now_ns: int) -> list[str]:
        self.now = now_ns
        return told(self.exchange.advance(now_ns))

    def open_ids(self, client_id: int | None = None) -> list[int]:
        return [order.order_id for order in self.exchange.open_orders(client_id)]

    def position(self, con_id: int = SPY, account: str = "DU1") -> Decimal:
        rows = [row.quantity for row in self.exchange.positions(account) if row.con_id == con_id]
        return rows[0] if rows else Decimal(0)

    def value(self, key: str, account: str = "DU1") -> str:
        return {row.key: row.value for row in self.exchange.account_values(account)}[key]


@pytest.fixture(scope="session")
def Floor_() -> type[Floor]:
    return Floor


@pytest.fixture
def floor() -> Floor:
    return Floor()
