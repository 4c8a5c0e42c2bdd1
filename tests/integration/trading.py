"""What the levels `orders` and `e2e` share: one share, a price, and nothing left behind.

The trader is the one of `tws.certify.trader`; here is what a test makes of its troubles: no price skips, what
is left behind fails, and nothing is placed where anything looks live or read-only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.integration.levels import Met, connect, orders_allowed

from tws.certify.trader import ONE, live_signs
from tws.certify.trader import Trader as OneShare
from tws.connection import TWSConnection
from tws.errors import LeftBehindError, RequestError
from tws.model.contract import stock
from tws.monitor.doctor.causes import finding

__all__ = ["ONE", "Trader", "trading"]


def skip_unless_allowed(real: bool) -> None:
    """A real account is traded by nobody who has not said so."""
    if real and not orders_allowed():
        pytest.skip("orders are placed only when TWS_ENABLE_ORDER_TESTS=true (a paper account, one share)")


def refuse_live(port: int, mode: str, accounts: tuple[str, ...]) -> None:
    """Before anything is placed: no live sign anywhere, or the test fails."""
    if live := live_signs(port, mode, accounts):
        pytest.fail(f"these tests trade on paper alone: {'; '.join(live)}", pytrace=False)


def refuse_read_only(connection: TWSConnection) -> None:
    """With the Read-Only API no order is taken: say so, with the doctor's cure."""
    if connection.read_only:
        found = finding("read_only", "orders")
        pytest.fail(f"{found.cause}\nCure: {found.cure}", pytrace=False)


class Trader(OneShare):
    """The trader of a test; what TWS says on the way stands in the summary at the end."""

    @classmethod
    async def on(cls, met: Met, connection: TWSConnection) -> Trader:
        return cls(connection, await connection.request_contract(stock("SPY")), say=met.note)

    async def _last_close(self) -> float:
        try:
            return await super()._last_close()
        except RequestError as error:
            pytest.skip(f"no price of {self.contract.symbol}, so nothing can be placed: {error}")


@asynccontextmanager
async def trading(met: Met, **options: Any) -> AsyncIterator[Trader]:
    """A trader on a paper account that may be traded, else a skipped or failed test; nothing is left behind.

    `options` are those of `TWSConnection`.
    """
    skip_unless_allowed(met.real)
    refuse_live(met.config.port, met.config.trading_mode, ())
    connection = await connect(met, **options)
    try:
        refuse_live(met.config.port, met.config.trading_mode, connection.accounts)
        refuse_read_only(connection)
        made = await Trader.on(met, connection)
        try:
            yield made
        finally:
            try:
                await made.clean_up()
            except LeftBehindError as left:
                pytest.fail(str(left), pytrace=False)
    finally:
        connection.disconnect()
        await connection.wait_closed()
