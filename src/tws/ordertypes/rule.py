"""What a local refusal is: one small function, the attribute that it names, its cure, and its source.

A rule answers with the reason, or with nothing. Only what IB's own papers or TWS's code table refuse, or what
TWS was recorded to refuse, is a rule here; what is merely assumed is the broker's to judge. Sources:

    codes      the official table of message codes (docs of API 10.20), by `code`
    fields     the official guide and reference of orders, or a sample of the official client
    algos      the official page of IB's algorithms
    recorded   of a paper Gateway, or quoted by users word for word (docs/design/order-types.md)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.fullorder import FullOrder

__all__ = ["LIMITED", "STOPPED", "TOUCHED", "TRIGGER_METHODS", "Fault", "Rule", "Source", "no_instant",
           "positive"]

Fault: TypeAlias = Callable[[FullOrder, Contract | None], str]
"""Why an order (for a contract, where one is known) would be refused; empty when it would not."""
Source: TypeAlias = Literal["codes", "fields", "algos", "recorded"]

LIMITED = ("LMT", "STP LMT", "LIT", "LOC", "REL + LMT")
"""Types that need a limit price."""
STOPPED = ("STP", "STP LMT", "STP PRT")
"""Types that wait for a stop price."""
TOUCHED = ("MIT", "LIT")
"""Types that wait for a price to be touched."""
TRIGGER_METHODS = (0, 1, 2, 3, 4, 7, 8)
"""What a stop may watch, by TWS's numbers (code 146)."""
_DAY = r"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_INSTANT = re.compile(rf"(?:{_DAY}[ -])?{_TIME}(?: \S.*)?|{_DAY}")
"""The forms of a time: yyyymmdd hh:mm:ss zone, yyyymmdd-hh:mm:ss (UTC), a time alone, a day alone."""


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


def no_instant(text: str) -> str:
    """Why a text is no time of TWS; empty when it is one, or says nothing."""
    return f"{text!r} is no time of TWS" if text and not _INSTANT.fullmatch(text) else ""
