"""Each trade of a stock, one by one."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
ticker = ib.reqTickByTickData(contract, "AllLast")
seen = 0
while seen < 10:
    ib.waitOnUpdate()
    for trade in ticker.tickByTicks:
        print(trade.time, trade.price, trade.size, trade.exchange)
        seen += 1
print("10 trades or more")
ib.disconnect()
