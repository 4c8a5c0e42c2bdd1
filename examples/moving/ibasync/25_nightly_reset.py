"""The night: 1100, 1102, then TWS restarts. In the morning the quotes must come again."""

import sys
import time

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
ticker = ib.reqMktData(contract)
heard = time.monotonic()


def on_update(tickers):
    global heard
    heard = time.monotonic()


ib.pendingTickersEvent += on_update
ib.sleep(16)  # the night lasts six
flows = time.monotonic() - heard < 3
print(f"{'connected' if ib.isConnected() else 'not connected'}, quotes {'flow' if flows else 'have stopped'}")
ib.disconnect()
