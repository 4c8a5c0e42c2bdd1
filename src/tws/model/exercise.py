"""What a holder of options tells the broker to do with them."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

__all__ = ["Exercise", "ExerciseAction"]


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
