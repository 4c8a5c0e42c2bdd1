"""One move of a position, the balance that it leaves, and the step from one balance to the next.

The formulas stand at the top of `holding.py`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from msgspec import Struct

from tws.model.contract import Contract

__all__ = ["EMPTY", "Balance", "Move", "MoveKind", "multiplier", "new_and_old", "step"]

_ZERO = Decimal(0)
_ONE = Decimal(1)
_MOST_OLD = 1_000_000
"""No split counts more old shares than this. Two ratios of so few differ in their thirteenth digit, so 28
tell which one was meant.
"""


def multiplier(contract: Contract) -> Decimal:
    """What one unit of price is worth in money: the contract's multiplier, 1 when it states none."""
    text = contract.multiplier and contract.multiplier.strip()
    return Decimal(text) if text else _ONE


def new_and_old(ratio: Decimal) -> tuple[Decimal, Decimal]:
    """A split's ratio as new shares for so many old ones: 0.3333333333333333333333333333 is 1 for each 3.

    A quotient is undone only where dividing gives these very digits again; any other ratio is new shares for
    each one.
    """
    near = Fraction(ratio).limit_denominator(_MOST_OLD)
    new, old = Decimal(near.numerator), Decimal(near.denominator)
    return (new, old) if new / old == ratio else (ratio, _ONE)


class MoveKind(StrEnum):
    """Why a position moved. Only a FILL is the broker's word on a trade."""

    OPENING = "opening"
    FILL = "fill"
    INFERRED = "inferred"
    ADJUSTMENT = "adjustment"
    SPLIT = "split"


class Balance(NamedTuple):
    """A position and its money. Cost and profit are before fees, per unit of multiplier; fees are money."""

    quantity: Decimal = _ZERO
    cost: Decimal = _ZERO
    """Signed like the quantity."""
    realized: Decimal = _ZERO
    fees_held: Decimal = _ZERO
    """Fees of what is held now: a part of its average cost."""
    fees_realized: Decimal = _ZERO
    """Fees of what was closed, its opening's share included."""


EMPTY = Balance()


class Move(Struct, kw_only=True):
    """One step of a holding. `quantity` is signed; `left` is what it came to. A SPLIT has a ratio in place of
    quantity and price. `fee` is in the contract's currency; one in another is `other_fee`, part of no cost.
    """

    kind: MoveKind
    exec_id: str = ""
    """The broker's, or the name of an inferred fill; empty for the rest."""
    owner: str = ""
    """The intent of ours that it fills."""
    strategy: str = ""
    """For whom that was placed."""
    revision: int = 0
    time_ns: int = 0
    quantity: Decimal = _ZERO
    price: Decimal = _ZERO
    fee: Decimal = _ZERO
    other_fee: Decimal = _ZERO
    other_currency: str = ""
    paid: bool = True
    """An adjustment for which cash moved, as for an assignment; for a transfer none does."""
    ratio: Decimal | None = None
    left: Balance = EMPTY


def step(at: Balance, move: Move) -> Balance:
    """What `move` makes of a balance; the formulas stand at the top of `holding.py`."""
    if move.ratio is not None:
        new, old = new_and_old(move.ratio)
        return at._replace(quantity=at.quantity * new / old)
    quantity, price, fee = move.quantity, move.price, move.fee
    held, cost, realized, fees, gone = at
    if not held or not quantity or (held > 0) is (quantity > 0):
        return Balance(held + quantity, cost + quantity * price, realized, fees + fee, gone)
    size, room = abs(quantity), abs(held)
    if size <= room:  # it only closes: its whole fee goes with what it closes
        if size == room:  # the last share takes all that is left, to the last digit
            return Balance(_ZERO, _ZERO, realized - quantity * price - cost, _ZERO, gone + fees + fee)
        part, share = cost * size / room, fees * size / room
        return Balance(
            held + quantity, cost - part, realized - quantity * price - part, fees - share, gone + share + fee
        )
    closing_fee, over = fee * room / size, quantity + held
    return Balance(
        over, over * price, realized + held * price - cost, fee - closing_fee, gone + fees + closing_fee
    )
