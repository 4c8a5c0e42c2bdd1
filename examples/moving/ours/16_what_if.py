"""What an order would cost in margin and fees, without placing it."""

import asyncio
import sys

from tws import Order, TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        contract = (await connection.request_contract(stock("AAPL"))).contract
        cost = await connection.request_what_if(contract, Order(side="BUY", quantity=100))
        print("initial margin", cost.initial.before, "to", cost.initial.after)
        placed = await connection.request_open_orders()
        print(f"fees of {cost.commission:.2f}, {len(placed)} orders placed")


asyncio.run(main())
