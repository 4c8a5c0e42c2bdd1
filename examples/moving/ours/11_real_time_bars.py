"""Five-second bars in real time."""

import sys
from itertools import islice, pairwise

from tws import SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    with connection.stream_realtime_bars(stock("AAPL"), "TRADES", use_rth=False) as stream:
        bars = list(islice(stream, 3))
    for bar in bars:
        print(bar.time, bar.open, bar.high, bar.low, bar.close)
    steps = {int((later.time - one.time).total_seconds()) for one, later in pairwise(bars)}
    print(f"3 bars or more, {steps} seconds apart")
