"""How far back the history of a stock goes."""

import sys

from tws import SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    first = connection.request_head_timestamp(stock("AAPL"))
    print(f"AAPL since {first:%Y-%m-%d}")
