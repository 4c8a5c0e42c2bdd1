"""What the broker did for us: money, therefore Decimal."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from tws.clock import to_datetime
from tws.model.contract import Contract
from tws.model.order import Side

__all__ = ["Commission", "Execution"]


class Execution(Struct, frozen=True, kw_only=True):
    """One fill. `exec_id` is its identity; a correction has that of what it corrects but for the last part.

    Quantity in shares, price in the contract's currency. `order_ref` is our intent id when the
    order was ours; `order_id` alone identifies nothing (ids are reused, INCIDENTS.md 2).
    """

    exec_id: str
    order_id: int
    perm_id: int
    client_id: int
    account: str
    contract: Contract
    side: Side
    quantity: Decimal
    price: Decimal
    time_ns: int
    cumulative: Decimal
    average_price: Decimal
    order_ref: str = ""
    exchange: str = ""

    @property
    def time(self) -> datetime:
        """`time_ns` as an aware UTC datetime."""
        return to_datetime(self.time_ns)

    @property
    def base_id(self) -> str:
        """The exec id without its last part: a correction shares it with what it corrects (C4)."""
        return self.exec_id.rpartition(".")[0] or self.exec_id

    @property
    def signed_quantity(self) -> Decimal:
        """Quantity with the side's sign."""
        return self.quantity * self.side.sign


class Commission(Struct, frozen=True, kw_only=True):
    """The fee of one execution and, when it closed something, the profit it realised; both in `currency`."""

    exec_id: str
    amount: Decimal
    currency: str
    realized_pnl: Decimal | None = None
