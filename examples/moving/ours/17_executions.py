"""The day's executions with their fees."""

import asyncio
import sys

from tws import Order, TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        facts, broker = connection.facts(), connection.broker
        contract = (await connection.request_contract(stock("AAPL"))).contract
        async with connection.stream_quotes(contract) as quotes:
            while not quotes.quote.ask:
                await anext(quotes)
            for number, side in enumerate(("BUY", "SELL"), start=1):
                connection.place_order(contract, Order(side=side, quantity=100))
                while sum(broker.commission(fill.exec_id) is not None for fill in broker.executions) < number:
                    await facts.wait()
                    facts.drain()
        fees = [broker.commission(fill.exec_id).amount for fill in broker.executions]
        for fill, fee in zip(broker.executions, fees, strict=True):
            print(fill.side, fill.quantity, fill.price, fee)
        print(f"{sum(fill.quantity for fill in broker.executions)} shares, fees {sum(fees):.2f}")


asyncio.run(main())
