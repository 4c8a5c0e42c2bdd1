"""Five-second bars that go on: the past hour, and then each new bar as it ends."""

import sys
from itertools import pairwise

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
bars = ib.reqHistoricalData(
    Stock("AAPL", "SMART", "USD"),
    endDateTime="",
    durationStr="3600 S",
    barSizeSetting="5 secs",
    whatToShow="TRADES",
    useRTH=True,
    keepUpToDate=True,
)
ended = []
bars.updateEvent += lambda bars, new: ended.append(bars[-2].date) if new else None
while len(ended) < 4:
    ib.waitOnUpdate()
steps = {int((later - one).total_seconds()) for one, later in pairwise(ended)}
print(f"{len(ended)} new bars, {steps} seconds apart")
ib.disconnect()
