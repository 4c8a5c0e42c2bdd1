"""A mistake in a callback: it raises on each tick. What else hears of the ticks, and of the order?"""

import asyncio
import sys

from tws import Order, TWSConfig, TWSConnection, stock


def broken(*_):
    raise ValueError("a mistake of mine")


async def main():
    seen = []
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        contract = (await connection.request_contract(stock("AAPL"))).contract
        connection.facts(broken)
        quotes = connection.stream_quotes(contract)
        quotes.on_tick(broken)
        quotes.on_tick(lambda *tick: seen.append(tick))
        await asyncio.sleep(1)
        connection.place_order(contract, Order(side="BUY", quantity=100))
        await asyncio.sleep(2)
        (order,) = connection.broker.orders
        print(f"{'quotes seen' if seen else 'no quotes seen'}, order {order.status}")


asyncio.run(main())
