"""What an account holds and is worth, as the broker states it."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.model.contract import Contract

__all__ = ["AccountValue", "Position"]


class Position(Struct, frozen=True, kw_only=True):
    """A holding: shares, negative when short; average cost per share in the contract's currency."""

    account: str
    contract: Contract
    quantity: Decimal
    average_cost: Decimal


class AccountValue(Struct, frozen=True, kw_only=True):
    """One row of an account: TWS's key, its value as text, its currency (empty where none applies)."""

    account: str
    key: str
    value: str
    currency: str = ""
