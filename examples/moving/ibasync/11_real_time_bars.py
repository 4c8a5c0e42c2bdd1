"""Five-second bars in real time."""

import sys
from itertools import pairwise

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
bars = ib.reqRealTimeBars(Stock("AAPL", "SMART", "USD"), 5, "TRADES", useRTH=False)
while len(bars) < 3:
    ib.waitOnUpdate()
for bar in bars:
    print(bar.time, bar.open_, bar.high, bar.low, bar.close)
steps = {int((later.time - one.time).total_seconds()) for one, later in pairwise(bars)}
print(f"3 bars or more, {steps} seconds apart")
ib.disconnect()
