"""What the simulator's own side sees of a run: orders as they arrive, requests beyond its limits, busts.

All of it is noted by the simulated TWS's parts while they work; nothing here asks our connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tws.exchange import OrderTicket
from tws.simulator import SimulatedTWS
from tws.simulator.faults.base import Fault
from tws.simulator.limits import Limiter
from tws.simulator.requests.tickbytick import TickByTick
from tws.simulator.session import Session

__all__ = ["Watching"]


class _Limiter(Limiter):
    """Notes each refusal. `broken` is set once."""

    broken: list[str]

    def _room(self, limit: Any, taken: int, session: Session, req_id: int, refusal: tuple[int, str]) -> bool:
        return self._noted(super()._room(limit, taken, session, req_id, refusal), f"places: {refusal[1]}")

    def bars(self, session: Session, req_id: int) -> bool:
        return self._noted(super().bars(session, req_id), "420: real-time bars")

    def prints(self, session: Session, req_id: int, con_id: int, taken: int) -> bool:
        return self._noted(super().prints(session, req_id, con_id, taken), "10190: tick by tick")

    def history(self, session: Session, request: Any) -> bool:
        return self._noted(super().history(session, request), f"162: {request}")

    def _noted(self, allowed: bool, text: str) -> bool:
        if not allowed:
            self.broken.append(f"at {self._now():.3f} s {text}")
        return allowed


class Watching:
    """Attached to a simulator before it starts."""

    def __init__(self, sim: SimulatedTWS, note: Callable[[str], None]) -> None:
        """`note` writes a line of the run's trace."""
        self._note = note
        self.arrived: list[tuple[int, str]] = []
        """Order id and reference of each placeOrder that reached the exchange for a client."""
        self.asked: Counter[str] = Counter()
        """Requests that were dealt with, by their class."""
        self.over_limit: list[str] = []
        self.sessions: list[Session] = []
        self.met: Counter[str] = Counter()
        """Faults by how often they were played."""
        self.lost_cancels = False
        """Whether a cancel of a subscription may have been lost inside TWS, which then keeps its place."""
        self.is_read_only = sim.options.read_only
        self.busted: set[str] = set()
        self.vanished: set[tuple[int, int]] = set()
        self._sim = sim
        core = sim.core
        limiter = _Limiter(core.options.limits, lambda: core.loop_time(), core.later)
        limiter.broken = self.over_limit
        self.limits = core.options.limits
        core.limiter = limiter
        self._watch_requests()
        self._watch_orders()
        self._watch_faults()

    def accept(self) -> Session:
        """In the place of `protocol_factory`."""
        session = self._sim.protocol_factory()
        self.sessions.append(session)
        return session

    @property
    def hasty(self) -> int:
        """Messages beyond the rate of a second, of all sessions."""
        return sum(session._pace.broken for session in self.sessions)

    def served(self) -> set[int]:
        """The request ids under which somebody is fed, of all sessions."""
        desk = self._sim.core.desk
        streams, accounts = desk.streams, desk.accounts
        prints = next(part for part in streams._parts if isinstance(part, TickByTick))
        books: list[dict[Any, Any]] = [
            streams.market_data._streams,
            streams.bars._wanted,
            streams.depth._books,
            prints._streams,
            desk.history._kept,
            accounts._summaries,
            accounts._pnls,
            accounts._position_multis,
            accounts._value_multis,
        ]
        return {number for book in books for _, number in book}

    def _watch_requests(self) -> None:
        core = self._sim.core
        handle = core.desk.handle

        def handled(session: Session, request: Any) -> None:
            number = getattr(request, "req_id", getattr(request, "order_id", ""))
            self.asked[type(request).__name__] += 1
            self._note(f"tws deals with {type(request).__name__} {number}")
            handle(session, request)

        core.desk.handle = handled  # type: ignore[method-assign]

    def _watch_orders(self) -> None:
        exchange = self._sim.exchange
        place, bust, lose = exchange.place, exchange.mishaps.bust, exchange.mishaps.lose

        def placed(ticket: OrderTicket, now_ns: int) -> Any:
            if not ticket.what_if:
                self.arrived.append((ticket.order_id, ticket.order_ref))
            return place(ticket, now_ns)

        def busted(exec_id: str, now_ns: int) -> Any:
            self.busted.add(exec_id.rpartition(".")[0])
            return bust(exec_id, now_ns)

        def lost(client_id: int, order_id: int, now_ns: int) -> None:
            self.vanished.add((client_id, order_id))
            lose(client_id, order_id, now_ns)

        exchange.place = placed  # type: ignore[method-assign]
        exchange.mishaps.bust = busted  # type: ignore[method-assign]
        exchange.mishaps.lose = lost  # type: ignore[method-assign]

    def _watch_faults(self) -> None:
        faults = self._sim.faults
        begin = faults.begin

        def begun(fault: Fault) -> Any:
            self.met[fault.name] += 1
            self.lost_cancels |= getattr(fault, "request", "").startswith("Cancel")
            return begin(fault)

        faults.begin = begun  # type: ignore[method-assign]


class Harbour:
    """`FaultActions` in a world: the port on which the simulated TWS is found, and the market by hand."""

    def __init__(self, sim: SimulatedTWS, network: Any, address: tuple[str, int], watching: Watching) -> None:
        self._sim, self._network, self._watching = sim, network, watching
        self._home = self._address = address
        self._listener: Any = None
        self.listen(True)

    def listen(self, on: bool) -> None:
        if not on and self._listener is not None:
            self._listener.close()
            self._listener = None
        elif on and self._listener is None:
            self._listener = self._network.listen(*self._address, self._watching.accept)

    def move(self, port: int, moved: Any) -> None:
        self.listen(False)
        self._address = (self._address[0], port)
        self.listen(True)
        moved(port)
        self._sim.core.flush()

    def come_home(self) -> None:
        """The human sets the port back that the program knows."""
        self.listen(False)
        self._address = self._home
        self.listen(True)

    def trade(self, symbol: str | int, price: float) -> None:
        self._sim.trade(symbol, price)

    def quote(self, symbol: str | int, *, bid: float, ask: float, bid_size: int, ask_size: int) -> None:
        self._sim.quote(symbol, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)
