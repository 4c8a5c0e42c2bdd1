"""Five-second bars that go on: the past hour, and then each new bar as it ends."""

import asyncio
import sys
from itertools import pairwise

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        now = await connection.request_current_time()
        ended = []
        async for bar in connection.stream_bars(stock("AAPL"), "5 secs", duration="3600 S"):
            if bar.is_final and bar.time >= now:
                ended.append(bar.time)
            if len(ended) == 4:
                break
        steps = {int((later - one).total_seconds()) for one, later in pairwise(ended)}
        print(f"{len(ended)} new bars, {steps} seconds apart")


asyncio.run(main())
