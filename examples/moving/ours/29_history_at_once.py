"""Eight pieces of a history asked for at once: TWS takes five in two seconds for one contract (162)."""

import asyncio
import sys
from datetime import timedelta

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        now = await connection.request_current_time()
        asked = [
            connection.request_historical_bars(
                stock("AAPL"), duration="600 S", bar_size="5 secs", end=now - timedelta(days=days)
            )
            for days in (3, 5, 6, 7, 10, 12, 13, 14)
        ]
        pieces = await asyncio.gather(*asked)
        print(f"{sum(len(bars) > 0 for bars in pieces)} of {len(pieces)} pieces came")


asyncio.run(main())
