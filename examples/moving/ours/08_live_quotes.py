"""Live quotes of a stock."""

import sys

from tws import MarketDataType, SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    seen = 0
    for quote in connection.stream_quotes(stock("AAPL")):
        if quote.bid and quote.ask:
            print(quote.time, quote.bid, quote.ask, quote.last)
            seen += 1
        if seen == 10:
            break
    print(f"{seen} quotes, {'live' if quote.kind == MarketDataType.LIVE else 'not live'}")
