"""What each request does. One table from the class of a request to its handler; nothing is ever met with
silence.

    link       clocks, ids, managed accounts; settings: TWS's own; verification of programs
    contracts  contract details, matching symbols, market rules, option chains
    lists      depth exchanges, exchanges behind SMART, families, soft-dollar tiers
    reference  option arithmetic, histograms, display groups
    exercises  exercise and lapse of options; advisors: groups of accounts, and orders for them
    streams    market data, depth, real-time bars, tick by tick
    history    bars, schedules, head time stamps; pastticks: historical ticks
    orders     place, cancel, open; reports: executions, completed orders
    accounts   values, portfolio, positions, summary, profit and loss
    news       providers, articles, headlines, bulletins; scanners; research: fundamentals, corporate events
    refusals   all that this TWS does not serve, in TWS's words
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.simulator.requests.accounts import Accounts
from tws.simulator.requests.advisors import Advisors
from tws.simulator.requests.contracts import Contracts
from tws.simulator.requests.exercises import Exercises
from tws.simulator.requests.history import History
from tws.simulator.requests.link import Link
from tws.simulator.requests.lists import Lists
from tws.simulator.requests.news import News
from tws.simulator.requests.orders import Orders
from tws.simulator.requests.pastticks import PastTicks
from tws.simulator.requests.reference import Reference
from tws.simulator.requests.refusals import refuse
from tws.simulator.requests.reports import Reports
from tws.simulator.requests.research import Research
from tws.simulator.requests.scanners import Scanners
from tws.simulator.requests.settings import Settings
from tws.simulator.requests.streams import Streams
from tws.simulator.requests.verification import Verification
from tws.simulator.session import Session

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Desk"]

FARMS = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)
IDLE_FARMS = (
    (2108, "Market data farm connection is inactive but should be available upon demand.usfarm"),
    (2107, "HMDS data farm connection is inactive but should be available upon demand.ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)
"""What an IB Gateway says first: it connects to a farm when the first request needs it (A2)."""
DEMANDS: tuple[tuple[frozenset[str], tuple[tuple[int, str], ...]], ...] = (
    (
        frozenset({"MarketDataRequest", "RealTimeBarsRequest", "TickByTickRequest", "MarketDepthRequest"}),
        ((2119, "Market data farm is connecting:usfarm"), FARMS[0]),
    ),
    (
        frozenset(
            {
                "HistoricalDataRequest",
                "HeadTimestampRequest",
                "HistoricalTicksRequest",
                "ScannerSubscriptionRequest",  # its errors are the same service's
            }
        ),
        (FARMS[1],),
    ),
)
"""Which requests wake which farm, and what every session hears then."""


class Desk:
    """Everything that answers requests."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.accounts = Accounts(core)
        self.history = History(core)
        self.news = News(core)
        self.streams = Streams(core, self.history, self.news)
        self.exercises = Exercises(core)
        self.advisors = Advisors(core)
        self.settings = Settings(core)
        self.orders = Orders(core, self.exercises)
        self._table: dict[type, Callable[[Session, Any], None]] = {}
        self.reference = Reference(core, self.history)
        pasts = (PastTicks(core, self.history), Reports(core))
        self._scanners, self._research = Scanners(core), Research(core)
        told = (self.news, self._scanners, self._research)
        others = (Link(core), self.settings, Contracts(core), Lists(core), *pasts, *told, self.reference)
        for part in (*others, self.streams, self.history, self.orders, self.exercises, self.accounts):
            self._table.update(part.handlers())
        self._verification = Verification(core).handlers()
        self._table.update(self.advisors.handlers() | self._verification)
        self._asleep = dict(DEMANDS) if core.options.gateway else {}

    def greet(self, session: Session) -> None:
        """The start burst (A2): 15, 9, farm notices, then the client's own living orders."""
        self.orders.greet(session)
        for code, text in self._farms():
            session.error(-1, code, text)
        if self._core.options.send_open_orders and not self._core.options.read_only:
            self.orders.send_open(session, session.client_id)

    def _farms(self) -> list[tuple[int, str]]:
        """The farms as they stand; market data, history, definitions."""
        idle = [demand in self._asleep for demand, _ in DEMANDS] + [False]
        return [IDLE_FARMS[place] if sleeps else FARMS[place] for place, sleeps in enumerate(idle)]

    def _wake(self, request: object) -> None:
        """An IB Gateway connects to a farm when a request needs it, and tells everybody."""
        name = type(request).__name__
        for demand in [demand for demand in self._asleep if name in demand]:
            for code, text in self._asleep.pop(demand):
                self._core.notice(code, text)

    def handle_early(self, session: Session, request: object) -> None:
        """Answer a request that came before startApi: a verification, or else nothing happens (A2)."""
        handler = self._verification.get(type(request))
        if handler is not None:
            handler(session, request)

    def handle(self, session: Session, request: object) -> None:
        """Answer one request."""
        if self._asleep:
            self._wake(request)
        handler = self._table.get(type(request))
        if handler is None:
            refuse(session, request)
        else:
            handler(session, request)

    def served(self) -> frozenset[type]:
        """The classes of the requests that are more than refused."""
        return frozenset(self._table)

    def wanted(self) -> frozenset[int]:
        """The conIds whose tapes somebody reads from time to time, without listening to each update."""
        return self.streams.wanted() | self.history.wanted()

    def drop(self, session: Session) -> None:
        """The session ended: all its subscriptions with it."""
        told = (self.news, self._scanners, self._research)
        for part in (self.streams, self.history, self.accounts, self.reference, *told):
            part.drop(session)

    def elapse(self, now_ns: int) -> None:
        """Market time moved: bars that close, profit and loss, account values every three minutes."""
        for part in (self.streams, self.history, self.accounts, self.news, self._scanners):
            part.elapse(now_ns)
