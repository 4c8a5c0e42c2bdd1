"""One quote of each of several symbols."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contracts = [Stock(symbol, "SMART", "USD") for symbol in ("SPY", "AAPL", "MSFT", "NVDA")]
ib.qualifyContracts(*contracts)
tickers = ib.reqTickers(*contracts)
for ticker in tickers:
    print(ticker.contract.symbol, ticker.bid, ticker.ask, ticker.last, ticker.close)
print(f"{sum(ticker.hasBidAsk() for ticker in tickers)} of {len(contracts)} quoted")
ib.disconnect()
