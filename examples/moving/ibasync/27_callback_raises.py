"""A mistake in a callback: it raises on each tick. What else hears of the ticks, and of the order?"""

import sys

from ib_async import IB, MarketOrder, Stock


def broken(*_):
    raise ValueError("a mistake of mine")


ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
ticker = ib.reqMktData(contract)
seen = []
ticker.updateEvent += broken
ticker.updateEvent += seen.append
ib.sleep(1)
trade = ib.placeOrder(contract, MarketOrder("BUY", 100, tif="DAY"))
ib.sleep(2)
print(f"{'quotes seen' if seen else 'no quotes seen'}, order {trade.orderStatus.status}")
ib.disconnect()
