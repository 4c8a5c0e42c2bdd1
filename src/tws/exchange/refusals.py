"""What TWS says instead of taking an order: message 4."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Refusal", "invalid"]


class Refusal(NamedTuple):
    """Message 4: code and text."""

    code: int
    text: str


def invalid(cause: str) -> Refusal:
    """321, TWS's word for a request that makes no sense."""
    return Refusal(321, f"Error validating request.-'bW' : cause - {cause}")
