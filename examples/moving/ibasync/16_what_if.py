"""What an order would cost in margin and fees, without placing it."""

import sys

from ib_async import IB, MarketOrder, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
state = ib.whatIfOrder(contract, MarketOrder("BUY", 100, tif="DAY"))
print("initial margin", state.initMarginBefore, "to", state.initMarginAfter)
print(f"fees of {state.commission:.2f}, {len(ib.openTrades())} orders placed")
ib.disconnect()
