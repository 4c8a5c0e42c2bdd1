"""TWS loses its server (1100), the order fills meanwhile, and nobody says so afterwards."""

import sys

from ib_async import IB, LimitOrder, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
ask = ib.reqTickers(contract)[0].ask
trade = ib.placeOrder(contract, LimitOrder("BUY", 100, round(ask * 0.98, 2), tif="DAY"))
ib.sleep(8)  # 1100 comes after half a second, the fill after two, 1102 after three and a half
print(f"{trade.orderStatus.status}, {sum(fill.execution.shares for fill in ib.fills()):g} shares filled")
ib.disconnect()
