"""The option chain of SPY: the next expiry, the five strikes around the price, their greeks."""

import asyncio
import sys

from tws import TWSConfig, TWSConnection, stock


async def greeks_of(connection, contract):
    """The model's greeks, as soon as TWS has reckoned them."""
    async with connection.stream_quotes(contract) as quotes:
        while quotes.greeks.model is None:
            await anext(quotes)
        return quotes.greeks.model


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        spy = (await connection.request_contract(stock("SPY"))).contract
        price = (await connection.request_quote(spy)).mid
        chains = await connection.request_option_chain(spy)
        chain = next(row for row in chains if row.exchange == "SMART")
        expiry = chain.expirations[0]
        strikes = sorted(chain.strikes, key=lambda strike: abs(strike - price))[:5]
        calls = await connection.request_option_contracts(
            chain, expirations=[expiry], strikes=strikes, rights=["C"]
        )
        known = await asyncio.gather(*(greeks_of(connection, call.contract) for call in calls))
        for call, greeks in zip(calls, known, strict=True):
            print(
                call.contract.strike, f"delta {greeks.delta:.2f}, volatility {greeks.implied_volatility:.2f}"
            )
        print(f"expiry {expiry}, {len(calls)} calls, {len(known)} with greeks")


asyncio.run(main())
