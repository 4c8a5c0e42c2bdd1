"""Recorded days from CSV files, plain or .gz, in two forms, told apart by their header.

    seconds   time_utc_ms,open,high,low,close,volume,bid,bid_size,ask,ask_size
    ticks     time_utc_ms,kind,price,size,exchange        kind is bid, ask or trade

Columns are found by name, in any order; further columns are ignored. The symbol is the file name up to
its first "-". Times are milliseconds since the epoch, UTC, and must not run backwards; prices are in
currency, sizes in lots. Files are read as a stream while market time passes, so a bad row is met when its
time comes: DataError with file, line and reason. `check` reads a file through beforehand.

A row of seconds becomes its prints (open, then the nearer of high and low, the other, close; the volume
spread over those that differ) spaced over the second, then the quote of its end. Of a tick file every
venue's last quote is kept, and the top of the book is formed from them as the national best bid and
offer is: the highest bid and the lowest ask, the size that of all venues at that price. A new quote
that locks or crosses opposite quotes retires those: the rules forbid it, so they are stale (the files
do not record withdrawals).
"""

from __future__ import annotations

import csv
import gzip
import heapq
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from tws.errors import ConfigError, DataError
from tws.simulator.grid import CENT, Grid, grid_of
from tws.simulator.market.base import Begun, MarketUpdate
from tws.simulator.universe import Security, Universe

__all__ = ["ReplayMarket", "check", "replay", "series_symbol"]

MS = 1_000_000
SECONDS = ("time_utc_ms", "open", "high", "low", "close", "volume", "bid", "bid_size", "ask", "ask_size")
TICKS = ("time_utc_ms", "kind", "price", "size", "exchange")
TOO_HIGH = 10_000_000.0


def series_symbol(path: Path) -> str:
    """SPY of SPY-2013-10-08-1s.csv.gz."""
    return path.name.split("-")[0].split(".")[0].upper()


def _open(path: Path) -> TextIO:
    try:
        if path.suffix == ".gz":
            return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise DataError(path, 0, f"can't be opened: {error.strerror or error}") from error


def read(path: Path, con_id: int, grid: Grid = CENT) -> Iterator[MarketUpdate]:
    """The updates of one file. Raises DataError at the row that can't be read."""
    line = 1
    try:
        with _open(path) as file:
            rows = csv.reader(file)
            reader = _reader([name.strip().lower() for name in next(rows, [])], con_id, grid)
            last = 0
            for number, row in enumerate(rows, start=2):
                line = number
                if not row:
                    continue
                time_ms = _time(row[reader.time])
                if time_ms < last:
                    raise ValueError(f"time {time_ms} runs backwards, the row above has {last}")
                last = time_ms
                yield from reader.updates(time_ms * MS, row)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(path, line + 1, f"can't be read: {error}") from error
    except IndexError:
        raise DataError(path, line, "has fewer columns than the header") from None
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(path, line, str(error)) from error


def check(path: Path) -> int:
    """Read a whole file and return its number of updates. Raises DataError at the first bad row."""
    return sum(1 for _ in read(path, 1))


def _reader(header: Sequence[str], con_id: int, grid: Grid) -> _Seconds | _Ticks:
    for names, kind in ((SECONDS, _Seconds), (TICKS, _Ticks)):
        if all(name in header for name in names):
            return kind([header.index(name) for name in names], con_id, grid)
    raise ValueError(
        f"the header {','.join(header)!r} is of neither form: {','.join(SECONDS)} or {','.join(TICKS)}"
    )


def _time(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"time_utc_ms is {text!r}, not a whole number") from None
    if not 0 < value < 1 << 43:
        raise ValueError(f"time_utc_ms is {text}, not milliseconds since 1970")
    return value


