"""Find the exact contract of a symbol, and its price steps."""

import sys

from tws import SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    for match in connection.request_matching_symbols("AAPL"):
        print("matches:", match.contract.symbol, match.contract.sec_type, match.contract.primary_exchange)
    details = connection.request_contract(stock("AAPL"))
    contract = details.contract
    step = connection.request_market_rule(int(details.market_rule_ids.split(",")[0])).increments[-1][1]
    print(f"AAPL is {contract.con_id} on {contract.primary_exchange}, {details.long_name}, steps of {step}")
