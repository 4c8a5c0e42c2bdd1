"""The socket stays open and nothing comes any more."""

import asyncio
import sys
import time

from tws import TWSConfig, TWSConnection, stock


async def main():
    heard = 0.0

    def on_tick(field, price, size):
        nonlocal heard
        heard = time.monotonic()

    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        quotes = connection.stream_quotes(stock("AAPL"))
        quotes.on_tick(on_tick)
        await asyncio.sleep(30)  # TWS falls silent after three seconds
        flows = "flow" if time.monotonic() - heard < 3 else "have stopped"
        print(f"{'connected' if connection.is_connected() else 'not connected'}, quotes {flows}")


asyncio.run(main())
