"""`TWSConnection`: one session with a TWS or an IB Gateway, on the caller's event loop.

The face alone: each call names a request of the official client, the book that waits for its answer and the shape
of that answer. The life of the link is in `engine`, what answers mean in `answers`, what may leave in `outbound`.
The official client is imported when a connection is made, not when this module is.
"""

from __future__ import annotations

import asyncio
import atexit
import weakref
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypeVar

from tws.clock import Clock, SystemClock
from tws.config import TWSConfig, is_live_port, is_paper_account, mask_account
from tws.connection.lane import FactLane
from tws.connection.replies import Reply
from tws.connection.streams import QuoteStream, TickStream
from tws.errors import (
    AmbiguousContractError,
    ConfigError,
    ConnectError,
    NoContractError,
    NotSentError,
)
from tws.model.account import AccountValue, Position
from tws.model.contract import Contract, ContractDetails
from tws.model.execution import Execution
from tws.model.facts import BrokerOrder, Fact
from tws.model.market import Bar, MarketDataType
from tws.model.order import Order
from tws.risk import Denial, Limits, Verifier
from tws.wire.messages import TickByTickData

if TYPE_CHECKING:
    from tws.connection.engine import Engine
    from tws.connection.outbound import Outbound, Sending
    from tws.connection.router import Unreadable

__all__ = ["Dial", "TWSConnection"]

T = TypeVar("T")
Dial: TypeAlias = Callable[
    [Callable[[], asyncio.Protocol], str, int], Awaitable[tuple[asyncio.BaseTransport, asyncio.BaseProtocol]]
]
"""`await dial(protocol_factory, host, port)`; asyncio's `create_connection` unless given."""

BAR_SECONDS = {
    "1 secs": 1, "5 secs": 5, "10 secs": 10, "15 secs": 15, "30 secs": 30, "1 min": 60, "2 mins": 120, "3 mins": 180,
    "4 mins": 240, "5 mins": 300, "10 mins": 600, "15 mins": 900, "20 mins": 1200, "30 mins": 1800, "1 hour": 3600,
    "2 hours": 7200, "3 hours": 10800, "4 hours": 14400, "8 hours": 28800, "1 day": 86400, "1 week": 604800,
    "1 month": 2592000,
}
"""The bar sizes that TWS knows, in seconds (TWS-BEHAVIOUR.md E); a month counts as 30 days."""

_OPEN: weakref.WeakSet[TWSConnection] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """A program that ends without `disconnect` leaves no half-open socket in TWS."""
    for connection in list(_OPEN):
        connection.disconnect()


