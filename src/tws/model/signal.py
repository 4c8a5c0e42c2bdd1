"""What a model wishes, before anyone judged it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["Signal", "Wish"]


class Wish(StrEnum):
    """The side that a signal wishes for (AUTOMATION.md). SELL closes a long, CLOSE a long or a short: neither
    opens anything.
    """

    BUY = "BUY"
    SELL = "SELL"
    SHORT = "SHORT"
    CLOSE = "CLOSE"
    NEUTRAL = "NEUTRAL"

    @property
    def closes(self) -> bool:
        """Whether it opens nothing and closes what is held."""
        return self in (Wish.SELL, Wish.CLOSE)


class Signal(Struct, frozen=True, kw_only=True):
    """A wish for one symbol. `confidence` lies in 0..1; `price` is the model's reference, in currency.

    `signal_id` is unique per source: the same id twice is the same wish, and acts once.
    """

    signal_id: str
    symbol: str
    wish: Wish
    time_ns: int
    confidence: float = 1.0
    price: float | None = None
    model: str = ""
