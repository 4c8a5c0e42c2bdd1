"""Connect to TWS and ask three things: the time, the accounts, an order id. Nothing is traded.

    tws sim                          in one terminal: a simulated TWS on port 7400
    python examples/01_connect.py    in another

A TWS of yours in paper mode listens on 7497, IB Gateway on 4002: only the port differs.
"""

from tws import SyncConnection, TWSConfig

# `with` connects, raises what is wrong with its cause and its cure, and closes cleanly at the end.
with SyncConnection(TWSConfig(port=7400, client_id=1)) as connection:
    print("TWS time  ", connection.request_current_time())
    print("accounts  ", ", ".join(connection.accounts))
    # An id is reserved when it is asked for: no other order of this program can have it.
    print("next order", connection.get_next_order_id())
