"""The book of a stock, five rows deep."""

import asyncio
import sys

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with (
        TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection,
        connection.stream_depth(stock("AAPL"), rows=5, smart=True) as book,
    ):
        async for _ in book:
            if len(book.bids) == 5 and len(book.asks) == 5:
                break
        for bid, ask in zip(book.bids, book.asks, strict=True):
            print(f"{bid.size} at {bid.price} | {ask.price} for {ask.size}")
        print(f"{len(book.bids)} bids, {len(book.asks)} asks")


asyncio.run(main())
