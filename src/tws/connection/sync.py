"""`SyncConnection`: the same core for synchronous programs and notebooks.

A daemon thread runs an event loop of its own, on which a `TWSConnection` lives; each call here hands over to
it and
waits. Nothing is patched, so it works beside a running loop (a notebook's). The names are those of
`TWSConnection`;
`request_*` give the answer itself, or raise. Callbacks run on the thread of the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import CancelledError as FutureCancelled
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from tws.config import TWSConfig
from tws.connection.facade import TWSConnection
from tws.connection.sending import Sending
from tws.connection.streams import QuoteStream
from tws.errors import ConnectError, LinkLostError, NotSentError, RequestTimeoutError
from tws.model.account import AccountValue, Position
from tws.model.contract import Contract, ContractDetails
from tws.model.execution import Execution
from tws.model.facts import BrokerOrder
from tws.model.market import Bar, MarketDataType, Quote
from tws.model.order import Order
from tws.model.settings import TWSSettings

__all__ = ["SyncConnection", "SyncQuoteStream"]

T = TypeVar("T")

# beyond the core's own bound: the core answers first, unless its thread is stuck in a user's callback
_MARGIN_S = 5.0


class SyncConnection:
    """See the module. Keywords are those of `TWSConnection`."""

    def __init__(self, config: TWSConfig, **options: Any) -> None:
        self.config = config
        self.core = TWSConnection(config, **options)
        """The asynchronous connection inside. Touch it only on its own loop (`run` does)."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()

    # -- the session

    def connect(self) -> bool:
        """Open a session: True, or False with `failure` set, within `connection_timeout` + 0.5 s."""
        return self.run(self.core.connect(), self.config.connection_timeout)

    def disconnect(self) -> None:
        """Close. Never blocks, safe twice, from any thread; the loop's thread ends with the program."""
        self.core.disconnect()

    def is_connected(self) -> bool:
        """Whether a session is ready."""
        return self.core.is_connected()

    def close(self) -> None:
        """Disconnect, wait for the socket's end (at most a second) and end the thread. Safe twice."""
        loop, self._loop = self._loop, None
        self.core.disconnect()
        if loop is None or loop.is_closed():
            return
        if threading.current_thread().name != self._thread_name:
            gone = asyncio.run_coroutine_threadsafe(asyncio.wait_for(self.core.wait_closed(), 1.0), loop)
            # When TWS keeps its side open: ours is shut all the same.
            with contextlib.suppress(TimeoutError, FutureCancelled):
                gone.result(1.5)
        loop.call_soon_threadsafe(loop.stop)

    def __enter__(self) -> Self:
        """Connect, or raise the ConnectError."""
        if not self.connect():
            failure: ConnectError | None = self.core.failure
            self.close()
            assert failure is not None
            raise failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def set_callbacks(
        self,
        on_connected: Callable[[], object] | None = None,
        on_disconnected: Callable[[], object] | None = None,
        on_error: Callable[[int, int, str], object] | None = None,
    ) -> None:
        """As `TWSConnection.set_callbacks`; they run on the thread of the loop."""
        self.core.set_callbacks(on_connected, on_disconnected, on_error)

    @property
    def failure(self) -> ConnectError | None:
        """Why the last `connect` answered False."""
        return self.core.failure

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that TWS named."""
        return self.core.accounts

    @property
    def server_version(self) -> int:
        """The agreed version."""
        return self.core.server_version

    @property
    def official(self) -> Any:
        """As `TWSConnection.official`: it may be called from any thread."""
        return self.core.official

    # -- requests

    def get_next_order_id(self) -> int | None:
        """Reserve an order id; None before the first session."""
        return self.core.get_next_order_id()

    def request_next_order_id(self, n: int = 1) -> int:
        """Ask TWS, reserve n consecutive ids, give the first."""
        return self._ask(lambda: self.core.request_next_order_id(n))

    def request_current_time(self) -> datetime:
        """TWS's clock, UTC."""
        return self._ask(self.core.request_current_time)

    def request_managed_accounts(self) -> tuple[str, ...]:
        """The accounts of this login."""
        return self._ask(self.core.request_managed_accounts)

    def request_contract_details(self, contract: Contract) -> list[ContractDetails]:
        """Every contract that fits."""
        return self._ask(lambda: self.core.request_contract_details(contract))

    def request_contract(self, contract: Contract) -> ContractDetails:
        """The one contract that fits."""
        return self._ask(lambda: self.core.request_contract(contract))

    def request_historical_bars(self, contract: Contract, **wishes: Any) -> list[Bar]:
        """As `TWSConnection.request_historical_bars`, same keywords."""
        return self._ask(lambda: self.core.request_historical_bars(contract, **wishes))

    def request_positions(self) -> list[Position]:
        """All positions."""
        return self._ask(self.core.request_positions)

    def request_executions(self, **wishes: Any) -> list[Execution]:
        """As `TWSConnection.request_executions`, same keywords."""
        return self._ask(lambda: self.core.request_executions(**wishes))

    def request_open_orders(self) -> list[BrokerOrder]:
        """This client id's open orders."""
        return self._ask(self.core.request_open_orders)

    def request_all_open_orders(self) -> list[BrokerOrder]:
        """Everybody's open orders."""
        return self._ask(self.core.request_all_open_orders)

    def request_completed_orders(self, api_only: bool = False) -> list[BrokerOrder]:
        """Orders of this day that have ended."""
        return self._ask(lambda: self.core.request_completed_orders(api_only))

    def request_account_values(self, account: str = "") -> list[AccountValue]:
        """One account's values."""
        return self._ask(lambda: self.core.request_account_values(account))

    def request_settings(self) -> TWSSettings:
        """What this TWS is set to; server version 219 and up."""
        return self._ask(self.core.request_settings)

    def request_market_data_type(self, kind: MarketDataType) -> None:
        """What later streams may carry."""
        self._do(lambda: self.core.request_market_data_type(kind))

    def stream_quotes(self, contract: Contract, *, generic_ticks: Iterable[int] = ()) -> SyncQuoteStream:
        """Merged quotes as a plain iterator and context manager."""
        return SyncQuoteStream(
            self, self._do(lambda: self.core.stream_quotes(contract, generic_ticks=generic_ticks))
        )

    # -- orders

    def place_order(self, contract: Contract, order: Order, order_id: int | None = None) -> Sending:
        """As `TWSConnection.place_order`, once the bytes have left. Raises what kept them back."""

        async def place() -> Sending:
            return await self.core.place_order(contract, order, order_id)

        return self.run(place(), self.config.request_timeout)

    def cancel_order(self, order_id: int) -> Sending:
        """As `TWSConnection.cancel_order`."""
        return self._do(lambda: self.core.cancel_order(order_id))

    # -- the thread

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Run a coroutine on the connection's loop and wait for it, `timeout_s` and a margin at the most.

        Raises RequestTimeoutError when the loop does not come to it (a callback of yours blocks its thread).
        """
        loop = self._running_loop()
        if threading.current_thread().name == self._thread_name:
            work.close()
            raise RuntimeError(
                "this is the connection's own thread: a callback can't wait for it; use `core`"
            )
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(timeout_s + _MARGIN_S)
        except FutureCancelled:
            raise LinkLostError("the connection was closed while we waited") from None
        except TimeoutError:
            if future.done():
                raise
            future.cancel()
            raise RequestTimeoutError(
                "the connection's thread did not answer: does a callback block it?"
            ) from None

    def _ask(self, request: Callable[[], asyncio.Future[T]]) -> T:
        async def ask() -> T:
            return await request()

        return self.run(ask(), self.config.request_timeout)

    def _do(self, call: Callable[[], T]) -> T:
        async def do() -> T:
            return call()

        return self.run(do(), self.config.request_timeout)

    @property
    def _thread_name(self) -> str:
        return f"tws connection {id(self)}"

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None or self._loop.is_closed():
                started: queue.Queue[asyncio.AbstractEventLoop] = queue.Queue()
                threading.Thread(
                    target=self._serve, args=(started,), name=self._thread_name, daemon=True
                ).start()
                self._loop = started.get()
            return self._loop

    @staticmethod
    def _serve(started: queue.Queue[asyncio.AbstractEventLoop]) -> None:
        loop = asyncio.new_event_loop()
        loop.call_soon(started.put, loop)
        try:
            loop.run_forever()
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()


class SyncQuoteStream:
    """A `QuoteStream` seen from another thread: iterate it, or use it in a `with`."""

    def __init__(self, host: SyncConnection, stream: QuoteStream) -> None:
        self._host = host
        self._stream = stream

    @property
    def quote(self) -> Quote:
        """The last known state."""
        return self._stream.quote

    @property
    def merged(self) -> int:
        """Changes that no reader saw on their own."""
        return self._stream.merged

    def next(self, timeout_s: float | None = None) -> Quote:
        """The newest state as soon as something changed.

        Raises StopIteration at the stream's end, RequestTimeoutError after `timeout_s` without a change.
        """

        async def following() -> Quote | None:
            try:
                return await asyncio.wait_for(anext(self._stream), timeout_s)
            except StopAsyncIteration:
                return None  # it can't cross a future
            except TimeoutError:
                raise RequestTimeoutError(f"no change within {timeout_s:g} s") from None

        quote = self._host.run(following(), 1e9 if timeout_s is None else timeout_s)
        if quote is None:
            raise StopIteration
        return quote

    def on_tick(self, callback: Callable[[int, float, float], object]) -> Callable[[], None]:
        """As `QuoteStream.on_tick`, on the thread of the loop."""
        return self._stream.on_tick(callback)

    def close(self) -> None:
        """End the stream. Safe twice, and after the connection's end."""
        if self._host.is_connected():
            try:
                self._host._do(self._stream.close)
            except (NotSentError, LinkLostError):
                return  # the link went in this moment, and the stream with it

    def __iter__(self) -> Iterator[Quote]:
        return self

    def __next__(self) -> Quote:
        return self.next()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
