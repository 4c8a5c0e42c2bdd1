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
    TRAIL = "TRAIL"


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
    """Why an order exists: within its bracket, or beside any."""

    ENTRY = "entry"
    TARGET = "target"
    STOP = "stop"
    CLOSE = "close"
    EXERCISE = "exercise"
    """Options that are held become shares: no trade of a market, and it may open a position."""
    LAPSE = "lapse"
    """Options that are held are given up."""

    @property
    def opens(self) -> bool:
        """Whether it may open a position, or add to one."""
        return self in (Role.ENTRY, Role.EXERCISE)


class Order(Struct, frozen=True, kw_only=True):
    """One order. Quantity in shares, prices in the contract's currency, None where the type needs none.

    `order_ref` carries our intent id to the broker and back; `parent_id` is an order id. Numbers may be given
    as int, float or text; side, type and time in force as TWS's text: they are made exact here. Raises
    ValueError for a number that is none and for a word that is unknown.

    A TRAIL follows the market by `trail` (in the contract's currency) or `trail_percent`, and `stop_price` is
    where its stop stands: where it begins, then as TWS states it; None lets TWS begin it off the market. A
    stop with `trigger_price` becomes a stop at `adjusted_stop_price` when the market reaches that price, away
    from the stop; TWS does both by itself.
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
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    trigger_price: Decimal | None = None
    adjusted_stop_price: Decimal | None = None

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
_NUMBERS = ("quantity", "limit_price", "stop_price", "trail", "trail_percent", "trigger_price",
            "adjusted_stop_price")


class Bracket(Struct, frozen=True, kw_only=True):
    """An entry with its protection: when the entry fills, target and stop work; one of them ends the other.

    `limit_price` None means a market entry. Build it with `bracket()`, which checks the sides. `tif` is the
    entry's; the desk's target and stop work until they are cancelled. The stop
    begins at `stop_price`; with `trail` or `trail_percent` TWS moves it behind the market, with `break_even`
    to the entry's price (and `break_even_offset` beyond it) once the market is so far in profit. When
    additions change the average price of what is held, `target_follows` keeps the target as far from it as it
    was, and `stop_follows` the stop.
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
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    break_even: Decimal | None = None
    break_even_offset: Decimal = Decimal(0)
    target_follows: bool = False
    stop_follows: bool = False


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
    trail: Number | None = None,
    trail_percent: Number | None = None,
    break_even: Number | None = None,
    break_even_offset: Number = 0,
    target_follows: bool = False,
    stop_follows: bool = False,
) -> Bracket:
    """A bracket with its prices on the right side of each other.

    Raises ValueError when quantity, a price or a distance is no positive finite number or beyond 1E15, when
    the target does not lie beyond the stop in the direction of the trade, when the stop is to move in two
    ways, or when break-even lies before its own offset.
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
    ways = {"trail": trail, "trail_percent": trail_percent, "break_even": break_even}
    offset = decimal(break_even_offset, "break_even_offset")
    return Bracket(contract=contract, side=direction, quantity=size, limit_price=entry, target_price=goal,
                   stop_price=guard, tif=tif, strategy=strategy, signal_id=signal_id,
                   break_even_offset=offset, target_follows=target_follows, stop_follows=stop_follows,
                   **_stop_moves(ways, offset))


def _stop_moves(ways: dict[str, Number | None], offset: Decimal) -> dict[str, Decimal]:
    """The one way in which a bracket's stop moves, checked; empty when it stays."""
    found = {name: decimal(value, name) for name, value in ways.items() if value is not None}
    if len(found) > 1:
        raise ValueError(f"the stop can move in one way: {' or '.join(found)}")
    for name, value in found.items():
        most = 100 if name == "trail_percent" else FARTHEST
        if not 0 < value <= most:
            raise ValueError(f"{name} is {value}: must be above zero and within {most:E}")
    if offset and not ("break_even" in found and 0 <= offset < found["break_even"]):
        raise ValueError(f"break_even_offset is {offset}: must lie within a break_even")
    return found
