"""Five-second bars in real time."""

import asyncio
import sys
from itertools import pairwise

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        bars = []
        async for bar in connection.stream_realtime_bars(stock("AAPL"), "TRADES", use_rth=False):
            print(bar.time, bar.open, bar.high, bar.low, bar.close)
            bars.append(bar)
            if len(bars) == 3:
                break
        steps = {int((later.time - one.time).total_seconds()) for one, later in pairwise(bars)}
        print(f"3 bars or more, {steps} seconds apart")


asyncio.run(main())
