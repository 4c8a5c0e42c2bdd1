"""Profit and loss of the account and of one position."""

import sys

from tws import SyncConnection, TWSConfig

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    account = connection.accounts[0]
    held = connection.request_positions()[0]
    with connection.stream_pnl(account) as pnl:
        whole = next(iter(pnl))
        print("account:", whole.daily, whole.unrealized, whole.realized)
    with connection.stream_pnl_of(account, held.contract.con_id) as pnl:
        single = next(iter(pnl))
    result = "a gain" if single.unrealized > 0 else "a loss"
    print(f"{held.contract.symbol}: {single.quantity} shares, {result}")
