"""Market data: a quote, quotes as they move, bars of the past and bars as they are made.

    tws sim --speed 10                   in one terminal: ten times as fast as life
    python examples/02_market_data.py    in another
"""

import asyncio

from tws import TWSConfig, TWSConnection, stock

SPY = stock("SPY")


async def main() -> None:
    async with TWSConnection(TWSConfig(port=7400, client_id=2)) as connection:
        quote = await connection.request_quote(SPY)
        print(f"SPY {quote.bid} to {quote.ask}, {quote.kind.name.lower()} data")

        # A stream ends with its `async with`, here and at TWS. After a lost link it comes back by itself.
        async with connection.stream_quotes(SPY) as quotes:
            for _ in range(3):
                quote = await anext(quotes)
                print(f"quote  {quote.time:%H:%M:%S}  {quote.bid} {quote.ask}  last {quote.last}")

        # Prices of market data are floats, for they are analysed; what is unknown is None, never 0 or -1.
        past = await connection.request_historical_bars(SPY, duration="1800 S", bar_size="5 mins")
        for bar in past[-3:]:
            print(f"past   {bar.time:%H:%M:%S}  {bar.open} {bar.high} {bar.low} {bar.close}")

        async with connection.stream_realtime_bars(SPY, "TRADES") as bars:
            bar = await anext(bars)
            print(f"live   {bar.time:%H:%M:%S}  {bar.open} {bar.high} {bar.low} {bar.close}")


asyncio.run(main())
