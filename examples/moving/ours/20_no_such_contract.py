"""A misspelt symbol."""

import sys

from tws import SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    bars = connection.request_historical_bars(stock("AAPLE"), duration="5 D", bar_size="1 day")
    print(f"{len(bars)} bars")
