"""The program was killed and starts again; TWS still believes that its client id is in use (326)."""

import sys

from ib_async import IB

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1, timeout=10)
print("connected with client id", ib.client.clientId)
ib.disconnect()
