"""Live quotes of a stock."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
ticker = ib.reqMktData(contract)
seen = 0
while seen < 10:
    ib.waitOnUpdate()
    if ticker.hasBidAsk():
        print(ticker.time, ticker.bid, ticker.ask, ticker.last)
        seen += 1
print(f"{seen} quotes, {'live' if ticker.marketDataType == 1 else 'not live'}")
ib.disconnect()