class TWSConnection:
    """One client of one TWS. Make as many calls as you like on one event loop.

    `disconnect`, `is_connected`, `get_next_order_id` and the calls on `official` may come from any thread.
    """

    def __init__(self, config: TWSConfig, *, guard: Literal["default", "off"] | Verifier = "default",
                 limits: Limits | None = None, brake: Callable[[], Denial | None] | None = None,
                 dial: Dial | None = None, clock: Clock | None = None, journal: Path | None = None) -> None:
        """Nothing is dialled yet.

        guard    who approves orders: "default" the built-in one, which holds them to `limits` and writes them to
                 `journal` (default: `guard.sqlite3` in the user's state folder); "off" nobody, refused when anything
                 looks live; or a desk's gate, which mints the permits that `outbound.place` takes
        brake    read directly before each frame that moves money: a denial keeps it back (latch, epoch)
        dial     stands in for asyncio's create_connection
        clock    market time for what is received; the machine's by default

        Raises ConfigError for `guard="off"` on a live port, mode or account.
        """
        from tws.connection.engine import Engine

        if guard == "off":
            _refuse_live(config)
        self.config = config
        self._engine: Engine = Engine(config, dial, clock or SystemClock())
        self._details: dict[int, ContractDetails] = {}
        self._engine.furnish(_gates(self, guard, limits, brake, journal))

    # -- the session

    async def connect(self) -> bool:
        """Open a session. True when it is ready; False when it is not, within `connection_timeout` + 0.5 s.

        `failure` then holds stage, cause and cure, and one log line says them. Never raises for a TWS that is
        not there. On a client id in use (326) it tries again on the same id as long as the time allows.
        """
        from tws.connection.engine import log

        try:
            await self._engine.connect()
        except ConnectError as failure:
            log.warning("not connected", stage=failure.stage, cause=failure.cause, cure=failure.cure,
                        client_id=self.config.client_id)
            return False
        _OPEN.add(self)
        log.info("connected", where=f"{self.config.host}:{self.config.port}", client_id=self.config.client_id,
                 server_version=self.server_version, accounts=[mask_account(name) for name in self.accounts])
        return True

    def disconnect(self) -> None:
        """Close the session. Never blocks, never raises; safe twice, from any thread, on a closed loop, at exit.

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

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.disconnect()
        await self.wait_closed()

    def set_callbacks(self, on_connected: Callable[[], object] | None = None,
                      on_disconnected: Callable[[], object] | None = None,
                      on_error: Callable[[int, int, str], object] | None = None) -> None:
        """Who hears of the session's begin and end, and of each message 4 as (request or order id, code, text).

        Functions or coroutine functions, on the loop's thread. Their exceptions are logged and stop nothing.
        """
        from tws.connection.engine import Callbacks

        self._engine.callbacks = Callbacks(on_connected, on_disconnected, on_error)

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
        """The fact lane from now on, over all sessions: orders, fills, errors, positions, the link, in byte order.

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
        """The official EClient (ibapi 10.46), encoding only: each `req…` and `cancel…` of it works, from any thread.

        Orders placed on it pass the same gate as all others. Take its request ids from `official_request_id()`, its
        order ids from `get_next_order_id()`, and hear the answers through `attach`.
        """
        return self._engine.official

    def official_request_id(self) -> int:
        """A request id for a call on `official`, from a range of its own."""
        return self._engine.official_ids.take()

    def attach(self, wrapper: Any) -> Callable[[], None]:
        """Let an `ibapi.wrapper.EWrapper` hear every message that is no tick of a `stream_quotes`.

        The official Decoder reads for it a second time, so it is slow beside our own lanes. Returns the call that ends it.
        """
        return self._engine.attach(wrapper)

    # -- order ids

    def get_next_order_id(self) -> int | None:
        """Reserve an order id: never the same twice. None before the first session."""
        return self._engine.order_ids.take()

    def raise_order_id_floor(self, floor: int) -> None:
        """Give no order id below `floor`, such as the one that a journal knows."""
        self._engine.order_ids.raise_floor(floor)

    def request_next_order_id(self, n: int = 1) -> Reply[int]:
        """Ask TWS for its next id, then reserve n consecutive ids; the answer is the first.

        Raises ValueError for n below 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}: at least one id")
        from tws.connection.answers import IDS

        def finish(rows: list[int]) -> int:
            first = self._engine.order_ids.take(n)
            assert first is not None  # TWS has just named one
            return first

        return self._question(IDS, "next order id", finish, lambda: self.official.reqIds(1))

    # -- requests

    def request_current_time(self) -> Reply[datetime]:
        """TWS's clock, UTC, whole seconds."""
        from tws.connection.answers import TIME

        return self._question(TIME, "current time", _first, self.official.reqCurrentTime)

    def request_managed_accounts(self) -> Reply[tuple[str, ...]]:
        """The accounts of this login."""
        from tws.connection.answers import ACCOUNTS

        return self._question(ACCOUNTS, "managed accounts", _first, self.official.reqManagedAccts)

    def request_contract_details(self, contract: Contract) -> Reply[list[ContractDetails]]:
        """Every contract that fits the description. NoContractError when none does."""
        from tws.connection.translate import ib_contract

        def finish(rows: list[ContractDetails]) -> list[ContractDetails]:
            for details in rows:
                self._details[details.contract.con_id] = details
            return rows

        return self._request("contract details", finish,
                             lambda number: self.official.reqContractDetails(number, ib_contract(contract)))

    def request_contract(self, contract: Contract) -> Reply[ContractDetails]:
        """The one contract that fits. NoContractError, or AmbiguousContractError when several do."""
        from tws.connection.translate import ib_contract

        def finish(rows: list[ContractDetails]) -> ContractDetails:
            if not rows:
                raise NoContractError(200, f"nothing fits {contract.symbol or contract.con_id}")
            if len(rows) > 1:
                places = ", ".join(f"{row.contract.con_id} on {row.contract.primary_exchange}" for row in rows[:5])
                raise AmbiguousContractError(200, f"{len(rows)} contracts fit: {places}")
            self._details[rows[0].contract.con_id] = rows[0]
            return rows[0]

        return self._request("contract", finish,
                             lambda number: self.official.reqContractDetails(number, ib_contract(contract)))

    def request_historical_bars(self, contract: Contract, *, duration: str = "1 D", bar_size: str = "1 min",
                                what: str = "TRADES", use_rth: bool = True,
                                end: datetime | None = None) -> Reply[list[Bar]]:
        """Bars that end at `end` (aware; None: now), oldest first. Intraday bars are asked for as epochs.

        duration  such as "1800 S", "2 D", "1 W", "6 M", "1 Y"
        bar_size  one of TWS's own (`BAR_SECONDS`)

        Raises ValueError for a bar size that TWS does not know and for a naive `end`.
        """
        from tws.connection.translate import bar_of, ib_contract

        if bar_size not in BAR_SECONDS:
            raise ValueError(f"bar_size {bar_size!r} is none of TWS's: {', '.join(BAR_SECONDS)}")
        if end is not None and end.tzinfo is None:
            raise ValueError(f"end {end!r} has no time zone; use an aware datetime")
        until = "" if end is None else end.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S")
        seconds = BAR_SECONDS[bar_size]
        return self._request(
            "historical bars", lambda rows: [bar_of(row, seconds) for row in rows],
            lambda number: self.official.reqHistoricalData(
                number, ib_contract(contract), until, duration, bar_size, what, int(use_rth), 2, False, []),
            lambda number: self.official.cancelHistoricalData(number))

    def request_positions(self) -> Reply[list[Position]]:
        """All positions of all accounts. Changes follow as facts until the session ends."""
        from tws.connection.answers import POSITIONS, latest

        return self._question(POSITIONS, "positions", latest, self.official.reqPositions)

    def request_executions(self, *, client_id: int = 0, account: str = "", symbol: str = "") -> Reply[list[Execution]]:
        """Fills since midnight (TWS: up to seven days). 0 and "" mean any (TWS-BEHAVIOUR.md C4)."""
        from ibapi.execution import ExecutionFilter

        wish = ExecutionFilter()
        wish.clientId, wish.acctCode, wish.symbol = client_id, account, symbol
        all_of_them = not (client_id or account or symbol)

        def finish(rows: list[Execution]) -> list[Execution]:
            if all_of_them:
                self._engine.answers.complete_executions(rows)
            return rows

        return self._request("executions", finish, lambda number: self.official.reqExecutions(number, wish))

    def request_open_orders(self) -> Reply[list[BrokerOrder]]:
        """This client id's open orders; client 0 also binds those placed by hand."""
        from tws.connection.answers import OPEN, latest

        return self._question(OPEN, "open orders", latest, self.official.reqOpenOrders)

    def request_all_open_orders(self) -> Reply[list[BrokerOrder]]:
        """The open orders of every client and of TWS itself. Binds nothing."""
        from tws.connection.answers import OPEN, latest

        return self._question(OPEN, "all open orders", latest, self.official.reqAllOpenOrders)

    def request_completed_orders(self, api_only: bool = False) -> Reply[list[BrokerOrder]]:
        """Orders of this day that have ended."""
        from tws.connection.answers import COMPLETED, latest

        return self._question(COMPLETED, "completed orders", latest, lambda: self.official.reqCompletedOrders(api_only))

    def request_account_values(self, account: str = "", *, keep: bool = False) -> Reply[list[AccountValue]]:
        """One account's values, "" the configured or first one. `keep`: go on hearing of changes as facts.

        TWS serves one account at a time (TWS-BEHAVIOUR.md D).
        """
        from tws.connection.answers import VALUES

        name = account or self.config.account_id or (self.accounts[0] if self.accounts else "")

        def finish(rows: list[AccountValue]) -> list[AccountValue]:
            if not keep and self.is_connected():
                self.official.reqAccountUpdates(False, name)
            return [row for row in rows if row.account == name or not name]

        return self._question(VALUES, "account values", finish, lambda: self.official.reqAccountUpdates(True, name))

    # -- market data

    def request_market_data_type(self, kind: MarketDataType) -> None:
        """What later streams may carry: live, frozen, delayed, delayed frozen."""
        self._must_be_ready()
        self.official.reqMarketDataType(int(kind))

    def stream_quotes(self, contract: Contract, *, generic_ticks: Iterable[int] = ()) -> QuoteStream:
        """Market data of one contract from now on. `generic_ticks` as TWS numbers them (233 is RTVolume).

        Raises NotSentError without a session. A refusal of TWS ends the stream with RequestError.
        """
        from tws.connection.translate import ib_contract

        self._must_be_ready()
        engine, official = self._engine, self.official
        stream = QuoteStream(contract, lambda: _close_quotes(engine, stream.request_id), engine.lanes.isolate)
        stream.request_id = engine.request_ids.take()
        engine.open_quotes(stream)
        try:
            wishes = ",".join(str(number) for number in generic_ticks)
            official.reqMktData(stream.request_id, ib_contract(contract), wishes, False, False, [])
        except NotSentError:
            engine.drop_quotes(stream.request_id)
            raise
        return stream

    def stream_ticks(self, contract: Contract, kind: Literal["Last", "AllLast", "BidAsk", "MidPoint"] = "AllLast", *,
                     bound: int = 10_000) -> TickStream[TickByTickData]:
        """Tick-by-tick data: each trade or quote change. At most `bound` ticks wait for a slow reader; `gaps` counts the lost."""
        from tws.connection.translate import ib_contract

        self._must_be_ready()
        answers, official = self._engine.answers, self.official
        number = self._engine.request_ids.take()
        stream: TickStream[TickByTickData] = TickStream(
            contract, lambda: _close_ticks(self._engine, number), bound)
        stream.request_id = number
        answers.ticks[number] = stream
        try:
            official.reqTickByTickData(number, ib_contract(contract), kind, 0, True)
        except NotSentError:
            answers.ticks.pop(number, None)
            raise
        return stream

    # -- orders

    def place_order(self, contract: Contract, order: Order, order_id: int | None = None) -> Sending:
        """Place an order, or change the one that has `order_id`, through the built-in guard.

        Raises OrderDeniedError when the guard refuses (always when a desk owns the orders) and NotSentError without a
        session; no byte left then. What became of the order at the broker is a fact, not an exception.
        """
        self._must_be_ready()
        number = self.get_next_order_id() if order_id is None else order_id
        assert number is not None  # a ready session has one
        return self.outbound.place_guarded(number, contract, order)

    def cancel_order(self, order_id: int) -> Sending:
        """Cancel an order. One whose bytes have not left is withdrawn instead. Needs no approval."""
        return self.outbound.cancel(order_id)

    # -- inside

    def _must_be_ready(self) -> None:
        if not self._engine.ready:
            raise NotSentError(504, "Not connected")

    def _question(self, kind: str, name: str, finish: Callable[[list[Any]], T], send: Callable[[], object]) -> Reply[T]:
        self._must_be_ready()
        return self._engine.answers.questions.ask(kind, name, finish, send)

    def _request(self, name: str, finish: Callable[[list[Any]], T], send: Callable[[int], object],
                 withdraw: Callable[[int], object] | None = None) -> Reply[T]:
        self._must_be_ready()
        number = self._engine.request_ids.take()
        end = None if withdraw is None else lambda: withdraw(number)
        return self._engine.answers.requests.ask(number, name, finish, lambda: send(number), end)

    def details_of(self, contract: Contract) -> ContractDetails | None:
        """What a request for details has told of this contract, None when nobody asked."""
        return self._details.get(contract.con_id) if contract.con_id else None


