"""Daily bars of the last five days."""

import sys

from tws import SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    bars = connection.request_historical_bars(stock("AAPL"), duration="5 D", bar_size="1 day")
    for bar in bars:
        print(bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume)
    print(f"{len(bars)} bars, {bars[-2].date} closed at {bars[-2].close:.2f}")
