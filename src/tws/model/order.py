"""What we ask of the broker."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import force_setattr

from tws.model.contract import Contract
from tws.model.instrument import Number, decimal
from tws.model.marketrule import FARTHEST

__all__ = ["Bracket", "BrokerStatus", "Order", "OrderType", "Role", "Side", "TimeInForce", "bracket"]


class Side(StrEnum):
    """The two sides of an order, as TWS writes them."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """The order types that the desk sends."""

    MARKET = "MKT"
    LIMIT = "LMT"
    STOP = "STP"
    STOP_LIMIT = "STP LMT"


class TimeInForce(StrEnum):
    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"


class BrokerStatus(StrEnum):
    """The words of orderStatus (TWS-BEHAVIOUR.md C1)."""

    API_PENDING = "ApiPending"
    PENDING_SUBMIT = "PendingSubmit"
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    PENDING_CANCEL = "PendingCancel"
    API_CANCELLED = "ApiCancelled"
    CANCELLED = "Cancelled"
    FILLED = "Filled"
    INACTIVE = "Inactive"


class Role(StrEnum):
    """Why an order exists within its bracket."""

    ENTRY = "entry"
    TARGET = "target"
    STOP = "stop"
    CLOSE = "close"


class Order(Struct, frozen=True, kw_only=True):
    """One order. Quantity in shares, prices in the contract's currency, None where the type needs none.

    `order_ref` carries our intent id to the broker and back; `parent_id` is an order id. Numbers may be given
    as int, float or text; side, type and time in force as TWS's text: they are made exact here. Raises
    ValueError for a number that is none and for a word that is unknown.
    """

    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    tif: TimeInForce = TimeInForce.DAY
    account: str = ""
    order_ref: str = ""
    parent_id: int = 0
    oca_group: str = ""
    oca_type: int = 0
    transmit: bool = True
    outside_rth: bool = False

    def __post_init__(self) -> None:
        for name, kind in _WORDS:
            value = getattr(self, name)
            if type(value) is not kind:
                force_setattr(self, name, kind(value))
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and type(value) is not Decimal:
                force_setattr(self, name, decimal(value, name))


_WORDS: tuple[tuple[str, type[StrEnum]], ...] = (
    ("side", Side),
    ("order_type", OrderType),
    ("tif", TimeInForce),
)
_NUMBERS = ("quantity", "limit_price", "stop_price")


class Bracket(Struct, frozen=True, kw_only=True):
    """An entry with its protection: when the entry fills, target and stop work; one of them ends the other.

    `limit_price` None means a market entry. Build it with `bracket()`, which checks the sides.
    """

    contract: Contract
    side: Side
    quantity: Decimal
    limit_price: Decimal | None
    target_price: Decimal
    stop_price: Decimal
    tif: TimeInForce = TimeInForce.DAY
    strategy: str = ""
    signal_id: str = ""


def bracket(
    contract: Contract,
    side: Side | str,
    quantity: Number,
    *,
    target: Number,
    stop: Number,
    limit: Number | None = None,
    tif: TimeInForce = TimeInForce.DAY,
    strategy: str = "",
    signal_id: str = "",
) -> Bracket:
    """A bracket with its prices on the right side of each other.

    Raises ValueError when quantity or a price is no positive finite number or beyond 1E15, or when the target
    does not lie beyond the stop in the direction of the trade.
    """
    direction = Side(side)
    size = decimal(quantity, "quantity")
    goal, guard = decimal(target, "target"), decimal(stop, "stop")
    entry = None if limit is None else decimal(limit, "limit")
    for what, value in (("quantity", size), ("target", goal), ("stop", guard), ("limit", entry)):
        if value is not None and not 0 < value <= FARTHEST:
            raise ValueError(f"{what} is {value}: must be above zero and within {FARTHEST:E}")
    low, high = (guard, goal) if direction is Side.BUY else (goal, guard)
    if not low < high or (entry is not None and not low < entry < high):
        raise ValueError(f"a {direction} bracket wants stop, entry and target in the trade's order: "
                         f"stop {guard}, entry {entry or 'market'}, target {goal}")
    return Bracket(contract=contract, side=direction, quantity=size, limit_price=entry, target_price=goal,
                   stop_price=guard, tif=tif, strategy=strategy, signal_id=signal_id)
