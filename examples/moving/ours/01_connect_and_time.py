"""Connect, name the accounts, ask for the time."""

import sys

from tws import SyncConnection, TWSConfig

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    now = connection.request_current_time()
    print("server version", connection.server_version)
    print(f"{', '.join(connection.accounts)} on {now:%A %d %B %Y}")