def _price(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, not a number") from None
    if not 0 < value < TOO_HIGH:  # also false for NaN
        raise ValueError(f"{name} is {text}, not a price")
    return value


def _size(name: str, text: str) -> int:
    try:
        value = int(text) if text.isdigit() else int(float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is {text!r}, not a number") from None
    if value < 0:
        raise ValueError(f"{name} is {text}, below zero")
    return value


class _Seconds:
    """Reads rows of the one-second form."""

    def __init__(self, columns: Sequence[int], con_id: int, grid: Grid) -> None:
        self._grid = grid
        (
            self.time,
            self._open,
            self._high,
            self._low,
            self._close,
            self._volume,
            self._bid,
            self._bid_size,
            self._ask,
            self._ask_size,
        ) = columns
        self._con_id = con_id
        self._top = (0, 0, 0, 0)

    def updates(self, time_ns: int, row: Sequence[str]) -> list[MarketUpdate]:
        found = []
        prints = self._prints(row)
        for index, (price, size) in enumerate(prints):
            if size:
                found.append(MarketUpdate(time_ns + index * 200 * MS, self._con_id, *self._top, price, size))
        bid, ask = row[self._bid], row[self._ask]
        if bid or ask:
            self._top = (
                self._grid.ticks(_price("bid", bid)) if bid else 0,
                _size("bid_size", row[self._bid_size]) if bid else 0,
                self._grid.ticks(_price("ask", ask)) if ask else 0,
                _size("ask_size", row[self._ask_size]) if ask else 0,
            )
            found.append(MarketUpdate(time_ns + 999 * MS, self._con_id, *self._top))
        return found

    def _prints(self, row: Sequence[str]) -> list[tuple[float, int]]:
        """The second's prints: open, nearer extreme, other extreme, close, without repetitions."""
        if not row[self._close]:
            return []
        first, high = _price("open", row[self._open]), _price("high", row[self._high])
        low, last = _price("low", row[self._low]), _price("close", row[self._close])
        if not low <= min(first, last) <= max(first, last) <= high:
            raise ValueError(f"open {first}, high {high}, low {low}, close {last} contradict each other")
        near, far = (high, low) if high - first < first - low else (low, high)
        path = [first]
        for price in (near, far, last):
            if price != path[-1]:
                path.append(price)
        share, rest = divmod(_size("volume", row[self._volume] or "0"), len(path))
        return [(price, share + (rest if index == len(path) - 1 else 0)) for index, price in enumerate(path)]


class _Ticks:
    """Reads rows of the tick form and keeps every venue's quote."""

    def __init__(self, columns: Sequence[int], con_id: int, grid: Grid) -> None:
        self._grid = grid
        self.time, self._kind, self._price, self._size, self._venue = columns
        self._con_id = con_id
        self._bids: dict[str, tuple[int, int]] = {}
        self._asks: dict[str, tuple[int, int]] = {}
        self._top = (0, 0, 0, 0)

    def updates(self, time_ns: int, row: Sequence[str]) -> list[MarketUpdate]:
        kind = row[self._kind]
        price, size = _price("price", row[self._price]), _size("size", row[self._size])
        if kind == "trade":
            if not size:
                return []
            return [MarketUpdate(time_ns, self._con_id, *self._top, price, size)]
        venue, ticks = row[self._venue], self._grid.ticks(price)
        if kind == "bid":
            _quote(self._bids, venue, ticks, size)
            _retire(self._asks, [v for v, (ask, _) in self._asks.items() if ask <= ticks])
        elif kind == "ask":
            _quote(self._asks, venue, ticks, size)
            _retire(self._bids, [v for v, (bid, _) in self._bids.items() if bid >= ticks])
        else:
            raise ValueError(f"kind is {kind!r}, not bid, ask or trade")
        top = (*_best(self._bids, max), *_best(self._asks, min))
        if top == self._top:
            return []
        self._top = top
        return [MarketUpdate(time_ns, self._con_id, *top)]


def _quote(side: dict[str, tuple[int, int]], venue: str, ticks: int, size: int) -> None:
    if size:
        side[venue] = (ticks, size)
    else:
        side.pop(venue, None)


def _retire(side: dict[str, tuple[int, int]], crossed: Iterable[str]) -> None:
    for venue in crossed:
        del side[venue]


def _best(side: Mapping[str, tuple[int, int]], choose: Callable[[Iterable[int]], int]) -> tuple[int, int]:
    if not side:
        return 0, 0
    best = choose(ticks for ticks, _ in side.values())
    return best, sum(size for ticks, size in side.values() if ticks == best)


class ReplayMarket:
    """A `Market` merged from files by time; files of equal time keep the order in which they were given."""

    def __init__(self, series: Sequence[tuple[Path, Security]], end_ns: int | None = None) -> None:
        """Each file plays one security; a file may play several. Raises DataError when a first row is
        unreadable.
        """
        seen = {security.con_id: security for _, security in series}
        self.listings = tuple(seen.values())
        self._end_ns = end_ns
        streams = [read(path, s.con_id, grid_of(s.tick, s.lot)) for path, s in series]
        self._merged = heapq.merge(*streams, key=lambda update: update.time_ns)
        self._next = next(self._merged, None)
        if self._next is None:
            raise DataError(series[0][0] if series else "data", 1, "holds no row")
        self.start_ns = self._next.time_ns

    def previous_close(self, con_id: int) -> float | None:
        return None

    def opening(self, con_id: int) -> float | None:
        return None

    def can_follow(self, security: Security) -> bool:
        return False

    def follow(self, security: Security, now_ns: int) -> Begun | None:
        return None

    def next_ns(self) -> int | None:
        return None if self._next is None else self._next.time_ns

    def take(self, until_ns: int) -> list[MarketUpdate]:
        taken: list[MarketUpdate] = []
        update, merged = self._next, self._merged
        if self._end_ns is not None:
            until_ns = min(until_ns, self._end_ns)
        while update is not None and update.time_ns <= until_ns:
            taken.append(update)
            update = next(merged, None)
        self._next = update
        if update is not None and self._end_ns is not None and update.time_ns > self._end_ns:
            self._next = None
        return taken


def replay(
    files: Sequence[Path],
    universe: Universe,
    symbol_map: Mapping[str, str] | None = None,
    end_ns: int | None = None,
) -> ReplayMarket:
    """The market of these files. A symbol unknown to the universe is added to it under an invented conId.

    `symbol_map` {"CVNA": "SPY"}: CVNA plays SPY's series too. Raises ConfigError for a series that no
    file has, DataError for a file that can't be read or whose first row is bad.
    """
    series: list[tuple[Path, Security]] = []
    aliases = dict(symbol_map or {})
    for path in files:
        symbol = series_symbol(path)
        series.append((path, universe.add(symbol)))
        series += [(path, universe.add(alias)) for alias, source in aliases.items() if source == symbol]
    known = {series_symbol(path) for path in files}
    for alias, source in aliases.items():
        if source not in known:
            raise ConfigError(
                "symbol",
                f"{alias}={source}",
                f"no data file has the series {source}",
                f"Known are {', '.join(sorted(known)) or 'none: give --data'}",
            )
    return ReplayMarket(series, end_ns)
