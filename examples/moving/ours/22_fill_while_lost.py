"""TWS loses its server (1100), the order fills meanwhile, and nobody says so afterwards."""

import asyncio
import sys

from tws import Order, TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        contract = (await connection.request_contract(stock("AAPL"))).contract
        async with connection.stream_quotes(contract) as quotes:
            while not quotes.quote.ask:
                await anext(quotes)
            limit = round(quotes.quote.ask * 0.98, 2)
        connection.place_order(contract, Order(side="BUY", quantity=100, order_type="LMT", limit_price=limit))
        await asyncio.sleep(
            8
        )  # 1100 comes after half a second, the fill after two, 1102 after three and a half
        (order,) = connection.broker.orders
        print(f"{order.status}, {order.filled} shares filled")


asyncio.run(main())
