"""Profit and loss of the account and of one position."""

import sys
from math import isnan

from ib_async import IB

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
account = ib.managedAccounts()[0]
held = ib.positions()[0]
whole = ib.reqPnL(account)
single = ib.reqPnLSingle(account, "", held.contract.conId)
while isnan(whole.unrealizedPnL) or isnan(single.value):
    ib.waitOnUpdate()
print("account:", whole.dailyPnL, whole.unrealizedPnL, whole.realizedPnL)
result = "a gain" if single.unrealizedPnL > 0 else "a loss"
print(f"{held.contract.symbol}: {single.position:g} shares, {result}")
ib.disconnect()
