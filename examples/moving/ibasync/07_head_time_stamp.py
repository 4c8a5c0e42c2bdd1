"""How far back the history of a stock goes."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
first = ib.reqHeadTimeStamp(Stock("AAPL", "SMART", "USD"), whatToShow="TRADES", useRTH=True, formatDate=2)
print(f"AAPL since {first:%Y-%m-%d}")
ib.disconnect()
