"""`TWSConnection`: a client of one TWS or IB Gateway, on the caller's event loop.

The face alone. What can be asked is in `families`, the life of the link in `engine` and `keeper`, what
answers mean in `answers`, what may leave in `outbound`. The official client is imported when a connection is
made, not when this module is."""

from __future__ import annotations

import asyncio
import atexit
import weakref
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypeVar

from tws.clock import Clock, Rng, SystemClock, system_rng
from tws.config import Settings, TWSConfig, mask_account
from tws.connection.configured import configured
from tws.connection.families import Questions
from tws.connection.ids import LARGEST_ORDER_ID
from tws.connection.keeping.broker import BrokerBook
from tws.connection.keeping.events import ConnectionEvent, ConnectionState
from tws.connection.keeping.farms import Farm
from tws.connection.keeping.hours import MarketHours
from tws.connection.keeping.keeper import Keep
from tws.connection.keeping.resume import Resume
from tws.connection.lane import FactLane
from tws.connection.ordering.fit import AnyOrder, fit
from tws.connection.ordering.rules import Rules
from tws.connection.pacing import PacingOptions, Waiting
from tws.errors import (
    ConnectError,
)
from tws.log import get_logger
from tws.model.contract import Contract, ContractDetails
from tws.model.facts import Fact
from tws.risk import Denial, Limits, OffGrid, Verifier
from tws.wire.codes import CATALOGUE, Catalogue

if TYPE_CHECKING:
    from tws.connection.engine import Engine
    from tws.connection.hearing.router import Unreadable
    from tws.connection.ordering.calls import MoneyCall
    from tws.connection.ordering.outbound import Outbound
    from tws.connection.ordering.sending import Sending

__all__ = ["Dial", "TWSConnection"]

log = get_logger("tws.connection")

T = TypeVar("T")
Dial: TypeAlias = Callable[
    [Callable[[], asyncio.Protocol], str, int], Awaitable[tuple[asyncio.BaseTransport, asyncio.BaseProtocol]]
]
"""`await dial(protocol_factory, host, port)`; asyncio's `create_connection` unless given."""

IN_USE = 326
_FREE_IDS_TRIED = 3
"""Each costs TWS a handshake; more would look like a scan."""
_TRY_S = 0.2
"""A handshake on one machine takes a few milliseconds."""
_ONE_TRY_S = 0.5
"""So little that an id which is in use is not tried again."""
_LAST_WORD_S = 0.3
"""Of the half second that `connect` may take beyond its time-out."""

_OPEN: weakref.WeakSet[TWSConnection] = weakref.WeakSet()


def _nobody(account: str) -> bool:
    """Nobody has unlocked any live account."""
    return False


@atexit.register
def _close_all() -> None:
    """A program that ends without `disconnect` leaves no half-open socket in TWS."""
    for connection in list(_OPEN):
        connection.disconnect()


