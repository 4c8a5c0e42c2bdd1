"""What the doctor uses of a connection, and how it opens one that can read and never trade.

The session has a verifier that approves nothing. It is closed on every path, the close awaited: a half-open
leftover may keep the client id (TWS-BEHAVIOUR.md A3, A5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from tws.config import TWSConfig
from tws.errors import ConnectError
from tws.model.contract import Contract
from tws.model.market import MarketDataType
from tws.model.settings import TWSSettings
from tws.risk import Denial

__all__ = ["Session", "close", "open_session"]


class Session(Protocol):
    """What the doctor uses of `tws.connection.TWSConnection`."""

    @property
    def failure(self) -> ConnectError | None: ...
    @property
    def accounts(self) -> tuple[str, ...]: ...
    @property
    def server_version(self) -> int: ...
    @property
    def connection_time(self) -> str: ...
    async def connect(self) -> bool: ...
    def disconnect(self) -> None: ...
    async def wait_closed(self) -> None: ...
    def set_callbacks(self, *, on_error: Callable[[int, int, str], object] | None = None) -> None: ...
    def request_current_time(self) -> Awaitable[Any]: ...
    def request_managed_accounts(self) -> Awaitable[tuple[str, ...]]: ...
    def request_open_orders(self) -> Awaitable[Any]: ...
    def request_market_data_type(self, kind: MarketDataType) -> None: ...
    def request_historical_bars(
        self, contract: Contract, *, duration: str, bar_size: str, what: str
    ) -> Awaitable[Any]: ...
    def request_settings(self) -> Awaitable[TWSSettings]: ...
    def stream_quotes(self, contract: Contract) -> Any: ...


class _NoOrders:
    """The verifier of the doctor's session: it approves nothing."""

    def redeem(self, permit: object, order_id: int, contract: object, order: object) -> Denial:
        return Denial(limit="doctor", figure="an order", bound="none", reason="the doctor only reads")


def open_session(config: TWSConfig) -> Session:
    """A connection that can read and not trade. Importing it imports ibapi, which was found sound before."""
    from tws.connection import TWSConnection

    return TWSConnection(config, guard=_NoOrders(), keep=False)  # a link that goes is what it has to tell


async def close(session: Session, timeout_s: float) -> None:
    """End a session and wait until its socket is gone, so long at most."""
    session.set_callbacks()
    session.disconnect()
    try:
        await asyncio.wait_for(session.wait_closed(), timeout_s)
    except TimeoutError:
        return
