"""Find the exact contract of a symbol, and its price steps."""

import sys

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
for match in ib.reqMatchingSymbols("AAPL"):
    print("matches:", match.contract.symbol, match.contract.secType, match.contract.primaryExchange)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
details = ib.reqContractDetails(contract)[0]
step = ib.reqMarketRule(int(details.marketRuleIds.split(",")[0]))[-1].increment
print(f"AAPL is {contract.conId} on {contract.primaryExchange}, {details.longName}, steps of {step:g}")
ib.disconnect()
