"""Connect, name the accounts, ask for the time."""

import sys

from ib_async import IB

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
now = ib.reqCurrentTime()
print("server version", ib.client.serverVersion())
print(f"{', '.join(ib.managedAccounts())} on {now:%A %d %B %Y}")
ib.disconnect()
