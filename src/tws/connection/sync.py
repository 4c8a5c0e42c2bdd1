"""`SyncConnection`: the same core for synchronous programs and notebooks.

A daemon thread runs an event loop of its own, on which a `TWSConnection` lives; each call here hands over to
it and waits. Nothing is patched, so it works beside a running loop (a notebook's). The names and parameters
are those of `TWSConnection`; `request_*` give the answer itself, or raise; `stream_*` and `download_*` give
plain iterators (`tws.connection.twins`). Callbacks run on the thread of the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from tws.config import TWSConfig
from tws.connection.facade import TWSConnection
from tws.connection.keeping.events import ConnectionState
from tws.connection.twins import SyncDownload, SyncQuoteStream, SyncStream, asks, does, follows, loads
from tws.connection.twins import follows_quotes as quotes
from tws.errors import ConnectError, LinkLostError, RequestTimeoutError
from tws.model.account import AccountValue, PnL, PositionPnL
from tws.model.depth import DepthChange
from tws.model.market import Bar
from tws.model.news import NewsBulletin, NewsHeadline
from tws.model.reference import DisplayGroup
from tws.model.scanner import ScanRow
from tws.wire.messages import TickByTickData

__all__ = ["SyncConnection", "SyncDownload", "SyncQuoteStream", "SyncStream"]

T = TypeVar("T")
_The = TWSConnection

_MARGIN_S = 5.0
"""How long the loop may stand before its thread is taken for stuck in a user's callback, and how long beyond
a bound of the core's own it is waited for, since the core answers first."""


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
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self.core.state

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

    wait_ready = asks(_The.wait_ready)
    wait_order = asks(_The.wait_order)

    # -- questions: the session

    request_current_time = asks(_The.request_current_time)
    request_current_time_millis = asks(_The.request_current_time_millis)
    request_managed_accounts = asks(_The.request_managed_accounts)
    request_next_order_id = asks(_The.request_next_order_id)
    request_user_info = asks(_The.request_user_info)
    request_settings = asks(_The.request_settings)
    update_settings = asks(_The.update_settings)
    request_verification = asks(_The.request_verification)
    set_server_log_level = does(_The.set_server_log_level)

    # -- contracts

    request_contract = asks(_The.request_contract)
    request_contract_details = asks(_The.request_contract_details)
    request_instrument = asks(_The.request_instrument)
    request_market_rule = asks(_The.request_market_rule)
    request_matching_symbols = asks(_The.request_matching_symbols)
    request_option_chain = asks(_The.request_option_chain)
    request_option_contracts = asks(_The.request_option_contracts)
    request_depth_exchanges = asks(_The.request_depth_exchanges)
    request_smart_components = asks(_The.request_smart_components)
    request_family_codes = asks(_The.request_family_codes)
    request_soft_dollar_tiers = asks(_The.request_soft_dollar_tiers)
    request_display_groups = asks(_The.request_display_groups)
    stream_display_group = follows(_The.stream_display_group, DisplayGroup)
    details_of = does(_The.details_of)
    instrument_of = does(_The.instrument_of)

    # -- the past

    request_historical_bars = asks(_The.request_historical_bars)
    request_historical_columns = asks(_The.request_historical_columns)
    request_historical_ticks = asks(_The.request_historical_ticks)
    request_head_timestamp = asks(_The.request_head_timestamp)
    request_histogram = asks(_The.request_histogram)
    request_schedule = asks(_The.request_schedule)
    download_bars = loads(_The.download_bars)

    # -- market data

    request_market_data_type = does(_The.request_market_data_type)
    request_quote = asks(_The.request_quote)
    request_implied_volatility = asks(_The.request_implied_volatility)
    request_option_price = asks(_The.request_option_price)
    stream_quotes = quotes(_The.stream_quotes)
    stream_ticks = follows(_The.stream_ticks, TickByTickData)
    stream_depth = follows(_The.stream_depth, DepthChange)
    stream_bars = follows(_The.stream_bars, Bar)
    stream_realtime_bars = follows(_The.stream_realtime_bars, Bar)

    # -- news, scanners, research

    request_news_providers = asks(_The.request_news_providers)
    request_news_article = asks(_The.request_news_article)
    request_historical_news = asks(_The.request_historical_news)
    stream_news = follows(_The.stream_news, NewsHeadline)
    stream_news_bulletins = follows(_The.stream_news_bulletins, NewsBulletin)
    request_scanner_parameters = asks(_The.request_scanner_parameters)
    request_scan = asks(_The.request_scan)
    stream_scanner = follows(_The.stream_scanner, tuple[ScanRow, ...])
    request_fundamentals = asks(_The.request_fundamentals)
    request_wsh_meta = asks(_The.request_wsh_meta)
    request_wsh_events = asks(_The.request_wsh_events)

    # -- accounts

    request_positions = asks(_The.request_positions)
    request_positions_of = asks(_The.request_positions_of)
    request_portfolio = asks(_The.request_portfolio)
    request_account_values = asks(_The.request_account_values)
    request_account_values_of = asks(_The.request_account_values_of)
    request_account_summary = asks(_The.request_account_summary)
    stream_account = follows(_The.stream_account, object)  # AccountValue or PortfolioItem
    stream_account_summary = follows(_The.stream_account_summary, AccountValue)
    stream_pnl = follows(_The.stream_pnl, PnL)
    stream_pnl_of = follows(_The.stream_pnl_of, PositionPnL)

    request_advisor_groups = asks(_The.request_advisor_groups)
    request_advisor_profiles = asks(_The.request_advisor_profiles)
    request_account_aliases = asks(_The.request_account_aliases)
    replace_advisor_groups = asks(_The.replace_advisor_groups)
    replace_advisor_profiles = asks(_The.replace_advisor_profiles)
    replace_account_aliases = asks(_The.replace_account_aliases)

    # -- orders

    request_executions = asks(_The.request_executions)
    request_open_orders = asks(_The.request_open_orders)
    request_all_open_orders = asks(_The.request_all_open_orders)
    request_completed_orders = asks(_The.request_completed_orders)
    request_what_if = asks(_The.request_what_if)
    place_order = asks(_The.place_order)
    exercise_options = asks(_The.exercise_options)
    lapse_options = asks(_The.lapse_options)
    cancel_order = does(_The.cancel_order)
    cancel_all_orders = does(_The.cancel_all_orders)
    bind_manual_orders = does(_The.bind_manual_orders)

    def get_next_order_id(self) -> int | None:
        """Reserve an order id; None before the first session."""
        return self.core.get_next_order_id()

    def raise_order_id_floor(self, floor: int) -> None:
        """Give no order id below `floor`, such as the one that a journal knows."""
        self.core.raise_order_id_floor(floor)

    # -- the thread

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Run a coroutine on the connection's loop and wait for it: `timeout_s` and a margin at the most, or
        (None) until it ends, while the loop turns.

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
            return self._wait(loop, future, timeout_s)
        except FutureCancelled:
            raise LinkLostError("the connection was closed while we waited") from None

    def _wait(self, loop: asyncio.AbstractEventLoop, future: Future[T], timeout_s: float | None) -> T:
        while True:
            try:
                return future.result(_MARGIN_S if timeout_s is None else timeout_s + _MARGIN_S)
            except TimeoutError:
                if future.done():
                    raise  # the work's own
                if timeout_s is None and self._turns(loop):
                    continue
            future.cancel()
            raise RequestTimeoutError(
                "the connection's thread did not answer: does a callback block it?"
            ) from None

    def _turns(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether the loop is alive."""
        sign = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop)
        try:
            sign.result(_MARGIN_S)
        except TimeoutError:
            return False
        return True

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
