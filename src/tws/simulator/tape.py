"""What one instrument's market has said so far: the present top of the book, the day's figures, the past
by seconds.

Every second with an update becomes one row of a few machine integers, so that a whole day of the
universe stays small; bars of any size are built from the rows when somebody asks
(`tws.simulator.bars`). The oldest half is dropped when a symbol has more than `MAX_ROWS` of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from tws.clock import NS_PER_S
from tws.simulator.market.base import MarketUpdate

__all__ = ["Row", "Tape"]

MAX_ROWS = 200_000
"""More than two full days of seconds per symbol; nine columns of four bytes and one of eight each."""
SCALE = 10_000
"""Prices of prints are kept in hundredths of a cent."""


class Row(NamedTuple):
    """One second (or a longer stretch of the synthetic past): `time_s` is its begin, prices in dollars.

    Print prices are 0 where nothing was printed; bid and ask are those at the end, 0 where empty.
    """

    time_s: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    value: float
    prints: int
    bid: float
    ask: float


class Tape:
    """One instrument. `volume`, `open`, `high`, `low` are the day's so far, `close` the previous day's."""

    def __init__(self, con_id: int, close: float | None) -> None:
        self.con_id = con_id
        self.bid = self.bid_size = self.ask = self.ask_size = 0
        self.last = 0.0
        self.last_size = 0
        self.last_s = 0
        self.volume = 0
        self.value = 0.0
        self.open = self.high = self.low = 0.0
        self.close = close
        self.speaks = False
        self._columns = [array("i") for _ in range(9)]
        self._values = array("d")
        self._second = 0
        self._prints: list[int] = [0, 0, 0, 0, 0, 0]
        self._worth = 0.0

    def apply(self, update: MarketUpdate) -> None:
        """Take one update in."""
        second = update.time_ns // NS_PER_S
        if second != self._second:
            self._flush()
            self._second = second
        self.speaks = True
        self.bid, self.bid_size = update.bid, update.bid_size
        self.ask, self.ask_size = update.ask, update.ask_size
        if update.trade_size:
            self._print(update.trade, update.trade_size, second)

    def _print(self, price: float, size: int, second: int) -> None:
        self.last, self.last_size, self.last_s = price, size, second
        self.volume += size
        self.value += price * size
        if not self.open:
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        scaled = int(price * SCALE + 0.5)
        prints = self._prints
        if not prints[5]:
            self._prints = [scaled, scaled, scaled, scaled, size, 1]
        else:
            if scaled > prints[1]:
                prints[1] = scaled
            if scaled < prints[2]:
                prints[2] = scaled
            prints[3] = scaled
            prints[4] += size
            prints[5] += 1
        self._worth += price * size

    def new_day(self) -> None:
        """The session ended: the last price becomes the close, the day's figures begin anew."""
        if self.last:
            self.close = self.last
        self.volume, self.value = 0, 0.0
        self.open = self.high = self.low = 0.0

    def _flush(self) -> None:
        if not self._second:
            return
        opened, high, low, close, volume, count = self._prints
        row = (self._second, opened, high, low, close, min(volume, 2**31 - 1), count, self.bid, self.ask)
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        self._values.append(self._worth)
        self._prints, self._worth = [0, 0, 0, 0, 0, 0], 0.0
        if len(self._values) > MAX_ROWS:
            for column in self._columns:
                del column[: MAX_ROWS // 2]
            del self._values[: MAX_ROWS // 2]

    @property
    def first_s(self) -> int | None:
        """Begin of the oldest row, None before the first update."""
        return self._columns[0][0] if self._values else (self._second or None)

    def rows(self, start_s: int, end_s: int) -> Iterator[Row]:
        """The rows that begin in [start_s, end_s), oldest first, the running second included."""
        times = self._columns[0]
        for i in range(_bisect(times, start_s), _bisect(times, end_s)):
            _, opened, high, low, close, volume, count, bid, ask = (column[i] for column in self._columns)
            yield Row(
                times[i],
                opened / SCALE,
                high / SCALE,
                low / SCALE,
                close / SCALE,
                volume,
                self._values[i],
                count,
                bid / 100,
                ask / 100,
            )
        if start_s <= self._second < end_s and self._second:
            opened, high, low, close, volume, count = self._prints
            yield Row(
                self._second,
                opened / SCALE,
                high / SCALE,
                low / SCALE,
                close / SCALE,
                volume,
                self._worth,
                count,
                self.bid / 100,
                self.ask / 100,
            )


def _bisect(times: array[int], wanted: int) -> int:
    low, high = 0, len(times)
    while low < high:
        middle = (low + high) // 2
        if times[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
