"""Market data lines: 1, 2 and 59, snapshots, generic ticks, option computations. TWS-BEHAVIOUR.md E, A8.

A contract of type NEWS (`BRFG:BRFG_ALL` at BRFG) has headlines alone (official documentation); that it takes
a line like others is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator import ticks
from tws.simulator.market.base import MarketUpdate
from tws.simulator.permissions import (
    DELAYED,
    DELAYED_FROZEN,
    LIVE,
    PARTIAL,
    is_closed,
    is_refused,
    stream_type,
)
from tws.simulator.requests.combination import Combination
from tws.simulator.requests.contracts import NOT_FOUND, resolve
from tws.simulator.requests.generics import NEWS, SPOKEN_AT_PRINTS, Asked, at_print, opening, parse
from tws.simulator.requests.greeks import OPTIONS, Computations, derived_of
from tws.simulator.requests.history import History
from tws.simulator.requests.late import Late, Listeners
from tws.simulator.requests.news import News
from tws.simulator.session import Session
from tws.simulator.subscriptions import PROVIDERS
from tws.simulator.tape import Tape
from tws.simulator.universe import Security
from tws.wire.messages import (
    CancelMarketData,
    MarketDataRequest,
    MarketDataType,
    MarketDataTypeRequest,
    TickReqParams,
    TickSnapshotEnd,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["MarketData"]

SNAPSHOT_S = 11
"""A snapshot ends after so many seconds of market time, whatever has come (E)."""
BBO_EXCHANGE = {
    "STK": "9c0001",
    "CFD": "9c0001",
    "OPT": "b50001",
    "IND": "",
    "FUT": "a60001",
    "FOP": "a60001",
}
"""The key of the exchange map: recorded for stocks, assumed for the rest."""
SNAPSHOT_PERMISSIONS = 3
FRACTIONS_SINCE = 163
CANCEL_WORDS = "Can't find EId with tickerId:"


class _Stream(Struct):
    """What one request is served with: its line, and what else listens for it."""

    line: ticks.Line
    listeners: Listeners = ()
    legs: tuple[int, ...] = ()
    """Whose updates concern a combination; others have but themselves."""


class MarketData:
    """The top of the book, until it is cancelled."""

    def __init__(self, core: Core, lines: Callable[[], int], history: History, news: News) -> None:
        """`lines`: how many are in use by all, whatever they carry."""
        self._news = news
        self._broad: dict[tuple[Session, int], None] = {}  # contracts of type NEWS
        self._core = core
        self._late = Late(core, history)
        self._lines = lines
        self._streams: dict[tuple[Session, int], _Stream] = {}
        self._snapshots: dict[tuple[Session, int], int] = {}  # when they end at the latest, ns
        self._types: dict[Session, int] = {}

    def __len__(self) -> int:
        return len(self._streams) + len(self._broad)

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            MarketDataRequest: self._subscribe,
            CancelMarketData: self._cancel,
            MarketDataTypeRequest: self._set_type,
        }

    def wanted(self) -> frozenset[int]:
        """Whose tapes are read for delayed lines."""
        return self._late.wanted()

    def drop(self, session: Session) -> None:
        """The session ended."""
        self._types.pop(session, None)
        self._broad = {key: None for key in self._broad if key[0] is not session}
        for key in [key for key in self._streams if key[0] is session]:
            self._forget(key)

    def elapse(self, now_ns: int) -> None:
        """Delayed lines go on; snapshots that never became whole end all the same."""
        self._late.elapse(now_ns)
        for key in [key for key, ends_ns in self._snapshots.items() if ends_ns <= now_ns]:
            self._end_snapshot(key)

    def new_day(self) -> None:
        """The day's figures begin anew."""
        self._late.new_day()

    def _set_type(self, session: Session, request: MarketDataTypeRequest) -> None:
        if not LIVE <= request.market_data_type <= DELAYED_FROZEN:
            session.error(
                -1, 321, "Error validating request.-'bV' : cause - Incorrect market data type "
                f"{request.market_data_type}",
            )  # fmt: skip
            return
        self._types[session] = request.market_data_type

    # -- subscribing ------------------------------------------------------------------------------

    def _subscribe(self, session: Session, request: MarketDataRequest) -> None:
        req_id, core = request.req_id, self._core
        if (session, req_id) in self._streams or (session, req_id) in self._broad:
            session.error(req_id, 102, "Duplicate ticker ID for API request")
            return
        special = {"BAG": self._combine, "NEWS": self._tell_news}
        serve = special.get(request.contract.sec_type.strip().upper())
        if serve is not None:
            serve(session, request)
            return
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        asked = self._understand(session, request, security)
        if asked is None or self._news.refuses(session, req_id, asked.providers):
            return
        if asked == Asked((NEWS,), False, asked.providers):
            kind: int | None = PARTIAL  # headlines alone need no market data (assumed)
        else:
            kind = stream_type(core, session, req_id, security, self._types.get(session, LIVE))
        if kind is None or not self._has_room(session, request):
            return
        tape = core.listed(security)
        line = self._open(session, req_id, security, tape, kind)
        late = self._late.join(line, security) if line.delayed else None
        tape = late or tape
        if not core.faults.hides(security.con_id):  # a fault that ends tells the present state itself
            if asked.market_data:
                self._say_first(line, tape, security, kind)
            ticks.send(line, opening(core, security, tape, asked.ids, line.bodies))
        stream = _Stream(line, self._listeners(line, security, asked, late))
        if not self._keep(stream, request, tape, kind):
            return
        if NEWS in asked.ids:
            self._news.follow(session, req_id, security.con_id, asked.providers)
        if late is not None:
            self._late.listen(line, stream.listeners)
            return
        if asked.market_data and kind != PARTIAL:
            core.lines.setdefault(security.con_id, ticks.Lines()).add(line)
        for listener in stream.listeners:
            core.listen(security.con_id, listener)

    def _has_room(self, session: Session, request: MarketDataRequest) -> bool:
        """Whether one line more is allowed; a snapshot always is. Says 101."""
        once = request.snapshot or request.regulatory_snapshot
        return once or self._core.limiter.line(session, request.req_id, self._lines())

    def _open(self, session: Session, req_id: int, security: Security, tape: Tape, kind: int) -> ticks.Line:
        """The line, and what stands before its ticks: 81 and 58."""
        bbo = BBO_EXCHANGE.get(security.sec_type, "")
        finest = Decimal(repr(security.min_tick)), security.lot
        session.send(TickReqParams(req_id, security.min_tick, bbo, SNAPSHOT_PERMISSIONS, *finest))
        session.send(MarketDataType(req_id, kind or LIVE))
        delayed = kind in (DELAYED, DELAYED_FROZEN)
        return ticks.Line(session, req_id, security.con_id, tape.grid, delayed=delayed)

    def _keep(self, stream: _Stream, request: MarketDataRequest, tape: Tape, kind: int) -> bool:
        """Remember the stream; False when it was a snapshot and is over."""
        key = stream.line.session, request.req_id
        self._streams[key] = stream
        if request.snapshot or request.regulatory_snapshot:
            self._snapshots[key] = self._core.now_ns() + SNAPSHOT_S * NS_PER_S
            if _is_whole(tape) or kind == PARTIAL:
                self._end_snapshot(key)
                return False
            stream.listeners += (lambda _: self._is_it_whole(key, tape),)
        return True

    def _combine(self, session: Session, request: MarketDataRequest) -> None:
        """A combination: the quote that its legs make, as soon as one of them moves. No leg is delayed."""
        core, req_id = self._core, request.req_id
        try:
            bag = Combination(core, request.contract)
        except ValueError:
            session.error(req_id, 200, NOT_FOUND)
            return
        if self._understand(session, request, bag.security) is None:
            return
        leg = next((one for one in bag.legs if is_refused(core, one)), bag.legs[0])
        kind = stream_type(core, session, req_id, leg, self._types.get(session, LIVE))
        if kind is None or not self._has_room(session, request):
            return
        line, tape = self._open(session, req_id, bag.security, bag.tape, kind), bag.tape

        def move(update: MarketUpdate) -> None:
            found = bag.update(update.time_ns)
            parts = ticks.changes(tape, found, line.bodies)
            tape.apply(found)
            if kind != PARTIAL:
                ticks.send(line, parts)

        legs = tuple(dict.fromkeys(one.con_id for one in bag.legs))
        stream = _Stream(line, (move,), legs)
        move(bag.update(core.now_ns()))
        if self._keep(stream, request, tape, kind):
            for con_id in legs:
                for listener in stream.listeners:
                    core.listen(con_id, listener)

    def _tell_news(self, session: Session, request: MarketDataRequest) -> None:
        """All headlines of one provider."""
        provider = request.contract.exchange.strip() or request.contract.symbol.partition(":")[0].strip()
        if provider not in PROVIDERS:
            session.error(request.req_id, 200, NOT_FOUND)
            return
        if not self._news.refuses(session, request.req_id, (provider,)) and self._has_room(session, request):
            self._broad[session, request.req_id] = None
            self._news.follow(session, request.req_id, None, (provider,))

    def _understand(self, session: Session, request: MarketDataRequest, security: Security) -> Asked | None:
        """The generic ticks; None after what can't be was refused."""
        req_id = request.req_id
        if security.lot < 1 and session.version < FRACTIONS_SINCE:
            session.error(
                req_id, 10285, "Your API version does not support fractional size rules. "
                f"Please upgrade to a minimum version {FRACTIONS_SINCE}.",
            )  # fmt: skip
            return None
        asked = parse(request.generic_tick_list, security)
        if request.snapshot and request.generic_tick_list.strip():
            asked = "Snapshot market data subscription is not applicable to generic ticks"
        if isinstance(asked, str):
            session.error(req_id, 321, f"Error validating request.-'bX' : cause - {asked}")
            return None
        return asked

    def _say_first(self, line: ticks.Line, tape: Tape, security: Security, kind: int) -> None:
        """All that is known now (E): a closed market has no quote unless a frozen one is wanted."""
        closed = kind in (LIVE, DELAYED) and is_closed(self._core, security)
        parts = list(ticks.snapshot(tape, line.bodies, closed=closed))
        if kind == PARTIAL:
            parts = [part for part in parts if part[0] == ticks.CLOSE]
        elif security.sec_type == "STK":
            halted = self._core.halted.get(security.con_id, 0)
            parts.append((ticks.HALTED, line.bodies.generic(float(halted))))
        ticks.send(line, parts)

    def _listeners(
        self, line: ticks.Line, security: Security, asked: Asked, late: Tape | None
    ) -> Listeners:
        """What this line needs beyond its ticks; `late` is the tape of one that is behind."""
        core, tape = self._core, self._core.tapes[security.con_id]
        found: list[Callable[[MarketUpdate], None]] = []
        spoken = tuple(one for one in asked.ids if one in SPOKEN_AT_PRINTS)
        if spoken and not line.delayed:

            def say(update: MarketUpdate) -> None:
                if update.trade:
                    ticks.send(line, at_print(core, security, tape, update, spoken, line.bodies))

            found.append(say)
        if security.sec_type in OPTIONS and asked.market_data:
            derived = derived_of(core, security) if late is None else self._late.derived(security)
            computations = Computations(core, line, late or tape, derived)
            computations.say()
            found.append(lambda _: computations.say())
        return tuple(found)

    # -- ending -----------------------------------------------------------------------------------

    def _is_it_whole(self, key: tuple[Session, int], tape: Tape) -> None:
        if _is_whole(tape):
            self._end_snapshot(key)

    def _end_snapshot(self, key: tuple[Session, int]) -> None:
        session, req_id = key
        self._forget(key)
        session.send(TickSnapshotEnd(req_id))

    def _cancel(self, session: Session, request: CancelMarketData) -> None:
        key = session, request.req_id
        if key in self._streams:
            self._forget(key)
        elif key in self._broad:
            del self._broad[key]
            self._news.leave(key)
        else:
            session.error(request.req_id, 300, f"{CANCEL_WORDS}{request.req_id}")

    def _forget(self, key: tuple[Session, int]) -> None:
        core, stream = self._core, self._streams.pop(key)
        self._news.leave(key)
        self._snapshots.pop(key, None)
        con_id = stream.line.con_id
        lines = core.lines.get(con_id)
        if lines is not None and stream.line in lines:
            lines.remove(stream.line)
            if not lines:
                del core.lines[con_id]
        self._late.leave(stream.line)
        for one in stream.legs or (con_id,):
            for listener in stream.listeners:
                if listener in core.listeners.get(one, ()):
                    core.unlisten(one, listener)
        stream.line.session.out.drop_line(stream.line.req_id)


def _is_whole(tape: Tape) -> bool:
    """Whether a snapshot has what it needs."""
    return bool(tape.last) if tape.is_index else bool(tape.bid_size and tape.ask_size)
