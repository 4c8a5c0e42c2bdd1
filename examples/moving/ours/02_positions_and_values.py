"""What the account holds and what it is worth."""

import sys

from tws import SyncConnection, TWSConfig

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    values = connection.request_account_values()
    for value in values:
        if value.key in ("NetLiquidation", "BuyingPower"):
            print(value.account, value.key, value.value, value.currency)
    held = [f"{row.contract.symbol} {row.quantity}" for row in connection.request_positions()]
    cash = next(v.value for v in values if v.key == "TotalCashBalance" and v.currency == "USD")
    print(f"{', '.join(held)}, cash {float(cash):.2f}")
