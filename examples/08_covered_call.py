"""A covered call: a hundred shares with their stop, and one call sold against them.

    tws sim
    python examples/08_covered_call.py

The shares come first, the call after them, and both go together: a call without its shares can lose without
end.
"""

import asyncio
from datetime import timedelta

from tws import Contract, Limits, RequestTimeoutError, Trader, TWSConfig, bracket, stock

SPY = stock("SPY")
AWAY = 1.02  # the strike, from the price: far enough that a quiet month lets us keep the premium
HELD_S = 3  # a month in life; so that this program ends by itself


async def call_to_sell(trader: Trader, price: float) -> Contract:
    """The call that expires in three weeks or soon after, at the first strike that is far enough away."""
    chains = await trader.connection.request_option_chain(SPY)
    chain = next(each for each in chains if each.exchange == "SMART")
    not_before = (await trader.connection.request_current_time() + timedelta(days=21)).strftime("%Y%m%d")
    expiry = next(date for date in chain.expirations if date >= not_before)
    # A chain's strikes are those of all its expirations: which of them this one has, TWS says.
    calls = await trader.connection.request_option_contracts(chain, expirations=[expiry], rights=["C"])
    return next(each.contract for each in calls if each.contract.strike >= price * AWAY)


async def main() -> None:
    # An option's order is one contract, its money price times multiplier. Nothing may be sold short here, as
    # on a live account that is not told otherwise: a call that the shares cover is no short sale.
    limits = Limits(max_order_quantity=100, max_order_notional=80_000, short_sales=False)

    async with Trader(TWSConfig(port=7400, client_id=8), limits=limits) as trader:
        trader.on_alert(lambda alert: print("ALERT", alert.text))  # of a call left without its shares, too
        price = (await trader.quote(SPY)).ask
        call = await call_to_sell(trader, price)
        print(f"SPY at {price}; the call of {call.last_trade_date} at {call.strike:g}")

        wish = bracket(SPY, "BUY", 100, stop=round(price * 0.95, 2), target=round(call.strike * 1.02, 2))
        shares = await trader.submit(wish)
        if shares.denial or await shares.entry_filled() != 100:
            raise SystemExit(f"no shares to cover a call: {shares.denial or shares.filled}")
        print("shares bought at", shares.average_price)

        # The call is a bracket as well: bought back when most of the premium is earned, or when it doubles.
        # Books of options are thin: a limit just below the bid sells at the bid, and never out of the air.
        bid = (await trader.quote(call)).bid
        limit, target, stop = (round(bid * part, 2) for part in (0.97, 0.2, 2.0))
        wish = bracket(call, "SELL", 1, limit=limit, target=target, stop=stop)
        sold = await trader.submit(wish)
        if sold.denial:
            print("the call was denied:", sold.denial)
        else:
            await sold.entry_filled()
            print("call sold at", sold.average_price, "a share")

        try:
            await shares.closed(timeout_s=HELD_S)
            print("the shares are gone, by their stop or their target: the call would be naked")
        except RequestTimeoutError:
            print("held")

        # When the call is exercised, a hundred shares leave at the strike without any order or fill of ours.
        # No program may guess that: entries stop, and what differs is told with its cure, until a human says
        # what it was (tws adjust). To see it: tws sim ctl play assignment, while this runs.
        for differs in trader.discrepancies():
            name = differs.contract.local_symbol
            print(f"differs: {name}: ours {differs.ours}, the broker's {differs.theirs}; {differs.cure}")
        # By symbol: the shares, and the call on them.
        print("flat:", await trader.flatten("SPY", timeout_s=10))


asyncio.run(main())
