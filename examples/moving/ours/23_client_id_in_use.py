"""The program was killed and starts again; TWS still believes that its client id is in use (326)."""

import sys

from tws import SyncConnection, TWSConfig

with SyncConnection(TWSConfig(port=int(sys.argv[1]), client_id=1)) as connection:
    print("connected with client id", connection.config.client_id)
