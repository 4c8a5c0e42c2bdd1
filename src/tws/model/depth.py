"""The depth of a market: levels behind the best quote, and the steps by which TWS changes them."""

from __future__ import annotations

from msgspec import Struct

from tws.model.numbered import Numbered

__all__ = ["DepthChange", "DepthLevel", "DepthOperation"]


class DepthOperation(Numbered):
    """What happens to a level (TWS-BEHAVIOUR.md E). A number that we do not know is kept as it is."""

    RESET = -1
    """Ours: the whole book is empty now (317, or a renewed stream) and will be told anew."""
    INSERT = 0
    UPDATE = 1
    DELETE = 2


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
