"""What a local refusal is: one small function, the attribute that it names, its cure, and its source.

A rule answers with the reason, or with nothing. Only what IB's own papers or TWS's code table refuse, or what
TWS was recorded to refuse, is a rule here; what is merely assumed is the broker's to judge. Sources:

    codes      the official table of message codes (docs of API 10.20), by `code`
    fields     the official guide and reference of orders, or a sample of the official client
    algos      the official page of IB's algorithms
    recorded   of a paper Gateway, or quoted by users word for word (docs/design/order-types.md)
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.fullorder import FullOrder

__all__ = ["LIMITED", "STOPPED", "TOUCHED", "Fault", "Rule", "Source", "positive"]

Fault: TypeAlias = Callable[[FullOrder, Contract | None], str]
"""Why an order (for a contract, where one is known) would be refused; empty when it would not."""
Source: TypeAlias = Literal["codes", "fields", "algos", "recorded"]

LIMITED = ("LMT", "STP LMT", "LIT", "LOC", "REL + LMT")
"""Types that need a limit price."""
STOPPED = ("STP", "STP LMT", "STP PRT")
"""Types that wait for a stop price."""
TOUCHED = ("MIT", "LIT")
"""Types that wait for a price to be touched."""


class Rule(Struct, frozen=True, kw_only=True):
    """One local refusal. `code` is what TWS would answer, 0 where the source names none."""

    attribute: str
    fault: Fault
    cure: str
    source: Source
    code: int = 0

    @property
    def name(self) -> str:
        """The name of its function: what tests and the page of the docs call it."""
        return self.fault.__name__


def positive(number: Decimal | int | None) -> bool:
    """Whether it is there, finite and above zero."""
    return number is not None and (not isinstance(number, Decimal) or number.is_finite()) and number > 0
