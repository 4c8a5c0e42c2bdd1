"""What the levels `orders` and `e2e` share: one share, a price, and nothing left behind.

`Trader` remembers what a test has placed by an orderRef of its own. `clean_up`, which runs however the test
ended, and on a new session if the first one is gone, cancels what still works, sells or buys back what was
filled, and asks TWS whether all of it is gone; what is not is named, and fails the test.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.integration.levels import WAIT_S, Met, connect, open_or_fail, orders_allowed, until

from tws.config import is_live_port, is_paper_account, mask_account
from tws.connection import TWSConnection
from tws.connection.keeping.broker import SeenOrder
from tws.connection.ordering.rules import instrument_of
from tws.errors import LinkLostError, NotSentError, RequestError, RequestTimeoutError
from tws.model.contract import ContractDetails, stock
from tws.model.execution import Execution
from tws.model.facts import BrokerOrder, BrokerReply, Fact
from tws.model.market import MarketDataType
from tws.model.order import Order, OrderType, Side
from tws.monitor.doctor.causes import finding

__all__ = ["ONE", "Trader", "trading"]

ONE = Decimal(1)
FAR = Decimal("0.9")
"""A buy ten percent under the market fills in no second of an ordinary day, and no exchange finds it
absurd; a precaution of TWS itself may (code 163), which the failed test then says."""
NEAR = Decimal("0.01")
"""One percent beyond the other side: marketable, and bounded."""
WORKS = {"PendingSubmit", "PreSubmitted", "Submitted", "Filled"}


def skip_unless_allowed(real: bool) -> None:
    """A real account is traded by nobody who has not said so."""
    if real and not orders_allowed():
        pytest.skip("orders are placed only when TWS_ENABLE_ORDER_TESTS=true (a paper account, one share)")


def refuse_live(port: int, mode: str, accounts: tuple[str, ...]) -> None:
    """Before anything is placed: no live sign anywhere, or the test fails."""
    live = [f"port {port} is one of live trading"] if is_live_port(port) else []
    live += ["TWS_TRADING_MODE is live"] if mode == "live" else []
    live += [f"{mask_account(name)} is no paper account" for name in accounts if not is_paper_account(name)]
    if live:
        pytest.fail(f"these tests trade on paper alone: {'; '.join(live)}", pytrace=False)


def refuse_read_only(connection: TWSConnection) -> None:
    """With the Read-Only API no order is taken: say so, with the doctor's cure."""
    if connection.read_only:
        found = finding("read_only", "orders")
        pytest.fail(f"{found.cause}\nCure: {found.cure}", pytrace=False)


