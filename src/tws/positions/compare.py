"""Our reckoning beside the broker's word."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from tws.model.account import Position
from tws.model.contract import Contract
from tws.positions.book import PositionBook

__all__ = ["Difference", "compare"]


class Difference(Struct, frozen=True, kw_only=True):
    """A contract of which the broker states another quantity than our fills make."""

    account: str
    contract: Contract
    reckoned: Decimal
    stated: Decimal


def compare(book: PositionBook, stated: Iterable[Position], accounts: Iterable[str]) -> list[Difference]:
    """Where a complete list of the broker's positions differs from `book`, for these accounts.

    What the broker does not list counts as 0 there, and what the book does not know as 0 here.
    """
    wanted = tuple(accounts)
    rows = {book.key(row.account, row.contract.con_id): row for row in stated if row.account in wanted}
    differences = []
    for row in rows.values():
        reckoned = book.quantity(row.account, row.contract.con_id)
        if reckoned != row.quantity:
            differences.append(
                Difference(account=row.account, contract=row.contract, reckoned=reckoned, stated=row.quantity)
            )
    for key, holding in book.holdings.items():
        if key not in rows and holding.account in wanted and holding.quantity:
            differences.append(
                Difference(
                    account=holding.account,
                    contract=holding.contract,
                    reckoned=holding.quantity,
                    stated=Decimal(0),
                )
            )
    return differences
