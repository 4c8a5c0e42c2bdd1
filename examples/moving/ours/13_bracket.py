"""A bracket: the entry fills, target and stop work."""

import asyncio
import sys

from tws import Trader, TWSConfig, bracket, stock


async def main():
    async with Trader(TWSConfig(port=int(sys.argv[1]))) as trader:
        ask = (await trader.quote(stock("AAPL"))).ask
        limit, target, stop = (round(ask * factor, 2) for factor in (1.01, 1.2, 0.8))
        wish = bracket(stock("AAPL"), "BUY", 100, limit=limit, target=target, stop=stop)
        trade = await trader.submit(wish)
        await trade.entry_filled()
        working = {order.order_type: order.status for order in await trader.connection.request_open_orders()}
        print(f"entry Filled, target {working.get('LMT')}, stop {working.get('STP')}")


asyncio.run(main())
