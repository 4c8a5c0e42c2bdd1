"""What can be asked of TWS and what it answers, one module for each family of requests.

A family has two halves that belong together: a class of questions, which `TWSConnection` inherits, and
`hear(answers)`, the handlers of the messages that answer them. `base` has what all families use. To add a
request: its message stands in `tws.wire.messages`; write the question and the handler here, its row in
docs/design/requests.md, and the same name on `SyncConnection`.

session     clock, ids, accounts of the login
contracts   details of contracts
history     bars of the past
quotes      streams of quotes, their kind
ticks       tick by tick
orders      open and completed orders, executions
accounts    positions, account values
settings    TWS's own settings
"""

from __future__ import annotations

from tws.connection.families import accounts, contracts, history, orders, quotes, session, settings, ticks

__all__ = ["FAMILIES"]

FAMILIES = (session, contracts, history, quotes, ticks, orders, accounts, settings)
"""Every module that hears answers; each has `hear`."""
