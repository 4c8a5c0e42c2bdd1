"""What happens to a connection, told to whoever wants to know: its states with their causes, farms, streams.

Facts (`tws.connection.lane`) are what the broker says of orders and money; events are what becomes of the
link itself. Each is logged once, at its severity, and given to the listeners; the last `KEPT` can be looked
up.

The states are one table. `STATES` says where each happening leads; a pair that is not in it changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from tws.log import get_logger

__all__ = ["STATES", "ConnectionEvent", "ConnectionState", "EventKind", "Events", "Happening", "Severity"]

log = get_logger("tws.connection")

KEPT = 256
"""A night of resets has some fifty; what is older is in the log. Those of level DEBUG (each dial of a long
night, a cause that was said before) are not kept: they would push out what explains them."""


class ConnectionState(StrEnum):
    """Where a connection stands.

    CLOSED: no session, and nobody dials. CONNECTING: `connect()` is under way. SYNCHRONISING: a session is
    ready, and the broker's executions, orders and positions are being asked for. READY: they have come.
    BROKER_LOST: TWS has lost IB (1100). WAITING: the link went, the next dial is due after a pause.
    REDIALLING: that dial is under way.
    """

    CLOSED = "closed"
    CONNECTING = "connecting"
    SYNCHRONISING = "synchronising"
    READY = "ready"
    BROKER_LOST = "broker lost"
    WAITING = "waiting"
    REDIALLING = "redialling"


class Happening(StrEnum):
    """What moves a connection."""

    DIALS = "dials"
    FAILS = "fails"
    OPENS = "opens"
    SYNCHRONISED = "synchronised"
    BROKER_LOST = "broker lost"
    BROKER_BACK = "broker back"
    LOST = "lost, to be dialled again"
    ENDS = "ends"


_S, _H = ConnectionState, Happening
STATES: dict[tuple[ConnectionState, Happening], ConnectionState] = {
    (_S.CLOSED, _H.DIALS): _S.CONNECTING,
    (_S.CONNECTING, _H.FAILS): _S.CLOSED,
    (_S.CONNECTING, _H.OPENS): _S.SYNCHRONISING,
    (_S.SYNCHRONISING, _H.SYNCHRONISED): _S.READY,
    (_S.SYNCHRONISING, _H.BROKER_LOST): _S.BROKER_LOST,
    (_S.READY, _H.BROKER_LOST): _S.BROKER_LOST,
    # 1101 and 1102 may come without the 1100 that belongs before them: what was missed is asked for all the
    # same
    (_S.READY, _H.BROKER_BACK): _S.SYNCHRONISING,
    (_S.BROKER_LOST, _H.BROKER_BACK): _S.SYNCHRONISING,
    (_S.SYNCHRONISING, _H.LOST): _S.WAITING,
    (_S.READY, _H.LOST): _S.WAITING,
    (_S.BROKER_LOST, _H.LOST): _S.WAITING,
    (_S.WAITING, _H.DIALS): _S.REDIALLING,
    (_S.REDIALLING, _H.FAILS): _S.WAITING,
    (_S.REDIALLING, _H.OPENS): _S.SYNCHRONISING,
    # `disconnect()`, or a link that is not kept goes
    **{(state, _H.ENDS): _S.CLOSED for state in _S if state is not _S.CLOSED},
}
"""From a state, by a happening, to a state. The diagram in docs/design/connection.md is drawn from it."""


class EventKind(StrEnum):
    STATE = "state"
    """The connection moved (`state` says where to)."""
    FARM = "farm"
    """A data farm of IB broke or came back (2103 to 2108, 2119, 2157, 2158)."""
    STREAM = "stream"
    """A stream was interrupted, renewed, found stale, or feeds again."""
    ORDERS = "orders"
    """A synchronisation found what nobody had told: a fill, an order with two lives, one that is gone."""
    CLOCK = "clock"
    """The machine's clock jumped, or its event loop stood still."""
    CALLBACK = "callback"
    """A user's function raised or took long."""
    PACING = "pacing"
    """Requests wait for TWS's limits, or a limit was learned."""
    CODE = "code"
    """A code that nobody has listed: a warning and a question."""
    CALENDAR = "calendar"
    """A restart or a login is due, or overdue."""


class Severity(StrEnum):
    """How loud: for the log, and for whoever raises alarms."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class ConnectionEvent(Struct, frozen=True, kw_only=True):
    """One thing that happened. `at_ns` is market time, `session` counts sockets, `code` is TWS's, 0 for
    none.
    """

    kind: EventKind
    text: str
    at_ns: int
    severity: Severity = Severity.INFO
    session: int = 0
    state: ConnectionState | None = None
    code: int = 0
    symbol: str = ""


class Events:
    """Gives events to the log and to listeners. On the loop's thread."""

    def __init__(self, isolate: Callable[..., None]) -> None:
        self._isolate = isolate
        self._listeners: tuple[Callable[[ConnectionEvent], object], ...] = ()
        self.recent: deque[ConnectionEvent] = deque(maxlen=KEPT)

    def listen(self, listener: Callable[[ConnectionEvent], object]) -> Callable[[], None]:
        """Call `listener` with each event. Returns the call that ends it."""
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return stop

    def tell(self, event: ConnectionEvent) -> None:
        if event.severity is not Severity.DEBUG:
            self.recent.append(event)
        write = log.error if event.severity is Severity.ALARM else getattr(log, event.severity.value)
        facts: dict[str, object] = {"kind": event.kind.value, "session": event.session}
        if event.code:
            facts["code"] = event.code
        if event.symbol:
            facts["symbol"] = event.symbol
        write(event.text, **facts)
        for listener in self._listeners:
            self._isolate(listener, event)
