"""The option chain of SPY: the next expiry, the five strikes around the price, their greeks."""

import sys

from ib_async import IB, Option, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
spy = Stock("SPY", "SMART", "USD")
ib.qualifyContracts(spy)
price = ib.reqTickers(spy)[0].marketPrice()
chains = ib.reqSecDefOptParams("SPY", "", "STK", spy.conId)
chain = next(row for row in chains if row.exchange == "SMART")
expiry = min(chain.expirations)
strikes = sorted(sorted(chain.strikes, key=lambda strike: abs(strike - price))[:5])
calls = [Option("SPY", expiry, strike, "C", "SMART", currency="USD") for strike in strikes]
calls = [call for call in ib.qualifyContracts(*calls) if call]
tickers = ib.reqTickers(*calls)
for ticker in tickers:
    greeks = ticker.modelGreeks
    print(ticker.contract.strike, greeks and f"delta {greeks.delta:.2f}, volatility {greeks.impliedVol:.2f}")
known = sum(ticker.modelGreeks is not None for ticker in tickers)
print(f"expiry {expiry}, {len(calls)} calls, {known} with greeks")
ib.disconnect()
