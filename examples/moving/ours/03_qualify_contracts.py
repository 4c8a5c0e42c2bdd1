"""Find the exact contract of a symbol, and its price steps."""

import asyncio
import sys

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        for match in await connection.request_matching_symbols("AAPL"):
            print("matches:", match.contract.symbol, match.contract.sec_type, match.contract.primary_exchange)
        details = await connection.request_contract(stock("AAPL"))
        contract = details.contract
        rule = await connection.request_market_rule(int(details.market_rule_ids.split(",")[0]))
        step = rule.increments[-1][1]
        print(
            f"AAPL is {contract.con_id} on {contract.primary_exchange}, {details.long_name}, steps of {step}"
        )


asyncio.run(main())
