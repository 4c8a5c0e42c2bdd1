"""One quote of each of several symbols."""

import asyncio
import sys

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        contracts = [stock(symbol) for symbol in ("SPY", "AAPL", "MSFT", "NVDA")]
        quotes = await asyncio.gather(*(connection.request_quote(contract) for contract in contracts))
        for quote in quotes:
            print(quote.symbol, quote.bid, quote.ask, quote.last, quote.close)
        print(f"{sum(quote.mid is not None for quote in quotes)} of {len(contracts)} quoted")


asyncio.run(main())