class TWSConnection(Questions):
    """One client of one TWS. Make as many calls as you like on one event loop.

    `disconnect`, `is_connected`, `get_next_order_id` and the calls on `official` may come from any thread.
    """

    def __init__(
        self,
        config: TWSConfig,
        *,
        guard: Literal["default", "off"] | Verifier = "default",
        limits: Limits | None = None,
        brake: Callable[[MoneyCall], Denial | None] | None = None,
        unlocked: Callable[[str], bool] = _nobody,
        allow: Iterable[str] = (),
        keep: Keep | bool = True,
        pacing: PacingOptions | None = None,
        catalogue: Catalogue = CATALOGUE,
        dial: Dial | None = None,
        clock: Clock | None = None,
        rng: Rng | None = None,
        journal: Path | None = None,
    ) -> None:
        """Nothing is dialled yet.

        guard    who approves orders: "default" the built-in one, which holds them to `limits` and writes
        them to
                 `journal` (default: `guard.sqlite3` in the user's state folder); "off" nobody, refused when
                 anything
                 looks live; or a desk's gate, which mints the permits that `outbound.place` takes
        brake    read directly before each frame that moves money: a denial keeps it back (latch, epoch);
                 it is told what the frame asks for
        unlocked whether a human has unlocked this live account; the brake judges until when
        allow    what the built-in guard may approve though it has no figure for it: "replaceFA" (advisors'
                 groups and aliases), "updateConfig" (TWS's own settings)
        keep     how the link is kept once `connect` has opened it: dialled again when it goes, watched, and
                 synchronised after each gap (`Keep`); False: a link that goes is gone
        pacing   TWS's limits, which are kept (`PacingOptions`); those of a login without extras by default
        catalogue  what TWS's codes mean, amended perhaps (`tws.wire.codes_amend`)
        dial     stands in for asyncio's create_connection
        clock    market time for what is received; the machine's by default
        rng      jitter of the pauses between dials

        Raises ConfigError for `guard="off"` on a live port, mode or account, and for another word in `allow`.
        """
        from tws.connection.engine import Engine, EngineParts
        from tws.connection.ordering.gates import Judges, gates_of, refuse_live

        if guard == "off":
            refuse_live(config)
        self.config = config
        self._dial = dial
        market_time = clock or SystemClock()
        parts = EngineParts(
            clock=market_time,
            rng=rng or system_rng(),
            keep=keep if isinstance(keep, Keep) else Keep(reconnect=keep, sync=keep),
            pacing=pacing or PacingOptions(),
            catalogue=catalogue,
            dial=dial,
            wall_ns=market_time.now_ns if isinstance(market_time, SystemClock) else None,
        )
        self._engine: Engine = Engine(config, parts)
        self._details: dict[int, ContractDetails] = {}
        self._rules = Rules()
        self._resume = Resume(self)
        hours = MarketHours(self.details_of, self.request_contract_details, market_time.now_ns)
        judges = Judges(guard, limits or Limits(), brake, unlocked, frozenset(allow), journal)
        self._engine.furnish(gates_of(self, self._engine, judges), hours, self._resume.ask)

    @classmethod
    def from_settings(cls, settings: Settings, **options: Any) -> Self:
        """A connection as a configuration file wants it: its `[connection]`, with pacing, maintenance and
        codes.

        Raises ConfigError for a file whose parts do not fit.
        """
        said = configured(settings)
        keep = Keep(maintenance=said.maintenance)
        chosen: dict[str, Any] = {"pacing": said.pacing, "catalogue": said.catalogue, "keep": keep}
        return cls(settings.connection.to_config(), **(chosen | options))

    # -- the session

    async def connect(self) -> bool:
        """Open a session. True when it is ready; False when it is not, within `connection_timeout` + 0.5 s.

        `failure` then holds stage, cause and cure, and one log line says them. Never raises for a TWS that is
        not there. On a client id in use (326) it tries again on the same id as long as the time allows, and
        never takes another one by itself, since orders belong to theirs; `failure` names one that is free.
        """
        if self._engine.is_ready_here():
            return True
        until = asyncio.get_running_loop().time() + self.config.connection_timeout + _LAST_WORD_S
        try:
            await self._engine.connect()
        except ConnectError as error:
            failure = error
            if error.code == IN_USE:
                failure = self._engine.failure = await self._with_free_id(error, until)
            log.warning(
                "not connected",
                stage=failure.stage,
                cause=failure.cause,
                cure=failure.cure,
                client_id=self.config.client_id,
            )
            return False
        _OPEN.add(self)
        log.info(
            "connected",
            where=f"{self.config.host}:{self.config.port}",
            client_id=self.config.client_id,
            server_version=self.server_version,
            accounts=[mask_account(name) for name in self.accounts],
        )
        return True

    async def _with_free_id(self, failure: ConnectError, until: float) -> ConnectError:
        """The failure with a free client id in its cure, as far as the time allows to try some."""
        loop = asyncio.get_running_loop()
        for number in range(self.config.client_id + 1, self.config.client_id + 1 + _FREE_IDS_TRIED):
            left_s = until - loop.time()
            if left_s < _TRY_S or number >= 2**31:
                break
            config = replace(self.config, client_id=number, connection_timeout=min(left_s, _ONE_TRY_S))
            other = TWSConnection(config, keep=False, dial=self._dial)
            try:
                await other._engine.connect()
            except ConnectError as error:
                if error.code == IN_USE:
                    continue
                break
            finally:
                other.disconnect()
            cure = f"Client id {number} is free: take it if no orders of this one are to be managed. "
            cure += failure.cure
            return ConnectError(failure.stage, failure.cause, cure, failure.code)
        return failure

    def disconnect(self) -> None:
        """Close the session. Never blocks, never raises; safe twice, from any thread, on a closed loop, at
        exit.

        What waits for an answer fails with LinkLostError. Orders at TWS live on.
        """
        self._engine.disconnect()

    def is_connected(self) -> bool:
        """Whether a session is ready: TWS has agreed on a version and named the next order id."""
        return self._engine.ready

    async def wait_closed(self) -> None:
        """Return when the last socket is gone, after `disconnect` or when TWS has closed."""
        await self._engine.wait_closed()

    async def __aenter__(self) -> Self:
        """Connect, or raise the ConnectError that `connect` puts into `failure`."""
        if not await self.connect():
            assert self.failure is not None
            raise self.failure
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()
        await self.wait_closed()

    def set_callbacks(
        self,
        on_connected: Callable[[], object] | None = None,
        on_disconnected: Callable[[], object] | None = None,
        on_error: Callable[[int, int, str], object] | None = None,
    ) -> None:
        """Who hears of the session's begin and end, and of each message 4 as (request or order id, code,
        text).

        Functions or coroutine functions, on the loop's thread. Their exceptions are logged and stop nothing.
        """
        from tws.connection.callbacks import Callbacks

        self._engine.callbacks = Callbacks(on_connected, on_disconnected, on_error)

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands: closed, synchronising, ready, waiting for the next dial, …"""
        return self._engine.keeper.state

    async def wait_ready(self) -> None:
        """Return when the session is ready and synchronised, or the connection has ended (see `state`)."""
        await self._engine.keeper.until(ConnectionState.READY, ConnectionState.CLOSED)

    def on_event(self, listener: Callable[[ConnectionEvent], object]) -> Callable[[], None]:
        """Call `listener` with each event of the link, its farms and its streams. Returns the call that ends
        it.
        """
        return self._engine.events.listen(listener)

    @property
    def recent_events(self) -> tuple[ConnectionEvent, ...]:
        """The last events, oldest first."""
        return tuple(self._engine.events.recent)

    @property
    def broker(self) -> BrokerBook:
        """What the broker has told of orders, executions and positions, merged over all sessions."""
        return self._engine.keeper.book

    @property
    def farms(self) -> tuple[Farm, ...]:
        """The data farms of IB, as TWS told of them in this session."""
        return tuple(self._engine.keeper.farms.known.values())

    @property
    def waiting_requests(self) -> tuple[Waiting, ...]:
        """The requests that wait for TWS's limits, in the order in which their turn comes, each with its
        reason.
        """
        return self._engine.wire.waiting()

    @property
    def request_rate(self) -> int | None:
        """Messages per second that TWS takes, as far as is known; None: not paced."""
        return self._engine.wire.pacer.rate

    @property
    def read_only(self) -> bool | None:
        """Whether TWS refuses orders of the API (321); None while nobody has asked."""
        return self._resume.read_only

    @property
    def failure(self) -> ConnectError | None:
        """Why the last `connect` answered False; None after a good one."""
        return self._engine.failure

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that TWS named in this session."""
        return self._engine.accounts

    @property
    def server_version(self) -> int:
        """The agreed version, 0 before the first session."""
        return self._engine.server_version

    @property
    def connection_time(self) -> str:
        """TWS's own text of the time and zone of the login, from the handshake."""
        return self._engine.connection_time

    @property
    def session(self) -> int:
        """Counts the sessions of this connection, from 1."""
        return self._engine.session

    @property
    def bytes_received(self) -> int:
        """Bytes read and acted upon, all sessions together."""
        return self._engine.bytes_received

    @property
    def bytes_sent(self) -> int:
        """Bytes handed to the socket, all sessions together."""
        return self._engine.bytes_sent

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The last messages that nobody could read, raw, for a report (they may hold account ids)."""
        return tuple(self._engine.router.unreadable)

    # -- lanes and writers

    def facts(self, listener: Callable[[Fact], object] | None = None, *, bound: int = 4096) -> FactLane:
        """The fact lane from now on, over all sessions: orders, fills, errors, positions, the link, in byte
        order.

        `listener` is called for each fact. Without one, `drain` the lane: at `bound` facts the socket stops
        being read until the lane is half empty. Call it before `connect` to miss nothing.
        """
        return self._engine.lanes.add(listener, bound)

    @property
    def outbound(self) -> Outbound:
        """The only writer of frames that move money."""
        return self._engine.outbound

    @property
    def official(self) -> Any:
        """The official EClient (ibapi 10.46), encoding only: each `req…` and `cancel…` of it works, from any
        thread.

        Orders placed on it pass the same gate as all others. Take its request ids from
        `official_request_id()`, its
        order ids from `get_next_order_id()`, and hear the answers through `attach`.
        """
        return self._engine.official

    def official_request_id(self) -> int:
        """A request id for a call on `official`, from a range of its own."""
        return self._engine.official_ids.take()

    def attach(self, wrapper: Any) -> Callable[[], None]:
        """Let an `ibapi.wrapper.EWrapper` hear every message that is no tick of a `stream_quotes`.

        The official Decoder reads for it a second time, so it is slow beside our own lanes. Returns the call
        that ends it.
        """
        return self._engine.attach(wrapper)

    # -- order ids

    def get_next_order_id(self) -> int | None:
        """Reserve an order id: never the same twice. None before the first session."""
        return self._engine.order_ids.take()

    def raise_order_id_floor(self, floor: int) -> None:
        """Give no order id below `floor`, such as the one that a journal knows. Raises ValueError for one
        that no order can have: every later order would be refused.
        """
        if floor > LARGEST_ORDER_ID:
            raise ValueError(f"floor is {floor}: the largest order id is {LARGEST_ORDER_ID}")
        self._engine.order_ids.raise_floor(int(floor))

    # -- orders

    def place_order(
        self,
        contract: Contract,
        order: AnyOrder,
        order_id: int | None = None,
        *,
        off_grid: OffGrid = "refuse",
        urgent: bool = False,
    ) -> Sending:
        """Place an order, or change the one that has `order_id`, through the built-in guard.

        order     a plain one, or one of `tws.ordertypes` with any attribute

        off_grid  what to do with a price that the contract's market rule does not allow, as far as the rule
                  is known (`request_instrument` learns it): "refuse" it, or "round" it so that it is never
                  worse than asked
        urgent    an exit: it may use the places that TWS's message rate has kept free

        Raises OrderDeniedError when the guard refuses (always when a desk owns the orders), when a price or
        quantity is off the grid, and while the link is being synchronised after a gap; BadOrderError for what
        TWS is known to refuse; NotSentError without a session, or when its version has no place for an
        attribute. No byte left then. What became of the order at the broker is a fact, not an exception.
        """
        self._must_be_ready()
        order = fit(self.instrument_of(contract), order, off_grid)
        changes = order_id is not None and not self._engine.order_ids.gave(order_id)
        number = self.get_next_order_id() if order_id is None else int(order_id)
        assert number is not None  # a ready session has one
        return self.outbound.place_guarded(number, contract, order, urgent=urgent, changes=changes)

    def cancel_order(self, order_id: int) -> Sending:
        """Cancel an order. One whose bytes have not left is withdrawn instead. Needs no approval."""
        return self.outbound.cancel(order_id)

    def cancel_all_orders(self) -> Sending:
        """Cancel every order of the login: all clients' and those placed by hand in TWS. Needs no approval.

        Orders that wait here are withdrawn first. Raises NotSentError without a session.
        """
        return self.outbound.global_cancel()
