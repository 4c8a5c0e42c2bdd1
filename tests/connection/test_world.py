"""The same connection on virtual time, over links that chunk, delay and are cut, by a seed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tws.config import TWSConfig
from tws.connection import TWSConnection
from tws.errors import TWSError
from tws.model.contract import stock
from tws.model.facts import BrokerOrderStatus
from tws.model.order import Order, OrderType, Side
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.world import World

CONFIG = TWSConfig(
    port=7400, connection_timeout=60, request_timeout=900
)  # slow weather moves a few bytes a second


async def trade(world: World) -> list[str]:
    """Connect until it works, ask, stream, place and see the fill; what was heard, in order."""
    sim = SimulatedTWS(SimulatorOptions(symbols=("SPY",), start_ns=world.clock.now_ns()), clock=world.clock)
    await sim.start(listen=False)
    listener = world.network.listen("127.0.0.1", 7400, sim.protocol_factory)
    connection = TWSConnection(
        CONFIG, guard="off", dial=world.network.dial, clock=world.clock, rng=world.rng("back-off")
    )
    heard: list[str] = []
    connection.facts(lambda fact: heard.append(f"{world.loop.time():.6f} {fact}"))
    try:
        for _ in range(60):
            try:
                if not await connection.connect():
                    continue
                found = await connection.request_contract(stock("SPY"))
                async with connection.stream_quotes(found.contract) as quotes:
                    async for quote in quotes:
                        if quote.ask is not None:
                            break
                order = Order(
                    side=Side.BUY,
                    quantity=Decimal(10),
                    order_type=OrderType.LIMIT,
                    limit_price=Decimal("9999.99"),
                )
                placed = await connection.place_order(found.contract, order)
                async with connection.stream_quotes(found.contract) as quotes:
                    async for _ in quotes:
                        if any(
                            f"order_id={placed.order_id}," in line and "'Filled'" in line for line in heard
                        ):
                            return heard
            except TWSError:
                continue
        raise AssertionError("no fill in sixty tries")
    finally:
        connection.disconnect()
        await connection.wait_closed()
        listener.close()
        await sim.stop()


@pytest.mark.parametrize("seed", range(6))
def test_a_trade_in_any_weather_and_the_same_again(seed: int) -> None:
    first, second = (run(seed) for _ in range(2))
    assert first == second
    assert any(BrokerOrderStatus.__name__ in line for line in first)


def run(seed: int) -> list[str]:
    world = World(seed)
    return world.loop.run(trade(world))
