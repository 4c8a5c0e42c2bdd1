"""What all parts of a simulated TWS share: clock, universe, exchange, tapes, sessions, subscriptions.

An update of the market enters by `publish`: exchange first (so that a fill is a fact before the quote
that made it leaves), then the tape, then every line. Events of the exchange leave by `tell`. Both only
queue; `flush` writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec import structs

from tws.clock import NS_PER_S, to_datetime
from tws.exchange import AccountSetup, Event, Exchange, Listing, TriggerMethod
from tws.exchange import Session as ExchangeSession
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.simulator import combos, ticks, words
from tws.simulator.admission import Admission
from tws.simulator.archive import SpillingArchive
from tws.simulator.currencies import RATES
from tws.simulator.faults import Faults
from tws.simulator.grid import grid_of
from tws.simulator.hours import local_date, midnight_ns, spans
from tws.simulator.limits import Limiter
from tws.simulator.market.base import DERIVED, QUOTED, Market, MarketUpdate
from tws.simulator.market.derived import Derived
from tws.simulator.optionmath import SimulatedMath
from tws.simulator.options import SimulatorOptions, check_zone
from tws.simulator.past import SyntheticPast
from tws.simulator.session import Session
from tws.simulator.tape import Tape
from tws.simulator.universe import Security, Universe
from tws.wire.messages import Request, WireContract

__all__ = ["Core"]

DAYS_AHEAD = 400
"""For so many days from the start the exchange knows its sessions."""
EXTENDED_BEFORE = 2
REST_NS = 60 * NS_PER_S
"""So often is looked for what nobody needs any more."""
TRIGGERS = {"OPT": TriggerMethod.DOUBLE_BID_ASK, "CASH": TriggerMethod.BID_ASK}
"""What triggers stops by default; for all but these the last trade (official table of trigger methods)."""
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
        universe.today = local_date(start_ns)
        self.market = market
        self.start_ns = start_ns
        self.clock: Callable[[], int] = lambda: self.start_ns
        self.faults = Faults(self)
        self.abandoned: list[Session] = []  # sockets that a fault left open, of sessions that are forgotten
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
        self.lines: dict[int, ticks.Lines] = {}
        self.listeners: dict[int, list[Callable[[MarketUpdate], None]]] = {}
        self.followers: dict[int, list[Derived]] = {}
        self.trading = {security.con_id for security in market.listings}
        self.tapes = {s.con_id: tape_of(s, market.previous_close(s.con_id)) for s in universe.securities}
        self._rest_ns = start_ns
        self._leads: dict[tuple[str, str], Security] = {}
        self.halted: dict[int, int] = {}  # con_id: what tick type 49 says of it
        self._before_halt: dict[int, tuple[int, int]] = {}  # the sizes that stood there
        self.by_hand: set[int] = set()  # quoted by `SimulatedTWS.quote`: they follow no underlying any more
        self.pasts: dict[int, SyntheticPast] = {}
        self._echoes: dict[int, WireContract] = {}
        self.exchange = self._open_exchange()
        self.broker = Broker(self)
        self.desk = Desk(self)

    def _open_exchange(self) -> Exchange:
        options = self.options
        listings = [self._listing(security) for security in self.universe.securities]
        run = (
            options.seed * 31 + self.start_ns // NS_PER_S
        ) & 0xFFFF  # two runs never share execIds, a repeated one does
        accounts = [AccountSetup(account=account, cash=options.cash) for account in options.accounts]
        exchange = Exchange(
            listings, accounts, habits=options.habits, now_ns=self.market.start_ns, run=run,
            archive=SpillingArchive(), options=SimulatedMath(self),
        )  # fmt: skip
        for currency, dollars in RATES.items():
            exchange.rate(currency, dollars)
        return exchange

    def _listing(self, security: Security) -> Listing:
        """How the exchange trades it."""
        instrument = Instrument(contract=contract_of(security), tick=security.tick, lot=security.lot)
        trigger = TRIGGERS.get(security.sec_type, TriggerMethod.LAST)
        return Listing(instrument=instrument, session=self._session_of(security.hours), trigger=trigger)

    def _session_of(self, template: str) -> ExchangeSession:
        """When the exchange trades what keeps these hours."""
        if self.options.hours == "always":
            return ExchangeSession()
        first = local_date(self.market.start_ns) - timedelta(days=EXTENDED_BEFORE)
        regular, extended = spans(first, DAYS_AHEAD, template)
        return ExchangeSession(regular=regular, extended=extended)

    def change_options(self, **changes: object) -> None:
        """What TWS's settings can change while it runs; whoever keeps options of its own is told."""
        self.options = self.admission.options = structs.replace(self.options, **changes)

    # -- time -------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Market time."""
        return self.clock()

    def stated_ns(self) -> int:
        """The time that TWS states: market time, unless its clock is wrong (a fault)."""
        return self.clock() + self.faults.skew_ns

    def connection_time(self) -> str:
        """The handshake's text in the login's zone: `20261123 09:30:00 EST`, or with the zone's whole name
        as TWS writes some (A1).
        """
        local = to_datetime(self.stated_ns()).astimezone(self.zone)
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
        self.sessions.append(session)
        self.faults.accepted(session)
        return len(self.sessions) <= self.options.max_clients

    def start_session(self, session: Session) -> bool:
        """startApi came: the start burst (A2). False when its client id is in use."""
        client_id = session.client_id
        assert client_id is not None
        if client_id in self.by_client or self.admission.is_haunted(client_id):
            return False
        if self.faults.refuses(client_id):
            return False
        self.by_client[client_id] = session
        self.desk.greet(session)
        self.faults.started(session)
        return True

    def forget(self, session: Session, *, died: bool = False) -> None:
        """The session ended: its subscriptions and its client id are free. `died`: without a farewell."""
        if session in self.admission.waiting:
            self.admission.waiting.remove(session)
        if session in self.sessions:
            self.sessions.remove(session)
            self._bytes_sent += session.out.bytes_sent
            self.faults.lost(session)
        if session.client_id is not None and self.by_client.get(session.client_id) is session:
            del self.by_client[session.client_id]
            self.desk.drop(session)
            if died:
                self.admission.died(session.client_id)
        self.room.set()

    def handle(self, session: Session, request: Request | object) -> None:
        """One decoded request."""
        if self.admission.refuses(session, request):
            return
        wanted = self.faults.request(session, request)
        if wanted is not None:
            self.desk.handle(session, wanted)

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
        """One update: to the exchange, the tape, and every line that listens; halted: without a market."""
        con_id, now_ns = update.con_id, update.time_ns
        if con_id in self.halted:
            update = structs.replace(update, bid_size=0, ask_size=0, trade=0.0, trade_size=0)
        tape = self.tapes[con_id]
        exchange = self.exchange
        if not update.trade or (
            update.bid != tape.bid
            or update.ask != tape.ask
            or update.bid_size != tape.bid_size
            or update.ask_size != tape.ask_size
        ):  # an equal quote is a fresh one: what fills took of the displayed size is there again
            events = exchange.quote(con_id, update.bid, update.bid_size, update.ask, update.ask_size, now_ns)
            if events:
                self.tell(events)
        if update.trade:
            events = exchange.trade(con_id, tape.grid.ticks(update.trade), update.trade_size, now_ns)
            if events:
                self.tell(events)
        lines, faults = self.lines.get(con_id), self.faults
        if lines and not (faults.hiding and faults.hides(con_id)):
            ticks.deliver(lines, tape, update)
        tape.apply(update)
        followers = self.followers.get(con_id)
        if followers:
            for derived in followers:
                self._derive(derived, now_ns)
        listeners = self.listeners.get(con_id)
        if listeners and not (faults.hiding and faults.hides(con_id)):
            for listen in tuple(listeners):
                listen(update)

    def halt(self, con_id: int, kind: int) -> None:
        """Halt an instrument (1, or 2 for volatility), or let it trade (0): tick type 49 (E), no market.

        That its orders are taken and wait meanwhile, as without a market, is assumed.
        """
        tape = self.tapes[con_id]
        if kind:
            self._before_halt.setdefault(con_id, (tape.bid_size, tape.ask_size))
            self.halted[con_id] = kind
        else:
            self.halted.pop(con_id, None)
        bid_size, ask_size = (0, 0) if kind else self._before_halt.pop(con_id, (tape.bid_size, tape.ask_size))
        self.publish(MarketUpdate(self.now_ns(), con_id, tape.bid, bid_size, tape.ask, ask_size))
        for line in self.lines.get(con_id, ()):
            ticks.send(line, [(ticks.HALTED, line.bodies.generic(float(kind)))])

    def refresh_lines(self, con_id: int) -> None:
        """Say the present state of an instrument to everybody who listens, after a silence."""
        for line in self.lines.get(con_id, ()):
            ticks.send(line, list(ticks.snapshot(self.tapes[con_id], line.bodies)))

    def listen(self, con_id: int, listener: Callable[[MarketUpdate], None]) -> None:
        """Call `listener` with every update of this instrument, when tape and lines have taken it in."""
        self.listeners.setdefault(con_id, []).append(listener)

    def unlisten(self, con_id: int, listener: Callable[[MarketUpdate], None]) -> None:
        """The opposite of `listen`."""
        listeners = self.listeners[con_id]
        listeners.remove(listener)
        if not listeners:
            del self.listeners[con_id]

    def listed(self, security: Security) -> Tape:
        """The tape of a security, which from now on trades if its market can let it.

        Some are listed from the start; the rest come to exchange and market when somebody first asks for
        data, orders or history. Options and CFDs follow their underlying, and of one family of futures
        the later ones the first.
        """
        tape = self.tapes.get(security.con_id)
        if tape is None:
            self.exchange.add(self._listing(security))
            tape = self.tapes[security.con_id] = tape_of(security, None)
        if security.con_id in self.trading or not self.trades(security):
            return tape
        self.trading.add(security.con_id)
        lead = self._lead(security)
        if lead is not None:
            derived = Derived(security, lead, self.listed(lead))
            tape.close = tape.close or derived.close(self.now_ns())
            self.followers.setdefault(lead.con_id, []).append(derived)
            self._derive(derived, self.now_ns())
            return tape
        begun = self.market.follow(security, self.now_ns())
        if begun is not None:
            tape.close = tape.close or self.market.previous_close(security.con_id)
            tape.begin(begun.past, midnight_ns(local_date(self.now_ns())) // NS_PER_S)
            if begun.update is not None:
                self.publish(begun.update)
        return tape

    def trades(self, security: Security) -> bool:
        """Whether there are data of this security, be it by its underlying, and be it when asked for."""
        if security.con_id in self.trading or self.market.can_follow(security):
            return True
        under = self._under(security)
        return under is not None and self.trades(under)

    def _under(self, security: Security) -> Security | None:
        """What an option or CFD stands on."""
        if security.sec_type not in DERIVED or not security.under_con_id:
            return None
        return self.universe.get(security.under_con_id)

    def _lead(self, security: Security) -> Security | None:
        """Whom its market follows; None for one with a market of its own."""
        if security.sec_type != "FUT":
            return self._under(security)
        lead = self._leads.setdefault((security.exchange, security.trading_class), security)
        return None if lead.con_id == security.con_id else lead

    def _derive(self, derived: Derived, now_ns: int) -> None:
        if derived.con_id not in self.by_hand:
            update = derived.update(now_ns)
            if update is not None:
                self.publish(update)

    def elapse(self, now_ns: int) -> None:
        """Market time reached `now_ns`: what the exchange and the subscriptions do by time alone."""
        self.faults.elapse(now_ns)
        if now_ns >= self._rest_ns:
            self._rest_ns = now_ns + REST_NS
            self._rest()
        wake = self.exchange.next_wake()
        if wake is not None and wake <= now_ns:
            self.tell(self.exchange.advance(now_ns))
        self.desk.elapse(now_ns)

    def _rest(self) -> None:
        """What follows another and concerns nobody any more stops trading, until `listed` is called again:
        or every option that was ever asked for would cost its pricing at each update of its underlying.
        """
        if not self.followers:
            return
        wanted = self.exchange.busy() | self.desk.wanted() | self.by_hand
        for lead, followers in list(self.followers.items()):
            for derived in list(followers):
                con_id = derived.con_id
                if con_id in wanted or con_id in self.listeners or con_id in self.followers:
                    continue
                if con_id not in self.lines:
                    followers.remove(derived)
                    self.trading.discard(con_id)
                    self.tapes[con_id] = tape_of(derived.security, None)
            if not followers:
                del self.followers[lead]

    def new_day(self, now_ns: int) -> None:
        """20:30 in New York: the day's figures begin anew (D)."""
        self.desk.exercises.clear()
        self.tell(self.exchange.new_day(now_ns))
        self.desk.streams.new_day()
        for con_id, tape in self.tapes.items():
            tape.new_day()
            for line in self.lines.get(con_id, ()):
                parts = ticks.snapshot(tape, line.bodies)
                ticks.send(line, [part for part in parts if part[0] == ticks.CLOSE])

    def tell(self, events: Sequence[Event]) -> None:
        """Say the exchange's events to whom they concern."""
        self.broker.tell(events)

    def security(self, con_id: int) -> Security:
        """The known security of this conId. Raises KeyError."""
        known = self.universe.get(con_id)
        if known is None:
            raise KeyError(con_id)
        return known

    def echo(self, con_id: int) -> WireContract:
        """How orders and executions state a contract of the exchange, be it a combo. Raises KeyError."""
        found = self._echoes.get(con_id)
        if found is None:
            found = self._echoes[con_id] = self._echo(con_id)
        return found

    def _echo(self, con_id: int) -> WireContract:
        legs = self.exchange.legs(con_id)
        if not legs:
            return words.order_contract(self.security(con_id))
        known = [self.security(leg) for leg, _ in legs]
        symbols = ",".join(dict.fromkeys(security.symbol for security in known))
        return combos.described(legs, symbols, known[0].currency)


def tape_of(security: Security, close: float | None) -> Tape:
    """An empty tape on the security's grid."""
    grid = grid_of(security.tick, security.lot)
    tape = Tape(security.con_id, close, grid, is_index=security.sec_type == "IND")
    tape.has_volume = security.sec_type != "IND" and security.sec_type not in QUOTED
    return tape


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
