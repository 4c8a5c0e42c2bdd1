"""What a limit looks at: the order that is proposed, and where we stand when it is."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order, OrderType, Role, Side

__all__ = ["Proposal", "Situation"]

_ZERO = Decimal(0)


class Proposal(Struct, frozen=True, kw_only=True):
    """An order that somebody wants to place, before it has an id.

    `parent_quantity` is set for a child that is attached to an entry proposed with it: the most that
    the child may sell back. `grows_by` is set for a change of a working order: how many shares more.
    """

    instrument: Instrument
    order: Order
    role: Role
    strategy: str = ""
    signal_id: str = ""
    parent_quantity: Decimal | None = None
    grows_by: Decimal | None = None

    @property
    def contract(self) -> Contract:
        return self.instrument.contract

    @property
    def added(self) -> Decimal:
        """The shares that come on top of what is working already."""
        return self.order.quantity if self.grows_by is None else self.grows_by


class Situation(Struct, frozen=True, kw_only=True):
    """Where we stand on the proposal's contract, and in all. Quantities in shares, money in its currency.

    `net` is what is filled, ours alone. `working_buys` and `working_sells` are the unfilled shares of
    entries that may still fill, unknown ones included; `working_exits` the most that working exits could
    still take away (of exits that end each other the greater counts).
    """

    now_ns: int
    port: int
    account: str
    managed_accounts: tuple[str, ...] = ()
    net: Decimal = _ZERO
    working_buys: Decimal = _ZERO
    working_sells: Decimal = _ZERO
    working_exits: Decimal = _ZERO
    orders_on_side: int = 0
    unknown_orders: tuple[str, ...] = ()
    other_gross_notional: Decimal = _ZERO
    quote: Quote | None = None
    signal_used: bool = False
    entries_blocked: str = ""
    """Why no entry may leave now: the link, a flatten, books that differ. Empty when it may."""

    def worst_position(self, side: Side, quantity: Decimal) -> Decimal:
        """The signed position if every entry on `side`, with `quantity` more, filled and nothing else did."""
        if side is Side.BUY:
            return self.net + self.working_buys + quantity
        return self.net - self.working_sells - quantity

    def price_of(self, order: Order) -> Decimal | None:
        """What a share is reckoned at: the order's own price, else the side of the market that it would meet.

        A sale fills at its price or better, so the market counts where it is higher.
        """
        market = self.market(order.side)
        if order.order_type is OrderType.MARKET:
            return market
        own = order.stop_price if order.order_type is OrderType.STOP else order.limit_price
        if own is None or market is None or order.side is Side.BUY:
            return own
        return max(own, market)

    def market(self, side: Side) -> Decimal | None:
        """The side of the quote that an order of `side` would meet; None where the quote has none."""
        if self.quote is None:
            return None
        price = self.quote.ask if side is Side.BUY else self.quote.bid
        if price is None or not 0 < price < float("inf"):
            return None
        return Decimal(repr(price))
