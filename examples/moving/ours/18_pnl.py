"""Profit and loss of the account and of one position."""

import asyncio
import sys

from tws import TWSConfig, TWSConnection


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        account = connection.accounts[0]
        held = (await connection.request_positions())[0]
        async with connection.stream_pnl(account) as pnl:
            whole = await anext(pnl)
            print("account:", whole.daily, whole.unrealized, whole.realized)
        async with connection.stream_pnl_of(account, held.contract.con_id) as pnl:
            single = await anext(pnl)
        result = "a gain" if single.unrealized > 0 else "a loss"
        print(f"{held.contract.symbol}: {single.quantity} shares, {result}")


asyncio.run(main())
