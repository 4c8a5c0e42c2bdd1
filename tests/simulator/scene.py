"""What tests of faults share: a quiet market with SPY quoted, a started client, orders, and waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.simulator.client import Client, Connect, Start, stock

from tws.simulator import SimulatedTWS
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire.messages import (
    CancelOrderRequest,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    ExecutionDetails,
    ExecutionDetailsEnd,
    ExecutionRequest,
    MarketDataRequest,
    OpenOrder,
    OpenOrdersEnd,
    OpenOrdersRequest,
    OrderStatus,
    PlaceOrderRequest,
    TickPrice,
    WireOrder,
)

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
SPY = 756733


async def scene(start: Start, connect: Connect, **options: Any) -> tuple[SimulatedTWS, Client]:
    """A simulator with SPY at 100 to 100.02, and client 1 on it; its start burst is over."""
    simulator = await start(market=ManualMarket(UNIVERSE, T0), **options)
    simulator.quote("SPY", bid=100, ask=100.02)
    return simulator, await ready(connect, simulator)


async def ready(connect: Connect, simulator: SimulatedTWS, client_id: int = 1, **options: Any) -> Client:
    """A client whose start burst is over. The simulator may have moved to another port since."""
    simulator.address = (simulator.address[0], simulator.port)  # type: ignore[attr-defined]
    client = await connect(simulator, client_id, **options)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    return client


async def until(fits: Callable[[], object]) -> None:
    """Wait for what the other side of a socket must bring about; pytest's own time-out bounds it, and all
    that is waited for here.
    """
    while not fits():  # noqa: ASYNC110  a test looks at state that has no event
        await asyncio.sleep(0.002)


async def until_closed(client: Client) -> None:
    while not client.closed:
        try:
            await client.pump()
        except ConnectionError:
            client.closed = True


async def settled(client: Client) -> None:
    """Everything that was said before is here: an answer to a question of now came behind it."""
    count = len(client.all(CurrentTime))
    client.send(CurrentTimeRequest())
    while len(client.all(CurrentTime)) == count:
        assert not client.closed
        await client.pump()


def place(client: Client, order_id: int, side: str = "BUY", quantity: int = 1, **fields: Any) -> None:
    """A market order, or whatever the fields say; lmt=99 is a limit order at 99."""
    if "lmt" in fields:
        fields |= {"order_type": "LMT", "lmt_price": fields.pop("lmt")}
    order = WireOrder(
        **{"order_type": "MKT", "tif": "DAY", "action": side, "total_quantity": Decimal(quantity)} | fields
    )
    client.send(PlaceOrderRequest(order_id, stock("SPY"), order))


def cancel(client: Client, order_id: int) -> None:
    client.send(CancelOrderRequest(order_id))


def codes(client: Client) -> list[int]:
    """The codes of all errors and notices behind the start burst."""
    return [m.error_code for m in client.all(ErrorMessage)][3:]


def statuses(client: Client, order_id: int) -> list[str]:
    """What orderStatus said of an order, repetitions dropped."""
    said = [m.status for m in client.all(OrderStatus) if m.order_id == order_id]
    return [status for at, status in enumerate(said) if at == 0 or said[at - 1] != status]


def words(client: Client) -> list[str]:
    """The kinds of all messages about orders, in order."""
    kinds = {"OpenOrder": "5", "OrderStatus": "3", "ExecutionDetails": "11", "CommissionAndFeesReport": "59"}
    return [kinds[name] for m in client.heard if (name := type(m).__name__) in kinds]


async def subscribed(client: Client, req_id: int = 1) -> None:
    """Market data of SPY flows."""
    client.send(MarketDataRequest(req_id, stock("SPY")))
    await client.expect(TickPrice, lambda m: m.req_id == req_id)


async def status_of(client: Client, order_id: int, status: str) -> OrderStatus:
    return await client.expect(OrderStatus, lambda m: (m.order_id, m.status) == (order_id, status))


async def error(client: Client, code: int) -> ErrorMessage:
    return await client.expect(ErrorMessage, lambda m: m.error_code == code)


async def executions(client: Client, req_id: int) -> list[ExecutionDetails]:
    """The answer to reqExecutions."""
    client.send(ExecutionRequest(req_id))
    await client.expect(ExecutionDetailsEnd, lambda m: m.req_id == req_id)
    return [m for m in client.all(ExecutionDetails) if m.req_id == req_id]


async def open_ids(client: Client) -> list[int]:
    """The ids in the answer to reqOpenOrders."""
    before = len(client.heard)
    client.send(OpenOrdersRequest())
    await client.expect(OpenOrdersEnd)
    await settled(client)
    return [m.order_id for m in client.heard[before:] if isinstance(m, OpenOrder)]
