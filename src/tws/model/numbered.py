"""Enumerations of TWS's numbers: one that we do not know is kept as it is; another build may send it."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

__all__ = ["Numbered"]


class Numbered(IntEnum):
    """`MarketDataType(9)` is a member named UNKNOWN_9, and the number 9."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_, unknown._value_ = f"UNKNOWN_{value}", value
        return unknown
