"""Accounts: values, portfolio, positions, summary, profit and loss. Source: TWS-BEHAVIOUR.md D, F4, F6.

Account values travel as text, since TWS writes numbers, names and flags into the same field.
"""

from __future__ import annotations

from decimal import Decimal

from tws.wire.messages.base import Answer, Request
from tws.wire.messages.contract import WireContract

__all__ = [
    "AccountDataEnd",
    "AccountDataRequest",
    "AccountSummary",
    "AccountSummaryEnd",
    "AccountSummaryRequest",
    "AccountUpdateMulti",
    "AccountUpdateMultiEnd",
    "AccountUpdateTime",
    "AccountUpdatesMultiRequest",
    "AccountValue",
    "CancelAccountSummary",
    "CancelAccountUpdatesMulti",
    "CancelPnL",
    "CancelPnLSingle",
    "CancelPositions",
    "CancelPositionsMulti",
    "PnL",
    "PnLRequest",
    "PnLSingle",
    "PnLSingleRequest",
    "PortfolioValue",
    "Position",
    "PositionEnd",
    "PositionMulti",
    "PositionMultiEnd",
    "PositionsMultiRequest",
    "PositionsRequest",
]


class AccountDataRequest(Request, frozen=True):
    """Request 6: subscribe to one account's values, or end that."""

    subscribe: bool
    acct_code: str = ""


class AccountValue(Answer, frozen=True):
    """Answer 6."""

    key: str
    value: str
    currency: str
    account_name: str


class PortfolioValue(Answer, frozen=True):
    """Answer 7. Money in the contract's currency, `average_cost` per unit with fees (D)."""

    contract: WireContract
    position: Decimal
    market_price: float | None
    market_value: float | None
    average_cost: float | None
    unrealized_pnl: float | None
    realized_pnl: float | None
    account_name: str


class AccountUpdateTime(Answer, frozen=True):
    """Answer 8: `HH:mm`."""

    time_stamp: str


class AccountDataEnd(Answer, frozen=True):
    """Answer 54: the first full download is complete."""

    account_name: str


class PositionsRequest(Request, frozen=True):
    """Request 61: all positions of all accounts, then changes."""


class CancelPositions(Request, frozen=True):
    """Request 64."""


class Position(Answer, frozen=True):
    """Answer 61."""

    account: str
    contract: WireContract
    position: Decimal
    avg_cost: float | None = None


class PositionEnd(Answer, frozen=True):
    """Answer 62."""


class AccountSummaryRequest(Request, frozen=True):
    """Request 62: `group` "All" or an adviser's group, `tags` separated by commas."""

    req_id: int
    group: str
    tags: str


class CancelAccountSummary(Request, frozen=True):
    """Request 63."""

    req_id: int


class AccountSummary(Answer, frozen=True):
    """Answer 63."""

    req_id: int
    account: str
    tag: str
    value: str
    currency: str


class AccountSummaryEnd(Answer, frozen=True):
    """Answer 64."""

    req_id: int


class PositionsMultiRequest(Request, frozen=True):
    """Request 74."""

    req_id: int
    account: str
    model_code: str = ""


class CancelPositionsMulti(Request, frozen=True):
    """Request 75."""

    req_id: int


class PositionMulti(Answer, frozen=True):
    """Answer 71."""

    req_id: int
    account: str
    contract: WireContract
    position: Decimal
    avg_cost: float | None = None
    model_code: str = ""


class PositionMultiEnd(Answer, frozen=True):
    """Answer 72."""

    req_id: int


class AccountUpdatesMultiRequest(Request, frozen=True):
    """Request 76."""

    req_id: int
    account: str
    model_code: str = ""
    ledger_and_nlv: bool = False


class CancelAccountUpdatesMulti(Request, frozen=True):
    """Request 77."""

    req_id: int


class AccountUpdateMulti(Answer, frozen=True):
    """Answer 73."""

    req_id: int
    account: str
    model_code: str
    key: str
    value: str
    currency: str


class AccountUpdateMultiEnd(Answer, frozen=True):
    """Answer 74."""

    req_id: int


class PnLRequest(Request, frozen=True):
    """Request 92."""

    req_id: int
    account: str
    model_code: str = ""


class CancelPnL(Request, frozen=True):
    """Request 93."""

    req_id: int


class PnL(Answer, frozen=True):
    """Answer 94, about once a second."""

    req_id: int
    daily_pnl: float | None
    unrealized_pnl: float | None
    realized_pnl: float | None


class PnLSingleRequest(Request, frozen=True):
    """Request 94."""

    req_id: int
    account: str
    model_code: str = ""
    con_id: int = 0


class CancelPnLSingle(Request, frozen=True):
    """Request 95."""

    req_id: int


class PnLSingle(Answer, frozen=True):
    """Answer 95."""

    req_id: int
    position: Decimal
    daily_pnl: float | None
    unrealized_pnl: float | None
    realized_pnl: float | None
    value: float | None
