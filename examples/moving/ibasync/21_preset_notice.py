"""A good-till-cancelled order meets a preset of TWS: 10349 says that it is a day order now. It lives.

The program places a cancelled order anew, as many do.
"""

import sys

from ib_async import IB, LimitOrder, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
cancelled = []


def on_cancelled(trade):
    cancelled.append(trade)
    ib.placeOrder(contract, LimitOrder("BUY", 100, 100.00, tif="DAY"))


trade = ib.placeOrder(contract, LimitOrder("BUY", 100, 100.00, tif="GTC"))
trade.cancelledEvent += on_cancelled
ib.sleep(2)
print(f"called {'Cancelled' if cancelled else 'alive'}, orders at work: {len(ib.openTrades())}")
ib.disconnect()
