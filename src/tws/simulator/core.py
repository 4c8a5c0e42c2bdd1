"""What all parts of a simulated TWS share: clock, universe, exchange, tapes, sessions, subscriptions.

An update of the market enters by `publish`: exchange first (so that a fill is a fact before the quote
that made it leaves), then the tape, then every line. Events of the exchange leave by `tell`. Both only
queue; `flush` writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from tws.clock import NS_PER_S, to_datetime
from tws.exchange import AccountSetup, Event, Exchange, Listing
from tws.exchange import Session as ExchangeSession
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.simulator import ticks
from tws.simulator.admission import Admission
from tws.simulator.faults import Faults
from tws.simulator.hours import local_date, spans
from tws.simulator.limits import Limiter
from tws.simulator.market.base import Market, MarketUpdate
from tws.simulator.options import SimulatorOptions, check_zone
from tws.simulator.past import SyntheticPast
from tws.simulator.session import Session
from tws.simulator.tape import Tape
from tws.simulator.universe import Security, Universe
from tws.wire.messages import Request

__all__ = ["Core"]

DAYS_AHEAD = 400
"""For so many days from the start the exchange knows its sessions."""
EXTENDED_BEFORE = 2
ZONE_NAMES = {
    "EST": "Eastern Standard Time",
    "EDT": "Eastern Daylight Time",
    "CST": "Central Standard Time",
    "CDT": "Central Daylight Time",
    "GMT": "Greenwich Mean Time",
    "BST": "British Summer Time",
    "CET": "Central European Standard Time",
    "CEST": "Central European Summer Time",
    "JST": "Japan Standard Time",
    "HKT": "Hong Kong Standard Time",
}
"""How Java names zones in full; the British ones were seen in handshakes (A1), the others are assumed."""


class Core:
    """The state. `clock` gives market time; the driver sets it. `room` is set whenever a full buffer
    drained.
    """

    def __init__(self, options: SimulatorOptions, universe: Universe, market: Market, start_ns: int) -> None:
        # late: these modules name Core in their signatures
        from tws.simulator.broker import Broker
        from tws.simulator.requests import Desk

        self.options = options
        self.universe = universe
        self.market = market
        self.start_ns = start_ns
        self.clock: Callable[[], int] = lambda: self.start_ns
        self.faults = Faults()
        self.zone = check_zone(options.zone)
        self.loop_time: Callable[[], float] = lambda: asyncio.get_running_loop().time()
        self.call_at: Callable[[float, Callable[[], None]], object] = (
            lambda when, callback: asyncio.get_running_loop().call_at(when, callback)
        )
        self.admission = Admission(options, lambda: self.loop_time())
        self.limiter = Limiter(options.limits, lambda: self.loop_time(), self.later)
        self.room = asyncio.Event()
        self.sessions: list[Session] = []
        self.by_client: dict[int, Session] = {}
        self.bytes_received = 0
        self._bytes_sent = 0
        self.lines: dict[int, list[ticks.Line]] = {}
        self.listeners: dict[int, list[Callable[[MarketUpdate], None]]] = {}
        self.trading = frozenset(security.con_id for security in market.listings)
        self.tapes = {s.con_id: Tape(s.con_id, market.previous_close(s.con_id)) for s in universe.securities}
        self.pasts: dict[int, SyntheticPast] = {}
        self.exchange = self._open_exchange()
        self.broker = Broker(self)
        self.desk = Desk(self)

    def _open_exchange(self) -> Exchange:
        options = self.options
        if options.hours == "always":
            session = ExchangeSession()
        else:
            regular, extended = spans(
                local_date(self.market.start_ns) - timedelta(days=EXTENDED_BEFORE), DAYS_AHEAD
            )
            session = ExchangeSession(regular=regular, extended=extended)
        listings = [
            Listing(instrument=Instrument(contract=contract_of(s), tick=s.tick, lot=s.lot), session=session)
            for s in self.universe.securities
        ]
        run = (
            options.seed * 31 + self.start_ns // NS_PER_S
        ) & 0xFFFF  # two runs never share execIds, a repeated one does
        accounts = [AccountSetup(account=account, cash=options.cash) for account in options.accounts]
        return Exchange(listings, accounts, now_ns=self.market.start_ns, run=run)

    # -- time -------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Market time."""
        return self.clock()

    def connection_time(self) -> str:
        """The handshake's text in the login's zone: `20261123 09:30:00 EST`, or with the zone's whole name
        as TWS writes some (A1).
        """
        local = to_datetime(self.now_ns()).astimezone(self.zone)
        short = local.strftime("%Z")
        name = ZONE_NAMES.get(short, short) if self.options.zone_names else short
        return f"{local:%Y%m%d %H:%M:%S} {name}"

    # -- sessions ---------------------------------------------------------------------------------

    @property
    def bytes_sent(self) -> int:
        """Of all sessions, ended ones included."""
        return self._bytes_sent + sum(session.out.bytes_sent for session in self.sessions)

    def admit(self, session: Session) -> bool:
        """A socket was accepted; False when there are too many."""
        session.out.mute = self.faults.mute
        self.sessions.append(session)
        return len(self.sessions) <= self.options.max_clients

    def start_session(self, session: Session) -> bool:
        """startApi came: the start burst (A2). False when its client id is in use."""
        client_id = session.client_id
        assert client_id is not None
        if client_id in self.by_client or self.admission.is_haunted(client_id):
            return False
        self.by_client[client_id] = session
        self.desk.greet(session)
        return True

    def forget(self, session: Session, *, died: bool = False) -> None:
        """The session ended: its subscriptions and its client id are free. `died`: without a farewell."""
        if session in self.admission.waiting:
            self.admission.waiting.remove(session)
        if session in self.sessions:
            self.sessions.remove(session)
            self._bytes_sent += session.out.bytes_sent
        if session.client_id is not None and self.by_client.get(session.client_id) is session:
            del self.by_client[session.client_id]
            self.desk.drop(session)
            if died:
                self.admission.died(session.client_id)
        self.room.set()

    def handle(self, session: Session, request: Request | object) -> None:
        """One decoded request."""
        if not self.admission.refuses(session, request):
            self.desk.handle(session, request)

    def later(self, when: float, callback: Callable[[], None]) -> None:
        """Do something at a moment of the loop's time, and send what it said."""

        def call() -> None:
            callback()
            self.flush()

        self.call_at(when, call)

    def notice(self, code: int, text: str) -> None:
        """A line for every session, such as those of the farms (A6)."""
        for session in list(self.by_client.values()):
            session.error(-1, code, text)
        self.flush()

    def flush(self) -> None:
        """Write what every session has queued."""
        self.broker.settle()
        for session in list(self.sessions):
            session.out.flush()

    # -- the market -------------------------------------------------------------------------------

    def publish(self, update: MarketUpdate) -> None:
        """One update: to the exchange, the tape, and every line that listens."""
        con_id, now_ns = update.con_id, update.time_ns
        tape = self.tapes[con_id]
        exchange = self.exchange
        if (
            update.bid != tape.bid
            or update.ask != tape.ask
            or update.bid_size != tape.bid_size
            or update.ask_size != tape.ask_size
        ):
            events = exchange.quote(con_id, update.bid, update.bid_size, update.ask, update.ask_size, now_ns)
            if events:
                self.tell(events)
        if update.trade_size:
            events = exchange.trade(con_id, int(update.trade * 100 + 0.5), update.trade_size, now_ns)
            if events:
                self.tell(events)
        lines = self.lines.get(con_id)
        if not lines:
            tape.apply(update)
        else:
            parts = ticks.changes(tape, update)
            tape.apply(update)
            for line in lines:
                ticks.send(line, parts)
                if line.rt_volume and update.trade_size:
                    ticks.send(line, [ticks.rt_volume(tape, update)])
        listeners = self.listeners.get(con_id)
        if listeners:
            for listen in list(listeners):
                listen(update)

    def elapse(self, now_ns: int) -> None:
        """Market time reached `now_ns`: what the exchange and the subscriptions do by time alone."""
        wake = self.exchange.next_wake()
        if wake is not None and wake <= now_ns:
            self.tell(self.exchange.advance(now_ns))
        self.desk.elapse(now_ns)

    def new_day(self, now_ns: int) -> None:
        """20:30 in New York: the day's figures begin anew (D)."""
        self.tell(self.exchange.new_day(now_ns))
        for con_id, tape in self.tapes.items():
            tape.new_day()
            for line in self.lines.get(con_id, ()):
                ticks.send(line, [part for part in ticks.snapshot(tape) if part[0] == ticks.CLOSE])

    def tell(self, events: Sequence[Event]) -> None:
        """Say the exchange's events to whom they concern."""
        self.broker.tell(events)

    def security(self, con_id: int) -> Security:
        """The known security of this conId. Raises KeyError."""
        known = self.universe.get(con_id)
        if known is None:
            raise KeyError(con_id)
        return known


def contract_of(security: Security) -> Contract:
    """The model's contract of a security."""
    return Contract(
        con_id=security.con_id,
        symbol=security.symbol,
        sec_type=security.sec_type,
        last_trade_date=security.last_trade_date,
        strike=security.strike,
        right=security.right,
        multiplier=security.multiplier,
        exchange=security.exchange,
        currency=security.currency,
        primary_exchange=security.primary_exchange,
        local_symbol=security.local_symbol,
        trading_class=security.trading_class,
    )
