"""What the fills of a book did to the account's cash, by currency: beside the broker's own figure.

How a trade touches cash depends on its type: shares, options, coins are paid; of futures and CFDs the fees
and, when they close, the profit move; a pair of currencies gives one and takes the other. (The simulator's
rule, books.md; for IB assumed. A real TWS settles futures against cash each night, which no message tells.)
"""

from __future__ import annotations

from decimal import Decimal

from tws.positions.book import PositionBook
from tws.positions.carried import CARRIED_TYPES, cash_of
from tws.positions.holding import Holding

__all__ = ["cash_moved"]

_ZERO = Decimal(0)


def cash_moved(book: PositionBook, account: str) -> dict[str, Decimal]:
    """By currency, signed: what came in less what went out through the moves of one account.

    An opening balance and a split move no cash; an adjustment does when it was `paid` (an assignment is, a
    transfer is not).
    """
    moved: dict[str, Decimal] = {}
    for holding in book.holdings.values():
        if holding.account == account:
            for currency, amount in _of(holding).items():
                moved[currency] = moved.get(currency, _ZERO) + amount
    return moved


def _of(holding: Holding) -> dict[str, Decimal]:
    contract = holding.contract
    moved = {currency: -fee for currency, fee in holding.other_fees.items()}
    own, received = holding.carried.cash, holding.carried.received
    for move in holding.moves:
        paid, brought = cash_of(move, contract)
        own, received = own + paid, received + brought
    if contract.sec_type in CARRIED_TYPES:
        own += holding.realized_pnl
    moved[contract.currency] = moved.get(contract.currency, _ZERO) + own
    if received:
        moved[contract.symbol] = moved.get(contract.symbol, _ZERO) + received
    return moved
