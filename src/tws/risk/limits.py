"""The bounds that the gate holds orders to, with defaults that are safe for a first paper session.

The names are those of the section `[limits]` of a configuration. None switches a limit off, which on
a live account is refused for the first two.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import force_setattr

from tws.clock import NS_PER_S
from tws.model.instrument import decimal

__all__ = ["Amount", "Limits"]

Amount = Decimal | int | None
"""A bound as a user writes it; `Limits` holds it as a Decimal."""

_AMOUNTS = ("max_order_quantity", "max_order_notional", "max_position", "max_position_notional",
            "max_gross_notional", "price_collar", "max_orders_per_side")


class Limits(Struct, frozen=True, kw_only=True):
    """One value per limit; a denial names the field.

    Raises ValueError for a bound that is negative or no finite number.
    """

    max_order_quantity: Amount = Decimal(10_000)
    """Shares or contracts of one order."""
    max_order_notional: Amount = Decimal(100_000)
    """Price times quantity times multiplier of one order, in the contract's currency."""
    max_position: Amount = Decimal(10_000)
    """Shares or contracts of one contract, long or short: filled, working and unknown at their worst."""
    max_position_notional: Amount = None
    """The same in money."""
    max_gross_notional: Amount = Decimal(1_000_000)
    """The sizes of all contracts' worst positions together, in money: ten orders of the greatest size."""
    stale_quote_s: float = 5.0
    """Seconds of market time after which a quote no longer carries an entry."""
    price_collar: Amount = Decimal("0.10")
    """How far a limit or stop price of an entry may lie beyond the market, as a fraction of it: ten
    percent is the widest band within which US exchanges let an ordinary share trade before they halt it."""
    max_orders_per_side: Amount = Decimal(15)
    """Working orders per contract and side; IB refuses beyond 20 (TWS-BEHAVIOUR.md B)."""
    allow: tuple[str, ...] | None = None
    """The symbols that may be traded; None: any, on paper."""
    short_sales: bool = True
    """Whether an entry may make a position negative."""

    def __post_init__(self) -> None:
        for name in _AMOUNTS:
            value = getattr(self, name)
            if value is None:
                continue
            bound = decimal(value, name)
            if bound < 0:
                raise ValueError(f"{name} is {value}: a bound is not negative")
            force_setattr(self, name, bound)
        if not 0 < self.stale_quote_s <= 86_400:
            raise ValueError(f"stale_quote_s is {self.stale_quote_s}: seconds between 0 and a day")

    @property
    def stale_quote_ns(self) -> int:
        """`stale_quote_s` in nanoseconds."""
        return int(self.stale_quote_s * NS_PER_S)
