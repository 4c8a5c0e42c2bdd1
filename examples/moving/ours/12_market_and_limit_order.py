"""Buy 100 at the market, sell them with a limit that is met."""

import asyncio
import sys

from tws import Order, TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        facts, broker = connection.facts(), connection.broker

        async def filled(contract, order):
            connection.place_order(contract, order)
            while not broker.of_ref(order.order_ref) or broker.of_ref(order.order_ref)[0].is_open:
                await facts.wait()
                facts.drain()
            (seen,) = broker.of_ref(order.order_ref)
            print(order.side, seen.status, seen.filled)
            return seen.report.average_price

        contract = (await connection.request_contract(stock("AAPL"))).contract
        async with connection.stream_quotes(contract) as quotes:  # the guard values an order by its quote
            while not quotes.quote.ask:
                await anext(quotes)
            bought = await filled(contract, Order(side="BUY", quantity=100, order_ref="in"))
            limit = round(float(bought) * 0.99, 2)
            wish = Order(side="SELL", quantity=100, order_type="LMT", limit_price=limit, order_ref="out")
            sold = await filled(contract, wish)
        print(f"bought at {bought:.2f}, sold at {sold:.2f}")


asyncio.run(main())