def _first(rows: list[T]) -> T:
    return rows[-1]


def _close_quotes(engine: Engine, request_id: int) -> None:
    if engine.drop_quotes(request_id) and engine.ready:
        engine.official.cancelMktData(request_id)


def _close_ticks(engine: Engine, request_id: int) -> None:
    if engine.answers.ticks.pop(request_id, None) is not None and engine.ready:
        engine.official.cancelTickByTickData(request_id)


def _refuse_live(config: TWSConfig) -> None:
    """`guard="off"` is for simulators and paper alone."""
    live = (f"port {config.port} is live" if is_live_port(config.port)
            else "trading_mode is live" if config.trading_mode == "live"
            else "the account is live" if config.account_id and not is_paper_account(config.account_id) else "")
    if live:
        raise ConfigError("guard", "off", live, "Leave the guard on; nothing trades live without it")


def _gates(connection: TWSConnection, guard: Literal["default", "off"] | Verifier, limits: Limits | None,
           brake: Callable[[], Denial | None] | None, journal: Path | None) -> Any:
    from tws.connection.guard import Guard, LiveLock, SqliteBook, default_book_path, instrument_of
    from tws.connection.outbound import Gates
    from tws.platform import state_folder
    from tws.risk import StandaloneGate

    config = connection.config
    lock = LiveLock(config, lambda: connection.accounts)
    approver: Verifier | Guard | None
    if guard == "off":
        approver = None
    elif guard == "default":
        approver = Guard(
            StandaloneGate(limits or Limits(), port=config.port), SqliteBook(journal or state_folder() / "guard.sqlite3"),
            lambda: config.account_id or next(iter(connection.accounts), ""),
            connection._engine.answers.quote_of,
            lambda contract: instrument_of(contract, connection.details_of(contract)))
    else:
        approver = guard
    return Gates(lock, approver, brake)
