"""120 questions at once, on a TWS that takes 50 messages a second."""

import asyncio
import sys

from ib_async import IB, Stock

SYMBOLS = "SPY QQQ IWM DIA TLT GLD SLV TQQQ AAPL MSFT NVDA TSLA AMZN GOOG META AMD IBM BAC DIS XOM".split()


async def main():
    ib = IB()
    await ib.connectAsync("127.0.0.1", int(sys.argv[1]), clientId=1)
    asked = [ib.reqContractDetailsAsync(Stock(s, "SMART", "USD")) for s in SYMBOLS * 6]
    answers = await asyncio.wait_for(asyncio.gather(*asked), 20)
    print(f"{sum(len(rows) == 1 for rows in answers)} of {len(asked)} answered")
    ib.disconnect()


asyncio.run(main())
