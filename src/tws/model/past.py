"""The past beside its bars: single ticks, volume by price, the hours of trading."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from tws.clock import to_datetime
from tws.model.session import Session

__all__ = ["HistogramEntry", "PastMidpoint", "PastQuote", "PastTick", "PastTrade", "Schedule", "TradingDay"]


class _At(Struct, frozen=True, kw_only=True, gc=False):
    """`time_ns`: nanoseconds since the epoch, UTC; TWS states whole seconds."""

    time_ns: int

    @property
    def time(self) -> datetime:
        """`time_ns` as an aware UTC datetime."""
        return to_datetime(self.time_ns)


class PastTrade(_At, frozen=True, kw_only=True, gc=False):
    """A print (answer 98): price in currency, size in shares (None where TWS states none).

    `past_limit`: beyond the day's price limits; `unreported`: it counts for no bar (an average price, say).
    """

    price: float
    size: float | None
    exchange: str = ""
    conditions: str = ""
    past_limit: bool = False
    unreported: bool = False


class PastQuote(_At, frozen=True, kw_only=True, gc=False):
    """A quote (answer 97). `bid_past_low` and `ask_past_high`: beyond the day's range of trades."""

    bid: float
    ask: float
    bid_size: float | None
    ask_size: float | None
    bid_past_low: bool = False
    ask_past_high: bool = False


class PastMidpoint(_At, frozen=True, kw_only=True, gc=False):
    """A midpoint (answer 96)."""

    price: float


PastTick: TypeAlias = PastTrade | PastQuote | PastMidpoint


class HistogramEntry(Struct, frozen=True, kw_only=True, gc=False):
    """How much traded at one price: price in currency, size in shares."""

    price: float
    size: float


class TradingDay(Struct, frozen=True, kw_only=True):
    """One session and the date (yyyyMMdd) that it is booked under; the night before may belong to it."""

    date: str
    session: Session


class Schedule(Struct, frozen=True, kw_only=True):
    """The sessions that an instrument had (answer 106), oldest first; `zone` is the exchange's, by name."""

    zone: str
    days: tuple[TradingDay, ...]
