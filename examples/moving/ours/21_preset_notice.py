"""A good-till-cancelled order meets a preset of TWS: 10349 says that it is a day order now. It lives.

The program places a cancelled order anew, as many do.
"""

import asyncio
import sys

from tws import Order, TWSConfig, TWSConnection, stock
from tws.model.facts import BrokerOrderStatus


async def main():
    cancelled = []

    def hear(fact):
        if isinstance(fact, BrokerOrderStatus) and fact.status == "Cancelled":
            cancelled.append(fact)
            connection.place_order(contract, Order(**wish, tif="DAY"))

    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        connection.facts(hear)
        contract = (await connection.request_contract(stock("AAPL"))).contract
        wish = {"side": "BUY", "quantity": 100, "order_type": "LMT", "limit_price": 100}
        connection.place_order(contract, Order(**wish, tif="GTC"))
        await asyncio.sleep(2)
        living = await connection.request_open_orders()
        print(f"called {'Cancelled' if cancelled else 'alive'}, orders at work: {len(living)}")


asyncio.run(main())
