"""One share of one stock on a paper account, and nothing left behind.

`Trader` remembers what it has placed by an orderRef of its own. `clean_up`, which runs however a test ended,
and on a new session if the first one is gone, cancels what still works, sells or buys back what was filled,
and asks TWS whether all of it is gone; what is not is a LeftBehindError that names it.

Both `tws certify` and the integration tests trade by it. Nothing here decides whether trading is allowed:
`live_signs` says what speaks against it, and each caller asks before the first order.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from tws.clock import to_ns
from tws.config import is_live_port, is_paper_account, mask_account
from tws.connection import TWSConnection
from tws.connection.keeping.broker import SeenOrder
from tws.connection.ordering.rules import instrument_of
from tws.errors import (
    ConnectError,
    LeftBehindError,
    LinkLostError,
    NotSentError,
    RequestError,
    RequestTimeoutError,
)
from tws.model.contract import ContractDetails
from tws.model.execution import Execution
from tws.model.facts import BrokerOrder, BrokerReply, Fact
from tws.model.fullorder import FullOrder
from tws.model.market import MarketDataType
from tws.model.order import Order, OrderType, Side
from tws.model.session import parse_hours, session_at

__all__ = ["ONE", "Trader", "closed_until", "live_signs", "new_mark", "until"]

WAIT_S = 30.0
"""What TWS gets for each thing that must happen: an order's word takes it a second, a fee some more."""
ONE = Decimal(1)
FAR = Decimal("0.9")
"""A buy ten percent under the market fills in no second of an ordinary day, and no exchange finds it
absurd; a precaution of TWS itself may (code 163), which its refusal then says."""
NEAR = Decimal("0.01")
"""One percent beyond the other side: marketable, and bounded."""
DIALOG_S = 3.0
"""What TWS gets to answer the cancel of an order that it never spoke of."""
NOT_FOUND = 10147
WORKS = {"PendingSubmit", "PreSubmitted", "Submitted", "Filled"}


def live_signs(port: int, mode: str = "paper", accounts: tuple[str, ...] = ()) -> list[str]:
    """What looks like live trading: a port, the mode, an account that does not begin with D."""
    live = [f"port {port} is one of live trading"] if is_live_port(port) else []
    live += ["the trading mode is live"] if mode == "live" else []
    live += [f"{mask_account(name)} is no paper account" for name in accounts if not is_paper_account(name)]
    return live


def closed_until(details: ContractDetails, now: datetime) -> str:
    """ "" while the contract's market is open, else when it opens, by the hours that the broker states."""
    now_ns = to_ns(now)
    session = session_at(parse_hours(details.liquid_hours, details.time_zone_id), now_ns)
    if session is None:
        return "closed, and no session is stated"
    if session.holds(now_ns):
        return ""
    return f"closed until {datetime.fromtimestamp(session.open_ns / 1e9, UTC):%Y-%m-%d %H:%M} UTC"


def new_mark(prefix: str) -> str:
    """An orderRef's beginning that no other run has."""
    return f"{prefix}-{secrets.token_hex(4)}"


async def until(true: Callable[[], object], what: str, wait_s: float | None = None) -> None:
    """Wait for what TWS must bring about. Raises RequestTimeoutError that says what is missing."""
    loop = asyncio.get_running_loop()
    bound_s = WAIT_S if wait_s is None else wait_s
    until_s = loop.time() + bound_s
    while not true():
        if loop.time() > until_s:
            raise RequestTimeoutError(f"{what}: not within {bound_s:g} s")
        await asyncio.sleep(0.01)


