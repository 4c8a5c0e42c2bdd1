"""What a holder of options tells the broker to do with them, and what it brings."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import TypeAlias

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.order import Order

__all__ = ["OPTIONS", "STRIKE_STEP", "Exercise", "ExerciseAction", "Exercising", "Instruction"]

OPTIONS = ("OPT", "FOP")
"""Kinds of contract that a holder exercises."""
STRIKE_STEP = Decimal("0.00000001")
"""A strike keeps to no grid of prices; the finest step that a double tells apart at any strike."""


class ExerciseAction(IntEnum):
    """TWS's numbers (official client)."""

    EXERCISE = 1
    LAPSE = 2


class Exercise(Struct, frozen=True, kw_only=True):
    """Exercise so many contracts, or let them lapse.

    account    whose; "" is the configured account, or the first of the login
    override   act against the natural action: exercise out of the money, lapse in the money
    manual_order_time, customer_account, professional_customer   what rules demand of some brokers; from
               server versions 180, 183 and 184

    Raises ValueError for less than one contract.
    """

    quantity: int
    action: ExerciseAction = ExerciseAction.EXERCISE
    account: str = ""
    override: bool = False
    manual_order_time: str = ""
    customer_account: str = ""
    professional_customer: bool = False

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError(f"quantity is {self.quantity}: at least one contract")


Instruction: TypeAlias = Order | Exercise
"""What a desk tells the broker to do under an order id."""


class Exercising(Struct, frozen=True, kw_only=True):
    """A desk's intent with options that it holds. What it brings is stated when it is made, so that a journal
    alone knows what the broker's positions have to show.

    each         the signed shares of `underlying` (or futures) that one contract brings; 0 for a lapse
    strike       what each of them is paid with, or brings in
    strategy, signal_id   who wished it
    """

    wish: Exercise
    underlying: Contract | None = None
    each: Decimal = Decimal(0)
    strike: Decimal = Decimal(0)
    strategy: str = ""
    signal_id: str = ""
