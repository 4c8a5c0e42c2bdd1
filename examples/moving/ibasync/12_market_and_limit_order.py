"""Buy 100 at the market, sell them with a limit that is met."""

import sys

from ib_async import IB, LimitOrder, MarketOrder, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
buy = ib.placeOrder(contract, MarketOrder("BUY", 100, tif="DAY"))
while not buy.isDone():
    ib.waitOnUpdate()
limit = round(buy.orderStatus.avgFillPrice * 0.99, 2)
sell = ib.placeOrder(contract, LimitOrder("SELL", 100, limit, tif="DAY"))
while not sell.isDone():
    ib.waitOnUpdate()
for trade in (buy, sell):
    print(trade.order.action, trade.orderStatus.status, trade.orderStatus.filled)
print(f"bought at {buy.orderStatus.avgFillPrice:.2f}, sold at {sell.orderStatus.avgFillPrice:.2f}")
ib.disconnect()