class Trader:
    """One share of one stock, on one connection. Everything that it places carries `mark` in its orderRef."""

    def __init__(self, met: Met, connection: TWSConnection, details: ContractDetails) -> None:
        self.met = met
        self.connection = connection
        self.contract = details.contract
        self.grid = instrument_of(details.contract, details)
        self.account = met.config.account_id or connection.accounts[0]
        self.mark = f"level-{secrets.token_hex(4)}"
        self.facts: list[Fact] = []
        self._count = 0
        self._listening = connection.facts(self.facts.append)

    @classmethod
    async def on(cls, met: Met, connection: TWSConnection) -> Trader:
        return cls(met, connection, await connection.request_contract(stock("SPY")))

    # -- prices

    async def market(self) -> tuple[Decimal, Decimal]:
        """Bid and ask as the login may see them, or the last price twice; a skipped test without any."""
        self.connection.request_market_data_type(MarketDataType.DELAYED_FROZEN)
        quote = None
        try:
            quote = await self.connection.request_quote(self.contract)
        except RequestError as error:
            self.met.note(f"no quote of {self.contract.symbol}: {error}")
        price = None if quote is None else quote.last or quote.close
        bid = None if quote is None else quote.bid or price
        ask = None if quote is None else quote.ask or price
        if bid is None or ask is None:
            bid = ask = await self._last_close()
        return Decimal(repr(bid)), Decimal(repr(ask))

    async def _last_close(self) -> float:
        try:
            bars = await self.connection.request_historical_bars(
                self.contract, duration="1 W", bar_size="1 day"
            )
        except RequestError as error:
            pytest.skip(f"no price of {self.contract.symbol}, so nothing can be placed: {error}")
        return bars[-1].close

    # -- orders

    def order(self, side: Side, price: Decimal) -> Order:
        """One share at a limit, on the contract's grid and to the better side of it."""
        self._count += 1
        return Order(
            side=side,
            quantity=ONE,
            order_type=OrderType.LIMIT,
            limit_price=self.grid.snap(price, up=side is Side.SELL),
            account=self.account,
            order_ref=f"{self.mark}-{self._count}",
        )

    async def far_buy(self) -> Order:
        bid, _ = await self.market()
        return self.order(Side.BUY, bid * FAR)

    async def marketable(self, side: Side) -> Order:
        bid, ask = await self.market()
        return self.order(side, ask * (1 + NEAR) if side is Side.BUY else bid * (1 - NEAR))

    async def place(self, order: Order, order_id: int | None = None) -> int:
        """Place or change; returns when the bytes have left."""
        sending = await self.connection.place_order(self.contract, order, order_id)
        return sending.order_id

    def seen(self, order: Order) -> SeenOrder | None:
        """What TWS has told of the order, None when it has not."""
        return next(iter(self.connection.broker.of_ref(order.order_ref)), None)

    def told(self, order: Order) -> BrokerOrder | None:
        """Its latest description by TWS."""
        seen = self.seen(order)
        return None if seen is None else seen.order

    async def acknowledged(self, order: Order, order_id: int) -> SeenOrder:
        """Wait until TWS says that it has the order; a refusal fails the test with TWS's words."""

        def decided() -> bool:
            seen = self.seen(order)
            return (seen is not None and seen.status in WORKS) or bool(self.refusals(order_id))

        await until(decided, f"TWS has said nothing of order {order_id}")
        seen = self.seen(order)
        if seen is None or seen.status not in WORKS:
            pytest.fail(f"TWS refuses order {order_id}: {self.refusals(order_id)}", pytrace=False)
        return seen

    def refusals(self, order_id: int) -> str:
        """What TWS has said about an order id in messages of errors."""
        said = [
            f"{fact.code} {fact.text}"
            for fact in self.facts
            if isinstance(fact, BrokerReply) and fact.order_id == order_id
        ]
        return "; ".join(said)

    async def cancel(self, order: Order, order_id: int) -> None:
        """Cancel and wait for the word that it works no more."""
        self.connection.cancel_order(order_id)

        def ended() -> bool:
            seen = self.seen(order)
            return seen is not None and not seen.is_open

        await until(ended, f"order {order_id} was not cancelled")

    async def position(self) -> Decimal:
        """What the account holds, by asking."""
        rows = await self.connection.request_positions()
        held = [
            row.quantity
            for row in rows
            if row.contract.con_id == self.contract.con_id and row.account == self.account
        ]
        return sum(held, Decimal(0))

    async def executions(self) -> list[Execution]:
        """What TWS answers of our fills."""
        answer = await self.connection.request_executions()
        return [row for row in answer if row.order_ref.startswith(self.mark)]

    # -- nothing is left

    async def clean_up(self) -> None:
        """See the module. Raises a failure that names what could not be undone."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + WAIT_S
        while True:
            try:
                if not self.connection.is_connected():
                    await open_or_fail(self.connection)
                return await self._leave_nothing()
            except (LinkLostError, NotSentError, RequestTimeoutError):  # the link went under us: once more
                if loop.time() > until_s:
                    raise

    async def _leave_nothing(self) -> None:
        await self._cancel_all()
        held = await self._held()
        if held:
            await self._trade_back(held)
            await self._cancel_all()
            held = await self._held()
        self._listening.close()
        if held:
            account = mask_account(self.account)
            pytest.fail(f"LEFT BEHIND in {account}: {held} {self.contract.symbol}", pytrace=False)

    async def _held(self) -> Decimal:
        return sum((row.signed_quantity for row in await self.executions()), Decimal(0))

    async def working(self) -> list[BrokerOrder]:
        """Our orders that work, by asking TWS about all clients."""
        rows = await self.connection.request_all_open_orders()
        return [row for row in rows if row.order_ref.startswith(self.mark)]

    async def _cancel_all(self) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + WAIT_S
        while left := await self.working():
            for row in left:
                self.connection.cancel_order(row.order_id)
            if loop.time() > until_s:
                names = ", ".join(f"{row.order_id} (permId {row.perm_id})" for row in left)
                pytest.fail(f"LEFT BEHIND, still working: orders {names}. Cancel them in TWS", pytrace=False)
            await asyncio.sleep(0.2)

    async def _trade_back(self, held: Decimal) -> None:
        order = await self.marketable(Side.SELL if held > 0 else Side.BUY)
        order = replace(order, quantity=abs(held))
        await self.place(order)
        await until(lambda: (seen := self.seen(order)) is not None and not seen.is_open, "not traded back")


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
            await made.clean_up()
    finally:
        connection.disconnect()
        await connection.wait_closed()
