"""Eight pieces of a history asked for at once: TWS takes five in two seconds for one contract (162)."""

import asyncio
import sys
from datetime import timedelta

from ib_async import IB, Stock


async def main():
    ib = IB()
    await ib.connectAsync("127.0.0.1", int(sys.argv[1]), clientId=1)
    now = await ib.reqCurrentTimeAsync()
    asked = [
        ib.reqHistoricalDataAsync(
            Stock("AAPL", "SMART", "USD"),
            endDateTime=now - timedelta(days=days),
            durationStr="600 S",
            barSizeSetting="5 secs",
            whatToShow="TRADES",
            useRTH=True,
        )
        for days in (3, 5, 6, 7, 10, 12, 13, 14)
    ]
    pieces = await asyncio.gather(*asked)
    print(f"{sum(len(bars) > 0 for bars in pieces)} of {len(pieces)} pieces came")
    ib.disconnect()


asyncio.run(main())
