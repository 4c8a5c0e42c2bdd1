"""A misspelt symbol."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
bars = ib.reqHistoricalData(
    Stock("AAPLE", "SMART", "USD"),
    endDateTime="",
    durationStr="5 D",
    barSizeSetting="1 day",
    whatToShow="TRADES",
    useRTH=True,
)
print(f"{len(bars)} bars")
ib.disconnect()
