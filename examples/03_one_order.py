"""One protected order through the desk: bought at the market, with its stop and its target at the broker.

    tws sim --speed 10                 in one terminal
    python examples/03_one_order.py    in another

Each order is written to the journal before a byte of it leaves, and only the risk gate lets it out.
"""

import asyncio

from tws import Limits, Trader, TWSConfig, bracket, stock

SPY = stock("SPY")


async def main() -> None:
    # No order of this program is larger, whatever the lines below wish for.
    limits = Limits(max_order_quantity=200, max_order_notional=100_000)

    async with Trader(TWSConfig(port=7400, client_id=3), limits=limits) as trader:
        ask = (await trader.quote(SPY)).ask

        # A denial is ordinary, so it is a value: it names the limit, the figure and the bound.
        greedy = bracket(SPY, "BUY", 500, stop=round(ask * 0.98, 2), target=round(ask * 1.03, 2))
        print("500 shares:", (await trader.submit(greedy)).denial)

        # Entry, stop and target go out together. TWS holds the two exits until the entry fills, and lets
        # one cancel the other: should this program die here, the position stays protected.
        wish = bracket(SPY, "BUY", 100, stop=round(ask * 0.98, 2), target=round(ask * 1.03, 2))
        trade = await trader.submit(wish)
        print("100 shares: filled", await trade.entry_filled(), "at", trade.average_price)

        for order in await trader.connection.request_open_orders():
            price = order.limit_price or order.stop_price
            print("at the broker:", order.side, order.quantity, order.order_type, price, order.status)

        # Cancels both exits, waits for the broker's word, reads the position anew, and closes it.
        print("flat:", await trader.flatten("SPY"))


asyncio.run(main())
