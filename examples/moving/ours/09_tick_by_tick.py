"""Each trade of a stock, one by one."""

import sys
from itertools import islice

from tws import SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    for trade in islice(connection.stream_ticks(stock("AAPL"), "AllLast"), 10):
        print(trade.time, trade.price, trade.size, trade.exchange)
    print("10 trades or more")
