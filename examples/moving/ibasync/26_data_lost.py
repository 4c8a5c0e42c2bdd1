"""TWS loses its server and comes back with 1101: every subscription is dead until it is made again."""

import sys
import time

from ib_async import IB, Stock

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
contract = Stock("AAPL", "SMART", "USD")
ib.qualifyContracts(contract)
quotes = ib.reqMktData(contract)
bars = ib.reqHistoricalData(contract, "", "3600 S", "5 secs", "TRADES", True, keepUpToDate=True)
live_bars = ib.reqRealTimeBars(contract, 5, "TRADES", True)
heard = {}
for name, stream in (("quotes", quotes), ("bars", bars), ("live bars", live_bars)):
    stream.updateEvent += lambda *_, name=name: heard.update({name: time.monotonic()})
ib.sleep(20)  # 1100 comes after two seconds, 1101 after three
flow = [name for name, moment in heard.items() if time.monotonic() - moment < 3]
print("what flows:", ", ".join(sorted(flow)) or "nothing")
ib.disconnect()
