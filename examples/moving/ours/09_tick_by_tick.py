"""Each trade of a stock, one by one."""

import asyncio
import sys

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        seen = 0
        async for trade in connection.stream_ticks(stock("AAPL"), "AllLast"):
            print(trade.time, trade.price, trade.size, trade.exchange)
            seen += 1
            if seen == 10:
                break
        print("10 trades or more")


asyncio.run(main())
