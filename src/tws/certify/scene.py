"""What a scenario has in its hands: our connection, an ear at the recorder, a share to trade.

Most requests are made by the official client's own method, encoded by our connection; `ask` sends one and
waits for its end or its refusal. A refusal is no failure: whether the simulator refuses alike is compared
afterwards, by the recordings. What this login may not have at all ends the scenario as not played.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from tws import ordertypes as ot
from tws.certify.ear import Ear
from tws.certify.trader import FAR, NEAR, ONE, Trader
from tws.connection import TWSConnection
from tws.connection.encoding.translate import ib_contract
from tws.errors import RequestError, RequestTimeoutError
from tws.model.contract import Contract, ContractDetails
from tws.model.order import Order, OrderType, Side
from tws.monitor.doctor.data import data_key
from tws.wire.codes import Context, Effect, effect
from tws.wire.messages import Answer, CommissionAndFeesReport, ErrorMessage, ExecutionDetails, OrderStatus

__all__ = ["NotPlayed", "Scene", "no_permission"]

A = TypeVar("A", bound=Answer)
T = TypeVar("T")

SPARED = ("", "symbol_unknown", "data_refused")
"""What the doctor makes of a code that is no missing permission."""
WITHOUT = frozenset({430, 460, 492, 10167, 10276, 10277, 10358})
"""No fundamentals, no trading permission, no scanner permission (A8), no news feed, no calendar of events
(docs/design/simulator-research.md); 10167: delayed data follow, which is another sequence."""


class NotPlayed(Exception):
    """This TWS or this moment can't play the scenario; the text says why."""


BUSY = frozenset({100, 309, 10190})
"""A limit is reached (B): other programs and TWS's own windows take their share, and so did a run before."""


def no_permission(code: int, text: str) -> bool:
    """Whether a code says that this login lacks a permission or a subscription, or may not ask just now."""
    return code in WITHOUT or code in BUSY or data_key(code, text) not in SPARED


