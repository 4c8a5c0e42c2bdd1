"""`TWSConnection`: one session with a TWS or an IB Gateway, on the caller's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from tws.clock import Clock
from tws.connection.outbound import Authority, Outbound, Sending
from tws.connection.streams import QuoteStream
from tws.errors import ConnectError
from tws.model.account import AccountValue, Position
from tws.model.contract import Contract, ContractDetails
from tws.model.execution import Execution
from tws.model.facts import BrokerOrder, Fact
from tws.model.market import Bar, MarketDataType
from tws.model.order import Order

if TYPE_CHECKING:
    from tws.config import TWSConfig

__all__ = ["Dial", "FactLane", "Reply", "TWSConnection"]

T = TypeVar("T")
Dial: TypeAlias = Callable[
    [Callable[[], asyncio.Protocol], str, int], Awaitable[tuple[asyncio.BaseTransport, asyncio.BaseProtocol]]
]


class Reply(asyncio.Future[T]):
    """The answer to a request that has been sent. Awaiting it raises what went wrong; dropping it warns of nothing."""


class FactLane:
    """Facts in byte order; none is dropped or merged. With no listener they queue up to `bound`, then the socket
    stops being read until `drain` has emptied the lane below half of it."""

    def drain(self, limit: int | None = None) -> list[Fact]:
        """The oldest facts, removed from the lane."""
        raise NotImplementedError

    async def wait(self) -> None:
        """Return when there is at least one fact."""

    def close(self) -> None:
        """Listen no more."""


class TWSConnection:
    """One client of one TWS. Use it on one event loop; `disconnect`, `is_connected` and `get_next_order_id`
    may be called from any thread. See docs/design/connection.md."""

    failure: ConnectError | None
    accounts: tuple[str, ...]
    server_version: int
    session: int
    bytes_received: int
    bytes_sent: int
    outbound: Outbound

    def __init__(self, config: TWSConfig, *, guard: Literal["default", "off"] | Authority = "default",
                 dial: Dial | None = None, clock: Clock | None = None, journal: Path | None = None) -> None:
        """`guard`: who approves orders: the built-in one, none (refused when live), or the desk's gate.
        `journal`: the built-in guard's file, default in the user's state folder."""

    @property
    def official(self) -> Any:
        """The official EClient, encoding only. Its request ids start at `next_official_request_id()`."""

    async def connect(self) -> bool: ...  # type: ignore[empty-body]
    def disconnect(self) -> None: ...
    def is_connected(self) -> bool: ...  # type: ignore[empty-body]
    async def wait_closed(self) -> None:
        """Return when the socket is gone."""

    async def __aenter__(self) -> TWSConnection: ...  # type: ignore[empty-body]
    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None: ...

    def set_callbacks(self, on_connected: Callable[[], object] | None = None,
                      on_disconnected: Callable[[], object] | None = None,
                      on_error: Callable[[int, int, str], object] | None = None) -> None: ...
    def get_next_order_id(self) -> int | None: ...
    def raise_order_id_floor(self, floor: int) -> None:
        """Never give an order id below `floor` (the desk's persisted one)."""

    def facts(self, listener: Callable[[Fact], None] | None = None, *, bound: int = 4096) -> FactLane:  # type: ignore[empty-body]
        """The fact lane: `listener` is called for each fact in byte order; without one, drain the lane."""

    def request_current_time(self) -> Reply[datetime]: ...  # type: ignore[empty-body]
    def request_managed_accounts(self) -> Reply[tuple[str, ...]]: ...  # type: ignore[empty-body]
    def request_next_order_id(self, n: int = 1) -> Reply[int]:  # type: ignore[empty-body]
        """Ask TWS for its next id (reqIds), reserve n consecutive ids, answer the first."""

    def request_contract_details(self, contract: Contract) -> Reply[list[ContractDetails]]: ...  # type: ignore[empty-body]
    def request_contract(self, contract: Contract) -> Reply[ContractDetails]:  # type: ignore[empty-body]
        """Exactly one: NoContractError, AmbiguousContractError."""

    def request_historical_bars(self, contract: Contract, *, duration: str = "1 D", bar_size: str = "1 min",  # type: ignore[empty-body]
                                what: str = "TRADES", use_rth: bool = True,
                                end: datetime | None = None) -> Reply[list[Bar]]: ...
    def request_positions(self) -> Reply[list[Position]]: ...  # type: ignore[empty-body]
    def request_executions(self, *, client_id: int = 0, account: str = "", symbol: str = "") -> Reply[list[Execution]]: ...  # type: ignore[empty-body]
    def request_open_orders(self) -> Reply[list[BrokerOrder]]: ...  # type: ignore[empty-body]
    def request_all_open_orders(self) -> Reply[list[BrokerOrder]]: ...  # type: ignore[empty-body]
    def request_completed_orders(self, api_only: bool = False) -> Reply[list[BrokerOrder]]: ...  # type: ignore[empty-body]
    def request_account_values(self, account: str = "") -> Reply[list[AccountValue]]: ...  # type: ignore[empty-body]
    def request_market_data_type(self, kind: MarketDataType) -> None: ...
    def stream_quotes(self, contract: Contract, *, generic_ticks: Iterable[int] = ()) -> QuoteStream: ...  # type: ignore[empty-body]
    def place_order(self, contract: Contract, order: Order, order_id: int | None = None) -> Sending:  # type: ignore[empty-body]
        """Place through the built-in guard; OrderDeniedError when it refuses. With a desk's gate this always refuses."""

    def cancel_order(self, order_id: int) -> Sending: ...  # type: ignore[empty-body]
