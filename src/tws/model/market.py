"""What the market says: floats, because it is analysed and not booked."""

from __future__ import annotations

from array import array
from datetime import datetime
from enum import IntEnum

from msgspec import Struct, field

from tws.clock import to_datetime
from tws.model.numbered import Numbered

__all__ = ["BAR_SECONDS", "Bar", "BarColumns", "MarketDataType", "OddLots", "Quote", "TickField", "Trade"]


BAR_SECONDS = {
    "1 secs": 1,
    "5 secs": 5,
    "10 secs": 10,
    "15 secs": 15,
    "30 secs": 30,
    "1 min": 60,
    "2 mins": 120,
    "3 mins": 180,
    "4 mins": 240,
    "5 mins": 300,
    "10 mins": 600,
    "15 mins": 900,
    "20 mins": 1200,
    "30 mins": 1800,
    "1 hour": 3600,
    "2 hours": 7200,
    "3 hours": 10800,
    "4 hours": 14400,
    "8 hours": 28800,
    "1 day": 86400,
    "1 week": 604800,
    "1 month": 2592000,
}
"""The bar sizes that TWS knows, in seconds (TWS-BEHAVIOUR.md E); a month counts as 30 days."""


class MarketDataType(Numbered):
    """What kind of data a stream carries (TWS message 58). A number that we do not know is kept as it is."""

    NONE = 0
    LIVE = 1
    FROZEN = 2
    DELAYED = 3
    DELAYED_FROZEN = 4


class TickField(IntEnum):
    """The tick types that this package reads (TWS-BEHAVIOUR.md E)."""

    BID_SIZE = 0
    BID = 1
    ASK = 2
    ASK_SIZE = 3
    LAST = 4
    LAST_SIZE = 5
    HIGH = 6
    LOW = 7
    VOLUME = 8
    CLOSE = 9
    OPEN = 14
    LAST_TIMESTAMP = 45
    HALTED = 49


class Quote(Struct, frozen=True, kw_only=True, gc=False):
    """The last known state of a market: prices in currency, sizes in shares, None where unknown.

    `time_ns` is the market time of the latest change; `kind` says live, delayed, frozen or none.
    """

    con_id: int = 0
    symbol: str = ""
    time_ns: int = 0
    bid: float | None = None
    bid_size: float | None = None
    ask: float | None = None
    ask_size: float | None = None
    last: float | None = None
    last_size: float | None = None
    volume: float | None = None
    close: float | None = None
    kind: MarketDataType = MarketDataType.LIVE
    halted: int | None = None
    """0: trading, 1: halted, 2: for volatility; None: not stated (tick type 49, TWS-BEHAVIOUR.md E)."""

    @property
    def time(self) -> datetime:
        """`time_ns` as an aware UTC datetime."""
        return to_datetime(self.time_ns)

    @property
    def mid(self) -> float | None:
        """The middle of bid and ask, None unless both are known."""
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) / 2


class OddLots(Struct, frozen=True, kw_only=True, gc=False):
    """The best quotes of less than a round lot (generic tick 787, server version 225); None where unknown."""

    bid: float | None = None
    bid_size: float | None = None
    bid_exchange: str | None = None
    ask: float | None = None
    ask_size: float | None = None
    ask_exchange: str | None = None


class Trade(Struct, frozen=True, kw_only=True, gc=False):
    """One print: price in currency, size in shares, market time."""

    con_id: int = 0
    symbol: str = ""
    time_ns: int = 0
    price: float
    size: float


class Bar(Struct, frozen=True, kw_only=True, gc=False):
    """Prices over a span that begins at `time_ns` (inclusive) and lasts `seconds`; volume in shares.

    `wap` is the volume-weighted average price, None where TWS gives none. A day bar states `date`
    (yyyyMMdd in the exchange's zone) and its `time_ns` is midnight UTC of that date. A bar of a stream that
    still runs has `is_final` False: its figures go on changing. `gap` counts the whole spans directly before
    it that have no bar, as far as its builder listened; `is_whole` is False where a part was not heard.
    """

    time_ns: int
    seconds: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    wap: float | None = None
    count: int = 0
    date: str = ""
    is_final: bool = True
    gap: int = 0
    is_whole: bool = True

    @property
    def time(self) -> datetime:
        """`time_ns` as an aware UTC datetime."""
        return to_datetime(self.time_ns)


def _doubles() -> array[float]:
    return array("d")


def _longs() -> array[int]:
    return array("q")


class BarColumns(Struct, frozen=True, kw_only=True):
    """Many bars as columns of equal length, oldest first; what they mean stands at `Bar`.

    Each column is an `array` of doubles or of 64-bit integers, which numpy, pandas and Arrow take without a
    copy: `numpy.frombuffer(columns.close)`, `numpy.frombuffer(columns.time_ns, dtype="int64")`. `wap` is nan
    where TWS gives none. A day bar begins at midnight UTC of its date.
    """

    seconds: int
    time_ns: array[int] = field(default_factory=_longs)
    open: array[float] = field(default_factory=_doubles)
    high: array[float] = field(default_factory=_doubles)
    low: array[float] = field(default_factory=_doubles)
    close: array[float] = field(default_factory=_doubles)
    volume: array[float] = field(default_factory=_doubles)
    wap: array[float] = field(default_factory=_doubles)
    count: array[int] = field(default_factory=_longs)

    def __len__(self) -> int:
        return len(self.time_ns)
