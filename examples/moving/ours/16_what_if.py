"""What an order would cost in margin and fees, without placing it."""

import sys

from tws import Order, SyncConnection, TWSConfig, stock

with SyncConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
    contract = connection.request_contract(stock("AAPL")).contract
    cost = connection.request_what_if(contract, Order(side="BUY", quantity=100))
    print("initial margin", cost.initial.before, "to", cost.initial.after)
    print(f"fees of {cost.commission:.2f}, {len(connection.request_open_orders())} orders placed")
