"""What one instrument's market has said so far: the present top of the book, the day's figures, the past
by seconds.

Every second with an update becomes one row of a few machine integers; bars of any size are built from the
rows when somebody asks (`tws.simulator.bars`). When there are more than `FINE_ROWS` seconds, the oldest
hour of them becomes minutes; of those the oldest are dropped from `COARSE_ROWS` on. So a tape that runs for
weeks stays small.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from tws.clock import NS_PER_S
from tws.simulator.grid import CENT, Grid
from tws.simulator.market.base import MarketUpdate, Row

__all__ = ["Row", "Tape"]

FINE_ROWS = 36_000
"""Ten hours of seconds, more than a session; a row is 64 bytes."""
COARSE_ROWS = 20_160
"""Minutes: two weeks without a night."""
AT_ONCE = 3_600
"""So many seconds become minutes in one go, some five milliseconds of work."""
PER_TICK = 100
"""Prices of prints are kept in hundredths of a tick, since they may lie off the grid."""


class Tape:
    """One instrument. `volume` (lots), `open`, `high`, `low` are the day's, `close` the day's before.

    `bid` and `ask` are ticks of `grid`; the sizes are lots, 0 where that side is empty. An index prints
    without a size.
    """

    def __init__(
        self, con_id: int, close: float | None, grid: Grid = CENT, *, is_index: bool = False
    ) -> None:
        self.con_id = con_id
        self.grid = grid
        self.is_index = is_index
        self.has_volume = not is_index  # nor has a currency
        self.bid = self.bid_size = self.ask = self.ask_size = 0
        self.last = 0.0
        self.last_size = 0
        self.last_s = 0
        self.volume = 0
        self.value = 0.0
        self.prints = 0
        self.open = self.high = self.low = 0.0
        self.close = close
        self.speaks = False
        self._scale = grid.per_unit * PER_TICK
        self._columns = [array(kind) for kind in "iqqqqqiii"]
        self._values = array("d")
        self._appends = tuple(column.append for column in self._columns)  # every second of every tape
        self._second = 0
        self._prints: list[int] = [0, 0, 0, 0, 0, 0]
        self._worth = 0.0
        self._coarse = 0
        self._fine_rows = FINE_ROWS + con_id % AT_ONCE  # not all tapes in the same second

    def apply(self, update: MarketUpdate) -> None:
        """Take one update in."""
        second = update.time_ns // NS_PER_S
        if second != self._second:
            self._flush()
            self._second = second
        self.speaks = True
        self.bid, self.bid_size = update.bid, update.bid_size
        self.ask, self.ask_size = update.ask, update.ask_size
        if update.trade:
            self._print(update.trade, update.trade_size, second)

    def begin(self, past: Sequence[Row], day_s: int) -> None:
        """Take in what happened before anybody listened, minutes oldest first; those from `day_s` on are
        today's. Only a tape that never spoke may begin.
        """
        assert not self._values and not self._second
        grid, scale = self.grid, self._scale
        for row in past:
            scaled = [int(price * scale + 0.5) for price in (row.open, row.high, row.low, row.close)]
            whole = (row.time_s, *scaled, row.volume, row.prints, grid.ticks(row.bid), grid.ticks(row.ask))
            for column, value in zip(self._columns, whole, strict=True):
                column.append(value)
            self._values.append(row.value)
            if not row.prints:
                continue
            if row.time_s >= day_s:
                self.open = self.open or row.open
                self.high = max(self.high, row.high)
                self.low = min(self.low or row.low, row.low)
                self.volume += row.volume
                self.value += row.value
                self.prints += row.prints
            self.last, self.last_s = row.close, row.time_s
            self.last_size = max(1, row.volume // max(1, row.prints)) if row.volume else 0
        self._coarse = len(self._values)

    def _print(self, price: float, size: int, second: int) -> None:
        self.last, self.last_size, self.last_s = price, size, second
        self.volume += size
        self.prints += 1
        self.value += price * size
        if not self.open:
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        scaled = int(price * self._scale + 0.5)
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
        self.volume, self.value, self.prints = 0, 0.0, 0
        self.open = self.high = self.low = 0.0

    def _flush(self) -> None:
        if not self._second:
            return
        opened, high, low, close, volume, count = self._prints
        bid, ask = self.bid if self.bid_size else 0, self.ask if self.ask_size else 0
        second_, opened_, high_, low_, close_, volume_, count_, bid_, ask_ = self._appends
        second_(self._second)
        opened_(opened)
        high_(high)
        low_(low)
        close_(close)
        volume_(volume)
        count_(count)
        bid_(bid)
        ask_(ask)
        self._values.append(self._worth)
        self._prints, self._worth = [0, 0, 0, 0, 0, 0], 0.0
        if len(self._values) - self._coarse > self._fine_rows:
            self._coarsen()

    def _coarsen(self) -> None:
        """The oldest `AT_ONCE` seconds become minutes."""
        begin, end = self._coarse, self._coarse + AT_ONCE
        old = list(
            zip(*(column[begin:end] for column in self._columns), self._values[begin:end], strict=True)
        )
        minutes: list[list[float]] = []
        for time_s, opened, high, low, close, volume, count, bid, ask, worth in old:
            minute = time_s - time_s % 60
            if not minutes or minutes[-1][0] != minute:
                minutes.append([minute, opened, high, low, close, volume, count, bid, ask, worth])
                continue
            last = minutes[-1]
            if count:
                last[1] = last[1] if last[6] else opened
                last[2] = max(last[2], high)
                last[3] = min(last[3], low) if last[6] else low
                last[4] = close
            last[5] += volume
            last[6] += count
            last[7:9] = bid, ask
            last[9] += worth
        surplus = max(0, begin + len(minutes) - COARSE_ROWS)
        for index, column in enumerate(self._columns):
            column[begin:end] = array(column.typecode, (int(row[index]) for row in minutes))
            del column[:surplus]
        self._values[begin:end] = array("d", (row[9] for row in minutes))
        del self._values[:surplus]
        self._coarse = begin + len(minutes) - surplus

    @property
    def first_s(self) -> int | None:
        """Begin of the oldest row, None before the first update."""
        return self._columns[0][0] if self._values else (self._second or None)

    def rows(self, start_s: int, end_s: int) -> Iterator[Row]:
        """The rows that begin in [start_s, end_s), oldest first, the running second included."""
        times = self._columns[0]
        for i in range(_bisect(times, start_s), _bisect(times, end_s)):
            yield self._row(tuple(column[i] for column in self._columns), self._values[i])
        if start_s <= self._second < end_s and self._second:
            bid, ask = self.bid if self.bid_size else 0, self.ask if self.ask_size else 0
            opened, high, low, close, volume, count = self._prints
            yield self._row((self._second, opened, high, low, close, volume, count, bid, ask), self._worth)

    def _row(self, columns: tuple[int, ...], value: float) -> Row:
        time_s, opened, high, low, close, volume, count, bid, ask = columns
        scale, grid = self._scale, self.grid
        return Row(
            time_s, opened / scale, high / scale, low / scale, close / scale, volume, value, count,
            grid.price(bid), grid.price(ask),
        )  # fmt: skip


def _bisect(times: array[int], wanted: int) -> int:
    low, high = 0, len(times)
    while low < high:
        middle = (low + high) // 2
        if times[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
