"""What the account holds and what it is worth."""

import sys

from ib_async import IB

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
for value in ib.accountSummary():
    if value.tag in ("NetLiquidation", "BuyingPower"):
        print(value.account, value.tag, value.value, value.currency)
held = [f"{row.contract.symbol} {row.position:g}" for row in ib.positions()]
cash = next(v.value for v in ib.accountValues() if v.tag == "TotalCashBalance" and v.currency == "USD")
print(f"{', '.join(held)}, cash {float(cash):.2f}")
ib.disconnect()
