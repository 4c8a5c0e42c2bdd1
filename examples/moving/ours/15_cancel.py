"""Three orders: one is cancelled by itself, the others all at once."""

import asyncio
import sys

from tws import Order, TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        facts, broker = connection.facts(), connection.broker

        async def until(status, number):
            while sum(order.status == status for order in broker.orders) < number:
                await facts.wait()
                facts.drain()

        contract = (await connection.request_contract(stock("AAPL"))).contract
        for price in (100, 101, 102):
            wish = Order(side="BUY", quantity=100, order_type="LMT", limit_price=price, tif="GTC")
            connection.place_order(contract, wish)
        await until("Submitted", 3)
        connection.cancel_order(broker.orders[0].order_id)
        await until("Cancelled", 1)
        print("left", len(broker.open_orders))
        connection.cancel_all_orders()
        await until("Cancelled", 3)
        print(", ".join(order.status for order in broker.orders))


asyncio.run(main())
