"""What each request does. One table from the class of a request to its handler; nothing is ever met with
silence.

link       clocks, ids, managed accounts contracts  contract details, matching symbols, market rules
streams    market data, real-time bars, tick by tick history    bars, head time stamps, historical ticks
orders     place, cancel, open, completed, executions accounts   values, portfolio, positions, summary,
profit and loss refusals   all that this TWS has no subscription for, in TWS's words
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.simulator.requests.accounts import Accounts
from tws.simulator.requests.contracts import Contracts
from tws.simulator.requests.history import History
from tws.simulator.requests.link import Link
from tws.simulator.requests.orders import Orders
from tws.simulator.requests.refusals import refuse
from tws.simulator.requests.streams import Streams
from tws.simulator.session import Session

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Desk"]

FARMS = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)


class Desk:
    """Everything that answers requests."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.accounts = Accounts(core)
        self.streams = Streams(core)
        self.history = History(core)
        self.orders = Orders(core)
        self._table: dict[type, Callable[[Session, Any], None]] = {}
        for part in (Link(core), Contracts(core), self.streams, self.history, self.orders, self.accounts):
            self._table.update(part.handlers())

    def greet(self, session: Session) -> None:
        """The start burst (A2): 15, 9, farm notices, then the client's own living orders."""
        self.orders.greet(session)
        for code, text in FARMS:
            session.error(-1, code, text)
        if self._core.options.send_open_orders:
            self.orders.send_open(session, session.client_id)

    def handle(self, session: Session, request: object) -> None:
        """Answer one request."""
        handler = self._table.get(type(request))
        if handler is None:
            refuse(session, request)
        else:
            handler(session, request)

    def served(self) -> frozenset[type]:
        """The classes of the requests that are more than refused."""
        return frozenset(self._table)

    def drop(self, session: Session) -> None:
        """The session ended: all its subscriptions with it."""
        for part in (self.streams, self.history, self.accounts):
            part.drop(session)

    def elapse(self, now_ns: int) -> None:
        """Market time moved: bars that close, profit and loss, account values every three minutes."""
        for part in (self.streams, self.history, self.accounts):
            part.elapse(now_ns)
