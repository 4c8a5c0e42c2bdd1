"""How far back the history of a stock goes."""

import asyncio
import sys

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        first = await connection.request_head_timestamp(stock("AAPL"))
        print(f"AAPL since {first:%Y-%m-%d}")


asyncio.run(main())
