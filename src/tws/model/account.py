"""What an account holds and is worth, as the broker states it; each value with its age and its source."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tws.clock import NS_PER_S, to_datetime
from tws.model.contract import Contract

__all__ = [
    "SUMMARY_TAGS",
    "AccountSource",
    "AccountValue",
    "PnL",
    "PortfolioItem",
    "Position",
    "PositionPnL",
]

SUMMARY_TAGS = (
    "AccountType", "NetLiquidation", "TotalCashValue", "SettledCash", "AccruedCash", "BuyingPower",
    "EquityWithLoanValue", "PreviousDayEquityWithLoanValue", "GrossPositionValue", "RegTEquity",
    "RegTMargin", "SMA", "InitMarginReq", "MaintMarginReq", "AvailableFunds", "ExcessLiquidity", "Cushion",
    "FullInitMarginReq", "FullMaintMarginReq", "FullAvailableFunds", "FullExcessLiquidity",
    "LookAheadNextChange", "LookAheadInitMarginReq", "LookAheadMaintMarginReq", "LookAheadAvailableFunds",
    "LookAheadExcessLiquidity", "HighestSeverity", "DayTradesRemaining", "Leverage",
)  # fmt: skip
"""Every tag of an account summary (TWS-BEHAVIOUR.md D)."""


class AccountSource(StrEnum):
    """Which of TWS's answers stated a value; they are refreshed at different times (TWS-BEHAVIOUR.md D)."""

    UPDATES = "account updates"
    """Answers 6 and 7: with each change of a position, else every three minutes."""
    SUMMARY = "account summary"
    """Answer 63: changes every three minutes."""
    MULTI = "account or model"
    """Answers 71 and 73."""
    POSITIONS = "positions"
    """Answer 61: with each change."""
    PNL = "profit and loss"
    """Answers 94 and 95: about once a second."""
    UNSTATED = ""


class _Heard(Struct, frozen=True, kw_only=True):
    """When a value was heard, in market time (nanoseconds, UTC; 0 unknown), and which answer said it."""

    time_ns: int = 0
    source: AccountSource = AccountSource.UNSTATED

    @property
    def time(self) -> datetime:
        """`time_ns` as an aware UTC datetime."""
        return to_datetime(self.time_ns)

    def age_s(self, now_ns: int) -> float:
        """Seconds since it was heard. TWS may have reckoned it up to a refresh earlier (see the source)."""
        return (now_ns - self.time_ns) / NS_PER_S


class Position(_Heard, frozen=True, kw_only=True):
    """A holding: shares, negative when short; average cost per share in the contract's currency.

    `model` is the model portfolio of an adviser's account, empty elsewhere.
    """

    account: str
    contract: Contract
    quantity: Decimal
    average_cost: Decimal
    model: str = ""


class AccountValue(_Heard, frozen=True, kw_only=True):
    """One row of an account: TWS's key, its value as text, its currency (empty where none applies)."""

    account: str
    key: str
    value: str
    currency: str = ""
    model: str = ""

    @property
    def amount(self) -> Decimal | None:
        """The value as a number; None when it is a name or a flag."""
        try:
            number = Decimal(self.value)
        except ArithmeticError:
            return None
        return number if number.is_finite() else None


class PortfolioItem(_Heard, frozen=True, kw_only=True):
    """A holding with its value (answer 7), all in the contract's currency; None where TWS states none.

    `average_cost` is per unit with fees and, for derivatives, times the multiplier (TWS-BEHAVIOUR.md D).
    """

    account: str
    contract: Contract
    quantity: Decimal
    market_price: float | None
    market_value: Decimal | None
    average_cost: Decimal | None
    unrealized_pnl: Decimal | None
    realized_pnl: Decimal | None


class PnL(_Heard, frozen=True, kw_only=True):
    """Profit and loss of an account or model in its base currency (answer 94); None while TWS has none."""

    account: str
    model: str = ""
    daily: Decimal | None
    unrealized: Decimal | None
    realized: Decimal | None


class PositionPnL(_Heard, frozen=True, kw_only=True):
    """Profit and loss of one position in the contract's currency (answer 95); None while TWS has none.

    `value` is the market value of the position.
    """

    account: str
    con_id: int
    model: str = ""
    quantity: Decimal
    daily: Decimal | None
    unrealized: Decimal | None
    realized: Decimal | None
    value: Decimal | None
