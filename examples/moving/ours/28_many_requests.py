"""120 questions at once, on a TWS that takes 50 messages a second."""

import asyncio
import sys

from tws import TWSConfig, TWSConnection, stock

SYMBOLS = "SPY QQQ IWM DIA TLT GLD SLV TQQQ AAPL MSFT NVDA TSLA AMZN GOOG META AMD IBM BAC DIS XOM".split()


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        asked = [connection.request_contract_details(stock(symbol)) for symbol in SYMBOLS * 6]
        answers = await asyncio.wait_for(asyncio.gather(*asked), 20)
        print(f"{sum(len(rows) == 1 for rows in answers)} of {len(asked)} answered")


asyncio.run(main())
