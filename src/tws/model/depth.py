"""The depth of a market: levels behind the best quote, and the steps by which TWS changes them."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from msgspec import Struct

__all__ = ["DepthChange", "DepthLevel", "DepthOperation"]


class DepthOperation(IntEnum):
    """What happens to a level (TWS-BEHAVIOUR.md E). A number that we do not know is kept as it is."""

    RESET = -1
    """Ours: the whole book is empty now (317, or a renewed stream) and will be told anew."""
    INSERT = 0
    UPDATE = 1
    DELETE = 2

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_, unknown._value_ = f"UNKNOWN_{value}", value
        return unknown


class DepthLevel(Struct, frozen=True, kw_only=True, gc=False):
    """One level: price in currency, size in shares; `maker` is who quotes, or the exchange behind SMART."""

    price: float
    size: float
    maker: str = ""


class DepthChange(Struct, frozen=True, kw_only=True, gc=False):
    """One step: `level` becomes the level at `position` (0 is the best) of bids or asks.

    None for a level that went, and for RESET, which is about both sides. `time_ns` is market time.
    """

    operation: DepthOperation
    is_bid: bool = False
    position: int = 0
    level: DepthLevel | None = None
    time_ns: int = 0
