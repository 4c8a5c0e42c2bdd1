"""What folded moves of one holding came to: its balance carried forward, in a few sums.

The broker repeats, corrects and takes back a fill for some days (TWS: seven, TWS-BEHAVIOUR.md C4). Behind
those nothing in the books can change any more, so a move is no longer needed for itself, only what it came
to. Each sum here is made of the moves in their order, as the sums over kept moves are: carrying changes no
digit.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field

from tws.model.contract import Contract
from tws.positions.move import EMPTY, Balance, Move, MoveKind, multiplier, step

__all__ = ["CARRIED_TYPES", "Carried", "Part", "cash_of", "strategy_of"]

_ZERO = Decimal(0)
CARRIED_TYPES = frozenset({"FUT", "CFD"})
"""Nothing is paid for them but fees, and profit when they close."""
_TRADED = frozenset({MoveKind.FILL, MoveKind.INFERRED})


class Part(Struct):
    """One strategy's share of it."""

    balance: Balance = EMPTY
    fills: int = 0
    fees: Decimal = _ZERO


class Carried(Struct, kw_only=True):
    """See the module. Fees are in `Holding.fees` and `Holding.other_fees`, which are sums already."""

    balance: Balance = EMPTY
    moves: int = 0
    fills: int = 0
    opening: Decimal = _ZERO
    """What was held before the first fill that we know of."""
    inferred: bool = False
    """A fill among them was inferred: its quantity proven, its price not."""
    cash: Decimal = _ZERO
    """What came in less what went out, in the contract's currency (`cash_of`)."""
    received: Decimal = _ZERO
    """Of a pair of currencies, the one that was bought."""
    strategy: str | None = None
    """The strategy that moved it last; None before any did."""
    parts: dict[str, Part] = field(default_factory=dict)
    """By strategy."""

    def take(self, move: Move, contract: Contract) -> None:
        """Add the next move in the order of time."""
        self.balance = move.left
        self.moves += 1
        self.inferred = self.inferred or move.kind is MoveKind.INFERRED
        fills = move.kind in _TRADED
        self.fills += fills
        cash, received = cash_of(move, contract)
        self.cash, self.received = self.cash + cash, self.received + received
        if move.kind is MoveKind.OPENING:
            self.opening += move.quantity
            return
        self.strategy = strategy_of(move, self.strategy)
        if self.strategy is not None:
            part = self.parts.setdefault(self.strategy, Part())
            part.balance = step(part.balance, move)
            part.fills += fills
            part.fees += move.fee


def strategy_of(move: Move, last: str | None) -> str | None:
    """Whose a move is: what no trade claims belongs to the strategy that had moved the contract before it."""
    return move.strategy or last


def cash_of(move: Move, contract: Contract) -> tuple[Decimal, Decimal]:
    """What a move pays into the contract's currency, fees in it included, and what of a bought currency it
    brings. The profit of what is carried is not in it.
    """
    paid = move.kind in _TRADED or (move.kind is MoveKind.ADJUSTMENT and move.paid)
    if not paid or contract.sec_type in CARRIED_TYPES:
        return -move.fee, _ZERO
    spent = move.fee + move.quantity * move.price * multiplier(contract)
    return -spent, move.quantity if contract.sec_type == "CASH" else _ZERO
