"""A limit order below the market; then it is moved."""

import sys

from ib_async import IB, LimitOrder, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
order = LimitOrder("BUY", 100, 100.00, tif="GTC")
trade = ib.placeOrder(contract, order)
while trade.orderStatus.status != "Submitted":
    ib.waitOnUpdate()
order.lmtPrice, order.totalQuantity = 101.50, 50
ib.placeOrder(contract, order)
ib.sleep(0.5)
for trade in ib.reqAllOpenOrders():
    print(f"{trade.order.totalQuantity:g} at {trade.order.lmtPrice:.2f}, {trade.orderStatus.status}")
ib.disconnect()
