"""A bracket: the entry fills, target and stop work."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
ask = ib.reqTickers(contract)[0].ask
limit, target, stop = round(ask * 1.01, 2), round(ask * 1.2, 2), round(ask * 0.8, 2)
bracket = ib.bracketOrder("BUY", 100, limitPrice=limit, takeProfitPrice=target, stopLossPrice=stop, tif="DAY")
entry, profit, loss = [ib.placeOrder(contract, order) for order in bracket]
while not entry.isDone() or "Pending" in profit.orderStatus.status or "Pending" in loss.orderStatus.status:
    ib.waitOnUpdate()
print(f"entry {entry.orderStatus.status}, target {profit.orderStatus.status}, stop {loss.orderStatus.status}")
ib.disconnect()