class Scene:
    """The tools of one scenario."""

    def __init__(
        self, connection: TWSConnection, ear: Ear, port: int, details: ContractDetails, patience_s: float
    ) -> None:
        """`port` is the recorder's, for scenarios that dial a session of their own."""
        self.connection = connection
        self.ear = ear
        self.port = port
        self.details = details
        self.patience_s = patience_s
        self.trader: Trader | None = None
        self.bid = self.ask_price = Decimal(0)
        self.now = datetime.fromtimestamp(0, UTC)
        self.second: Callable[[], Awaitable[TWSConnection]] | None = None

    @property
    def stock(self) -> Contract:
        """The share, qualified."""
        return self.details.contract

    @property
    def account(self) -> str:
        return self.connection.config.account_id or self.connection.accounts[0]

    # -- requests

    def send(self, request: str, *arguments: Any) -> int:
        """Send a request of the official client that begins with a request id; returns the id.

        A Contract of ours among the arguments becomes the official one.
        """
        number = self.connection.official_request_id()
        self.call(request, number, *arguments)
        return number

    def call(self, request: str, *arguments: Any) -> None:
        """Call a method of the official client as it is."""
        given = [ib_contract(one) if isinstance(one, Contract) else one for one in arguments]
        getattr(self.connection.official, request)(*given)

    async def ask(self, end: type[A], request: str, *arguments: Any) -> A | None:
        """Send and wait for the end of the answer; None when TWS refuses with a code.

        Raises NotPlayed when the login lacks a permission, RequestTimeoutError when nothing comes.
        """
        number = self.send(request, *arguments)
        return await self.answer(end, number)

    async def answer(self, end: type[A], number: int) -> A | None:
        """The end of the answer to a request that was sent."""

        def over(message: Answer) -> bool:
            if isinstance(message, ErrorMessage):
                return message.id == number and ends_request(message)
            return isinstance(message, end) and getattr(message, "req_id", number) == number

        heard = await self.ear.wait(Answer, over, self.patience_s)
        if isinstance(heard, ErrorMessage):
            if no_permission(heard.error_code, heard.error_msg):
                raise NotPlayed(f"TWS says {heard.error_code}: {heard.error_msg}")
            return None
        assert isinstance(heard, end)
        return heard

    async def fed(self, number: int, kind: type[A], where: Callable[[A], object] = lambda message: True) -> A:
        """What a subscription brings first; its refusal ends the scenario, for want of a permission as not
        played.
        """

        def said(message: Answer) -> bool:
            if isinstance(message, ErrorMessage):
                return message.id == number and ends_request(message)
            its = isinstance(message, kind) and getattr(message, "req_id", 0) == number
            return its and bool(where(message))  # type: ignore[arg-type]

        heard = await self.hear(Answer, said)
        if not isinstance(heard, ErrorMessage):
            assert isinstance(heard, kind)
            return heard
        if no_permission(heard.error_code, heard.error_msg):
            raise NotPlayed(f"TWS says {heard.error_code}: {heard.error_msg}")
        raise RequestTimeoutError(f"refused: {heard.error_code} {heard.error_msg}")

    async def tell(self, reply: Awaitable[T]) -> T | None:
        """The answer of one of our own requests; None when TWS refuses with a code."""
        try:
            return await reply
        except RequestError as error:
            if no_permission(error.code, error.text):
                raise NotPlayed(f"TWS says {error.code}: {error.text}") from error
            return None

    async def hear(self, kind: type[A], where: Callable[[A], object] = lambda message: True) -> A:
        """Wait for a message. Raises RequestTimeoutError."""
        return await self.ear.wait(kind, where, self.patience_s)

    async def error(self, about: int, *codes: int) -> ErrorMessage:
        """Wait for an error about a request or an order; any unless codes are given."""

        def fits(message: ErrorMessage) -> bool:
            return message.id == about and (message.error_code in codes or not codes)

        return await self.hear(ErrorMessage, fits)

    # -- orders

    @property
    def hand(self) -> Trader:
        """Who trades; only in scenarios that place orders."""
        assert self.trader is not None, "this scenario is not entered as one that places orders"
        return self.trader

    @property
    def below(self) -> Decimal:
        """Ten percent under the market, on the grid."""
        return self.hand.grid.snap(self.bid * FAR, up=False)

    @property
    def above(self) -> Decimal:
        """Ten percent above the market, on the grid."""
        return self.hand.grid.snap(self.ask_price + self.tenth, up=True)

    @property
    def tenth(self) -> Decimal:
        """A tenth of the price, on the grid."""
        return self.hand.grid.snap(self.ask_price / 10, up=True)

    @property
    def tomorrow(self) -> str:
        """This time tomorrow, as TWS reads it in UTC."""
        return f"{self.now + timedelta(days=1):%Y%m%d-%H:%M:%S}"

    def words(self, tif: str = "DAY") -> ot.Common:
        """What each order of ours says, for the builders."""
        return {"account": self.account, "order_ref": self.hand.next_ref(), "tif": tif}

    def far_buy(self, **fields: Any) -> Order:
        """One share, ten percent under the market."""
        return self._order(Side.BUY, self.bid * FAR, fields)

    def near(self, side: Side, **fields: Any) -> Order:
        """One share at a limit beyond the other side: it fills at once."""
        beyond = self.ask_price * (1 + NEAR) if side is Side.BUY else self.bid * (1 - NEAR)
        return self._order(side, beyond, fields)

    def of(self, side: Side, kind: OrderType, **fields: Any) -> Order:
        """One share of another type; prices are snapped to the grid."""
        order = self._order(side, self.bid, {})
        prices = {
            name: self.hand.grid.snap(value, up=side is Side.SELL)
            for name, value in fields.items()
            if name in ("limit_price", "stop_price", "trail")
        }
        rest = {name: value for name, value in fields.items() if name not in prices}
        return _changed(order, order_type=kind, **({"limit_price": None} | prices | rest))

    def _order(self, side: Side, price: Decimal, fields: dict[str, Any]) -> Order:
        return _changed(self.hand.order(side, price), **fields)

    async def place(self, order: Order | ot.FullOrder, order_id: int | None = None) -> int:
        """Place, or change the order that has this id; returns its id when the bytes have left."""
        assert order.quantity == ONE
        return await self.hand.place(order, order_id)

    async def status(self, order_id: int, *wanted: str) -> OrderStatus:
        """Wait until TWS says one of these statuses of the order."""
        return await self.hear(
            OrderStatus, lambda message: message.order_id == order_id and message.status in wanted
        )

    async def works(self, order_id: int) -> bool:
        """Wait until the order is acknowledged (True), or refused."""

        def said(message: Answer) -> bool:
            if isinstance(message, ErrorMessage):
                ends = effect(message.error_code, Context.ORDER) is not Effect.NOTICE
                return message.id == order_id and ends
            return (
                isinstance(message, OrderStatus)
                and message.order_id == order_id
                and message.status in ("PreSubmitted", "Submitted", "Filled", "Cancelled", "Inactive")
            )

        heard = await self.hear(Answer, said)
        if isinstance(heard, ErrorMessage) and no_permission_to_trade(heard):
            raise NotPlayed(f"TWS says {heard.error_code}: {heard.error_msg}")
        return isinstance(heard, OrderStatus) and heard.status in ("PreSubmitted", "Submitted")

    async def cancelled(self, order_id: int) -> None:
        """Cancel, and wait for the status and the code that confirm it."""
        self.connection.cancel_order(order_id)
        await self.status(order_id, "Cancelled", "ApiCancelled", "Inactive")
        await self.error(order_id)

    async def filled(self, order_id: int) -> None:
        """Wait until the order is filled, and for the fee of its fill."""
        await self.status(order_id, "Filled")
        fill = await self.hear(ExecutionDetails, lambda one: one.execution.order_id == order_id)
        exec_id = fill.execution.exec_id
        await self.hear(CommissionAndFeesReport, lambda one: one.exec_id == exec_id)


def ends_request(message: ErrorMessage) -> bool:
    """Whether a code ends what was asked; one that nobody listed does."""
    return effect(message.error_code, Context.REQUEST) is not Effect.NOTICE or message.error_code in WITHOUT


def no_permission_to_trade(message: ErrorMessage) -> bool:
    """Whether orders are not for this login, or not for the API."""
    return message.error_code == 460 or (message.error_code == 321 and "Read-Only" in message.error_msg)


def _changed(order: Order, **fields: Any) -> Order:
    from msgspec.structs import replace

    return replace(order, **fields)
