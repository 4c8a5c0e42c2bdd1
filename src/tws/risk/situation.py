"""What a limit looks at: the order that is proposed, and where we stand when it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from tws.config.ports import is_live_port, is_paper_account
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order, OrderType, Role, Side
from tws.model.records import HoursStated
from tws.risk.limits import Limits

__all__ = ["Proposal", "Reference", "Situation", "fingerprint", "sound"]

_ZERO = Decimal(0)
_INFINITE = float("inf")


def fingerprint(contract: Contract, order: Order, strategy: str, adds: str = "") -> str:
    """What makes two entries the same wish, whatever signal each names: who wants what, at which price.

    What adds to a trade is no second entry, however much it is like the first: `adds` is that trade and the
    signal that asked for it.
    """
    prices = f"{order.order_type} {order.limit_price} {order.stop_price} {order.tif}"
    return f"{strategy}/{contract.con_id} {order.side} {order.quantity} {prices}" + (adds and f" to {adds}")


class Reference(Struct, frozen=True, kw_only=True):
    """The middle of the market when an entry was let out."""

    at_ns: int
    price: Decimal


class Proposal(Struct, frozen=True, kw_only=True):
    """An order that somebody wants to place, before it has an id. `joins` is the trade that it adds to.

    `parent_quantity` is set for a child that is attached to an entry proposed with it: the most that
    the child may sell back. `grows_by` is set for a change of a working order: how many shares more.
    `attached` says that it sleeps in TWS until that parent fills. `messages` is how many messages leave for
    it, its children's included.
    """

    instrument: Instrument
    order: Order
    role: Role
    strategy: str = ""
    signal_id: str = ""
    joins: str = ""
    parent_quantity: Decimal | None = None
    grows_by: Decimal | None = None
    attached: bool = False
    messages: int = 1

    @property
    def contract(self) -> Contract:
        return self.instrument.contract

    @property
    def adds(self) -> str:
        """The trade that it adds to and the signal that asked for it; empty where it adds to none."""
        return self.joins and f"{self.joins}/{self.signal_id}"

    @property
    def places(self) -> int:
        """How many new orders it is: 0 for a change, and for the order of nothing that measures distances."""
        return 1 if self.messages and self.grows_by is None else 0

    @property
    def added(self) -> Decimal:
        """The shares that come on top of what is working already."""
        return self.order.quantity if self.grows_by is None else self.grows_by


class Situation(Struct, frozen=True, kw_only=True):
    """Where we stand on the proposal's contract, and in all. Quantities in shares, prices in its currency,
    money in the account's base currency.

    `net` is what is filled, ours alone, of which `missing` shares are no longer in the account: somebody else
    has closed them. `working_buys` and `working_sells` are the unfilled shares of entries that may still
    fill, unknown ones included; `working_exits` the most that working exits of the proposal's side could
    still take (of exits that end each other the greater counts).
    """

    now_ns: int
    port: int
    account: str
    managed_accounts: tuple[str, ...] = ()
    net: Decimal = _ZERO
    missing: Decimal = _ZERO
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
    limits: Limits | None = None
    """The limits in force; None: those that the gate was made with."""
    hours: HoursStated | None = None
    """The contract's sessions as the broker states them; None when it has not."""
    unlocked_until_ns: int | None = None
    """When the unlock of this live account expires; None: it was never unlocked."""
    latches: tuple[str, ...] = ()
    """Limits that have latched for this contract or for all: only a human lets entries out again."""
    messages: Sequence[int] = ()
    """When orders, changes and cancels were sent, oldest first; at least those of the last second."""
    entries: Sequence[int] = ()
    """When entries of this symbol were let out, oldest first."""
    fingerprints: Mapping[str, int] = {}
    """When each entry was last let out, by its `fingerprint`."""
    references: Sequence[Reference] = ()
    """The market at each entry of this contract that was let out, oldest first."""
    own_bid: Decimal | None = None
    """The best limit prices at which orders of our own may trade now, and how many may at any price."""
    own_ask: Decimal | None = None
    own_market_buys: int = 0
    own_market_sells: int = 0
    other_if_bought: Decimal = _ZERO
    """All other contracts together, signed, were all their working buys to fill and no sale."""
    other_if_sold: Decimal = _ZERO
    """The same were all their working sales to fill and no buy."""
    other_symbol_notional: Decimal = _ZERO
    """The sizes of the worst positions of the other contracts of the symbol."""
    working_notional: Decimal = _ZERO
    """What all entries that work may still cost."""
    buying_power: Decimal | None = None
    """As the broker states it; None when it has not."""
    day_trades: int | None = None
    """Day trades that are left; negative: any number. None when the broker has not said."""
    base: str = ""
    """The account's base currency; empty when the broker has not stated it."""
    rate: Decimal | None = Decimal(1)
    """What one unit of the contract's currency is in it; None when that is not known."""
    unrated: tuple[tuple[str, str], ...] = ()
    """Other contracts, by symbol and currency, that no rate lets us value."""
    unrated_profit: tuple[str, ...] = ()
    """Currencies in which our book has made or lost something, and of which no rate is known."""
    loss: Decimal | None = None
    """What the day has lost so far, and how far it lies below its best; None before the first reading."""
    drawdown: Decimal | None = None
    cover: Decimal = _ZERO
    """Of a call: the shares that cover it alone, for a sale."""
    owed: Decimal = _ZERO
    """Of a stock: the shares that short calls on it may have to deliver, for a sale."""

    @property
    def live(self) -> bool:
        """Whether this is, or may be, real money."""
        return is_live_port(self.port) or not is_paper_account(self.account)

    def worst_position(self, side: Side, quantity: Decimal) -> Decimal:
        """The signed position if every order on `side`, with `quantity` more, filled and nothing else did.

        Exits count as well: those of a trade that holds the other way, and those that a reversal overtakes.
        """
        if side is Side.BUY:
            return self.net + self.working_buys + self.working_exits + quantity
        return self.net - self.working_sells - self.working_exits - quantity

    def price_of(self, order: Order) -> Decimal | None:
        """What a share is reckoned at: the order's own price, else the side of the market that it would meet.

        A sale fills at its price or better, so the market counts where it is higher.
        """
        if order.order_type is OrderType.MARKET:
            return self.market(order.side)
        if order.order_type is OrderType.TRAIL:
            own = order.stop_price if order.stop_price is not None else self.market(order.side)
        else:
            own = order.stop_price if order.order_type is OrderType.STOP else order.limit_price
        if own is None or order.side is Side.BUY:
            return own
        market = self.market(order.side)
        return own if market is None else max(own, market)

    def market(self, side: Side) -> Decimal | None:
        """The side of the quote that an order of `side` would meet; None where the quote has none."""
        if self.quote is None:
            return None
        price = self.quote.ask if side is Side.BUY else self.quote.bid
        return sound(price)

    @property
    def mid(self) -> Decimal | None:
        """The middle of bid and ask; None unless both are known."""
        bid, ask = self.market(Side.SELL), self.market(Side.BUY)
        return None if bid is None or ask is None else (bid + ask) / 2

    @property
    def last(self) -> Decimal | None:
        """The last trade's price; None where the market has stated none, as currencies never do."""
        return None if self.quote is None else sound(self.quote.last)


@lru_cache(maxsize=4096)  # one judgement asks for the same few prices a dozen times
def sound(price: float | None) -> Decimal | None:
    """A market price as a Decimal; None for what is no price: unset, NaN, infinite, not above zero."""
    if price is None or not 0 < price < _INFINITE:
        return None
    return Decimal(repr(price))
