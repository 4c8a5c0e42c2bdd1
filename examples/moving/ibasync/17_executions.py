"""The day's executions with their fees."""

import sys

from ib_async import IB, MarketOrder, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
for side in ("BUY", "SELL"):
    trade = ib.placeOrder(contract, MarketOrder(side, 100, tif="DAY"))
    while not trade.isDone() or not trade.fills or not trade.fills[-1].commissionReport.commission:
        ib.waitOnUpdate()
fills = ib.fills()
for fill in fills:
    print(fill.execution.side, fill.execution.shares, fill.execution.price, fill.commissionReport.commission)
fees = sum(fill.commissionReport.commission for fill in fills)
print(f"{sum(fill.execution.shares for fill in fills):g} shares, fees {fees:.2f}")
ib.disconnect()
