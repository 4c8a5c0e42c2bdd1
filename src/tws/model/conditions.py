"""Conditions that hold an order back, or cancel it, until the market or the account is as they say.

Each is a frozen value; `&` and `|` join them into `Conditions`, the list that TWS takes: a row of
conditions, each with the word that joins it to the next. How TWS reads a mixed row is not documented, so
the operators make only rows that mean the same whether "and" binds first or all is read from the left: one
group joined by "and", then single ones joined by "or". Kinds and fields: the official client's
order_condition; what each looks at: docs/design/order-types.md.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from tws.model.instrument import decimal

__all__ = [
    "Condition",
    "Conditions",
    "ExecutionCondition",
    "Join",
    "MarginCondition",
    "PercentChangeCondition",
    "PriceCondition",
    "TimeCondition",
    "VolumeCondition",
]

Join: TypeAlias = Literal["and", "or"]


class _Single(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """One condition. `is_more`: at or above, else at or below; of a time: at or after, else before."""

    def __and__(self, other: Condition | Conditions) -> Conditions:
        return _row(self) & other

    def __or__(self, other: Condition | Conditions) -> Conditions:
        return _row(self) | other


class PriceCondition(_Single, frozen=True, kw_only=True, tag="price"):
    """The price of a contract, seen by `trigger_method` (0 is TWS's default for it; see StopTrigger)."""

    con_id: int
    exchange: str = "SMART"
    price: Decimal
    is_more: bool
    trigger_method: int = 0

    def __post_init__(self) -> None:
        force_setattr(self, "price", decimal(self.price, "price"))


class TimeCondition(_Single, frozen=True, kw_only=True, tag="time"):
    """A moment: "yyyymmdd hh:mm:ss zone", or "yyyymmdd-hh:mm:ss" in UTC."""

    time: str
    is_more: bool


class MarginCondition(_Single, frozen=True, kw_only=True, tag="margin"):
    """The margin cushion of the account in percent of its equity, a whole number."""

    percent: int
    is_more: bool


class ExecutionCondition(_Single, frozen=True, kw_only=True, tag="execution"):
    """A fill of this account in a symbol."""

    symbol: str
    sec_type: str = "STK"
    exchange: str = "SMART"


class VolumeCondition(_Single, frozen=True, kw_only=True, tag="volume"):
    """The shares of a contract traded today."""

    con_id: int
    exchange: str = "SMART"
    volume: int
    is_more: bool


class PercentChangeCondition(_Single, frozen=True, kw_only=True, tag="percent change"):
    """The change of a contract's price from its last close, in percent."""

    con_id: int
    exchange: str = "SMART"
    change_percent: Decimal
    is_more: bool

    def __post_init__(self) -> None:
        force_setattr(self, "change_percent", decimal(self.change_percent, "change_percent"))


Condition: TypeAlias = (
    PriceCondition | TimeCondition | MarginCondition | ExecutionCondition | VolumeCondition
    | PercentChangeCondition
)


class Conditions(Struct, frozen=True, kw_only=True):
    """A row of conditions; `joins` has one word fewer.

    Met, they let the order work, or with `cancel_order` end it. Outside the regular hours of the order's own
    instrument they are met only with `ignore_rth`.
    """

    terms: tuple[Condition, ...]
    joins: tuple[Join, ...] = ()
    cancel_order: bool = False
    ignore_rth: bool = False

    def __post_init__(self) -> None:
        if len(self.joins) != max(len(self.terms) - 1, 0):
            raise ValueError(f"{len(self.terms)} conditions with {len(self.joins)} joins: one fewer, please")

    def __and__(self, other: Condition | Conditions) -> Conditions:
        return self._joined("and", _row(other))

    def __or__(self, other: Condition | Conditions) -> Conditions:
        right = _row(other)
        if "and" in right.joins and "and" not in self.joins:
            return right._joined("or", self)
        return self._joined("or", right)

    def _joined(self, join: Join, right: Conditions) -> Conditions:
        """Raises ValueError for a row that could be read in two ways."""
        if ("or" in self.joins + right.joins) if join == "and" else "and" in right.joins:
            raise ValueError(
                "TWS takes a row of conditions, not brackets, and this one could be read in two ways: "
                "place two orders that cancel each other (one_cancels_all), one for each alternative"
            )
        return replace(self, terms=self.terms + right.terms, joins=(*self.joins, join, *right.joins),
                       cancel_order=self.cancel_order or right.cancel_order,
                       ignore_rth=self.ignore_rth or right.ignore_rth)


def _row(found: Condition | Conditions | _Single) -> Conditions:
    return found if isinstance(found, Conditions) else Conditions(terms=(found,))  # type: ignore[arg-type]
