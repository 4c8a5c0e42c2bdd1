"""The book of a stock, five rows deep."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
ticker = ib.reqMktDepth(contract, numRows=5, isSmartDepth=True)
while len(ticker.domBids) < 5 or len(ticker.domAsks) < 5:
    ib.waitOnUpdate()
for bid, ask in zip(ticker.domBids, ticker.domAsks, strict=False):
    print(f"{bid.size:g} at {bid.price} | {ask.price} for {ask.size:g}")
print(f"{len(ticker.domBids)} bids, {len(ticker.domAsks)} asks")
ib.disconnect()