class Trader:
    """One share of one stock, on one connection. Everything that it places carries `mark` in its orderRef."""

    def __init__(
        self,
        connection: TWSConnection,
        details: ContractDetails,
        mark: str = "",
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`mark` begins every orderRef; one of its own by default. `say` is told what TWS has said on the
        way, such as why there is no quote.
        """
        self.connection = connection
        self.contract = details.contract
        self.grid = instrument_of(details.contract, details)
        self.account = connection.config.account_id or connection.accounts[0]
        self.mark = mark or new_mark("level")
        self.facts: list[Fact] = []
        self._say = say
        self._count = 0
        self._placed: set[int] = set()
        self._listening = connection.facts(self.facts.append)

    # -- prices

    async def market(self) -> tuple[Decimal, Decimal]:
        """Bid and ask as the login may see them, or the last price twice. RequestError without any."""
        self.connection.request_market_data_type(MarketDataType.DELAYED_FROZEN)
        quote = None
        try:
            quote = await self.connection.request_quote(self.contract)
        except RequestError as error:
            self._say(f"no quote of {self.contract.symbol}: {error}")
        price = None if quote is None else quote.last or quote.close
        bid = None if quote is None else quote.bid or price
        ask = None if quote is None else quote.ask or price
        if bid is None or ask is None:
            bid = ask = await self._last_close()
        return Decimal(repr(bid)), Decimal(repr(ask))

    async def _last_close(self) -> float:
        bars = await self.connection.request_historical_bars(self.contract, duration="1 W", bar_size="1 day")
        return bars[-1].close

    # -- orders

    def order(self, side: Side, price: Decimal) -> Order:
        """One share at a limit, on the contract's grid and to the better side of it."""
        return Order(
            side=side,
            quantity=ONE,
            order_type=OrderType.LIMIT,
            limit_price=self.grid.snap(price, up=side is Side.SELL),
            account=self.account,
            order_ref=self.next_ref(),
        )

    def next_ref(self) -> str:
        """An orderRef of ours that no order has yet."""
        self._count += 1
        return f"{self.mark}-{self._count}"

    async def far_buy(self) -> Order:
        bid, _ = await self.market()
        return self.order(Side.BUY, bid * FAR)

    async def marketable(self, side: Side) -> Order:
        bid, ask = await self.market()
        return self.order(side, ask * (1 + NEAR) if side is Side.BUY else bid * (1 - NEAR))

    async def place(self, order: Order | FullOrder, order_id: int | None = None) -> int:
        """Place or change; returns when the bytes have left."""
        sending = self.connection.place_order(self.contract, order, order_id)
        self._placed.add(sending.order_id)
        await sending
        return sending.order_id

    def seen(self, order: Order) -> SeenOrder | None:
        """What TWS has told of the order, None when it has not."""
        return next(iter(self.connection.broker.of_ref(order.order_ref)), None)

    def told(self, order: Order) -> BrokerOrder | None:
        """Its latest description by TWS."""
        seen = self.seen(order)
        return None if seen is None else seen.order

    async def acknowledged(self, order: Order, order_id: int) -> SeenOrder:
        """Wait until TWS says that it has the order. RequestError with TWS's words when it refuses."""

        def decided() -> bool:
            seen = self.seen(order)
            return (seen is not None and seen.status in WORKS) or bool(self.refusals(order_id))

        await until(decided, f"TWS has said nothing of order {order_id}")
        seen = self.seen(order)
        if seen is None or seen.status not in WORKS:
            code, text = next(iter(self.refusals(order_id)), (201, "no reason is given"))
            raise RequestError(code, text, order_id)
        return seen

    def refusals(self, order_id: int) -> list[tuple[int, str]]:
        """What TWS has said about an order id in messages of errors: code and text."""
        return [
            (fact.code, fact.text)
            for fact in self.facts
            if isinstance(fact, BrokerReply) and fact.order_id == order_id
        ]

    async def cancel(self, order: Order, order_id: int) -> None:
        """Cancel and wait for the word that it works no more."""
        self.connection.cancel_order(order_id)
        await until(partial(self._ended, order), f"order {order_id} was not cancelled")

    def _ended(self, order: Order) -> bool:
        seen = self.seen(order)
        return seen is not None and not seen.is_open

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

    async def working(self) -> list[BrokerOrder]:
        """Our orders that work, by asking TWS; those of another client are its own to cancel."""
        rows, own = await self.connection.request_all_open_orders(), self.connection.config.client_id
        return [row for row in rows if row.order_ref.startswith(self.mark) and row.client_id == own]

    # -- nothing is left

    async def clean_up(self) -> None:
        """See the module. Raises LeftBehindError; ConnectError when no session can be had any more."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + WAIT_S
        while True:
            try:
                if not self.connection.is_connected():
                    await self._open()
                return await self._leave_nothing()
            except (LinkLostError, NotSentError, RequestTimeoutError):  # the link went under us: once more
                if loop.time() > until_s:
                    raise

    async def _open(self) -> None:
        if not await self.connection.connect():
            failure = self.connection.failure
            assert failure is not None, "connect() answered False without saying why"
            raise ConnectError(failure.stage, failure.cause, failure.cure, failure.code)
        await asyncio.wait_for(self.connection.wait_ready(), WAIT_S)

    async def _leave_nothing(self) -> None:
        await self._cancel_all()
        await self._ask_for_words()
        held = await self._held()
        if held:
            await self._trade_back(held)
            await self._cancel_all()
            held = await self._held()
        if held:
            raise LeftBehindError(
                f"LEFT BEHIND in {mask_account(self.account)}: {held} {self.contract.symbol}. Close it in TWS"
            )

    async def _ask_for_words(self) -> None:
        """An order of which TWS has said nothing, and which it does not list, may wait behind a dialog. It is
        cancelled; without a word about that either it is left behind.
        """
        silent = [number for number in sorted(self._placed) if not self._heard_of(number)]
        for number in silent:
            self.connection.cancel_order(number)
        with suppress(RequestTimeoutError):
            await until(lambda: all(map(self._heard_of, silent)), "no word", min(WAIT_S, DIALOG_S))
        silent = [number for number in silent if not self._heard_of(number)]
        self._placed = set(silent)
        if silent:
            raise LeftBehindError(
                f"LEFT BEHIND, perhaps: TWS has said nothing of orders {', '.join(map(str, silent))}. "
                "If it shows a dialog about them, answer it with No"
            )

    def _heard_of(self, order_id: int) -> bool:
        """Whether TWS has said what became of an order; that a cancel finds nothing (10147) says nothing."""
        told = self.connection.broker.of_id(order_id)
        return told is not None or any(code != NOT_FOUND for code, _ in self.refusals(order_id))

    async def _held(self) -> Decimal:
        return sum((row.signed_quantity for row in await self.executions()), Decimal(0))

    async def _cancel_all(self) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + WAIT_S
        while left := await self.working():
            for row in left:
                self.connection.cancel_order(row.order_id)
            if loop.time() > until_s:
                names = ", ".join(f"{row.order_id} (permId {row.perm_id})" for row in left)
                raise LeftBehindError(f"LEFT BEHIND, still working: orders {names}. Cancel them in TWS")
            await asyncio.sleep(0.2)

    async def _trade_back(self, held: Decimal) -> None:
        for _ in range(int(abs(held))):  # one share an order, as whoever guards the connection may insist
            order = await self.marketable(Side.SELL if held > 0 else Side.BUY)
            await self.place(order)
            await until(partial(self._ended, order), "not traded back")
