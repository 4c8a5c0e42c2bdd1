"""A limit order below the market; then it is moved."""

import asyncio
import sys

from tws import Order, TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        facts = connection.facts()
        contract = (await connection.request_contract(stock("AAPL"))).contract
        first = Order(side="BUY", quantity=100, order_type="LMT", limit_price=100, tif="GTC")
        sending = connection.place_order(contract, first)
        while not any(order.status == "Submitted" for order in connection.broker.orders):
            await facts.wait()
            facts.drain()
        second = Order(side="BUY", quantity=50, order_type="LMT", limit_price=101.50, tif="GTC")
        connection.place_order(contract, second, order_id=sending.order_id)
        await asyncio.sleep(0.5)
        for order in await connection.request_all_open_orders():
            print(f"{order.quantity} at {order.limit_price:.2f}, {order.status}")


asyncio.run(main())
