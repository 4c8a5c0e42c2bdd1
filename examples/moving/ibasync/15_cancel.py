"""Three orders: one is cancelled by itself, the others all at once."""

import sys

from ib_async import IB, LimitOrder, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
trades = [ib.placeOrder(contract, LimitOrder("BUY", 100, price, tif="GTC")) for price in (100, 101, 102)]
while any(trade.orderStatus.status != "Submitted" for trade in trades):
    ib.waitOnUpdate()
ib.cancelOrder(trades[0].order)
while not trades[0].isDone():
    ib.waitOnUpdate()
print("left", len(ib.openTrades()))
ib.reqGlobalCancel()
while not all(trade.isDone() for trade in trades):
    ib.waitOnUpdate()
print(", ".join(trade.orderStatus.status for trade in trades))
ib.disconnect()
