"""Five-second bars that go on: the past hour, and then each new bar as it ends."""

import sys
from itertools import pairwise

from tws import SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    now = connection.request_current_time()
    ended = []
    for bar in connection.stream_bars(stock("AAPL"), "5 secs", duration="3600 S"):
        if bar.is_final and bar.time >= now:
            ended.append(bar.time)
        if len(ended) == 4:
            break
    steps = {int((later - one).total_seconds()) for one, later in pairwise(ended)}
    print(f"{len(ended)} new bars, {steps} seconds apart")
