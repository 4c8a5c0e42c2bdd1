"""Which exception a refusal of TWS is: its code says it, for some codes its words do."""

from __future__ import annotations

from tws.errors import (
    AmbiguousContractError,
    NoContractError,
    NoDataError,
    NotSubscribedError,
    RequestError,
)

__all__ = ["refusal_of"]

_NOT_SUBSCRIBED = {354, 10089, 10168, 10186, 10276, 10277, 10358}
"""TWS-BEHAVIOUR.md A8; the last three of news, corporate events and fundamentals (official documentation,
reported)."""
_MAY_BE = (
    ({162, 420, 10187, 10189}, "no market data permissions"),
    ({430}, "not allowed"),  # what older builds say of fundamentals (reported)
)
"""Codes of data requests that name lacking permissions among other reasons, and the words (A8)."""
_NO_DATA = ("no data", "no head time stamp")
"""How 162 says that there is nothing to tell (A8, reported)."""


def refusal_of(code: int, text: str, number: int = -1) -> RequestError:
    """The exception for a code and its text; `number` is the request id."""
    said = text.lower()
    kind = RequestError
    if code == 200:
        kind = AmbiguousContractError if "ambiguous" in said else NoContractError
    elif code in _NOT_SUBSCRIBED or any(code in codes and words in said for codes, words in _MAY_BE):
        kind = NotSubscribedError
    elif code == 162 and any(words in said for words in _NO_DATA):
        kind = NoDataError
    return kind(code, text, number)
