"""Daily bars of the last five days."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
bars = ib.reqHistoricalData(
    Stock("AAPL", "SMART", "USD"),
    endDateTime="",
    durationStr="5 D",
    barSizeSetting="1 day",
    whatToShow="TRADES",
    useRTH=True,
)
for bar in bars:
    print(bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume)
print(f"{len(bars)} bars, {bars[-2].date:%Y%m%d} closed at {bars[-2].close:.2f}")
ib.disconnect()
